"""Losses, one number per sample. Source: mission items A3, B3, B4, C1, C2, D4, E2.

The cost of a batch is their mean, J = (1/m) Σ_n L_n; its ∂J/∂L_n is the `dloss` of the backward formulas.
"""

import numpy as np

from chainrule.arrays import Array, Labels
from chainrule.operations.operation import operation
from chainrule.operations.softmax import below_largest


@operation
def one_hot(labels: Labels, classes: int) -> Array:  # labels (N,) < K, classes = K
    """t_nk = 1 where k is the label of sample n, else 0 (the indicator matrix). 0 and 1 are exact in float32."""
    t = (labels[:, None] == np.arange(classes)).astype(np.float32)  # (N, K)
    return t


@operation
def squared_error_forward(y: Array, t: Array) -> Array:  # y (N, K), t (N, K)
    """L_n = ½ Σ_k (y_nk − t_nk)²."""
    loss = ((y - t) ** 2).sum(axis=1) / 2  # (N,)
    return loss


@operation
def squared_error_backward(dloss: Array, y: Array, t: Array) -> Array:  # dloss (N,), y (N, K), t (N, K)
    """∂L/∂y = y − t."""
    dy = dloss[:, None] * (y - t)  # (N, K)
    return dy


@operation
def binary_cross_entropy_forward(f: Array, t: Array) -> Array:  # f (N, K), t (N, K)
    """L_n = −Σ_k [t log p + (1 − t) log(1 − p)] with p = σ(f); log(1 + e^f) − t f says the same and never overflows."""
    softplus = np.maximum(f, 0) + np.log1p(np.exp(-np.abs(f)))  # (N, K)   log(1 + e^f)
    loss = (softplus - t * f).sum(axis=1)  # (N,)
    return loss


@operation
def binary_cross_entropy_backward(dloss: Array, f: Array, t: Array) -> Array:  # dloss (N,), f (N, K), t (N, K)
    """∂L/∂f = σ(f) − t."""
    e = np.exp(-np.abs(f))  # (N, K)   in (0, 1]
    p = np.where(f >= 0, 1, e) / (1 + e)  # (N, K)   σ(f)
    df = dloss[:, None] * (p - t)  # (N, K)
    return df


@operation
def cross_entropy_forward(f: Array, labels: Labels) -> Array:  # f (N, K), labels (N,) < K
    """L_n = −log p_j = −f_j + log Σ_k e^{f_k}, where p = softmax(f) and j is the label: NLL and softmax in one."""
    gap = below_largest(f)  # (N, K)
    true = gap[np.arange(len(f)), labels]  # (N,)   the score of the label
    loss = np.log(np.exp(gap).sum(axis=1)) - true  # (N,)
    return loss


@operation
def cross_entropy_backward(dloss: Array, f: Array, labels: Labels) -> Array:  # dloss (N,), f (N, K), labels (N,) < K
    """∂L/∂f_k = p_k − t_k: the softmax Jacobian collapses against −1/p_j."""
    e = np.exp(below_largest(f))  # (N, K)
    p = e / e.sum(axis=1, keepdims=True)  # (N, K)   softmax(f)
    t = labels[:, None] == np.arange(f.shape[1])  # (N, K)   one-hot
    df = dloss[:, None] * (p - t)  # (N, K)
    return df


@operation
def soft_cross_entropy_forward(f: Array, t: Array) -> Array:  # f (N, K), t (N, K) sums to 1
    """L_n = −Σ_k t_k log p_k: cross-entropy against one-hot rows, or any rows of probabilities."""
    gap = below_largest(f)  # (N, K)
    log_p = gap - np.log(np.exp(gap).sum(axis=1, keepdims=True))  # (N, K)
    loss = -(t * log_p).sum(axis=1)  # (N,)
    return loss


@operation
def soft_cross_entropy_backward(dloss: Array, f: Array, t: Array) -> Array:  # dloss (N,), f (N, K), t (N, K) sums to 1
    """∂L/∂f_k = p_k Σ_i t_i − t_k = p_k − t_k, since the targets of a row sum to 1."""
    e = np.exp(below_largest(f))  # (N, K)
    p = e / e.sum(axis=1, keepdims=True)  # (N, K)   softmax(f)
    df = dloss[:, None] * (p - t)  # (N, K)
    return df


@operation
def perceptron_forward(f: Array, t: Array) -> Array:  # f (N, K), t (N, K)
    """L_n = Σ_k (s − t) f with s = step(f): 0 where the decision is right, else the distance |f| from the threshold."""
    s = f >= 0  # (N, K)   the decision
    loss = ((s - t) * f).sum(axis=1)  # (N,)
    return loss


@operation
def perceptron_backward(dloss: Array, f: Array, t: Array) -> Array:  # dloss (N,), f (N, K), t (N, K)
    """∂L/∂f = step(f) − t, since the step itself has slope 0."""
    s = f >= 0  # (N, K)
    df = dloss[:, None] * (s - t)  # (N, K)
    return df


@operation
def mean_forward(loss: Array) -> Array:  # loss (N,)
    """J = (1/N) Σ_n L_n: the cost does not depend on the size of the batch."""
    J = loss.sum() / len(loss)  # ()
    return J


@operation
def mean_backward(dJ: Array, loss: Array) -> Array:  # dJ (), loss (N,)
    """∂J/∂L_n = 1/N."""
    dloss = np.full_like(loss, dJ / len(loss))  # (N,)
    return dloss
