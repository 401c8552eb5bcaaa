"""The transposed convolutional layer, which enlarges images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.errors import SettingError, ShapeError
from chainrule.initializers import Glorot, Initializer, Zeros, check_initializer
from chainrule.layers.images import channels, pair
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.transposed_convolution import (
    transposed_convolution_backward,
    transposed_convolution_backward_parameters,
    transposed_convolution_forward,
)
from chainrule.operations.windows import Pair


@dataclass(eq=False)
class ConvTranspose2D(Layer):
    """Each pixel stamps its filter, times its value, onto a larger image. Source: Dumoulin & Visin 2016, chapter 4.

    From (channels, height, width) to (out_channels, height', width'), where
    height' = (height − 1) stride − 2 padding + kernel + output_padding and width' likewise: the shapes of `Conv2D` the
    other way round. Sizes are one number for both directions or a pair (height, width). `padding` counts the rows and
    columns that are cut off at each edge; `output_padding`, less than the stride, those that are added at the bottom
    and at the right. `weights` and `biases` say where the filters W, of shape (channels, out_channels, *kernel_size),
    and b (out_channels,) start.
    """

    out_channels: int
    kernel_size: int | Pair
    stride: int | Pair = 1
    padding: int | Pair = 0
    output_padding: int | Pair = 0
    weights: Initializer = Glorot()
    biases: Initializer = Zeros()

    parameter_names: ClassVar[tuple[str, ...]] = ("W", "b")

    def __post_init__(self) -> None:
        name = "ConvTranspose2D"
        self.out_channels = whole_number(self.out_channels, f"{name}: out_channels")
        self.kernel_size = self._size = pair(self.kernel_size, f"{name}: kernel_size")
        self.stride = self._stride = pair(self.stride, f"{name}: stride")
        self.padding = self._padding = pair(self.padding, f"{name}: padding", at_least=0)
        self.output_padding = self._more = pair(self.output_padding, f"{name}: output_padding", at_least=0)
        if self._more[0] >= self._stride[0] or self._more[1] >= self._stride[1]:
            raise SettingError(f"{name}: output_padding: expected less than the stride {self.stride}, got {self._more}")
        for part in ("weights", "biases"):
            check_initializer(getattr(self, part), f"{name}: {part}")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        C = channels(input_shape)
        height, width = (
            (input_shape[1 + i] - 1) * self._stride[i] - 2 * self._padding[i] + self._size[i] + self._more[i]
            for i in (0, 1)
        )
        if height < 1 or width < 1:
            raise ShapeError(
                f"padding {self._padding} cuts an image of {input_shape[1:]} (height, width) down to nothing; "
                "use less padding, or a larger kernel"
            )
        self._extent = (height, width)
        filters = self.weights(rng, (self.out_channels, C, *self._size))  # as for Conv2D: the terms of one output first
        self.W = filters.swapaxes(0, 1)
        self.b = self.biases(rng, (self.out_channels,))
        return self.out_channels, height, width

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return transposed_convolution_forward(x, self.W, self.b, self._stride, self._padding, self._extent), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        dx, dW, db = transposed_convolution_backward(dy, x, self.W, self._stride, self._padding)
        return dx, {"W": dW, "b": db}

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        (x,) = saved
        dW, db = transposed_convolution_backward_parameters(dy, x, self._size, self._stride, self._padding)
        return {"W": dW, "b": db}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [
            (cls(3, 3), (2, 3, 2)),
            (cls(2, 4, stride=2, padding=1), (2, 3, 2)),  # twice the size
            (cls(2, (3, 2), stride=(3, 2), padding=(1, 0), output_padding=(2, 1)), (1, 2, 3)),
            (cls(1, 1, stride=3), (2, 2, 2)),  # gaps between the stamps
            (cls(2, 3, padding=1), (1, 1, 1)),
        ]
