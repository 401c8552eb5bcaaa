"""Every compiled kernel against its formula: the same numbers, whatever the sizes and however arrays lie in memory.

Kernels are found, and their arguments drawn, by what stands in the comments of their operations: a new one is covered
by itself. Where float64 rounding is concerned the limit is 1e-13 of Σ|terms|, the sum of the magnitudes of all that is
added up for a result: a sum that cancels cannot be more exact than its terms. In float32 it is n · ε · Σ|terms| for
sums of n terms, against the formula in float64 on the same numbers.
"""

import ctypes
import itertools
import mmap
import os
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import kernels
from chainrule.operations import OPERATIONS, backend, signatures
from chainrule.operations.operation import runs_natively
from chainrule.operations.signatures import away_from_zero, evaluate_shape, read_signature
from chainrule.testing import all_operations
from chainrule.testing.operations import LAYOUTS

pytestmark = pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here: nothing to compare")

ALL = all_operations(within="chainrule.")
IMAGES = [operation for operation in ALL if any(a.name == "stride" for a in read_signature(operation).arguments)]
# A contiguous array is not copied: the formula makes a view of it.
VIEWS = {"reshape_forward", "reshape_backward", "merged_steps_forward", "merged_steps_backward"}

# Around the edges of tiles (6, 12, 16, 32), blocks (96, 128, 256) and chunks; 0 and 1.
SIZES = (0, 1, 2, 3, 5, 6, 7, 11, 12, 13, 15, 16, 17, 31, 32, 33, 95, 96, 97, 127, 128, 129, 255, 256, 257)
MOST = 1 << 17  # product of the named dimensions of a case; images and matrices for each row have further ones
MOST_OF_LARGE = 1 << 12


def names(operations):
    return {"argvalues": operations, "ids": [operation.name for operation in operations]}


def draw(signature, rng, sizes):
    """Arguments for an operation; whole numbers below 256 or less, which are pixels and masks, as bytes."""
    arguments = signatures.draw(signature, rng, sizes)
    for argument in signature.arguments:
        if argument.rule in ("< 2", "< 256"):
            arguments[argument.name] = arguments[argument.name].astype(np.uint8)
    return arguments


def takes(operation, floats):
    """Whether an operation takes at least so many arrays of floats."""
    return sum(bool(a.shape) and not a.rule.startswith("<") for a in read_signature(operation).arguments) >= floats


# --- what is compared -------------------------------------------------------------------------------------------------


def results_of(function, arguments):
    found = function(*arguments.values())
    return found if isinstance(found, tuple) else (found,)


def formula(operation, arguments):
    with np.errstate(all="ignore"):
        return results_of(operation.reference, arguments)


