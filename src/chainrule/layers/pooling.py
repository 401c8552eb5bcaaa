"""Pooling layers: one number for each window of an image, channel by channel. Source: mission items E2, E3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.layers.images import channels, pair, window_count
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.pooling import (
    average_pool_backward,
    average_pool_forward,
    max_pool_backward,
    max_pool_forward,
)
from chainrule.operations.shapes import reshape_backward, reshape_forward
from chainrule.operations.windows import Pair


class Pooling(Layer):
    """What the pooling layers share: from (channels, height, width) to (channels, height', width').

    height' = ⌊(height − size) / stride⌋ + 1 and width' likewise: rows and columns beyond the last whole window are
    ignored. Sizes are one number for both directions or a pair (height, width); without a stride the windows lie side
    by side, that is stride = size.
    """

    size: int | Pair
    stride: int | Pair | None

    def __post_init__(self) -> None:
        name = type(self).__name__
        self.size = self._size = pair(self.size, f"{name}: size")
        self._stride = self._size
        if self.stride is not None:
            self.stride = self._stride = pair(self.stride, f"{name}: stride")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        output_shape = (channels(input_shape), *window_count(input_shape, self._size, self._stride))
        self._extent: Pair = (input_shape[1], input_shape[2])
        return output_shape

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        pool: Any = cls
        return [
            (pool(), (2, 4, 6)),
            (pool(2), (1, 5, 3)),  # the last row and column are ignored
            (pool(3, stride=1), (2, 4, 5)),  # windows overlap
            (pool((2, 1), stride=(1, 2)), (1, 3, 4)),  # downwards they overlap, across there are gaps
            (pool(1), (2, 1, 1)),
        ]


@dataclass(eq=False)
class MaxPool2D(Pooling):
    """y = the largest x in each window; among equals the first, row by row, gets the gradient. See `Pooling`."""

    size: int | Pair = 2
    stride: int | Pair | None = None

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return max_pool_forward(x, self._size, self._stride), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        return max_pool_backward(dy, x, self._size, self._stride), {}


@dataclass(eq=False)
class AvgPool2D(Pooling):
    """y = the mean of x in each window. See `Pooling`."""

    size: int | Pair = 2
    stride: int | Pair | None = None

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return average_pool_forward(x, self._size, self._stride), ()

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        return average_pool_backward(dy, self._extent, self._size, self._stride), {}


class GlobalPooling(Layer):
    """What the global pooling layers share: one number for each channel, (channels, height, width) to (channels,)."""

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self._channels = channels(input_shape)
        self._extent: Pair = (input_shape[1], input_shape[2])
        return (self._channels,)

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (3, 2, 4)), (cls(), (1, 1, 1))]


@dataclass(eq=False)
class GlobalAvgPool2D(GlobalPooling):
    """y = the mean of each channel. See `GlobalPooling`. Source: Lin, Chen & Yan 2014."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return reshape_forward(average_pool_forward(x, self._extent, self._extent), (self._channels,)), ()

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        pixels = reshape_backward(dy, (self._channels, 1, 1))
        return average_pool_backward(pixels, self._extent, self._extent, self._extent), {}


@dataclass(eq=False)
class GlobalMaxPool2D(GlobalPooling):
    """y = the largest x of each channel; among equals the first, row by row, gets the gradient. See `GlobalPooling`."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return reshape_forward(max_pool_forward(x, self._extent, self._extent), (self._channels,)), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        pixels = reshape_backward(dy, (self._channels, 1, 1))
        return max_pool_backward(pixels, x, self._extent, self._extent), {}
