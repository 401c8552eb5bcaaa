"""The checks that every layer must pass. They find layers by themselves and run on their own examples."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import Configurable
from chainrule.layers import Context, Layer, Saved
from chainrule.losses import SquaredError
from chainrule.network import Network
from chainrule.network.model_file import load
from chainrule.operations.signatures import away_from_zero
from chainrule.randomness import stream
from chainrule.testing.demands import (
    demand,
    demand_dtype,
    demand_gradient,
    demand_same,
    demand_shape,
    demand_unchanged,
)
from chainrule.testing.gradient import numerical_gradient

SAMPLES = 3


def all_layers(within: str = "") -> list[type[Layer]]:
    """Every class of layer that has been defined, in modules whose name begins with `within`."""
    classes = [cls for cls in Configurable.register.values() if issubclass(cls, Layer)]
    return [cls for cls in classes if cls.forward is not Layer.forward and cls.__module__.startswith(within)]


def check_layer(layer: Layer, input_shape: Shape) -> None:
    """Check one layer, as its configuration describes it, on samples of `input_shape`. `layer` itself is not built.

    Input gradient (0 where inputs are whole numbers) and every parameter's gradient against central differences, to a
    relative error of 1e-7, in training and out of it; names, shapes and dtype of the state after a step; the promised
    output shape; names and shapes of gradients; `backward_parameters` the same as `backward`; backward repeatable;
    inputs unchanged; float32 stays float32; no samples and one sample; the configuration through JSON and back; a
    network of it through a file and back.

    Raises:
        AssertionError: names the layer, what was expected and what came.

    """
    for training in (False, True):
        _check_gradients(layer, input_shape, Context(training=training))
    _check_state(layer, input_shape)
    _check_shapes(layer, input_shape)
    _check_float32(layer, input_shape)
    _check_rows(layer, input_shape)
    _check_configuration(layer)
    _check_file(layer, input_shape)


def built(layer: Layer, input_shape: Shape, dtype: Any = np.float64) -> tuple[Layer, Shape]:
    """A built copy of `layer`, and its output shape; parameters a little off their start, as zeros hide mistakes."""
    copy = _copy(layer)
    output_shape = copy.build(input_shape, stream(0, "weights"))
    rng = np.random.default_rng(1)
    copy.replace_parameters(lambda _, start: np.array(start + rng.normal(0, 0.1, start.shape), dtype))
    return copy, output_shape


def _copy(layer: Layer) -> Layer:
    return Layer.from_configuration(json.loads(json.dumps(layer.configuration())))


def _inputs(layer: Layer, input_shape: Shape, samples: int = SAMPLES) -> Array:
    rng, shape = np.random.default_rng(2), (samples, *input_shape)
    if layer.inputs_below is not None:
        return rng.integers(0, layer.inputs_below, shape).astype(np.float64)
    return away_from_zero(rng, shape)


def _projection(y: Array) -> Array:
    return away_from_zero(np.random.default_rng(3), y.shape)


def _check_gradients(layer: Layer, input_shape: Shape, context: Context) -> None:
    """With s = Σ r ⊙ y for random r, ∂s/∂y = r: given r, backward must return ∂s/∂x and ∂s/∂parameter."""
    name = type(layer).__name__
    layer, _ = built(layer, input_shape)
    x = _inputs(layer, input_shape)
    before = x.copy()
    y, saved = layer.forward(x, context)
    demand_unchanged(f"{name}: x", x, before)
    r = _projection(y)
    dx, gradients = layer.backward(r, saved)
    demand_unchanged(f"{name}: dy", r, _projection(y))
    demand_unchanged(f"{name}: x, by backward,", x, before)
    _check_names(name, layer, gradients)
    _check_again(name, layer, r, saved, dx, gradients)
    if layer.inputs_below is None:
        demand_gradient(f"{name}: dx", dx, numerical_gradient(lambda x: np.sum(r * layer.forward(x, context)[0]), x))
    else:
        demand(not dx.any(), f"{name}: dx: no gradient reaches whole numbers, expected zeros")
    for parameter, W in layer.parameters.items():
        start = W.copy()

        def s(value: Array, W: Array = W) -> Any:
            W[...] = value
            return np.sum(r * layer.forward(x, context)[0])

        demand_gradient(f"{name}: gradient of {parameter}", gradients[parameter], numerical_gradient(s, start))
        W[...] = start


def _check_names(name: str, layer: Layer, gradients: dict[str, Array]) -> None:
    expected, got = sorted(layer.parameters), sorted(gradients)
    demand(expected == got, f"{name}: expected gradients of the parameters {expected}, got {got}")
    for parameter, W in layer.parameters.items():
        demand_shape(f"{name}: gradient of {parameter}", gradients[parameter], W.shape)


def _check_again(name: str, layer: Layer, dy: Array, saved: Saved, dx: Array, gradients: dict[str, Array]) -> None:
    """Backward uses nothing up, and `backward_parameters` is its second half."""
    again, _ = layer.backward(dy, saved)
    demand_same(f"{name}: dx, asked for a second time,", again, dx, 0)
    found = layer.backward_parameters(dy, saved)
    _check_names(f"{name}.backward_parameters", layer, found)
    for parameter, expected in gradients.items():
        demand_same(f"{name}.backward_parameters: {parameter}", found[parameter], expected)


def _check_state(layer: Layer, input_shape: Shape) -> None:
    """A step of training gives a new state of the same names, shapes and dtype, and leaves the old one as it is."""
    name = type(layer).__name__
    for dtype in (np.float32, np.float64):
        copy, _ = built(layer, input_shape, dtype)
        before = {key: array.copy() for key, array in copy.state.items()}
        _, saved = copy.forward(_inputs(layer, input_shape).astype(dtype), Context(training=True))
        new = copy.next_state(saved)
        demand(sorted(new) == sorted(before), f"{name}: expected a new state of {sorted(before)}, got {sorted(new)}")
        for key, array in before.items():
            demand_unchanged(f"{name}: {key}", copy.state[key], array)
            demand_shape(f"{name}: new {key}", new[key], array.shape)
            demand_dtype(f"{name} in {np.dtype(dtype)}: new {key}", new[key], dtype)


def _check_shapes(layer: Layer, input_shape: Shape) -> None:
    """Forward gives what `build` promised, for any number of samples; build without a generator promises the same."""
    name = type(layer).__name__
    layer, output_shape = built(layer, input_shape)
    for samples in (0, 1, SAMPLES):
        y, saved = layer.forward(_inputs(layer, input_shape, samples), Context())
        demand_shape(f"{name}: output for {samples} samples", y, (samples, *output_shape))
        dx, _ = layer.backward(_projection(y), saved)
        demand_shape(f"{name}: dx for {samples} samples", dx, (samples, *input_shape))
    bare = _copy(layer)
    demand(bare.build(input_shape, None) == output_shape, f"{name}: build(shape, None) promised another output shape")
    stand_ins = {**bare.parameters, **bare.state}
    for parameter, W in {**layer.parameters, **layer.state}.items():
        demand_shape(f"{name}: {parameter} from build(shape, None)", stand_ins.get(parameter), W.shape)


def _check_float32(layer: Layer, input_shape: Shape) -> None:
    name = type(layer).__name__
    for dtype in (np.float32, np.float64):
        copy, _ = built(layer, input_shape, dtype)
        y, saved = copy.forward(_inputs(layer, input_shape).astype(dtype), Context())
        dx, gradients = copy.backward(_projection(y).astype(dtype), saved)
        for label, array in {"output": y, "dx": dx, **gradients}.items():
            demand_dtype(f"{name} in {np.dtype(dtype)}: {label}", array, dtype)


def _check_rows(layer: Layer, input_shape: Shape) -> None:
    """Out of training, what a sample gives does not depend on the others beside it."""
    name = type(layer).__name__
    layer, _ = built(layer, input_shape)
    x = _inputs(layer, input_shape)
    together, _ = layer.forward(x, Context())
    for row in range(SAMPLES):
        alone, _ = layer.forward(x[row : row + 1], Context())
        demand_same(f"{name}: output for row {row} alone", alone, together[row : row + 1])


def _check_configuration(layer: Layer) -> None:
    """The configuration says everything: a layer made from it is of the same class and has the same one."""
    name, copy = type(layer).__name__, _copy(layer)
    demand(type(copy) is type(layer), f"{name}: its configuration builds a {type(copy).__name__}")
    expected, got = layer.configuration(), copy.configuration()
    demand(expected == got, f"{name}: through JSON its configuration {expected} became {got}")


def _check_file(layer: Layer, input_shape: Shape) -> None:
    """What a network has learned is all in its file: read again, it gives the same bytes."""
    name = type(layer).__name__
    network = Network([_copy(layer)], loss=SquaredError(), dtype="float64").build(input_shape)
    for array in network.arrays.values():
        array += 0.1  # from their start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.safetensors"
        network.save(path)
        again = load(path)
    expected, got = sorted(network.arrays), sorted(again.arrays)
    demand(expected == got, f"{name}: saved and loaded, expected the arrays {expected}, got {got}")
    x = _inputs(layer, input_shape)
    same = again.forward(x)[0].tobytes() == network.forward(x)[0].tobytes()
    demand(same, f"{name}: saved and loaded it gives other numbers; keep what it learns in parameters or state")