def is_float(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def with_floats(arguments, change):
    return {name: change(value) if is_float(value) else value for name, value in arguments.items()}


def magnitudes(operation, arguments):
    """Σ|terms| of every result: the formula on absolute values, unless it is more than sums of products."""
    exact = with_floats(arguments, lambda a: a.astype(np.float64))
    expected = [np.abs(result) for result in formula(operation, exact)]
    if operation.name in MAGNITUDES:
        with np.errstate(all="ignore"):
            found = MAGNITUDES[operation.name](*exact.values())
        return found if isinstance(found, tuple) else (found,)
    positive = with_floats(exact, np.abs)
    if operation.name.endswith("_update"):  # W − …: with −|W| all terms have one sign
        positive["W"] = -positive["W"]
    bounds = [np.abs(result) for result in formula(operation, positive)]
    return tuple(np.fmax(a, b) for a, b in zip(expected, bounds, strict=True))


def _unit(p):
    return np.eye(p.shape[1])


def _softmax(f):
    return OPERATIONS["softmax_forward"].reference(f)


def _one_hot(f, labels):
    return labels[:, None] == np.arange(f.shape[1])


def _column(a):
    return np.abs(a)[:, None]


def _row_sums(a):
    return np.abs(a).sum(axis=1, keepdims=True)


def _both(y, t):
    """|y| + |t|, from which y − t is made."""
    return np.abs(y) + np.abs(t)


def _held(y, t, delta):
    return np.minimum(_both(y, t), delta)


def _log_p(f):
    return OPERATIONS["log_softmax_forward"].reference(f)


def _reach(f, t, margin):
    """What margin − (2t − 1) f is made of."""
    return margin + (1 + 2 * np.abs(t)) * np.abs(f)


def _span(f, labels, margin):
    """What margin + f_k − f_j is made of; nothing where k is the label j."""
    true = np.take_along_axis(f, labels[:, None], axis=1)
    return np.where(_one_hot(f, labels), 0, margin + np.abs(f) + np.abs(true))


def _power_slopes(gap, power):
    return np.where(gap > 0, power * gap ** (power - 1), 0)


def _span_slopes(f, labels, margin, power):
    slopes = _power_slopes(_span(f, labels, margin), power)
    return np.where(_one_hot(f, labels), slopes.sum(axis=1, keepdims=True), slopes)


def _focal(f, labels, alpha, gamma):
    """α_j q^γ, q = 1 − p_j, and −log p_j; an error of log q comes back γ |log q| times in q^γ."""
    t, p = _one_hot(f, labels), _softmax(f)
    q = np.maximum((p * ~t).sum(axis=1), np.finfo(float).tiny)
    return alpha[labels] * q**gamma * (1 + gamma * np.abs(np.log(q))), q, -_log_p(f)[t]


def _focal_slopes(f, labels, alpha, gamma):
    weight, q, miss = _focal(f, labels, alpha, gamma)
    p = _softmax(f)
    slope = weight * (1 + gamma * np.exp(-miss) * (1 + miss) / q)
    return slope[:, None] * np.where(_one_hot(f, labels), q[:, None], p)


def _binary_focal(f, t, gamma, yes, no):
    """α q^γ likewise, and −log p and −log q, of each score."""
    z = (2 * t - 1) * f
    miss, hit = np.logaddexp(0, -z), np.logaddexp(0, z)
    return (yes * np.abs(t) + no * (1 + np.abs(t))) * np.exp(-gamma * hit) * (1 + gamma * hit), miss, hit


def _binary_focal_slopes(f, t, gamma, yes, no):
    weight, miss, hit = _binary_focal(f, t, gamma, yes, no)
    return (1 + 2 * np.abs(t)) * weight * (np.exp(-hit) + gamma * np.exp(-miss) * miss)


class Magnitudes(np.ndarray):
    """What stands for the magnitudes of parts: a difference is as large as both of its parts together."""

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        plain = (_plain(value) for value in inputs)
        return _as_magnitudes(getattr(np.add if ufunc is np.subtract else ufunc, method)(*plain, **keywords))

    def __array_function__(self, function, types, arguments, keywords):
        return _as_magnitudes(function(*_plain(arguments), **keywords))


def _plain(value):
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value.view(np.ndarray) if isinstance(value, np.ndarray) else value


def _as_magnitudes(value):
    return list(map(_as_magnitudes, value)) if isinstance(value, list) else np.asarray(value).view(Magnitudes)


def _by_parts(operation):
    def bounds(*arguments):
        found = operation.reference(*(_as_magnitudes(np.abs(a)) if is_float(a) else a for a in arguments))
        return tuple(map(np.asarray, found)) if isinstance(found, tuple) else np.asarray(found)

    return bounds


def _sums(x):
    """Of a channel's numbers over samples and pixels, for each of them."""
    return np.broadcast_to(x.sum(axis=(0, 2, 3), keepdims=True), x.shape)


def _spread(x, mean, variance, epsilon):
    """|x| + |μ| and |z| over √(σ² + ε): what z is made of, and how an error of σ² changes it."""
    each = (slice(None), None, None) if x.ndim == 4 else (..., None)
    scale = np.sqrt(variance[each] + epsilon)
    return (np.abs(x) + np.abs(mean[each])) / scale


def _mean(x, axes, **keep):
    """NumPy's own warns where there is nothing."""
    return x.sum(axis=axes, **keep) / np.prod([x.shape[axis] for axis in axes])


def _statistics(x, axes):
    """What μ and σ² are made of, and σ²."""
    return _mean(np.abs(x), axes), _mean(x * x, axes), _mean((x - _mean(x, axes, keepdims=True)) ** 2, axes)


def _batch_norm(x, gamma, beta, epsilon):
    mean, square, variance = _statistics(x, (0, 2, 3))
    reach = _spread(x, mean, variance, epsilon)
    column = (slice(None), None, None)
    y = np.abs(gamma)[column] * reach * (1 + np.sqrt(square / (variance + epsilon)))[column] + np.abs(beta)[column]
    return y, mean, square


def _norm_slopes(dy, x, gamma, mean, variance, epsilon, taken_off):
    column = (slice(None), None, None)
    reach, scale = _spread(x, mean, variance, epsilon), np.sqrt(variance + epsilon)[column]
    dy, m = np.abs(dy), x.size / max(1, len(gamma))
    inner = dy + taken_off * (_sums(dy) + reach * _sums(dy * reach)) / m
    return np.abs(gamma)[column] / scale * inner, (dy * reach).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))


