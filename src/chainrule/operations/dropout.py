"""Dropout: a random share of the inputs becomes 0 in each step of training. Source: mission items D15, E2.

Srivastava et al. 2014, in the inverted form: what is kept is scaled up, so that the mean stays and prediction needs
no dropout at all.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation
from chainrule.operations.philox import random_bits


@operation
def dropout_forward(
    x: Array,  # x (N, I)
    rate: float,
    seed: int,  # seed = 7
    stream: int,  # stream = 3
    step: int,  # step = 9
) -> tuple[Array, Array]:
    """y_i = x_i / (1 − rate) where the mask is 1, else 0.

    The mask of element i, in C order over the whole batch, is decided by word i of `random_bits`.
    """
    bits = random_bits.reference(x.size, seed, stream, step).reshape(x.shape)  # (N, I)   whole numbers below 2³²
    mask = (bits >= int(rate * 2**32)).astype(np.uint8)  # (N, I)   1 with probability 1 − rate
    y = np.where(mask, x * (1 / (1 - rate)), 0)  # (N, I)
    return y, mask


@operation
def dropout_backward(dy: Array, mask: Array, rate: float) -> Array:  # dy (N, I), mask (N, I) < 2
    """∂y/∂x = 1 / (1 − rate) where the mask is 1, else 0."""
    dx = np.where(mask, dy * (1 / (1 - rate)), 0)  # (N, I)
    return dx
