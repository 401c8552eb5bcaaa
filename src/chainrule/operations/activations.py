"""Activation functions, element by element: value and derivative. Source: mission items A2, A4, D7.

A derivative is written with whichever of input x or output y makes it shortest; that is what a layer must keep.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def identity_forward(x: Array) -> Array:  # x (N, I)
    """y = x."""
    y = x.copy()  # (N, I)
    return y


@operation
def identity_backward(dy: Array) -> Array:  # dy (N, I)
    """y' = 1."""
    dx = dy.copy()  # (N, I)
    return dx


@operation
def step_forward(x: Array) -> Array:  # x (N, I)
    """y = 1 where x ≥ 0, else 0 (Heaviside)."""
    y = (x >= 0).astype(x.dtype)  # (N, I)
    return y


@operation
def step_backward(dy: Array) -> Array:  # dy (N, I)
    """y' = 0 everywhere but at the jump, where there is none: gradient descent learns nothing through a step."""
    dx = np.zeros_like(dy)  # (N, I)
    return dx


@operation
def relu_forward(x: Array) -> Array:  # x (N, I)
    """y = max(0, x)."""
    y = np.maximum(x, 0)  # (N, I)
    return y


@operation
def relu_backward(dy: Array, y: Array) -> Array:  # dy (N, I), y (N, I)
    """y' = 1 where x > 0, else 0; at the kink x = 0 the choice is 0."""
    dx = np.where(y > 0, dy, 0)  # (N, I)
    return dx


@operation
def leaky_relu_forward(x: Array, slope: float) -> Array:  # x (N, I)
    """y = x where x > 0, else slope · x."""
    y = np.where(x > 0, x, slope * x)  # (N, I)
    return y


@operation
def leaky_relu_backward(dy: Array, x: Array, slope: float) -> Array:  # dy (N, I), x (N, I)
    """y' = 1 where x > 0, else slope."""
    dx = np.where(x > 0, dy, slope * dy)  # (N, I)
    return dx


@operation
def softplus_forward(x: Array) -> Array:  # x (N, I)
    """y = log(1 + eˣ), ReLU's smooth form, written as max(0, x) + log(1 + e^−|x|) so that nothing overflows."""
    y = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))  # (N, I)
    return y


@operation
def softplus_backward(dy: Array, x: Array) -> Array:  # dy (N, I), x (N, I)
    """y' = eˣ / (1 + eˣ) = σ(x)."""
    e = np.exp(-np.abs(x))  # (N, I)   in (0, 1]
    dx = dy * np.where(x >= 0, 1, e) / (1 + e)  # (N, I)
    return dx


@operation
def sigmoid_forward(x: Array) -> Array:  # x (N, I)
    """σ(x) = 1 / (1 + e⁻ˣ), and for x < 0 the same as eˣ / (1 + eˣ): no exponent is ever positive."""
    e = np.exp(-np.abs(x))  # (N, I)   in (0, 1]
    y = np.where(x >= 0, 1, e) / (1 + e)  # (N, I)
    return y


@operation
def sigmoid_backward(dy: Array, y: Array) -> Array:  # dy (N, I), y (N, I)
    """σ' = σ (1 − σ)."""
    dx = dy * y * (1 - y)  # (N, I)
    return dx


@operation
def tanh_forward(x: Array) -> Array:  # x (N, I)
    """tanh x = 2σ(2x) − 1."""
    y = np.tanh(x)  # (N, I)
    return y


@operation
def tanh_backward(dy: Array, y: Array) -> Array:  # dy (N, I), y (N, I)
    """tanh' = 1 − tanh²."""
    dx = dy * (1 - y * y)  # (N, I)
    return dx