def _layer_norm(x, gamma, beta, epsilon):
    mean, square, variance = _statistics(x, (-1,))
    reach = _spread(x, mean, variance, epsilon)
    y = np.abs(gamma) * reach * (1 + np.sqrt(square / (variance + epsilon)))[..., None] + np.abs(beta)
    return y, mean, square


def _layer_norm_slopes(dy, x, gamma, mean, variance, epsilon):
    reach, scale = _spread(x, mean, variance, epsilon), np.sqrt(variance + epsilon)[..., None]
    dz = np.abs(gamma * dy)
    along = _mean(dz * reach, (-1,), keepdims=True)
    dx = (dz + _mean(dz, (-1,), keepdims=True) + reach * along) / scale
    return dx, (np.abs(dy) * reach).sum(axis=(0, 1)), np.abs(dy).sum(axis=(0, 1))


# Differences, and logarithms of sums: log Σ is as exact as Σ ≥ 1 is relative to itself, hence the terms 1.
MAGNITUDES = {
    "tanh_backward": lambda dy, y: np.abs(dy) * (1 + y * y),
    "sigmoid_backward": lambda dy, y: np.abs(dy * y) * (1 + np.abs(y)),
    "softmax_backward": lambda dp, p: np.abs(p) * (np.abs(dp) + _row_sums(dp * p)),
    "softmax_jacobian": lambda p: np.abs(p)[:, :, None] * (_unit(p) + np.abs(p)[:, None, :]),
    "log_softmax_forward": lambda f: 1 + np.abs(OPERATIONS["log_softmax_forward"].reference(f)),
    "log_softmax_backward": lambda dy, y: np.abs(dy) + np.exp(y) * _row_sums(dy),
    "squared_error_forward": lambda y, t: ((np.abs(y) + np.abs(t)) ** 2).sum(axis=1) / 2,
    "squared_error_backward": lambda dloss, y, t: _column(dloss) * (np.abs(y) + np.abs(t)),
    "binary_cross_entropy_forward": lambda f, t: (np.logaddexp(0, f) + np.abs(t * f)).sum(axis=1),
    "binary_cross_entropy_backward": lambda dloss, f, t: _column(dloss) * (1 + np.abs(t)),
    "cross_entropy_forward": lambda f, labels: 1 + OPERATIONS["cross_entropy_forward"].reference(f, labels),
    "cross_entropy_backward": lambda dloss, f, labels: _column(dloss) * (_softmax(f) + _one_hot(f, labels)),
    "soft_cross_entropy_forward": lambda f, t: (np.abs(t) * (1 - OPERATIONS["log_softmax_forward"].reference(f))).sum(
        axis=1
    ),
    "soft_cross_entropy_backward": lambda dloss, f, t: _column(dloss) * (_softmax(f) + np.abs(t)),
    "perceptron_forward": lambda f, t: (((f >= 0) + np.abs(t)) * np.abs(f)).sum(axis=1),
    "perceptron_backward": lambda dloss, f, t: _column(dloss) * ((f >= 0) + np.abs(t)),
    "average_update": lambda a, W, step, decay: _both(a, W),
    "absolute_error_forward": lambda y, t: _both(y, t).sum(axis=1),
    "huber_forward": lambda y, t, delta: (_held(y, t, delta) * (_both(y, t) + _held(y, t, delta) / 2)).sum(axis=1),
    "huber_backward": lambda dloss, y, t, delta: _column(dloss) * _held(y, t, delta),
    "poisson_forward": lambda f, t: (np.exp(f) + np.abs(t * f)).sum(axis=1),
    "poisson_backward": lambda dloss, f, t: _column(dloss) * (np.exp(f) + np.abs(t)),
    "weighted_binary_cross_entropy_forward": lambda f, t, w: (
        w * np.abs(t) * np.logaddexp(0, -f) + (1 + np.abs(t)) * np.logaddexp(0, f)
    ).sum(axis=1),
    "weighted_binary_cross_entropy_backward": lambda dloss, f, t, w: _column(dloss) * (1 + np.abs(t) + w * np.abs(t)),
    "smoothed_cross_entropy_forward": lambda f, labels, smoothing: (
        1 + OPERATIONS["smoothed_cross_entropy_forward"].reference(f, labels, smoothing)
    ),
    "smoothed_cross_entropy_backward": lambda dloss, f, labels, smoothing: (
        _column(dloss) * (_softmax(f) + _one_hot(f, labels) + smoothing / f.shape[1])
    ),
    "kullback_leibler_forward": lambda f, t: (
        np.abs(t) * (1 + np.abs(np.log(np.maximum(t, np.finfo(float).tiny))) - _log_p(f))
    ).sum(axis=1),
    "kullback_leibler_backward": lambda dloss, f, t: _column(dloss) * (_softmax(f) + np.abs(t)),
    "binary_focal_forward": lambda f, t, *rest: np.prod(_binary_focal(f, t, *rest)[:2], axis=0).sum(axis=1),
    "binary_focal_backward": lambda dloss, f, t, *rest: _column(dloss) * _binary_focal_slopes(f, t, *rest),
    "focal_forward": lambda *given: _focal(*given)[0] * (1 + _focal(*given)[2]),
    "focal_backward": lambda dloss, *given: _column(dloss) * _focal_slopes(*given),
    "hinge_forward": lambda f, t, margin, power: (_reach(f, t, margin) ** power).sum(axis=1),
    "hinge_backward": lambda dloss, f, t, margin, power: (
        _column(dloss) * (1 + 2 * np.abs(t)) * _power_slopes(_reach(f, t, margin), power)
    ),
    "crammer_singer_forward": lambda f, labels, margin: _span(f, labels, margin).max(axis=1),
    "weston_watkins_forward": lambda f, labels, margin, power: (_span(f, labels, margin) ** power).sum(axis=1),
    "weston_watkins_backward": lambda dloss, *given: _column(dloss) * _span_slopes(*given),
    "gelu_forward": lambda x: np.abs(x) * (1 + x * x),
    "gelu_backward": lambda dy, x: np.abs(dy) * (1 + np.abs(x) ** 3),
    "gelu_tanh_forward": lambda x: np.abs(x) * (1 + np.abs(x) ** 3),
    "gelu_tanh_backward": lambda dy, x: np.abs(dy) * (1 + np.abs(x) ** 5),
    "silu_forward": lambda x: np.abs(x) * (1 + np.abs(x)),
    "silu_backward": lambda dy, x: np.abs(dy) * (1 + x * x),
    "elu_forward": lambda x, slope, depth: slope * np.abs(x) + depth,
    "hard_sigmoid_forward": lambda x: 0.5 + np.abs(x),
    "batch_norm_forward": _batch_norm,
    "batch_norm_backward": lambda *given: _norm_slopes(*given, taken_off=1),
    "running_norm_forward": lambda x, gamma, beta, *given: (
        np.abs(gamma)[:, None, None] * _spread(x, *given) + np.abs(beta)[:, None, None]
    ),
    "running_norm_backward": lambda *given: _norm_slopes(*given, taken_off=0),
    "layer_norm_forward": _layer_norm,
    "layer_norm_backward": _layer_norm_slopes,
    "noise_forward": lambda x, deviation, *rest: np.abs(x) + 7 * deviation,
    "affine_places": lambda x, *drawn: np.full((len(x), 2, *x.shape[2:]), 1.0 * sum(x.shape[2:])),
    "elastic_places": lambda places, alpha, *drawn: np.abs(places) + alpha,
    "warp_forward": lambda x, places, fill: OPERATIONS["warp_forward"].reference(np.abs(x), places, abs(fill)),
    "warp_backward": lambda dy, places: OPERATIONS["warp_backward"].reference(np.abs(dy), places),
    "max_pool_backward": lambda dy, x, size, stride: OPERATIONS["max_pool_backward"].reference(
        np.abs(dy), x, size, stride
    ),
}

