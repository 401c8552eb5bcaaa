"""Gradients that are too large are made smaller before a step follows them. Source: Pascanu, Mikolov & Bengio 2013."""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def clip_value(dW: Array, limit: float) -> Array:  # dW (I, O)
    """Each element on its own, to −limit … limit: the direction may change."""
    dW = np.clip(dW, -limit, limit)  # (I, O)
    return dW


@operation
def clip_norm(dW: Array, length: Array, limit: float) -> Array:  # dW (I, O), length () ≥ 0
    """All gradients by one factor, min(1, limit / length): the direction stays (algorithm 1).

    `length` is that of the gradients of all parameters taken as one vector.
    """
    dW = dW * (limit / np.maximum(length, limit))  # (I, O)
    return dW
