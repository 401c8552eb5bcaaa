"""Layers one after the other, as one layer. Source: mission item D5, back-propagation as a recursion."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import SettingError, ShapeError
from chainrule.layers.activations import Tanh
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.layers.linear import Linear


@dataclass(eq=False)
class Sequential(Layer):
    """y = layer_n(… layer_1(layer_0(x))). Parameters are named by place: "layers.0.W"."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        self.layers = tuple(self.layers) if isinstance(self.layers, list | tuple) else (self.layers,)
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                hint = f"; write {layer.__name__}(...)" if isinstance(layer, type) else ""
                raise SettingError(f"layer {position}: expected a Layer, got {layer!r}{hint}")
            if any(layer is earlier for earlier in self.layers[:position]):
                raise SettingError(f"layer {position}: the same {type(layer).__name__} object stands here twice")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self.shapes = [input_shape]  # the shape before each layer, and the last one after
        for position, layer in enumerate(self.layers):
            with _named(position, layer):
                self.shapes.append(layer.build(self.shapes[-1], rng))
        self._first_with_parameters = next((i for i, layer in enumerate(self.layers) if layer.parameters), 0)
        return self.shapes[-1]

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        saved = []
        for position, layer in enumerate(self.layers):
            x, kept = layer.forward(x, context.at(position))
            if x.shape[1:] != self.shapes[position + 1]:
                with _named(position, layer):
                    raise ShapeError(f"promised output {self.shapes[position + 1]} per sample, gave {x.shape[1:]}")
            saved.append(kept)
        return x, tuple(saved)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        return self._backward_until(0, dy, saved)

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        first = self._first_with_parameters
        dy, gradients = self._backward_until(first + 1, dy, saved)
        if self.layers:
            gradients |= _prefixed(first, self.layers[first].backward_parameters(dy, saved[first]))
        return gradients

    def _backward_until(self, stop: int, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        """The recursion: the gradient at a layer's output is the gradient at the next layer's input."""
        gradients: Gradients = {}
        for position in reversed(range(stop, len(self.layers))):
            dy, found = self.layers[position].backward(dy, saved[position])
            gradients |= _prefixed(position, found)
        return dy, gradients

    @property
    def parameters(self) -> dict[str, Array]:
        named: dict[str, Array] = {}
        for position, layer in enumerate(self.layers):
            named |= _prefixed(position, layer.parameters)
        return named

    def replace_parameters(self, replacement: Callable[[str, Array], Array]) -> None:
        for position, layer in enumerate(self.layers):
            layer.replace_parameters(lambda name, old, at=position: replacement(f"layers.{at}.{name}", old))  # type: ignore[misc]

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls((Linear(4), Tanh(), Linear(2))), (3,)), (cls((Tanh(), cls((Linear(2),)))), (3,)), (cls(()), (3,))]


def _prefixed(position: int, named: dict[str, Array]) -> dict[str, Array]:
    return {f"layers.{position}.{name}": array for name, array in named.items()}


@contextlib.contextmanager
def _named(position: int, layer: Layer) -> Iterator[None]:
    """Put the layer's position and class before the message of a ShapeError."""
    try:
        yield
    except ShapeError as error:
        raise ShapeError(f"layer {position} ({type(layer).__name__}): {error}") from None