MAGNITUDES |= {one.name: _by_parts(one) for one in ALL if one.__module__.endswith("recurrent")}


def terms(signature, sizes):
    """For each result at most how many terms its sums have, and some roundings besides.

    A dimension that the result lacks has been summed over, and so may one that it has (softmax: along rows).
    """
    longest = max(sizes.values(), default=1)
    for name in signature.results:
        shape = signature.result_shapes.get(name) or next(
            (a.shape for a in signature.arguments if a.name in (name, name.removeprefix("d"))), ""
        )
        summed = [n for dimension, n in sizes.items() if dimension not in shape]
        yield 8 + longest + int(np.prod(summed))


def demand_same_results(operation, arguments, found, summands):
    """`found`, of a kernel, agrees with the formula; its dtypes are the formula's."""
    exact = with_floats(arguments, lambda a: a.astype(np.float64))
    expected, own = formula(operation, exact), formula(operation, arguments)
    bounds = magnitudes(operation, arguments)
    signature = read_signature(operation)
    for name, result, right, typed, bound, count in zip(
        signature.results, found, expected, own, bounds, summands, strict=True
    ):
        where = f"{operation.name}: {name}"
        assert result.shape == typed.shape, where
        assert result.dtype == typed.dtype, where
        if result.dtype.kind != "f":
            assert np.array_equal(result, right), where
            continue
        limit = 1e-13 if result.dtype == np.float64 else count * np.finfo(np.float32).eps
        with np.errstate(invalid="ignore"):
            same = (np.abs(result - right) <= limit * bound) | (result == right) | (np.isnan(result) & np.isnan(right))
        if not same.all():
            place = np.unravel_index(int(np.argmin(same)), same.shape)
            raise AssertionError(
                f"{where}{place} of {result.dtype}: expected {right[place]!r}, got {result[place]!r}, "
                f"which is more than {limit:g} × {bound[place]:g} away"
            )


