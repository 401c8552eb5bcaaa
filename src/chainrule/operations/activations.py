"""Activation functions, element by element: value and derivative. Source: mission items A2, A4, D7.

A derivative is written with whichever of input x or output y makes it shortest; that is what a layer must keep.
"""

import math

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation

complementary_error = np.vectorize(math.erfc, otypes=[float])  # erfc x = 1 − erf x, element by element


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


@operation
def gelu_forward(x: Array) -> Array:  # x (N, I)
    """y = x Φ(x), Φ being the normal distribution's ½ (1 + erf(x/√2)) (Hendrycks & Gimpel 2016)."""
    share = complementary_error(-x * math.sqrt(0.5)) / 2  # (N, I)   Φ(x), exact far below 0 too
    y = x * share.astype(x.dtype)  # (N, I)
    return y


@operation
def gelu_backward(dy: Array, x: Array) -> Array:  # dy (N, I), x (N, I)
    """y' = Φ(x) + x φ(x), with the bell curve φ = Φ' = e^(−x²/2) / √(2π)."""
    share = complementary_error(-x * math.sqrt(0.5)) / 2  # (N, I)   Φ(x)
    near = np.clip(x, -40, 40)  # (N, I)   beyond, φ is 0
    bell = np.exp(-near * near / 2) / math.sqrt(2 * math.pi)  # (N, I)   φ(x)
    dx = dy * (share.astype(x.dtype) + x * bell)  # (N, I)
    return dx


@operation
def gelu_tanh_forward(x: Array) -> Array:  # x (N, I)
    """y = ½ x (1 + tanh u) = x σ(2u) with u = √(2/π) (x + 0.044715 x³): GELU, nearly (Hendrycks & Gimpel 2016)."""
    near = np.clip(x, -30, 30)  # (N, I)   beyond, σ is 0 or 1
    twice = math.sqrt(8 / math.pi) * (near + 0.044715 * near * near * near)  # (N, I)   2u
    e = np.exp(-np.abs(twice))  # (N, I)   in [0, 1]
    y = x * (np.where(twice >= 0, 1, e) / (1 + e))  # (N, I)
    return y


@operation
def gelu_tanh_backward(dy: Array, x: Array) -> Array:  # dy (N, I), x (N, I)
    """y' = σ(2u) + x σ(2u) (1 − σ(2u)) 2u' with 2u' = √(8/π) (1 + 0.134145 x²)."""
    near = np.clip(x, -30, 30)  # (N, I)
    square = near * near  # (N, I)
    twice = math.sqrt(8 / math.pi) * (near + 0.044715 * square * near)  # (N, I)   2u
    e = np.exp(-np.abs(twice))  # (N, I)
    s = np.where(twice >= 0, 1, e) / (1 + e)  # (N, I)   σ(2u)
    rest = np.where(twice >= 0, e, 1) / (1 + e)  # (N, I)   1 − σ(2u)
    dx = dy * (s + near * s * rest * (math.sqrt(8 / math.pi) * (1 + 0.134145 * square)))  # (N, I)
    return dx


@operation
def silu_forward(x: Array) -> Array:  # x (N, I)
    """y = x σ(x), also called swish (Elfwing et al. 2017)."""
    e = np.exp(-np.abs(x))  # (N, I)   in (0, 1]
    y = x * (np.where(x >= 0, 1, e) / (1 + e))  # (N, I)
    return y


@operation
def silu_backward(dy: Array, x: Array) -> Array:  # dy (N, I), x (N, I)
    """y' = σ(x) + x σ(x) (1 − σ(x))."""
    e = np.exp(-np.abs(x))  # (N, I)
    s = np.where(x >= 0, 1, e) / (1 + e)  # (N, I)   σ(x)
    rest = np.where(x >= 0, e, 1) / (1 + e)  # (N, I)   1 − σ(x)
    dx = dy * (s + x * s * rest)  # (N, I)
    return dx


@operation
def elu_forward(x: Array, slope: float, depth: float) -> Array:  # x (N, I)
    """y = slope · x where x > 0, else depth · (eˣ − 1), which never falls below −depth.

    ELU (Clevert et al. 2016) has the slope 1; SELU (Klambauer et al. 2017) has two numbers that keep mean and variance.
    """
    y = np.where(x > 0, slope * x, depth * np.expm1(np.minimum(x, 0)))  # (N, I)
    return y


@operation
def elu_backward(dy: Array, x: Array, slope: float, depth: float) -> Array:  # dy (N, I), x (N, I)
    """y' = slope where x > 0, else depth · eˣ."""
    dx = dy * np.where(x > 0, slope, depth * np.exp(np.minimum(x, 0)))  # (N, I)
    return dx


@operation
def hard_sigmoid_forward(x: Array) -> Array:  # x (N, I)
    """y = x/6 + ½, held within 0 and 1: the sigmoid in three straight lines."""
    y = np.clip(x / 6 + 0.5, 0, 1)  # (N, I)
    return y


@operation
def hard_sigmoid_backward(dy: Array, x: Array) -> Array:  # dy (N, I), x (N, I)
    """y' = 1/6 where −3 < x < 3, else 0; at the kinks the choice is 0."""
    dx = np.where(np.abs(x) < 3, dy / 6, 0)  # (N, I)
    return dx
