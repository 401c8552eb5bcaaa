"""The fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.initializers import Glorot, Initializer, Zeros, check_initializer
from chainrule.layers.layer import Context, Gradients, Layer, Saved, features
from chainrule.operations.linear import linear_backward, linear_backward_parameters, linear_forward


@dataclass(eq=False)
class Linear(Layer):
    """y = x W + b, from (I,) to (out_features,). Source: mission items B2, D2, E2.

    `weights` and `biases` say where W (I, O) and b (O,) start.
    """

    out_features: int
    weights: Initializer = Glorot()
    biases: Initializer = Zeros()

    parameter_names: ClassVar[tuple[str, ...]] = ("W", "b")

    def __post_init__(self) -> None:
        self.out_features = whole_number(self.out_features, "Linear: out_features")
        for name in ("weights", "biases"):
            check_initializer(getattr(self, name), f"Linear: {name}")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self.W = self.weights(rng, (features(input_shape), self.out_features))
        self.b = self.biases(rng, (self.out_features,))
        return (self.out_features,)

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return linear_forward(x, self.W, self.b), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        dx, dW, db = linear_backward(dy, x, self.W)
        return dx, {"W": dW, "b": db}

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        (x,) = saved
        dW, db = linear_backward_parameters(dy, x)
        return {"W": dW, "b": db}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(4), (3,)), (cls(1), (1,))]