def check(operation, arguments, summands):
    """Kernel against formula, on arrays of both dtypes that the kernel must take."""
    for dtype in (np.float64, np.float32):
        typed = with_floats(arguments, lambda a, dtype=dtype: a.astype(dtype))
        found = operation.kernel(*typed.values())
        assert found is not NotImplemented, f"{operation.name}: its kernel refuses plain arrays of {np.dtype(dtype)}"
        demand_same_results(operation, typed, found if isinstance(found, tuple) else (found,), summands)


# --- sizes ------------------------------------------------------------------------------------------------------------


def takes_images(signature):
    """Whether an argument or result has more than two axes: images, or a matrix for each row."""
    shapes = [*(a.shape for a in signature.arguments), *signature.result_shapes.values()]
    return any(shape.count(",") > 1 for shape in shapes)


def trials(signature):
    """Each dimension takes each size once, the others whatever comes, as long as nothing becomes too large."""
    rng = np.random.default_rng(len(signature.operation))
    most = MOST_OF_LARGE if takes_images(signature) else MOST
    if not signature.dimensions:
        yield rng, {}
    for dimension, size in itertools.product(signature.dimensions, SIZES):
        sizes = {name: int(rng.choice(SIZES[1:])) for name in signature.dimensions} | {dimension: size}
        others = [name for name in sizes if name != dimension]
        while others and np.prod(list(sizes.values()), dtype=float) > most:
            sizes[max(others, key=sizes.__getitem__)] //= 2
        if 0 not in sizes.values() or not _needs_elements(signature, sizes):
            yield rng, sizes


def _needs_elements(signature, sizes):
    """Whether there is no largest score, no class or no row to choose from where a dimension is 0."""
    empty = [name for name, size in sizes.items() if size == 0]
    rules = " ".join(argument.rule for argument in signature.arguments)
    return any(f"< {name}" in rules for name in empty) or (empty != ["N"] and _formula_refuses(signature, sizes))


def _formula_refuses(signature, sizes):
    try:
        formula(OPERATIONS[signature.operation], draw(signature, np.random.default_rng(0), sizes))
    except (ValueError, IndexError, ZeroDivisionError):
        return True
    return False


@pytest.mark.parametrize("operation", **names(ALL))
def test_a_kernel_gives_the_formula_s_numbers_at_every_size(operation):
    signature = read_signature(operation)
    for rng, sizes in trials(signature):
        arguments = draw(signature, rng, sizes)
        if operation.name in VIEWS or 0 in sizes.values():  # some kernels leave empty arrays to the formula
            with backend("native"):
                demand_same_results(operation, arguments, results_of(operation, arguments), terms(signature, sizes))
        else:
            check(operation, arguments, list(terms(signature, sizes)))


@pytest.mark.parametrize("operation", **names([one for one in ALL if one.name.startswith("linear")]))
def test_products_of_all_remainders_of_tiles(operation):
    signature, rng = read_signature(operation), np.random.default_rng(0)
    for _ in range(150):
        sizes = {name: int(rng.integers(1, 40)) for name in signature.dimensions}
        check(operation, draw(signature, rng, sizes), list(terms(signature, sizes)))


# Samples, inputs, outputs: enough that zeros are left out, in large batches and in few samples of many features.
MANY_AND_FEW = ((33, 33, 33), (70, 65, 18), (32, 47, 130), (5, 300, 17), (3, 700, 257), (1, 1030, 7), (200, 11, 1))


@pytest.mark.parametrize("share", [0.6, 0.7, 0.95, 1.0])
@pytest.mark.parametrize("operation", **names([operation for operation in ALL if takes(operation, 1)]))
def test_zeros_which_a_kernel_may_leave_out_change_nothing(operation, share):
    signature, rng = read_signature(operation), np.random.default_rng(0)
    for numbers in MANY_AND_FEW:
        most = 40 if takes_images(signature) else max(numbers)
        sizes = {name: min(most, numbers["NIO".find(name)]) for name in signature.dimensions}
        arguments = draw(signature, rng, sizes)
        for argument in signature.arguments:
            if argument.shape and not argument.rule:
                value = arguments[argument.name]
                arguments[argument.name] = np.where(rng.random(value.shape) < share, 0, value)
        if operation.name not in VIEWS:
            check(operation, arguments, list(terms(signature, sizes)))


