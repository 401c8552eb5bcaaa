"""Windows that slide over images: what convolution and pooling share. Images x are (N, C, height, width).

The window at (i, j) begins at row i·stride, column j·stride; windows that would reach over the far edge are left out.
`size`, `stride` and `padding` are pairs (height, width).
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from chainrule.arrays import Array

Pair = tuple[int, int]  # (height, width)


def zero_padded(x: Array, padding: Pair) -> Array:
    """`x` with `padding` rows of zeros above and below it, and columns left and right."""
    return np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))


def windows(x: Array, size: Pair, stride: Pair) -> Array:
    """(N, C, I, J, P, Q): place (p, q) of window (i, j) is x[i·stride + p, j·stride + q]. A view, nothing is copied."""
    every = sliding_window_view(x, size, axis=(2, 3))
    return every[:, :, :: stride[0], :: stride[1]]


def windows_over(dy: Array, size: Pair, stride: Pair, extent: Pair) -> Array:
    """The other way round, from an image of `extent` (height, width) to the windows, which have one value each in dy.

    (N, O, height, width, P, Q): the value of the window that has pixel (h, w) of the image at its place (p, q), which
    is dy[i, j] with i·stride + p = h and j·stride + q = w; 0 where there is no such window. Summed over p and q, it is
    all that the pixel directly affects (mission item E4).
    """
    height, width = size[0] - 1, size[1] - 1  # how far a window reaches beyond its first pixel
    last_row, last_column = stride[0] * dy.shape[2], stride[1] * dy.shape[3]
    corners = np.zeros((*dy.shape[:2], extent[0] + height, extent[1] + width), dy.dtype)
    corners[:, :, height : height + last_row : stride[0], width : width + last_column : stride[1]] = dy
    return sliding_window_view(corners, size, axis=(2, 3))[..., ::-1, ::-1]
