"""Layers that disturb the training: Gaussian noise on the inputs, and weights that are left out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import real_number, whole_number
from chainrule.initializers import Glorot, Initializer, Zeros, check_initializer
from chainrule.layers.layer import Context, Gradients, Layer, Saved, features
from chainrule.operations.dropout import dropout_backward, dropout_forward
from chainrule.operations.linear import linear_backward, linear_backward_parameters, linear_forward
from chainrule.operations.noise import noise_backward, noise_forward


@dataclass(eq=False)
class GaussianNoise(Layer):
    """In training y = x + deviation · z with z ~ N(0, 1), drawn anew for each number in each step; in prediction y = x.

    What is drawn is decided by the training's seed, the step and the place of the layer in the network alone.
    """

    deviation: float = 0.1

    def __post_init__(self) -> None:
        self.deviation = real_number(self.deviation, "GaussianNoise: deviation")

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        if not context.training:
            return x, ()
        stream = zlib.crc32(context.place.encode())
        return noise_forward(x, self.deviation, context.seed, stream, context.step), ()

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        return noise_backward(dy), {}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (7,)), (cls(0.5), (2, 3, 1)), (cls(0.0), (3,))]


@dataclass(eq=False)
class DropConnect(Layer):
    """y = x W + b; in training each weight becomes 0 with probability `rate`, else W / (1 − rate). Wan et al. 2013.

    From (I,) to (out_features,); in prediction W is as it is. The mask is one for all samples of a step, and is decided
    by the training's seed, the step and the place of the layer in the network alone. Source: mission item D15.
    """

    out_features: int
    rate: float = 0.5
    weights: Initializer = Glorot()
    biases: Initializer = Zeros()

    parameter_names: ClassVar[tuple[str, ...]] = ("W", "b")

    def __post_init__(self) -> None:
        self.out_features = whole_number(self.out_features, "DropConnect: out_features")
        self.rate = real_number(self.rate, "DropConnect: rate", below=1)
        for name in ("weights", "biases"):
            check_initializer(getattr(self, name), f"DropConnect: {name}")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self.W = self.weights(rng, (features(input_shape), self.out_features))
        self.b = self.biases(rng, (self.out_features,))
        return (self.out_features,)

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        if not context.training:
            return linear_forward(x, self.W, self.b), (x, self.W, None)
        stream = zlib.crc32(context.place.encode())
        W, mask = dropout_forward(self.W, self.rate, context.seed, stream, context.step)
        return linear_forward(x, W, self.b), (x, W, mask)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        x, W, mask = saved
        dx, dW, db = linear_backward(dy, x, W)
        return dx, {"W": self._through(mask, dW), "b": db}

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        x, _, mask = saved
        dW, db = linear_backward_parameters(dy, x)
        return {"W": self._through(mask, dW), "b": db}

    def _through(self, mask: Array | None, dW: Array) -> Array:
        return dW if mask is None else dropout_backward(dW, mask, self.rate)

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(4), (3,)), (cls(2, 0.25), (5,)), (cls(1, 0.0), (1,))]