@pytest.mark.parametrize("operation", [OPERATIONS["random_bits"], OPERATIONS["shuffled"]])
def test_random_words_are_the_same_from_every_seed_on(operation):
    for count, seed in itertools.product((*SIZES, 1000, 5000), (0, 1, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)):
        with backend("native"):
            found = operation(count, seed, 2**32 - 1, 3)
        assert found.tobytes() == operation.reference(count, seed, 2**32 - 1, 3).tobytes()


def image_arguments(operation, rng, N, C, O, image, size, stride, padding):  # noqa: E741
    """Arguments of an operation on windows of images, by their names; None where no window fits."""
    thing = operation.name.split("_forward")[0].split("_backward")[0]
    padding = (0, 0) if thing.endswith("pool") else padding
    places = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(image, padding, size, stride, strict=True)]
    if min(places) < 1 or any(n + 2 * p < k for n, p, k in zip(image, padding, size, strict=True)):
        return None
    shapes = {"x": (N, C, *image), "W": (O, C, *size), "b": (O,), "dy": (N, O, *places)}
    if thing.endswith("pool"):
        shapes["dy"] = (N, C, *places)
    elif thing == "depthwise":
        shapes |= {"W": (2 * C, 1, *size), "b": (2 * C,), "dy": (N, 2 * C, *places)}
    elif thing == "transposed_convolution":
        shapes |= {"x": shapes["dy"], "b": (C,), "dy": shapes["x"]}
    known = {name: away_from_zero(rng, shape) for name, shape in shapes.items()}
    known |= {"size": size, "stride": stride, "padding": padding, "extent": image}
    return {argument.name: known[argument.name] for argument in read_signature(operation).arguments}


SMALL = st.tuples(st.integers(1, 12), st.integers(1, 12))


@pytest.mark.parametrize("operation", **names(IMAGES))
@given(
    N=st.integers(0, 5),
    C=st.sampled_from((1, 2, 3, 5, 8, 17)),
    O=st.sampled_from((1, 2, 5, 16, 17, 33)),
    image=SMALL,
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    padding=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    seed=st.integers(0, 99),
)
def test_windows_of_any_size_on_images_of_any_size(operation, N, C, O, image, size, stride, padding, seed):  # noqa: E741
    arguments = image_arguments(operation, np.random.default_rng(seed), N, C, O, image, size, stride, padding)
    if arguments is not None:
        longest = 8 + sum(value.size for value in arguments.values() if is_float(value))
        check(operation, arguments, [longest] * len(read_signature(operation).results))


@pytest.mark.parametrize("operation", **names(IMAGES))
def test_images_as_wide_as_tiles(operation):
    rng = np.random.default_rng(0)
    for width, channels in itertools.product((11, 12, 13, 27), (1, 15, 16, 17, 32, 33, 65)):
        image, other = (4, width), int(rng.choice((1, 6, 16, 32, 33)))
        arguments = image_arguments(operation, rng, 2, channels, other, image, (3, 3), (1, 1), (1, 1))
        longest = 8 + sum(value.size for value in arguments.values() if is_float(value))
        check(operation, arguments, [longest] * len(read_signature(operation).results))


# --- how arrays lie in memory -----------------------------------------------------------------------------------------


def _read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _channels_last(array):
    return np.moveaxis(np.moveaxis(array, 1, -1).copy(), -1, 1) if array.ndim > 2 else array


def _columns_of_a_wider_array(array):
    wide = np.ones((*array.shape[:-1], array.shape[-1] + 3), array.dtype) if array.ndim else array.copy()
    view = wide[..., 1 : 1 + array.shape[-1]] if array.ndim else wide
    view[...] = array
    return view


def _axes_of_length_one_with_odd_strides(array):
    strides = [7777 if n == 1 else s for n, s in zip(array.shape, array.strides, strict=True)]
    return np.lib.stride_tricks.as_strided(array, array.shape, strides)


def _mapped(array):
    """Straight from a file that may not be written to."""
    with tempfile.TemporaryFile() as file:
        file.write(array.tobytes() or b"\0")
        file.flush()
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)


EVERY_LAYOUT = LAYOUTS | {
    "read-only": _read_only,
    "channels-last": _channels_last,
    "cut from a wider array": _columns_of_a_wider_array,
    "odd strides along axes of length 1": _axes_of_length_one_with_odd_strides,
    "memory-mapped": _mapped,
    "native": lambda array: array,
}
LAYOUT_SIZES = ((1, 1, 1, 1), (3, 4, 5, 2), (17, 13, 6, 5))


