"""Maxout: the largest of some features that compete with each other. Source: Goodfellow et al. 2013.

Before it the features of a sample, or the channels of an image, are set out in O groups of pieces, 3 in the comments;
L is the number of pixels of a channel.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def maxout_forward(x: Array) -> Array:  # x (N, O, 3, L)
    """y_nol = max_p x_nopl."""
    y = x.max(axis=2)  # (N, O, L)
    return y


@operation
def maxout_backward(dy: Array, x: Array) -> Array:  # dy (N, O, L), x (N, O, 3, L)
    """∂L/∂y goes to the piece that was largest; among equals to the first."""
    first = x.argmax(axis=2)  # (N, O, L)
    wins = first[:, :, None] == np.arange(x.shape[2])[:, None]  # (N, O, 3, L)
    dx = np.where(wins, dy[:, :, None], 0)  # (N, O, 3, L)
    return dx
