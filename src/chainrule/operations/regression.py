"""Losses of numbers, one per sample: squared, absolute, Huber's, Poisson. Source: mission items B5, E1, E2.

The numbers of a sample are added up, not averaged: twice as many outputs, twice the loss.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


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
def absolute_error_forward(y: Array, t: Array) -> Array:  # y (N, K), t (N, K)
    """L_n = Σ_k |y_nk − t_nk|: least where y is the median of the targets, not their mean."""
    loss = np.abs(y - t).sum(axis=1)  # (N,)
    return loss


@operation
def absolute_error_backward(dloss: Array, y: Array, t: Array) -> Array:  # dloss (N,), y (N, K), t (N, K)
    """∂L/∂y = sign(y − t): 1 above the target, −1 below it; 0 is chosen at the kink."""
    dy = dloss[:, None] * np.sign(y - t)  # (N, K)
    return dy


@operation
def huber_forward(y: Array, t: Array, delta: float) -> Array:  # y (N, K), t (N, K)
    """L_n = Σ_k ½ e² where |e| ≤ δ, else δ (|e| − ½ δ), with e = y − t (Huber 1964).

    With e held within ±δ, c, both are c (e − ½ c).
    """
    e = y - t  # (N, K)
    c = np.clip(e, -delta, delta)  # (N, K)
    loss = (c * (e - c / 2)).sum(axis=1)  # (N,)
    return loss


@operation
def huber_backward(dloss: Array, y: Array, t: Array, delta: float) -> Array:  # dloss (N,), y (N, K), t (N, K)
    """∂L/∂y = y − t, held within ±δ."""
    dy = dloss[:, None] * np.clip(y - t, -delta, delta)  # (N, K)
    return dy


@operation
def poisson_forward(f: Array, t: Array) -> Array:  # f (N, K), t (N, K)
    """L_n = Σ_k e^f − t f: −log of the Poisson probability of t events at the rate e^f, without log t!."""
    loss = (np.exp(f) - t * f).sum(axis=1)  # (N,)
    return loss


@operation
def poisson_backward(dloss: Array, f: Array, t: Array) -> Array:  # dloss (N,), f (N, K), t (N, K)
    """∂L/∂f = e^f − t, the rate less what was counted."""
    df = dloss[:, None] * (np.exp(f) - t)  # (N, K)
    return df


@operation
def exponential_forward(x: Array) -> Array:  # x (N, I)
    """y = e^x, the inverse of the log link: from a score to a rate."""
    y = np.exp(x)  # (N, I)
    return y


@operation
def exponential_backward(dy: Array, y: Array) -> Array:  # dy (N, I), y (N, I)
    """∂y/∂x = e^x = y."""
    dx = dy * y  # (N, I)
    return dx
