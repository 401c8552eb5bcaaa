"""Maxout: of some features that compete, the largest goes on."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.errors import ShapeError
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.maxout import maxout_backward, maxout_forward
from chainrule.operations.shapes import reshape_backward, reshape_forward


@dataclass(eq=False)
class Maxout(Layer):
    """y_o = the largest of the features o·pieces … o·pieces + pieces − 1, from (F,) to (F / pieces,).

    Of images (C, H, W) the channels compete, pixel by pixel. After a Linear or Conv2D layer of `pieces` times as many
    outputs it is the unit of Goodfellow et al. 2013, which learns its own activation function.
    """

    pieces: int = 2

    def __post_init__(self) -> None:
        self.pieces = whole_number(self.pieces, "Maxout: pieces")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if not input_shape or input_shape[0] % self.pieces:
            raise ShapeError(f"expected features or channels in groups of {self.pieces}, got shape {input_shape}")
        groups = input_shape[0] // self.pieces
        self._input_shape, self._output_shape = input_shape, (groups, *input_shape[1:])
        self._apart = groups, self.pieces, prod(input_shape[1:])
        return self._output_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        apart = reshape_forward(x, self._apart)
        return reshape_forward(maxout_forward(apart), self._output_shape), (apart,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (apart,) = saved
        dx = maxout_backward(reshape_forward(dy, (self._apart[0], self._apart[2])), apart)
        return reshape_backward(dx, self._input_shape), {}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (6,)), (cls(3), (6, 2, 2)), (cls(1), (2, 3))]
