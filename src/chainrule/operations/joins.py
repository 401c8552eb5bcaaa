"""Two arrays side by side, as one."""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def concatenate_forward(x: Array, y: Array) -> Array:  # x (N, I, L), y (N, O, L)
    """The features (or channels) of x, then those of y."""
    z = np.concatenate([x, y], axis=1)  # (N, I + O, L)
    return z


@operation
def concatenate_backward(
    dz: Array,  # dz (N, I + O, L)
    x: Array,  # x (N, I, L)
    y: Array,  # y (N, O, L)
) -> tuple[Array, Array]:
    """Each gets back its own part."""
    dx = dz[:, : x.shape[1]].copy()  # (N, I, L)
    dy = dz[:, x.shape[1] :].copy()  # (N, O, L)
    return dx, dy
