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
    place = np.arange(size[0] * size[1]).reshape(size)  # (3, 2)   the places of a window, numbered in that order
    seen = windows(x, size, stride)  # (N, C, 2, 3, 3, 2)
    winner = seen.reshape(*dy.shape, place.size).argmax(axis=4)  # (N, C, 2, 3)   the number of the first largest
    won = windows_over(winner, size, stride, x.shape[2:]) == place  # (N, C, 6, 4, 3, 2)
    reached = windows_over(dy, size, stride, x.shape[2:])  # (N, C, 6, 4, 3, 2)
    dx = np.where(won, reached, 0).sum(axis=(4, 5))  # (N, C, 6, 4)
    return dx


@operation
def average_pool_forward(
    x: Array,  # x (N, C, 6, 4)
    size: Pair,  # size = (3, 2)
    stride: Pair,  # stride = (2, 1)
) -> Array:
    """y_ncij = the mean of x in window (i, j)."""
    y = windows(x, size, stride).mean(axis=(4, 5))  # (N, C, 2, 3)
    return y


@operation
def average_pool_backward(
    dy: Array,  # dy (N, C, 2, 3)
    extent: Pair,  # extent = (6, 4)
    size: Pair,  # size = (3, 2)
    stride: Pair,  # stride = (2, 1)
) -> Array:
    """Each x_nchw has a share of 1/(P·Q) in every window it lies in; `extent` is the height and width of x."""
    dx = windows_over(dy, size, stride, extent).mean(axis=(4, 5))  # (N, C, 6, 4)
    return dx
