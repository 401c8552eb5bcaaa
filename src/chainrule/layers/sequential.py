"""Layers one after the other, as one layer. Source: mission item D5, back-propagation as a recursion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import ShapeError
from chainrule.layers.activations import Tanh
from chainrule.layers.composite import Composite, naming, prefixed
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.layers.linear import Linear
from chainrule.layers.shapes import Reshape


@dataclass(eq=False)
class Sequential(Composite):
    """y = layer_n(… layer_1(layer_0(x))). Parameters are named by place: "layers.0.W"."""

    layers: tuple[Layer, ...]

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self.shapes = [input_shape]  # the shape before each layer, and the last one after
        for position, layer in enumerate(self.layers):
            with naming(position, layer):
                self.shapes.append(layer.build(self.shapes[-1], rng))
        self.resting: set[int] = set()  # places of layers that work as in prediction
        self.first_trained = next((i for i, layer in enumerate(self.layers) if layer.parameters), 0)
        return self.shapes[-1]

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        saved = []
        for position, layer in enumerate(self.layers):
            x, kept = layer.forward(x, self.context_at(position, context))
            if x.shape[1:] != self.shapes[position + 1]:
                with naming(position, layer):
                    raise ShapeError(f"promised output {self.shapes[position + 1]} per sample, gave {x.shape[1:]}")
            saved.append(kept)
        return x, tuple(saved)

    def context_at(self, position: int, context: Context) -> Context:
        """What the layer at `position` may know."""
        return Context() if position in self.resting else context.at(position)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        return self._backward_until(0, dy, saved)

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        first = self.first_trained
        dy, gradients = self._backward_until(first + 1, dy, saved)
        if self.layers:
            gradients |= prefixed(first, self.layers[first].backward_parameters(dy, saved[first]))
        return gradients

    def next_state(self, saved: Saved) -> dict[str, Array]:
        return self._named(lambda at, layer: {} if at in self.resting else layer.next_state(saved[at]))

    def _backward_until(self, stop: int, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        """The recursion: the gradient at a layer's output is the gradient at the next layer's input."""
        gradients: Gradients = {}
        for position in reversed(range(stop, len(self.layers))):
            dy, found = self.layers[position].backward(dy, saved[position])
            gradients |= prefixed(position, found)
        return dy, gradients

    @property
    def inputs_below(self) -> int | None:
        first = next((layer for layer in self.layers if not isinstance(layer, Reshape)), None)
        return None if first is None else first.inputs_below

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls((Linear(4), Tanh(), Linear(2))), (3,)), (cls((Tanh(), cls((Linear(2),)))), (3,)), (cls(()), (3,))]
