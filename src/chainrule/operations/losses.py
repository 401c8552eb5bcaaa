"""Losses of probabilities, one number per sample, and their mean. Source: mission items B3, B4, C1, C2, D4.

The cost of a batch is the mean of its losses, J = (1/m) Σ_n L_n; its ∂J/∂L_n is the `dloss` of the backward formulas.
Losses of numbers stand in `regression`, those that ask for a margin in `margins`.
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
def weighted_binary_cross_entropy_forward(
    f: Array,  # f (N, K)
    t: Array,  # t (N, K)
    pos_weight: Array,  # pos_weight (K,) ≥ 0
) -> Array:
    """L_n = −Σ_k [w t log p + (1 − t) log(1 − p)] with p = σ(f): a yes to question k counts w_k times, pos_weight."""
    rest = np.log1p(np.exp(-np.abs(f)))  # (N, K)   log(1 + e^−|f|)
    miss = np.maximum(-f, 0) + rest  # (N, K)   −log p
    hit = np.maximum(f, 0) + rest  # (N, K)   −log(1 − p)
    loss = (pos_weight * t * miss + (1 - t) * hit).sum(axis=1)  # (N,)
    return loss


@operation
def weighted_binary_cross_entropy_backward(
    dloss: Array,  # dloss (N,)
    f: Array,  # f (N, K)
    t: Array,  # t (N, K)
    pos_weight: Array,  # pos_weight (K,) ≥ 0
) -> Array:
    """∂L/∂f = (1 − t) p − w t (1 − p)."""
    e = np.exp(-np.abs(f))  # (N, K)   in (0, 1]
    p = np.where(f >= 0, 1, e) / (1 + e)  # (N, K)   σ(f)
    q = np.where(f >= 0, e, 1) / (1 + e)  # (N, K)   1 − σ(f) = σ(−f)
    df = dloss[:, None] * ((1 - t) * p - pos_weight * t * q)  # (N, K)
    return df


@operation
def binary_focal_forward(
    f: Array,  # f (N, K)
    t: Array,  # t (N, K)
    gamma: float,
    yes: float,
    no: float,
) -> Array:
    """L_n = −Σ_k α (1 − p)^γ log p, where p is the probability given to the truth and α is `yes` or `no` by the truth.

    With z the score of the truth, f where t = 1 and −f where t = 0: p = σ(z) (Lin et al. 2017, equation 5).
    """
    alpha = yes * t + no * (1 - t)  # (N, K)
    z = (2 * t - 1) * f  # (N, K)
    rest = np.log1p(np.exp(-np.abs(z)))  # (N, K)   log(1 + e^−|z|)
    miss = np.maximum(-z, 0) + rest  # (N, K)   −log p
    q = np.exp(-np.maximum(z, 0) - rest)  # (N, K)   1 − p
    loss = (alpha * q**gamma * miss).sum(axis=1)  # (N,)
    return loss


@operation
def binary_focal_backward(
    dloss: Array,  # dloss (N,)
    f: Array,  # f (N, K)
    t: Array,  # t (N, K)
    gamma: float,
    yes: float,
    no: float,
) -> Array:
    """∂L/∂z = −α (1 − p)^γ [(1 − p) − γ p log p]; ∂z/∂f = 2t − 1."""
    alpha = yes * t + no * (1 - t)  # (N, K)
    z = (2 * t - 1) * f  # (N, K)
    rest = np.log1p(np.exp(-np.abs(z)))  # (N, K)
    miss = np.maximum(-z, 0) + rest  # (N, K)   −log p
    p, q = np.exp(-miss), np.exp(-np.maximum(z, 0) - rest)  # (N, K)
    dz = -alpha * q**gamma * (q + gamma * p * miss)  # (N, K)
    df = dloss[:, None] * (2 * t - 1) * dz  # (N, K)
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
def smoothed(t: Array, smoothing: float) -> Array:  # t (N, K)
    """t'_k = (1 − ε) t_k + ε/K: a share ε of the certainty is spread over all classes (Szegedy et al. 2016)."""
    y = (1 - smoothing) * t + smoothing / t.shape[1]  # (N, K)
    return y


@operation
def smoothed_cross_entropy_forward(f: Array, labels: Labels, smoothing: float) -> Array:  # f (N, K), labels (N,) < K
    """L_n = −(1 − ε) log p_j − (ε/K) Σ_k log p_k: cross-entropy against the smoothed one-hot row."""
    gap = below_largest(f)  # (N, K)
    log_p = gap - np.log(np.exp(gap).sum(axis=1, keepdims=True))  # (N, K)
    true = log_p[np.arange(len(f)), labels]  # (N,)   log p_j
    loss = (smoothing - 1) * true - (smoothing / f.shape[1] * log_p).sum(axis=1)  # (N,)
    return loss


