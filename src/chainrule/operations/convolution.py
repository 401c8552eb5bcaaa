"""Two-dimensional convolution of images, in many channels. Source: mission items E2, E3, D13.

It is the field's convolution: the filter is not flipped (mathematicians call it cross-correlation). The sizes in the
comments are those of one example: filters of P × Q = 3 × 2 on images of 6 × 4.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation
from chainrule.operations.windows import Pair, windows, windows_over, zero_padded


@operation
def convolution_forward(
    x: Array,  # x (N, C, 6, 4)
    W: Array,  # W (O, C, 3, 2)
    b: Array,  # b (O,)
    stride: Pair,  # stride = (2, 1)
    padding: Pair,  # padding = (1, 0)
) -> Array:
    """y_noij = Σ_cpq W_ocpq x_nc,i·s+p,j·s+q + b_o: E2's sum, where rows and columns outside of x count as 0."""
    seen = windows(zero_padded(x, padding), W.shape[2:], stride)  # (N, C, 3, 3, 3, 2)
    y = np.einsum("ncijpq,ocpq->noij", seen, W, optimize=True) + b[:, None, None]  # (N, O, 3, 3)
    return y


@operation
def convolution_backward(
    dy: Array,  # dy (N, O, 3, 3)
    x: Array,  # x (N, C, 6, 4)
    W: Array,  # W (O, C, 3, 2)
    stride: Pair,  # stride = (2, 1)
    padding: Pair,  # padding = (1, 0)
) -> tuple[Array, Array, Array]:
    """Each x_nchw reaches the y_noij whose windows it lies in, at a place p, q and so through W_ocpq."""
    padded = zero_padded(x, padding)  # (N, C, 8, 4)
    seen = windows(padded, W.shape[2:], stride)  # (N, C, 3, 3, 3, 2)
    reached = windows_over(dy, W.shape[2:], stride, padded.shape[2:])  # (N, O, 8, 4, 3, 2)
    dpadded = np.einsum("nohwpq,ocpq->nchw", reached, W, optimize=True)  # (N, C, 8, 4)
    dx = dpadded[:, :, padding[0] : padding[0] + x.shape[2], padding[1] : padding[1] + x.shape[3]]  # (N, C, 6, 4)
    dW = np.einsum("noij,ncijpq->ocpq", dy, seen, optimize=True)  # (O, C, 3, 2)   W_ocpq meets x in every window
    db = dy.sum(axis=(0, 2, 3))  # (O,)   b_o is in every y_noij
    return dx, dW, db


@operation
def convolution_backward_parameters(
    dy: Array,  # dy (N, O, 3, 3)
    x: Array,  # x (N, C, 6, 4)
    size: Pair,  # size = (3, 2)
    stride: Pair,  # stride = (2, 1)
    padding: Pair,  # padding = (1, 0)
) -> tuple[Array, Array]:
    """`convolution_backward` for the first layer of a network, where nobody asks for ∂L/∂x; `size` is (P, Q)."""
    seen = windows(zero_padded(x, padding), size, stride)  # (N, C, 3, 3, 3, 2)
    dW = np.einsum("noij,ncijpq->ocpq", dy, seen, optimize=True)  # (O, C, 3, 2)
    db = dy.sum(axis=(0, 2, 3))  # (O,)
    return dW, db
