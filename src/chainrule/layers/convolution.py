"""The convolutional layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.initializers import Glorot, Initializer, Zeros, check_initializer
from chainrule.layers.images import channels, pair, same_padding, window_count
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.convolution import convolution_backward, convolution_backward_parameters, convolution_forward
from chainrule.operations.windows import Pair


@dataclass(eq=False)
class Conv2D(Layer):
    """Each output channel is a small filter slid over all input channels. Source: mission items D13, E2, E3.

    From (channels, height, width) to (out_channels, height', width'), where
    height' = ⌊(height + 2 padding − kernel) / stride⌋ + 1 and width' likewise. Sizes are one number for both
    directions or a pair (height, width). `padding` counts the rows and columns of zeros around the image; "same"
    keeps its size (stride 1, odd kernel). `weights` and `biases` say where the filters W, of shape
    (out_channels, channels, *kernel_size), and b (out_channels,) start.
    """

    out_channels: int
    kernel_size: int | Pair
    stride: int | Pair = 1
    padding: int | Pair | str = 0
    weights: Initializer = Glorot()
    biases: Initializer = Zeros()

    parameter_names: ClassVar[tuple[str, ...]] = ("W", "b")

    def __post_init__(self) -> None:
        self.out_channels = whole_number(self.out_channels, "Conv2D: out_channels")
        self.kernel_size = self._size = pair(self.kernel_size, "Conv2D: kernel_size")
        self.stride = self._stride = pair(self.stride, "Conv2D: stride")
        self._padding: Pair
        if isinstance(self.padding, str):
            self._padding = same_padding(self.padding, "Conv2D", self._size, self._stride)
        else:
            self.padding = self._padding = pair(self.padding, "Conv2D: padding", at_least=0)
        for name in ("weights", "biases"):
            check_initializer(getattr(self, name), f"Conv2D: {name}")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        shape = (self.out_channels, channels(input_shape), *self._size)
        output_shape = (self.out_channels, *window_count(input_shape, self._size, self._stride, self._padding))
        self.W = self.weights(rng, shape)
        self.b = self.biases(rng, (self.out_channels,))
        return output_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return convolution_forward(x, self.W, self.b, self._stride, self._padding), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        dx, dW, db = convolution_backward(dy, x, self.W, self._stride, self._padding)
        return dx, {"W": dW, "b": db}

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        (x,) = saved
        dW, db = convolution_backward_parameters(dy, x, self._size, self._stride, self._padding)
        return {"W": dW, "b": db}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [
            (cls(3, 3), (2, 5, 4)),
            (cls(2, (3, 2), stride=2, padding=(1, 0)), (2, 6, 5)),  # a row and a column are left over
            (cls(2, (1, 3), padding="same"), (1, 2, 3)),
            (cls(4, 1), (3, 2, 2)),
            (cls(1, 2, stride=3), (1, 6, 7)),  # gaps between the windows
            (cls(2, 3, padding=2), (1, 1, 2)),  # a kernel larger than the image, which only its padding lets in
        ]
