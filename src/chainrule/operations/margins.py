"""Losses that ask for a margin, one number per sample. Source: mission items A1 to A3; Cortes & Vapnik 1995.

A score on the right side of the threshold by the margin costs nothing. The slope jumps where a score just reaches it;
there 0 is chosen.
"""

import numpy as np

from chainrule.arrays import Array, Labels
from chainrule.operations.operation import operation


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
def hinge_forward(f: Array, t: Array, margin: float, power: int) -> Array:  # f (N, K), t (N, K)
    """L_n = Σ_k max(0, m − s f)^p with s = 2t − 1, which is 1 for yes and −1 for no, and the margin m."""
    s = 2 * t - 1  # (N, K)
    gap = np.maximum(margin - s * f, 0)  # (N, K)   what f lacks
    loss = (gap**power).sum(axis=1)  # (N,)
    return loss


@operation
def hinge_backward(
    dloss: Array,  # dloss (N,)
    f: Array,  # f (N, K)
    t: Array,  # t (N, K)
    margin: float,
    power: int,
) -> Array:
    """∂L/∂f = −s p max(0, m − s f)^(p−1), and 0 where nothing is lacking."""
    s = 2 * t - 1  # (N, K)
    gap = np.maximum(margin - s * f, 0)  # (N, K)
    slope = np.where(gap > 0, power * gap ** (power - 1), 0)  # (N, K)   ∂L/∂gap
    df = dloss[:, None] * -s * slope  # (N, K)
    return df


@operation
def crammer_singer_forward(f: Array, labels: Labels, margin: float) -> Array:  # f (N, K), labels (N,) < K
    """L_n = max(0, m + max_{k≠j} f_k − f_j), j the label: the strongest rival counts (Crammer & Singer 2001)."""
    t = labels[:, None] == np.arange(f.shape[1])  # (N, K)   one-hot
    rival = np.where(t, -np.inf, f).max(axis=1)  # (N,)   the largest score of another class
    true = f[np.arange(len(f)), labels]  # (N,)   the score of the label
    loss = np.maximum(margin + rival - true, 0)  # (N,)
    return loss


@operation
def crammer_singer_backward(
    dloss: Array,  # dloss (N,)
    f: Array,  # f (N, K)
    labels: Labels,  # labels (N,) < K
    margin: float,
) -> Array:
    """∂L/∂f is 1 at the strongest rival and −1 at the label, while the margin is not reached; else 0."""
    t = labels[:, None] == np.arange(f.shape[1])  # (N, K)
    others = np.where(t, -np.inf, f)  # (N, K)
    rival = others.argmax(axis=1)  # (N,)
    gap = margin + others.max(axis=1) - f[np.arange(len(f)), labels]  # (N,)
    r = (rival[:, None] == np.arange(f.shape[1])).astype(f.dtype)  # (N, K)
    df = (dloss * (gap > 0))[:, None] * (r - t)  # (N, K)
    return df


@operation
def weston_watkins_forward(f: Array, labels: Labels, margin: float, power: int) -> Array:  # f (N, K), labels (N,) < K
    """L_n = Σ_{k≠j} max(0, m + f_k − f_j)^p, j the label: every rival counts (Weston & Watkins 1999)."""
    t = labels[:, None] == np.arange(f.shape[1])  # (N, K)   one-hot
    true = f[np.arange(len(f)), labels][:, None]  # (N, 1)   the score of the label
    gap = np.where(t, 0, np.maximum(f - true + margin, 0))  # (N, K)
    loss = (gap**power).sum(axis=1)  # (N,)
    return loss


@operation
def weston_watkins_backward(
    dloss: Array,  # dloss (N,)
    f: Array,  # f (N, K)
    labels: Labels,  # labels (N,) < K
    margin: float,
    power: int,
) -> Array:
    """∂L/∂f_k = p max(0, m + f_k − f_j)^(p−1) at a rival k within the margin, and minus their sum at the label j."""
    t = labels[:, None] == np.arange(f.shape[1])  # (N, K)
    true = f[np.arange(len(f)), labels][:, None]  # (N, 1)
    gap = np.where(t, 0, np.maximum(f - true + margin, 0))  # (N, K)
    slope = np.where(gap > 0, power * gap ** (power - 1), 0)  # (N, K)   ∂L/∂gap
    df = dloss[:, None] * np.where(t, -slope.sum(axis=1, keepdims=True), slope)  # (N, K)
    return df
