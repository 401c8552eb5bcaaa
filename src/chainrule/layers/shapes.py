"""Layers that only change the shape of a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.errors import SettingError, ShapeError
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.shapes import reshape_backward, reshape_forward


@dataclass(eq=False)
class Reshape(Layer):
    """A sample of any shape becomes one of `shape`, in C order; one entry of `shape` may be −1 and is worked out."""

    shape: Shape

    def __post_init__(self) -> None:
        if not isinstance(self.shape, tuple | list):
            raise SettingError(f"Reshape: expected a shape such as (1, 28, 28), got {self.shape!r}")
        self.shape = tuple(whole_number(n, "Reshape: shape", at_least=1 if n != -1 else -1) for n in self.shape)
        if self.shape.count(-1) > 1:
            raise SettingError(f"Reshape: only one entry of the shape may be -1, got {self.shape}")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        size, known = prod(input_shape), prod(n for n in self.shape if n != -1)
        fits = size % known == 0 if -1 in self.shape else size == known
        if not fits:
            raise ShapeError(f"{size} numbers of shape {input_shape} do not fit the shape {self.shape}")
        self.input_shape = input_shape
        self.output_shape = tuple(size // known if n == -1 else n for n in self.shape)
        return self.output_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return reshape_forward(x, self.output_shape), ()

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        return reshape_backward(dy, self.input_shape), {}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls((2, 3)), (6,)), (cls((3, -1)), (2, 6))]


@dataclass(eq=False)
class Flatten(Reshape):
    """A sample of any shape becomes a row of features: Reshape((-1,))."""

    shape: Shape = field(default=(-1,), init=False, repr=False)

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (2, 3)), (cls(), (4,))]