@operation
def smoothed_cross_entropy_backward(
    dloss: Array,  # dloss (N,)
    f: Array,  # f (N, K)
    labels: Labels,  # labels (N,) < K
    smoothing: float,
) -> Array:
    """∂L/∂f_k = p_k − t'_k, with the smoothed targets t'."""
    e = np.exp(below_largest(f))  # (N, K)
    p = e / e.sum(axis=1, keepdims=True)  # (N, K)   softmax(f)
    t = (1 - smoothing) * (labels[:, None] == np.arange(f.shape[1])) + smoothing / f.shape[1]  # (N, K)
    df = dloss[:, None] * (p - t.astype(f.dtype))  # (N, K)
    return df


@operation
def kullback_leibler_forward(f: Array, t: Array) -> Array:  # f (N, K), t (N, K) sums to 1
    """L_n = Σ_k t_k log(t_k / p_k), 0 where t_k is: what describing t by p = softmax(f) costs beyond its entropy."""
    gap = below_largest(f)  # (N, K)
    log_p = gap - np.log(np.exp(gap).sum(axis=1, keepdims=True))  # (N, K)
    log_t = np.log(np.maximum(t, np.finfo(t.dtype).tiny))  # (N, K)
    loss = (t * (log_t - log_p)).sum(axis=1)  # (N,)
    return loss


@operation
def kullback_leibler_backward(dloss: Array, f: Array, t: Array) -> Array:  # dloss (N,), f (N, K), t (N, K) sums to 1
    """∂L/∂f_k = p_k − t_k, as for cross-entropy: the entropy of t does not depend on f."""
    e = np.exp(below_largest(f))  # (N, K)
    p = e / e.sum(axis=1, keepdims=True)  # (N, K)   softmax(f)
    df = dloss[:, None] * (p - t)  # (N, K)
    return df


@operation
def focal_forward(
    f: Array,  # f (N, K)
    labels: Labels,  # labels (N,) < K
    alpha: Array,  # alpha (K,) ≥ 0
    gamma: float,
) -> Array:
    """L_n = −α_j (1 − p_j)^γ log p_j, where p = softmax(f) and j is the label: what is known well counts little.

    1 − p_j is the sum of the other probabilities; kept above 0, where a power of it may have no slope.
    """
    gap = below_largest(f)  # (N, K)
    t = labels[:, None] == np.arange(f.shape[1])  # (N, K)   one-hot
    e = np.exp(gap)  # (N, K)
    total = e.sum(axis=1)  # (N,)
    q = np.maximum(np.where(t, 0, e).sum(axis=1) / total, np.finfo(f.dtype).tiny)  # (N,)   1 − p_j
    log_p = gap[np.arange(len(f)), labels] - np.log(total)  # (N,)   log p_j
    loss = -alpha[labels] * q**gamma * log_p  # (N,)
    return loss


@operation
def focal_backward(
    dloss: Array,  # dloss (N,)
    f: Array,  # f (N, K)
    labels: Labels,  # labels (N,) < K
    alpha: Array,  # alpha (K,) ≥ 0
    gamma: float,
) -> Array:
    """∂L/∂f_k = α_j [(1 − p_j)^γ − γ (1 − p_j)^(γ−1) p_j log p_j] (p_k − t_k)."""
    gap = below_largest(f)  # (N, K)
    t = labels[:, None] == np.arange(f.shape[1])  # (N, K)
    e = np.exp(gap)  # (N, K)
    total = e.sum(axis=1)  # (N,)
    p = e / total[:, None]  # (N, K)   softmax(f)
    q = np.maximum(np.where(t, 0, e).sum(axis=1) / total, np.finfo(f.dtype).tiny)  # (N,)   1 − p_j
    true = np.arange(len(f)), labels  # the places of the labels
    log_p = gap[true] - np.log(total)  # (N,)   log p_j
    slope = alpha[labels] * (q**gamma - gamma * q ** (gamma - 1) * p[true] * log_p)  # (N,)
    df = (dloss * slope)[:, None] * np.where(t, -q[:, None], p)  # (N, K)
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


@operation
def weighted_mean_forward(loss: Array, w: Array) -> Array:  # loss (N,), w (N,)
    """J = (1/N) Σ_n w_n L_n, with weights whose mean over all samples is 1: a weight of 2 counts a sample twice."""
    J = (w * loss).sum() / len(loss)  # ()
    return J


@operation
def weighted_mean_backward(dJ: Array, loss: Array, w: Array) -> Array:  # dJ (), loss (N,), w (N,)
    """∂J/∂L_n = w_n/N."""
    dloss = w * (dJ / len(loss))  # (N,)
    return dloss
