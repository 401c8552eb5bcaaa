"""Softmax, its true Jacobian, and its logarithm. Source: mission items A4, C1."""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


def below_largest(f: Array) -> Array:  # f (N, K)
    """f − max f in each row, by halves: the difference of two finite numbers can be too large, half of it cannot."""
    gap = f / 2 - f.max(axis=1, keepdims=True) / 2  # (N, K)   ≤ 0
    return np.maximum(gap, np.finfo(f.dtype).min / 2) * 2  # (N, K)


@operation
def softmax_forward(f: Array) -> Array:  # f (N, K)
    """p_k = e^{f_k} / Σ_i e^{f_i}; a constant taken from all f of a row changes nothing, so the largest becomes 0."""
    e = np.exp(below_largest(f))  # (N, K)   in [0, 1]
    p = e / e.sum(axis=1, keepdims=True)  # (N, K)
    return p


@operation
def softmax_backward(dp: Array, p: Array) -> Array:  # dp (N, K), p (N, K)
    """∂L/∂f_k = Σ_i ∂L/∂p_i · p_i (δ_ik − p_k) = p_k (∂L/∂p_k − Σ_i ∂L/∂p_i p_i)."""
    mean = (dp * p).sum(axis=1, keepdims=True)  # (N, 1)   Σ_i ∂L/∂p_i p_i
    df = p * (dp - mean)  # (N, K)
    return df


@operation
def softmax_jacobian(p: Array) -> Array:  # p (N, K)
    """J_nik = ∂p_i/∂f_k = p_i (δ_ik − p_k), one K × K matrix per row."""
    unit = np.eye(p.shape[1], dtype=p.dtype)  # (K, K)   δ_ik
    J = p[:, :, None] * (unit - p[:, None, :])  # (N, K, K)
    return J


@operation
def log_softmax_forward(f: Array) -> Array:  # f (N, K)
    """y_k = log p_k = f_k − log Σ_i e^{f_i}."""
    gap = below_largest(f)  # (N, K)
    y = gap - np.log(np.exp(gap).sum(axis=1, keepdims=True))  # (N, K)
    return y


@operation
def log_softmax_backward(dy: Array, y: Array) -> Array:  # dy (N, K), y (N, K)
    """∂y_i/∂f_k = δ_ik − p_k."""
    df = dy - np.exp(y) * dy.sum(axis=1, keepdims=True)  # (N, K)
    return df
