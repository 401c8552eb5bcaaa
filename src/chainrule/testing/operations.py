"""The checks that every operation must pass. They find operations, their arguments and derivatives by themselves.

`thing_backward`, and any operation whose name begins so, is a derivative of `thing_forward`: it takes the gradients at
results of forward (`dy`) and then arguments or results of forward by name, and returns gradients at arguments (`dx`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.operations import OPERATIONS, Operation, backend
from chainrule.operations.signatures import (
    Signature,
    Sizes,
    Values,
    away_from_zero,
    draw,
    evaluate_shape,
    read_signature,
)
from chainrule.testing.demands import (
    SAME,
    SAME_IN_FLOAT32,
    demand,
    demand_dtype,
    demand_gradient,
    demand_same,
    demand_shape,
    demand_unchanged,
)
from chainrule.testing.gradient import numerical_gradient

AnyOperation = Operation[..., Any]
Results = dict[str, Array]  # by the names in the return statement


def all_operations(within: str = "") -> list[AnyOperation]:
    """Every operation that has been defined, in modules whose name begins with `within`."""
    return [operation for operation in OPERATIONS.values() if operation.__module__.startswith(within)]


def check_operation(operation: AnyOperation) -> None:
    """Check one operation on drawn arguments of several sizes; its comments say how to draw them (see the docs).

    In float64, and for each result: the promised shape; the same numbers from its formula, its compiled twin and any
    memory layout; inputs unchanged; float32 stays float32; no samples are allowed. A derivative is compared with
    central differences of its forward operation, to a relative error of 1e-7; a forward operation with all of its
    derivatives, of which it must have one.

    Raises:
        AssertionError: names the operation, the argument or result, what was expected and what came.

    """
    with backend("native"):
        signature = read_signature(operation)
        for rng, sizes in _trials(signature):
            arguments = draw(signature, rng, sizes)
            _check_inputs_unchanged(operation, signature, arguments)
            _check_results(operation, signature, arguments, sizes)
            _check_float32(operation, signature, arguments)
            _check_formula_and_twin(operation, signature, arguments)
            _check_layouts(operation, signature, arguments)
        _check_no_samples(operation, signature)
        for forward, backward in _pairs(operation):
            _check_derivative(forward, backward)


def _trials(signature: Signature) -> Iterator[tuple[np.random.Generator, Sizes]]:
    """Different sizes for each dimension, then 1 for all, then whatever comes."""
    names = signature.dimensions
    plans: list[Callable[[np.random.Generator], Sizes]] = [
        lambda rng: {name: 3 + position for position, name in enumerate(names)},
        lambda rng: dict.fromkeys(names, 1),
        lambda rng: {name: int(rng.integers(1, 6)) for name in names},
        lambda rng: {name: int(rng.integers(1, 6)) for name in names},
    ]
    for seed, plan in enumerate(plans):
        rng = np.random.default_rng(seed)
        yield rng, plan(rng)


def _run(function: Callable[..., Any], signature: Signature, arguments: Values) -> Results:
    """Call `function`, and give its results their names."""
    found = function(*arguments.values())
    results = found if isinstance(found, tuple) else (found,)
    name, expected = signature.operation, len(signature.results)
    demand(len(results) == expected, f"{name}: expected {expected} results, got {len(results)}")
    for label, array in zip(signature.results, results, strict=True):
        demand(isinstance(array, np.ndarray | np.generic), f"{name}: {label}: expected an array, got {array!r:.50}")
    return dict(zip(signature.results, results, strict=True))


def _check_results(operation: AnyOperation, signature: Signature, arguments: Values, sizes: Sizes) -> None:
    """A result has the shape in its comment; dx has the shape of x, and an updated W that of W."""
    for name, array in _run(operation, signature, arguments).items():
        where = f"{operation.name}: {name}"
        if name in signature.result_shapes:
            demand_shape(where, array, evaluate_shape(signature.result_shapes[name], {**arguments, **sizes}, where))
        for argument in (name, name.removeprefix("d")):
            if isinstance(arguments.get(argument), np.ndarray):
                demand_shape(where, array, arguments[argument].shape)


def _check_float32(operation: AnyOperation, signature: Signature, arguments: Values) -> None:
    """float64 gives float64, and float32 float32; masks, counts and operations without a float array are free."""
    if not any(_is_float(value) for value in arguments.values()):
        return
    for dtype in (np.float64, np.float32):
        for name, array in _run(operation, signature, _with_floats(arguments, dtype)).items():
            if array.dtype.kind == "f":
                demand_dtype(f"{operation.name} of {np.dtype(dtype)}: {name}", array, dtype)


def _check_inputs_unchanged(operation: AnyOperation, signature: Signature, arguments: Values) -> None:
    given = {name: _read_only(value) if _is_array(value) else value for name, value in arguments.items()}
    try:
        _run(operation, signature, given)
    except ValueError as error:
        demand("read-only" not in str(error), f"{operation.name}: tried to change an input ({error})")
        raise
    for name, value in given.items():
        if _is_array(value):
            demand_unchanged(f"{operation.name}: {name}", value, arguments[name])


def _check_formula_and_twin(operation: AnyOperation, signature: Signature, arguments: Values) -> None:
    """The compiled twin, where there is one, gives the formula's numbers; backend("reference") runs the formula."""
    for dtype, limit in ((np.float64, SAME), (np.float32, SAME_IN_FLOAT32)):
        given = _with_floats(arguments, dtype)
        expected = _run(operation.reference, signature, given)
        _demand_results(f"{operation.name}", _run(operation, signature, given), expected, limit)
        with backend("reference"):
            _demand_results(f"{operation.name}, reference", _run(operation, signature, given), expected, 0)


