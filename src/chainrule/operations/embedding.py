"""Embedding: each word of a vocabulary, a whole number, has a row of features that is learned."""

import numpy as np

from chainrule.arrays import Array, Labels
from chainrule.operations.operation import operation


@operation
def whole_numbers(x: Array) -> Labels:  # x (N, T)
    """The numbers of x as integers; −1 where it is no whole number from 0 to 2³¹ − 1."""
    index = np.where((x >= 0) & (x < 2**31) & (x == np.floor(x)), x, -1).astype(np.int64)  # (N, T)
    return index


@operation
def embedding_forward(index: Labels, W: Array) -> Array:  # index (N, T) < V, W (V, I)
    """y_nt = W_v, v being the word at place t of sample n; NaN where there is no such word."""
    known = (index >= 0) & (index < len(W))  # (N, T)
    y = np.where(known[..., None], W[np.where(known, index, 0)], np.nan)  # (N, T, I)
    return y


@operation
def embedding_backward(dy: Array, index: Labels, W: Array) -> Array:  # dy (N, T, I), index (N, T) < V, W (V, I)
    """∂L/∂W_v = Σ ∂L/∂y_nt over all places that hold the word v, in their order."""
    known = (index >= 0) & (index < len(W))  # (N, T)
    dW = np.zeros_like(W)  # (V, I)
    np.add.at(dW, index[known], dy[known])
    return dW
