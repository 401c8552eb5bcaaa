"""The depthwise convolutional layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.initializers import He, Initializer, Zeros, check_initializer
from chainrule.layers.images import channels, pair, same_padding, window_count
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.depthwise import depthwise_backward, depthwise_backward_parameters, depthwise_forward
from chainrule.operations.windows import Pair


@dataclass(eq=False)
class DepthwiseConv2D(Layer):
    """Each input channel has filters of its own, `depth_multiplier` of them. Source: Howard et al. 2017, MobileNets.

    From (channels, height, width) to (channels · depth_multiplier, height', width'), with the sizes of `Conv2D`; the
    outputs of one channel stand side by side. A `Conv2D` with kernel_size 1 behind it mixes the channels: the two have
    far fewer parameters than one `Conv2D` of both tasks. `weights` and `biases` say where the filters W, of shape
    (channels · depth_multiplier, 1, *kernel_size), and b (channels · depth_multiplier,) start. The default is He, which
    counts the terms of one output; Glorot would count the channels as well, though a pixel reaches few outputs here.
    """

    kernel_size: int | Pair
    depth_multiplier: int = 1
    stride: int | Pair = 1
    padding: int | Pair | str = 0
    weights: Initializer = He()
    biases: Initializer = Zeros()

    parameter_names: ClassVar[tuple[str, ...]] = ("W", "b")

    def __post_init__(self) -> None:
        name = "DepthwiseConv2D"
        self.kernel_size = self._size = pair(self.kernel_size, f"{name}: kernel_size")
        self.depth_multiplier = whole_number(self.depth_multiplier, f"{name}: depth_multiplier")
        self.stride = self._stride = pair(self.stride, f"{name}: stride")
        self._padding: Pair
        if isinstance(self.padding, str):
            self._padding = same_padding(self.padding, name, self._size, self._stride)
        else:
            self.padding = self._padding = pair(self.padding, f"{name}: padding", at_least=0)
        for part in ("weights", "biases"):
            check_initializer(getattr(self, part), f"{name}: {part}")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        filters = channels(input_shape) * self.depth_multiplier
        output_shape = (filters, *window_count(input_shape, self._size, self._stride, self._padding))
        self.W = self.weights(rng, (filters, 1, *self._size))
        self.b = self.biases(rng, (filters,))
        return output_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return depthwise_forward(x, self.W, self.b, self._stride, self._padding), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        dx, dW, db = depthwise_backward(dy, x, self.W, self._stride, self._padding)
        return dx, {"W": dW, "b": db}

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        (x,) = saved
        dW, db = depthwise_backward_parameters(dy, x, self._size, self._stride, self._padding)
        return {"W": dW, "b": db}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [
            (cls(3), (2, 4, 5)),
            (cls((3, 2), depth_multiplier=2, stride=2, padding=(1, 0)), (2, 6, 5)),
            (cls(3, padding="same"), (3, 3, 2)),
            (cls(1, depth_multiplier=3), (1, 2, 2)),
            (cls(2, stride=3), (1, 6, 7)),  # gaps between the windows
        ]
