"""Sequences x (N, T, I), N samples of T steps: which steps count, the last one, and both directions at once.

Source: mission item D13; Schuster & Paliwal 1997 for networks that read in both directions. Where a comment says 4
steps, it means as many as there are.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def unmasked_steps(x: Array, mask_value: float) -> Array:  # x (N, T, I)
    """1 for each step that counts, 0 for one whose every feature is `mask_value`; NaN equals nothing and masks none."""
    mask = (x != mask_value).any(axis=2).astype(np.uint8)  # (N, T)
    return mask


@operation
def masked_steps_forward(h: Array, mask: Array, mask_value: float) -> Array:  # h (N, T, H), mask (N, T) < 2
    """y(t) = h(t) where the step counts, else `mask_value`, so that a next layer can skip the step too."""
    y = np.where(mask[:, :, None], h, h.dtype.type(mask_value))  # (N, T, H)
    return y


@operation
def masked_steps_backward(dy: Array, mask: Array) -> Array:  # dy (N, T, H), mask (N, T) < 2
    """∂y/∂h = 1 where the step counts, else 0."""
    dh = np.where(mask[:, :, None], dy, 0)  # (N, T, H)
    return dh


@operation
def last_step_forward(h: Array) -> Array:  # h (N, 4, H)
    """y = h(T)."""
    y = h[:, -1].copy()  # (N, H)
    return y


@operation
def last_step_backward(dy: Array, steps: int) -> Array:  # dy (N, H), steps = 4
    """∂L/∂h(T) = ∂L/∂y, and 0 at all other steps."""
    others = np.zeros((len(dy), steps - 1, dy.shape[1]), dy.dtype)  # (N, 3, H)
    dh = np.concatenate([others, dy[:, None]], axis=1)  # (N, 4, H)
    return dh


@operation
def both_directions_forward(x: Array) -> tuple[Array, Array]:  # x (N, T, I)
    """The steps as they are, and from the last to the first."""
    ahead = x.copy()  # (N, T, I)
    back = x[:, ::-1].copy()  # (N, T, I)
    return ahead, back


@operation
def both_directions_backward(dahead: Array, dback: Array) -> Array:  # dahead (N, T, I), dback (N, T, I)
    """Each x goes both ways, and its two gradients add up."""
    dx = dahead + dback[:, ::-1]  # (N, T, I)
    return dx


@operation
def joined_directions_forward(ahead: Array, back: Array) -> Array:  # ahead (N, T, H), back (N, T, H)
    """y(t) = [ahead(t), back(t)] side by side, where `back` comes from the last step to the first."""
    y = np.concatenate([ahead, back[:, ::-1]], axis=2)  # (N, T, 2 * H)
    return y


@operation
def joined_directions_backward(dy: Array) -> tuple[Array, Array]:  # dy (N, T, 2 * H)
    """The halves of ∂L/∂y, the second turned round again."""
    H = dy.shape[2] // 2
    dahead = dy[:, :, :H].copy()  # (N, T, H)
    dback = dy[:, ::-1, H:].copy()  # (N, T, H)
    return dahead, dback


@operation
def merged_steps_forward(x: Array) -> Array:  # x (N, T, I)
    """Each step becomes a row of its own: y_(n, t) = x_nt."""
    y = x.reshape(-1, x.shape[2])  # (N * T, I)
    return y


@operation
def merged_steps_backward(dy: Array, steps: int) -> Array:  # dy (N * T, I), steps = T
    """∂L/∂x is ∂L/∂y in the shape of x."""
    dx = dy.reshape(-1, steps, dy.shape[1])  # (N, T, I)
    return dx