def check_laid_out(operation, arguments, lay_out, summands):
    """Laid out otherwise: the numbers of the formula on plain copies, the dtype of the formula, inputs untouched."""
    given = {name: lay_out(value) if isinstance(value, np.ndarray) else value for name, value in arguments.items()}
    arrays = [value for value in given.values() if isinstance(value, np.ndarray)]
    before = [value.tobytes() for value in arrays]
    plain = {
        name: np.array(value, value.dtype.newbyteorder("="), order="C") if isinstance(value, np.ndarray) else value
        for name, value in given.items()
    }
    with backend("native"):
        found = results_of(operation, given)
    for name, result, own in zip(read_signature(operation).results, found, formula(operation, given), strict=True):
        assert result.dtype == own.dtype, f"{operation.name}: {name}"
    native = tuple(result.astype(result.dtype.newbyteorder("="), copy=False) for result in found)
    demand_same_results(operation, plain, native, summands)
    assert [value.tobytes() for value in arrays] == before, f"{operation.name} changed an input"


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize("operation", **names(ALL))
def test_the_layout_in_memory_changes_nothing(operation, layout):
    signature, rng = read_signature(operation), np.random.default_rng(0)
    for numbers, dtype in itertools.product(LAYOUT_SIZES, (np.float64, np.float32)):
        sizes = dict(zip(signature.dimensions, numbers, strict=False))
        arguments = with_floats(draw(signature, rng, sizes), lambda a, dtype=dtype: a.astype(dtype))
        check_laid_out(operation, arguments, EVERY_LAYOUT[layout], list(terms(signature, sizes)))


@pytest.mark.parametrize("operation", **names(ALL))
def test_arguments_may_lie_in_memory_each_in_its_own_way(operation):
    signature, rng = read_signature(operation), np.random.default_rng(0)
    sizes = dict(zip(signature.dimensions, (7, 5, 6, 4), strict=False))
    for _ in range(12):
        choices = iter(rng.permutation(list(EVERY_LAYOUT.values())))
        check_laid_out(
            operation,
            draw(signature, rng, sizes),
            lambda array, choices=choices: next(choices)(array),
            list(terms(signature, sizes)),
        )


@pytest.mark.parametrize("kind", ["integers", "half", "one float32, the others float64", "a subclass"])
@pytest.mark.parametrize("operation", **names([operation for operation in ALL if takes(operation, 2)]))
def test_what_no_kernel_takes_is_left_to_the_formula(operation, kind):
    signature, rng = read_signature(operation), np.random.default_rng(0)
    sizes = dict(zip(signature.dimensions, (3, 4, 5, 6), strict=False))
    first = itertools.count()

    def change(array):
        if kind == "integers":
            return (10 * array).astype(np.int64)
        if kind == "half":
            return array.astype(np.float16)
        if kind == "a subclass":
            return array.view(np.memmap)
        return array.astype(np.float64 if next(first) else np.float32)

    arguments = with_floats(draw(signature, rng, sizes), change)
    try:
        expected = formula(operation, arguments)
    except (TypeError, ValueError) as error:  # softmax of whole numbers
        with backend("native"), pytest.raises(type(error)):
            operation(*arguments.values())
        return
    with backend("native"):
        found = results_of(operation, arguments)
    for result, right in zip(found, expected, strict=True):
        assert result.dtype == right.dtype
        np.testing.assert_allclose(result, right, rtol=1e-6)


# --- beyond the edges of arrays ---------------------------------------------------------------------------------------

READ_AND_WRITE, NOTHING = 3, 0  # PROT_READ | PROT_WRITE and PROT_NONE of mprotect(2)


