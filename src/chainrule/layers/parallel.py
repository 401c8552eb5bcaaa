"""Layers beside each other: a detour around some layers, and branches that are joined again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import SettingError, ShapeError
from chainrule.layers.activations import Identity, Tanh
from chainrule.layers.composite import Composite, naming, prefixed
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.layers.linear import Linear
from chainrule.layers.sequential import Sequential
from chainrule.operations.joins import concatenate_backward, concatenate_forward
from chainrule.operations.vectors import add

JOINS = ("sum", "concatenate")


@dataclass(eq=False)
class Residual(Sequential):
    """y = x + layer_n(… layer_0(x)): the layers learn what is to be added. Source: He et al. 2016.

    They must keep the shape. Where they do not, `Parallel((Sequential((…)), shortcut))` says what x passes on the other
    way.
    """

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        output_shape = super().build(input_shape, rng)
        if output_shape != input_shape:
            raise ShapeError(
                f"the layers make {output_shape} of {input_shape}, to which it cannot be added; keep the shape, or "
                "write Parallel((Sequential(...), shortcut))"
            )
        return output_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        y, saved = super().forward(x, context)
        return add(x, y), saved

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        dx, gradients = super().backward(dy, saved)
        return add(dy, dx), gradients

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls((Linear(4), Tanh(), Linear(3))), (3,)), (cls((Tanh(),)), (2, 3)), (cls(()), (3,))]


@dataclass(eq=False)
class Parallel(Composite):
    """The same x goes into every layer; y is the sum of what they give, or all of it side by side.

    `join` is "sum", for outputs of one shape, or "concatenate": along the first axis of a sample, which are its
    features or its channels; all others must agree. Source: He et al. 2016 (projections), Szegedy et al. 2015
    (inception).
    """

    layers: tuple[Layer, ...]
    join: str = "sum"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layers:
            raise SettingError("Parallel: expected at least one layer, got none")
        if self.join not in JOINS:
            raise SettingError(f"Parallel: join: expected one of {', '.join(JOINS)}, got {self.join!r}")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        shapes = []
        for position, layer in enumerate(self.layers):
            with naming(position, layer):
                shapes.append(layer.build(input_shape, rng))
                self._check_fits(shapes[-1], shapes[0])
        if self.join == "sum":
            return shapes[0]
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])

    def _check_fits(self, shape: Shape, first: Shape) -> None:
        if self.join == "sum" and shape != first:
            raise ShapeError(f"gives {shape} per sample, layer 0 {first}; they cannot be added")
        if self.join == "concatenate" and (not shape or shape[1:] != first[1:]):
            raise ShapeError(f"gives {shape} per sample, layer 0 {first}; all but the first number must agree")

    @property
    def inputs_below(self) -> int | None:
        return min((n for layer in self.layers if (n := layer.inputs_below) is not None), default=None)

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        passes = [layer.forward(x, context.at(position)) for position, layer in enumerate(self.layers)]
        outputs, saved = [y for y, _ in passes], tuple(kept for _, kept in passes)
        if self.join == "sum":
            return reduce(add, outputs), (saved, ())
        joined = [outputs[0]]  # the first output, the first two, the first three, …
        for y in outputs[1:]:
            joined.append(concatenate_forward(joined[-1], y))
        return joined[-1], (saved, tuple(zip(joined, outputs[1:], strict=False)))

    def _parts(self, dy: Array, joins: Saved) -> list[Array]:
        """The gradient at the output of each layer."""
        if self.join == "sum":
            return [dy] * len(self.layers)
        parts = []
        for before, y in reversed(joins):
            dy, part = concatenate_backward(dy, before, y)
            parts.append(part)
        return [dy, *reversed(parts)]

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        inner, joins = saved
        gradients: Gradients = {}
        at_input = []
        for position, part in enumerate(self._parts(dy, joins)):
            dx, found = self.layers[position].backward(part, inner[position])
            at_input.append(dx)
            gradients |= prefixed(position, found)
        return reduce(add, at_input), gradients

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        inner, joins = saved
        parts = self._parts(dy, joins)
        return self._named(
            lambda at, layer: layer.backward_parameters(parts[at], inner[at]) if layer.parameters else {}
        )

    def next_state(self, saved: Saved) -> dict[str, Array]:
        return super().next_state(saved[0])

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [
            (cls((Sequential((Linear(4), Tanh(), Linear(2))), Linear(2))), (3,)),
            (cls((Linear(2), Identity(), Tanh()), "concatenate"), (3,)),
            (cls((Tanh(), Identity()), "concatenate"), (2, 3, 2)),
            (cls((Tanh(),)), (2,)),
        ]
