"""Depthwise convolution: filters that see one channel each. Source: Howard et al. 2017, MobileNets, equation 3.

The M filters of channel c give the output channels c·M … c·M + M − 1, so W has as many filters as there are outputs.
The sizes in the comments are those of one example: M = 2 filters of P × Q = 3 × 2 for each channel of images of 6 × 4.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation
from chainrule.operations.windows import Pair, windows, windows_over, zero_padded


@operation
def depthwise_forward(
    x: Array,  # x (N, C, 6, 4)
    W: Array,  # W (2 * C, 1, 3, 2)
    b: Array,  # b (2 * C,)
    stride: Pair,  # stride = (2, 1)
    padding: Pair,  # padding = (1, 0)
) -> Array:
    """y_n,cM+m,ij = Σ_pq W_cM+m,pq x_nc,i·s+p,j·s+q + b_cM+m: a convolution that does not sum over the channels."""
    seen = windows(zero_padded(x, padding), W.shape[2:], stride)  # (N, C, 3, 3, 3, 2)
    filters = W.reshape(x.shape[1], len(W) // x.shape[1], *W.shape[2:])  # (C, 2, 3, 2)
    filtered = np.einsum("ncijpq,cmpq->ncmij", seen, filters, optimize=True)  # (N, C, 2, 3, 3)
    y = filtered.reshape(len(x), len(W), *seen.shape[2:4]) + b[:, None, None]  # (N, 2 * C, 3, 3)
    return y


@operation
def depthwise_backward(
    dy: Array,  # dy (N, 2 * C, 3, 3)
    x: Array,  # x (N, C, 6, 4)
    W: Array,  # W (2 * C, 1, 3, 2)
    stride: Pair,  # stride = (2, 1)
    padding: Pair,  # padding = (1, 0)
) -> tuple[Array, Array, Array]:
    """As in a convolution, but that x_nchw reaches only the outputs of its own channel."""
    padded = zero_padded(x, padding)  # (N, C, 8, 4)
    seen = windows(padded, W.shape[2:], stride)  # (N, C, 3, 3, 3, 2)
    filters = W.reshape(x.shape[1], len(W) // x.shape[1], *W.shape[2:])  # (C, 2, 3, 2)
    reached = windows_over(dy, W.shape[2:], stride, padded.shape[2:])  # (N, 2 * C, 8, 4, 3, 2)
    by_channel = reached.reshape(len(x), *filters.shape[:2], *reached.shape[2:])  # (N, C, 2, 8, 4, 3, 2)
    dpadded = np.einsum("ncmhwpq,cmpq->nchw", by_channel, filters, optimize=True)  # (N, C, 8, 4)
    dx = dpadded[:, :, padding[0] : padding[0] + x.shape[2], padding[1] : padding[1] + x.shape[3]]  # (N, C, 6, 4)
    slopes = dy.reshape(len(x), *filters.shape[:2], *dy.shape[2:])  # (N, C, 2, 3, 3)
    dW = np.einsum("ncmij,ncijpq->cmpq", slopes, seen, optimize=True).reshape(W.shape)  # (2 * C, 1, 3, 2)
    db = dy.sum(axis=(0, 2, 3))  # (2 * C,)
    return dx, dW, db


@operation
def depthwise_backward_parameters(
    dy: Array,  # dy (N, 2 * C, 3, 3)
    x: Array,  # x (N, C, 6, 4)
    size: Pair,  # size = (3, 2)
    stride: Pair,  # stride = (2, 1)
    padding: Pair,  # padding = (1, 0)
) -> tuple[Array, Array]:
    """`depthwise_backward` for the first layer of a network, where nobody asks for ∂L/∂x; `size` is (P, Q)."""
    seen = windows(zero_padded(x, padding), size, stride)  # (N, C, 3, 3, 3, 2)
    slopes = dy.reshape(*x.shape[:2], dy.shape[1] // x.shape[1], *dy.shape[2:])  # (N, C, 2, 3, 3)
    dW = np.einsum("ncmij,ncijpq->cmpq", slopes, seen, optimize=True).reshape(dy.shape[1], 1, *size)  # (2 * C, 1, 3, 2)
    db = dy.sum(axis=(0, 2, 3))  # (2 * C,)
    return dW, db
