"""Transposed convolution: it enlarges images, as the gradient of a convolution at its input does.

Take a convolution from y to x with filters W: forward here is its ∂L/∂x, and ∂L/∂x here is its forward pass. `extent`
is the height and width of y, as several sizes of y would give the same x where the stride is above 1. The sizes in the
comments are those of `convolution`, exchanged: filters of P × Q = 3 × 2 from images of 3 × 3 to images of 6 × 4.

Source: Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", chapter 4.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation
from chainrule.operations.windows import Pair, windows, windows_over, zero_padded


@operation
def transposed_convolution_forward(
    x: Array,  # x (N, C, 3, 3)
    W: Array,  # W (C, O, 3, 2)
    b: Array,  # b (O,)
    stride: Pair,  # stride = (2, 1)
    padding: Pair,  # padding = (1, 0)
    extent: Pair,  # extent = (6, 4)
) -> Array:
    """y_nohw = Σ W_copq x_ncij + b_o, over all c, i, j, p, q with i·s + p = h + padding: each x stamps its filters."""
    whole = (extent[0] + 2 * padding[0], extent[1] + 2 * padding[1])  # y with the rows and columns that are cut off
    reached = windows_over(x, W.shape[2:], stride, whole)  # (N, C, 8, 4, 3, 2)
    stamped = np.einsum("nchwpq,copq->nohw", reached, W, optimize=True)  # (N, O, 8, 4)
    inside = stamped[:, :, padding[0] : padding[0] + extent[0], padding[1] : padding[1] + extent[1]]  # (N, O, 6, 4)
    y = inside + b[:, None, None]  # (N, O, 6, 4)
    return y


@operation
def transposed_convolution_backward(
    dy: Array,  # dy (N, O, 6, 4)
    x: Array,  # x (N, C, 3, 3)
    W: Array,  # W (C, O, 3, 2)
    stride: Pair,  # stride = (2, 1)
    padding: Pair,  # padding = (1, 0)
) -> tuple[Array, Array, Array]:
    """∂L/∂x is the convolution of ∂L/∂y; W_copq meets x_ncij at place (p, q) of its window."""
    seen = windows(zero_padded(dy, padding), W.shape[2:], stride)  # (N, O, 3, 3, 3, 2)
    dx = np.einsum("noijpq,copq->ncij", seen, W, optimize=True)  # (N, C, 3, 3)
    dW = np.einsum("ncij,noijpq->copq", x, seen, optimize=True)  # (C, O, 3, 2)
    db = dy.sum(axis=(0, 2, 3))  # (O,)
    return dx, dW, db


@operation
def transposed_convolution_backward_parameters(
    dy: Array,  # dy (N, O, 6, 4)
    x: Array,  # x (N, C, 3, 3)
    size: Pair,  # size = (3, 2)
    stride: Pair,  # stride = (2, 1)
    padding: Pair,  # padding = (1, 0)
) -> tuple[Array, Array]:
    """`transposed_convolution_backward` where nobody asks for ∂L/∂x; `size` is (P, Q)."""
    seen = windows(zero_padded(dy, padding), size, stride)  # (N, O, 3, 3, 3, 2)
    dW = np.einsum("ncij,noijpq->copq", x, seen, optimize=True)  # (C, O, 3, 2)
    db = dy.sum(axis=(0, 2, 3))  # (O,)
    return dW, db
