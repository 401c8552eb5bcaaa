"""Pooling: one number for each window of an image, channel by channel. Source: mission items E2, E3.

Rows and columns beyond the last whole window are ignored; their gradient is 0. Windows may overlap (stride < size).
The sizes in the comments are those of one example: windows of P × Q = 3 × 2 on images of 6 × 4.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation
from chainrule.operations.windows import Pair, windows, windows_over


@operation
def max_pool_forward(
    x: Array,  # x (N, C, 6, 4)
    size: Pair,  # size = (3, 2)
    stride: Pair,  # stride = (2, 1)
) -> Array:
    """y_ncij = the largest x in window (i, j)."""
    y = windows(x, size, stride).max(axis=(4, 5))  # (N, C, 2, 3)
    return y


@operation
def max_pool_backward(
    dy: Array,  # dy (N, C, 2, 3)
    x: Array,  # x (N, C, 6, 4)
    size: Pair,  # size = (3, 2)
    stride: Pair,  # stride = (2, 1)
) -> Array:
    """∂L/∂y goes to the pixel that was largest; among equals to the first, row by row from the window's top left."""
    seen = windows(x, size, stride)  # (N, C, 2, 3, 3, 2)
    first = seen.reshape(*dy.shape, size[0] * size[1]).argmax(axis=4)  # (N, C, 2, 3)   its number in that order
    n, c, i, j = np.ix_(*map(range, dy.shape))
    h, w = stride[0] * i + first // size[1], stride[1] * j + first % size[1]  # (N, C, 2, 3)   its row and column
    pixel = np.ravel_multi_index((n, c, h, w), x.shape)  # (N, C, 2, 3)   its number among all pixels of x
    total = np.bincount(pixel.ravel(), dy.ravel(), x.size)  # (N·C·6·4,)   a pixel may be largest in several windows
    dx = total.reshape(x.shape).astype(dy.dtype)  # (N, C, 6, 4)
    return dx


@operation
def average_pool_forward(
    x: Array,  # x (N, C, 6, 4)
    size: Pair,  # size = (3, 2)
    stride: Pair,  # stride = (2, 1)
) -> Array:
    """y_ncij = (1/PQ) Σ_pq x_nc,i·s+p,j·s+q: the mean of window (i, j)."""
    y = np.einsum("ncijpq->ncij", windows(x, size, stride)) / (size[0] * size[1])  # (N, C, 2, 3)
    return y


@operation
def average_pool_backward(
    dy: Array,  # dy (N, C, 2, 3)
    extent: Pair,  # extent = (6, 4)
    size: Pair,  # size = (3, 2)
    stride: Pair,  # stride = (2, 1)
) -> Array:
    """Each x_nchw has a share of 1/PQ in every window it lies in; `extent` is the height and width of x."""
    reached = windows_over(dy, size, stride, extent)  # (N, C, 6, 4, 3, 2)
    dx = np.einsum("nchwpq->nchw", reached) / (size[0] * size[1])  # (N, C, 6, 4)
    return dx
