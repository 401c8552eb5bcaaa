"""What large weights cost. Source: mission item D9; Tikhonov 1943 (squares), Tibshirani 1996, Zou & Hastie 2005."""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


def is_weight(W: Array) -> bool:
    """Whether W belongs to what is penalised: weights, filters and tables have two axes or more, biases have one."""
    return W.ndim > 1


@operation
def penalty_forward(W: Array, l1: float, l2: float) -> Array:  # W (I, O)
    """R = l1 Σ|w| + ½ l2 Σ w²."""
    R = l1 * np.abs(W).sum() + l2 / 2 * (W * W).sum()  # ()
    return R


@operation
def penalty_backward(dR: Array, W: Array, l1: float, l2: float) -> Array:  # dR (), W (I, O)
    """∂R/∂w = l1 sign(w) + l2 w; at the kink w = 0 of |w| the slope is taken as 0."""
    dW = dR * (l1 * np.sign(W) + l2 * W)  # (I, O)
    return dW