def fenced(array, *, at_the_end):
    """A copy whose memory ends (or begins) where a page begins (or ends) that may not be touched."""
    page = mmap.PAGESIZE
    inside = -(-max(array.nbytes, 1) // page) * page
    memory = mmap.mmap(-1, inside + 2 * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    offset = page + inside - array.nbytes if at_the_end else page
    view = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    view[...] = array
    libc = ctypes.CDLL(None, use_errno=True)
    for begin in (address, address + page + inside):
        if libc.mprotect(ctypes.c_void_p(begin), ctypes.c_size_t(page), NOTHING):
            raise OSError(ctypes.get_errno(), "mprotect")
    return view


def run_between_fences():
    """Run every kernel of every instruction set on arrays between fences. What reads beyond them dies here."""
    for isa, operation in itertools.product(kernels.instruction_sets(), ALL):
        kernels.set_instruction_set(isa)
        signature = read_signature(operation)
        cases = [draw(signature, rng, sizes) for rng, sizes in list(trials(signature))[::2] if 0 not in sizes.values()]
        if operation in IMAGES:
            rng = np.random.default_rng(0)
            for width, channels in itertools.product((3, 12, 13), (1, 15, 16, 17, 33)):
                cases.append(image_arguments(operation, rng, 2, channels, 5, (4, width), (3, 2), (1, 2), (1, 0)))
        print(isa, operation.name, flush=True)
        for arguments, dtype, at_the_end in itertools.product(cases, (np.float64, np.float32), (True, False)):
            typed = with_floats(arguments, lambda a, dtype=dtype: a.astype(dtype))
            operation.kernel(
                *[fenced(v, at_the_end=at_the_end) if isinstance(v, np.ndarray) else v for v in typed.values()]
            )
    print("all")


def test_no_kernel_reads_beyond_an_array():
    """In a process of its own, which a read beyond the fence would kill; the last line names the kernel."""
    program = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"  # noqa: PTH120
    program += "from test_kernels_parity import run_between_fences; run_between_fences()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["all"]), done.stderr


# --- numbers that are none --------------------------------------------------------------------------------------------

SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 2.2e-308, 1e308, -1e308, 745.2, -745.2, 88.8)
WITHOUT_SUMS = ("activations", "softmax", "losses", "regression", "margins", "pooling")


@pytest.mark.parametrize(
    "operation",
    **names(
        [
            one
            for one in ALL
            if one.__module__.rpartition(".")[2] in WITHOUT_SUMS
            and not one.name.startswith(("average", "mean", "weighted_mean"))
        ]
    ),
)
def test_nan_infinity_and_the_largest_and_smallest_numbers(operation):
    """NaN where the formula has NaN, infinity where it has infinity; in sums only one special number for each row."""
    signature, rng = read_signature(operation), np.random.default_rng(0)
    sizes = {name: 15 if name == "N" else 3 for name in signature.dimensions}
    for name in (a.name for a in signature.arguments if a.shape and not a.rule.startswith("<")):
        arguments = draw(signature, rng, sizes)
        value = arguments[name]
        for sample, special in zip(range(len(value) if value.ndim else 0), SPECIAL, strict=False):
            value[sample].reshape(-1)[rng.integers(value[sample].size)] = special
        with backend("native"):
            found = results_of(operation, arguments)
        for result, right, bound in zip(
            found, formula(operation, arguments), magnitudes(operation, arguments), strict=True
        ):
            assert np.array_equal(np.isnan(result), np.isnan(right)), (operation.name, name)
            with np.errstate(all="ignore"):
                close = (np.abs(result - right) <= 1e-13 * np.abs(bound)) | (result == right) | np.isnan(right)
            assert close.all(), (operation.name, name, result[~close], right[~close])


# --- which there are --------------------------------------------------------------------------------------------------


def test_every_operation_has_a_compiled_twin():
    assert [operation.name for operation in ALL if operation.kernel is None] == []


def test_shapes_that_do_not_fit_together_are_left_to_the_formula_which_says_so():
    """One element more along any axis of any array: an error of NumPy's, or a result by NumPy's rules."""
    for operation in ALL:
        signature, rng = read_signature(operation), np.random.default_rng(0)
        sizes = {name: 3 + place for place, name in enumerate(signature.dimensions)}
        arguments = draw(signature, rng, sizes)
        for name, value in arguments.items():
            for axis in range(value.ndim if isinstance(value, np.ndarray) else 0):
                given = arguments | {name: np.concatenate([value, value.take([0], axis)], axis)}
                try:
                    expected = formula(operation, given)
                except (ValueError, IndexError) as error:
                    with backend("native"), pytest.raises(type(error)):
                        operation(*given.values())
                else:
                    with backend("native"):
                        found = results_of(operation, given)
                    for result, right in zip(found, expected, strict=True):
                        np.testing.assert_allclose(result, right, rtol=1e-12, err_msg=f"{operation.name}: {name}")


def test_the_promised_shapes_are_those_of_the_formula():
    for operation in ALL:
        signature = read_signature(operation)
        sizes = {name: 3 + place for place, name in enumerate(signature.dimensions)}
        arguments = draw(signature, np.random.default_rng(0), sizes)
        with backend("native"):
            for name, result in zip(signature.results, results_of(operation, arguments), strict=True):
                if name in signature.result_shapes:
                    assert result.shape == evaluate_shape(signature.result_shapes[name], {**arguments, **sizes}, name)
