"""The convolutional layer for sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.errors import SettingError, ShapeError
from chainrule.initializers import Glorot, Initializer, Zeros, check_initializer
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.convolution import convolution_backward, convolution_backward_parameters, convolution_forward
from chainrule.operations.shapes import reshape_backward, reshape_forward


@dataclass(eq=False)
class Conv1D(Layer):
    """Each output channel is a small filter slid along all input channels: y_noi = Σ_cp W_ocp x_nc,i·s+p + b_o.

    From (channels, length) to (out_channels, length'), where length' = ⌊(length + 2 padding − kernel) / stride⌋ + 1.
    `padding` counts the zeros at either end; "same" keeps the length (stride 1, odd kernel). `weights` and `biases` say
    where the filters W, of shape (out_channels, channels, kernel_size), and b (out_channels,) start. Source: mission
    items D13, E2, with images of one row.
    """

    out_channels: int
    kernel_size: int
    stride: int = 1
    padding: int | str = 0
    weights: Initializer = Glorot()
    biases: Initializer = Zeros()

    parameter_names: ClassVar[tuple[str, ...]] = ("W", "b")

    def __post_init__(self) -> None:
        self.out_channels = whole_number(self.out_channels, "Conv1D: out_channels")
        self.kernel_size = whole_number(self.kernel_size, "Conv1D: kernel_size")
        self.stride = whole_number(self.stride, "Conv1D: stride")
        if isinstance(self.padding, str):
            beside = self._keeping_the_length()
        else:
            self.padding = beside = whole_number(self.padding, "Conv1D: padding", at_least=0)
        self._stride, self._padding = (1, self.stride), (0, beside)
        for name in ("weights", "biases"):
            check_initializer(getattr(self, name), f"Conv1D: {name}")

    def _keeping_the_length(self) -> int:
        if self.padding != "same":
            raise SettingError(f"Conv1D: padding: expected a whole number or 'same', got {self.padding!r}")
        if self.stride != 1 or self.kernel_size % 2 == 0:
            raise SettingError(
                "Conv1D: padding 'same' needs stride 1 and an odd kernel_size, "
                f"got {self.stride} and {self.kernel_size}"
            )
        return self.kernel_size // 2

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) != 2:
            raise ShapeError(
                f"expected a sequence (channels, length) per sample, got shape {input_shape}; "
                f"put Reshape({(1, *input_shape) if len(input_shape) == 1 else '(channels, length)'}) before it"
            )
        channels, length = input_shape
        room = length + 2 * self._padding[1] - self.kernel_size
        if room < 0:
            raise ShapeError(
                f"a window of {self.kernel_size} does not fit a sequence of {length} with its padding; "
                "use a smaller window, or fewer layers that shorten the sequence before it"
            )
        self._image, self._size = (channels, 1, length), (channels, 1, self.kernel_size)
        self._output = (self.out_channels, 1, room // self.stride + 1)
        self.W = self.weights(rng, (self.out_channels, channels, self.kernel_size))
        self.b = self.biases(rng, (self.out_channels,))
        return self._output[0], self._output[2]

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        image, W = reshape_forward(x, self._image), reshape_forward(self.W, self._size)
        y = convolution_forward(image, W, self.b, self._stride, self._padding)
        return reshape_forward(y, (self._output[0], self._output[2])), (image, W)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        image, W = saved
        dimage, dW, db = convolution_backward(reshape_forward(dy, self._output), image, W, self._stride, self._padding)
        return reshape_backward(dimage, self._image[::2]), {"W": reshape_backward(dW, self._size[::2]), "b": db}

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        image, _ = saved
        dy, size = reshape_forward(dy, self._output), self._size[1:]
        dW, db = convolution_backward_parameters(dy, image, size, self._stride, self._padding)
        return {"W": reshape_backward(dW, self._size[::2]), "b": db}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [
            (cls(3, 3), (2, 5)),
            (cls(2, 2, stride=2, padding=1), (3, 6)),
            (cls(2, 3, padding="same"), (1, 4)),
            (cls(4, 1), (3, 1)),
        ]
