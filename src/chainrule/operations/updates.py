"""How one step changes a parameter W, given its gradient dW. Source: mission items B3, B5, E5; the papers named."""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def sgd_update(W: Array, dW: Array, learning_rate: float) -> Array:  # W (I, O), dW (I, O)
    """W ← W − η ∂L/∂W: a small step down the steepest slope."""
    W = W - learning_rate * dW  # (I, O)
    return W


@operation
def momentum_update(
    W: Array, dW: Array, v: Array, learning_rate: float, momentum: float
) -> tuple[Array, Array]:  # W (I, O), dW (I, O), v (I, O)
    """The velocity v is a decaying sum of gradients (Polyak 1964); the step follows it."""
    v = momentum * v + dW  # (I, O)
    W = W - learning_rate * v  # (I, O)
    return W, v


@operation
def nesterov_update(
    W: Array, dW: Array, v: Array, learning_rate: float, momentum: float
) -> tuple[Array, Array]:  # W (I, O), dW (I, O), v (I, O)
    """Momentum that looks one step ahead (Nesterov 1983, in the form of Sutskever et al. 2013)."""
    v = momentum * v + dW  # (I, O)
    W = W - learning_rate * (dW + momentum * v)  # (I, O)
    return W, v


@operation
def adam_update(
    W: Array, dW: Array, m: Array, s: Array, step: int, learning_rate: float, beta1: float, beta2: float, epsilon: float
) -> tuple[Array, Array, Array]:  # W (I, O), dW (I, O), m (I, O), s (I, O) ≥ 0
    """Adam (Kingma & Ba 2015, algorithm 1): mean gradient over its root mean square. Steps count from 1."""
    m = beta1 * m + (1 - beta1) * dW  # (I, O)   running mean of dW
    s = beta2 * s + (1 - beta2) * dW * dW  # (I, O)   running mean of dW²
    mean = m / (1 - beta1**step)  # (I, O)   both started at 0: correct for it
    square = s / (1 - beta2**step)  # (I, O)
    W = W - learning_rate * mean / (np.sqrt(square) + epsilon)  # (I, O)
    return W, m, s
