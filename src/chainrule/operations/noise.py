"""Gaussian noise from counted random bits: the same on every machine, whatever has been drawn before.

A word of 32 random bits w is a place u = (w + ½) / 2³² between 0 and 1, and the noise is the number that a normal
variable stays below with probability u. So no number is more than 6.4 deviations from 0. The inverse of the normal
distribution is the rational approximation AS 241 of Wichura 1988, to 16 digits, as in Python's
`statistics.NormalDist.inv_cdf`.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation
from chainrule.operations.philox import random_bits


def inverse_normal(u: Array) -> Array:
    """The number that a normal variable stays below with probability u, element by element."""
    from statistics import NormalDist  # here, as it takes longer to import than all formulas of this room

    return np.vectorize(NormalDist().inv_cdf, otypes=[float])(u)


@operation
def noise_forward(
    x: Array,  # x (N, I)
    deviation: float,
    seed: int,  # seed = 7
    stream: int,  # stream = 3
    step: int,  # step = 9
) -> Array:
    """y_i = x_i + deviation · z_i, z_i ~ N(0, 1) from word i of `random_bits`, in C order over the whole batch."""
    bits = random_bits.reference(x.size, seed, stream, step).reshape(x.shape)  # (N, I)   whole numbers below 2³²
    z = inverse_normal((bits + 0.5) / 2**32)  # (N, I)
    y = x + (deviation * z).astype(x.dtype)  # (N, I)
    return y


@operation
def noise_backward(dy: Array) -> Array:  # dy (N, I)
    """y' = 1: the noise does not depend on x."""
    dx = dy.copy()  # (N, I)
    return dx
