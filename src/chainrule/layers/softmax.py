"""Softmax in the middle of a network, with its own Jacobian. (At the end, `CrossEntropy` brings its own softmax.)"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.layers.layer import Context, Gradients, Layer, Saved, features
from chainrule.operations import softmax as operations


@dataclass(eq=False)
class Softmax(Layer):
    """p_k = e^{x_k} / Σ_i e^{x_i}, from (K,) to (K,). Source: mission item C1."""

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        return (features(input_shape),)

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        p = operations.softmax_forward(x)
        return p, (p,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (p,) = saved
        return operations.softmax_backward(dy, p), {}


@dataclass(eq=False)
class LogSoftmax(Layer):
    """y_k = x_k − log Σ_i e^{x_i}, from (K,) to (K,)."""

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        return (features(input_shape),)

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        y = operations.log_softmax_forward(x)
        return y, (y,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (y,) = saved
        return operations.log_softmax_backward(dy, y), {}