def _check_layouts(operation: AnyOperation, signature: Signature, arguments: Values) -> None:
    """How an array lies in memory makes no difference."""
    for layout, lay_out in LAYOUTS.items():
        given = {name: lay_out(value) if _is_array(value) else value for name, value in arguments.items()}
        plain = {name: _plain(value) if _is_array(value) else value for name, value in given.items()}
        found, expected = _run(operation, signature, given), _run(operation, signature, plain)
        _demand_results(f"{operation.name} of {layout} arrays", found, expected, SAME)


def _check_no_samples(operation: AnyOperation, signature: Signature) -> None:
    """N = 0 is allowed: the shapes are right, and nothing is raised."""
    if "N" not in signature.dimensions:
        return
    sizes = dict.fromkeys(signature.dimensions, 2) | {"N": 0}
    arguments = draw(signature, np.random.default_rng(0), sizes)
    _check_results(operation, signature, arguments, sizes)


def _pairs(operation: AnyOperation) -> list[tuple[AnyOperation, AnyOperation]]:
    """The forward operation and the derivatives that `operation` is one of; none for an update or a helper."""
    name = operation.name
    if name.endswith("_forward"):
        thing = name.removesuffix("_forward")
        derivatives = [other for other in OPERATIONS.values() if other.name.startswith(f"{thing}_backward")]
        demand(bool(derivatives), f"{name}: expected a derivative named {thing}_backward, there is none")
        return [(operation, derivative) for derivative in derivatives]
    if "_backward" in name:
        forward = OPERATIONS.get(f"{name.split('_backward')[0]}_forward")
        if forward is None:
            raise AssertionError(f"{name}: expected an operation {name.split('_backward')[0]}_forward, there is none")
        return [(forward, operation)]
    return []


def _check_derivative(forward: AnyOperation, backward: AnyOperation) -> None:
    """With s = Σ r ⊙ y for random r, ∂s/∂y = r: given r, backward must return ∂s/∂x for each argument x it names."""
    signature, back = read_signature(forward), read_signature(backward)
    for rng, sizes in _trials(signature):
        arguments = draw(signature, rng, sizes)
        outputs = _run(forward, signature, arguments)
        r = {f"d{name}": away_from_zero(rng, y.shape) for name, y in outputs.items()}
        given = _arguments_of_backward(back, {**arguments, **outputs, **r}, draw(back, rng, sizes), sizes)
        projected = [name for name in r if name in given]
        demand(bool(projected), f"{backward.name}: expected an argument {' or '.join(r)}, the gradient at a result")

        def s(value: Array, name: str, fixed: Values = arguments, r: Values = r, used: list[str] = projected) -> float:
            y = _run(forward, signature, {**fixed, name: value})
            return sum(float(np.sum(r[label] * y[label.removeprefix("d")])) for label in used)

        for name, gradient in _run(backward, back, given).items():
            x = name.removeprefix("d")
            demand(name.startswith("d") and x in arguments, f"{backward.name}: {name} is no gradient of an argument")
            numeric = numerical_gradient(lambda value, x=x, s=s: s(value, x), arguments[x])  # type: ignore[misc]
            demand_gradient(f"{backward.name}: {name}", gradient, numeric)


def _arguments_of_backward(back: Signature, known: Values, drawn: Values, sizes: Sizes) -> Values:
    """Each argument of backward, from forward where it has the same name, else from backward's own comment."""
    given: Values = {}
    for argument in back.arguments:
        where = f"{back.operation}: {argument.name}"
        if argument.name in known:
            given[argument.name] = known[argument.name]
            if argument.shape:
                demand_shape(where, known[argument.name], evaluate_shape(argument.shape, dict(sizes), where))
        else:
            demand(bool(argument.value), f"{where} is no gradient at a result, nor an argument or result of forward")
            given[argument.name] = drawn[argument.name]
    return given


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _is_float(value: Any) -> bool:
    return _is_array(value) and value.dtype.kind == "f"


def _with_floats(arguments: Values, dtype: Any) -> Values:
    return {name: value.astype(dtype) if _is_float(value) else value for name, value in arguments.items()}


def _demand_results(where: str, found: Results, expected: Results, limit: float) -> None:
    for name, array in found.items():
        demand_same(f"{where}: {name}", array, expected[name], limit)


def _plain(array: Array) -> Array:
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def _read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _strided(array: Array) -> Array:
    """Every second element, along every axis, of an array twice as long."""
    wide = np.zeros([2 * n for n in array.shape], array.dtype)
    view = wide[_every(2, array)]
    view[...] = array
    return view


def _backwards(array: Array) -> Array:
    """The same array, held in memory from its last element to its first."""
    return array[_every(-1, array)].copy()[_every(-1, array)]


def _every(step: int, array: Array) -> tuple[Any, ...]:
    """The index array[::step, ::step, …]; the dots keep an array without axes an array."""
    return (*[slice(None, None, step)] * array.ndim, ...)


def _repeated(array: Array) -> Array:
    """The first row for all rows, without a copy: a stride of zero."""
    return np.broadcast_to(array[:1], array.shape) if array.ndim else array


def _unaligned(array: Array) -> Array:
    """Held from an odd address on."""
    memory = np.empty(array.nbytes + 1, np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "Fortran-ordered": lambda array: np.array(array, order="F"),
    "strided": _strided,
    "backward-strided": _backwards,
    "zero-strided": _repeated,
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "unaligned": _unaligned,
}
