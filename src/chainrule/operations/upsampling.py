"""Enlarging images by whole factors (down, across). Both ways are linear maps along the rows and along the columns, so
∂L/∂x is the same two maps turned round.

Pixels have a size: a pixel's centre is half a pixel from its edge, in the small image as in the large one. So the
large pixel h, by the factor f, lies at (h + ½) / f − ½ of the small image. The factors in the comments are an example.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation
from chainrule.operations.windows import Pair


def interpolation(length: int, factor: int, like: Array) -> Array:
    """(factor · length, length): how much a large pixel has of each pixel of a line; beyond the ends, of the last."""
    centres = (np.arange(factor * length) + 0.5) / factor - 0.5
    places = np.clip(centres, 0, length - 1)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(length))).astype(like.dtype)


@operation
def upsample_nearest_forward(x: Array, factor: Pair) -> Array:  # x (N, C, 5, 3), factor = (2, 3)
    """y_nchw = x_nc,⌊h/f⌋,⌊w/g⌋: each pixel becomes f × g equal ones."""
    y = x.repeat(factor[0], axis=2).repeat(factor[1], axis=3)  # (N, C, 10, 9)
    return y


@operation
def upsample_nearest_backward(dy: Array, factor: Pair) -> Array:  # dy (N, C, 10, 9), factor = (2, 3)
    """Each x is in f × g pixels of y."""
    small = (dy.shape[2] // factor[0], dy.shape[3] // factor[1])
    blocks = dy.reshape(*dy.shape[:2], small[0], factor[0], small[1], factor[1])  # (N, C, 5, 2, 3, 3)
    dx = blocks.sum(axis=(3, 5))  # (N, C, 5, 3)
    return dx


@operation
def upsample_bilinear_forward(x: Array, factor: Pair) -> Array:  # x (N, C, 5, 3), factor = (2, 3)
    """y_nchw = Σ_ij R_hi x_ncij S_wj: between two pixels it goes over from one to the other in a straight line."""
    rows = interpolation(x.shape[2], factor[0], x)  # R (10, 5)
    columns = interpolation(x.shape[3], factor[1], x)  # S (9, 3)
    y = np.einsum("hi,ncij,wj->nchw", rows, x, columns, optimize=True)  # (N, C, 10, 9)
    return y


@operation
def upsample_bilinear_backward(dy: Array, factor: Pair) -> Array:  # dy (N, C, 10, 9), factor = (2, 3)
    """∂L/∂x_ncij = Σ_hw R_hi ∂L/∂y_nchw S_wj."""
    rows = interpolation(dy.shape[2] // factor[0], factor[0], dy)  # R (10, 5)
    columns = interpolation(dy.shape[3] // factor[1], factor[1], dy)  # S (9, 3)
    dx = np.einsum("hi,nchw,wj->ncij", rows, dy, columns, optimize=True)  # (N, C, 5, 3)
    return dx
