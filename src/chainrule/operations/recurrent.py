"""Recurrent networks: the same step again and again, each time from the state that the step before it left.

Source: mission items D13 (Elman's network) and D15 (LSTM); Elman 1990; Hochreiter & Schmidhuber 1997 and, for the
forget gate, Gers et al. 2000; Cho et al. 2014 for the GRU, in the form of PyTorch and cuDNN, whose reset gate stands
behind the product with U; Werbos 1990 for back-propagation through time.

x (N, T, I) holds N sequences of T steps. The state h(t) (N, H) begins with h(0) = 0 and goes from step to step; all of
them are returned, h (N, T, H). Where the `mask` (N, T) is 0, a step is skipped: the state goes through it as it is, and
so does the gradient. Gates stand side by side in W (I, 2H …), U (H, 2H …) and b (2H …).

Through time: h(t) is a result, and it goes into step t + 1. So ∂L/∂h(t) is `dh(t)`, which comes from outside, plus
`later`, which step t + 1 hands back. That is why the backward loops run from the last step to the first.
"""

from collections.abc import Callable

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.activations import relu_forward, sigmoid_forward
from chainrule.operations.operation import operation

sigmoid, relu = sigmoid_forward.reference, relu_forward.reference


def elman_states(x: Array, W: Array, U: Array, b: Array, mask: Array, activation: Callable[[Array], Array]) -> Array:
    """h(t) = f(x(t) W + h(t−1) U + b) for t = 1 … T, (N, T, H)."""
    h = np.zeros((len(x), len(U)), x.dtype)  # (N, H)   h(0)
    states = []
    for t in range(x.shape[1]):
        a = x[:, t] @ W + h @ U + b
        h = np.where(mask[:, t, None], activation(a), h)
        states.append(h)
    return np.stack(states, axis=1)


def elman_through_time(dh: Array, slope: Array, U: Array, mask: Array) -> Array:
    """∂L/∂a(t) for all steps, (N, T, H), where h(t) = f(a(t)) and `slope` is f'(a(t))."""
    later = np.zeros_like(dh[:, 0])  # (N, H)   ∂L/∂h(t) by way of the later steps
    da = []
    for t in reversed(range(dh.shape[1])):
        total = dh[:, t] + later  # ∂L/∂h(t)
        da_t = np.where(mask[:, t, None], total * slope[:, t], 0)
        later = np.where(mask[:, t, None], da_t @ U.T, total)
        da.append(da_t)
    return np.stack(da[::-1], axis=1)


def before(h: Array) -> Array:
    """The state that each step began with, (N, T, H): 0, h(1) … h(T−1)."""
    return np.concatenate([np.zeros_like(h[:, :1]), h[:, :-1]], axis=1)


def summed_over_steps(x: Array, da: Array) -> Array:
    """Σ_n Σ_t x_nti da_nta: the same weights are used by every sample in every step."""
    return np.einsum("nti,nta->ia", x, da, optimize=True)


# --- Elman's network --------------------------------------------------------------------------------------------------


@operation
def tanh_rnn_forward(
    x: Array,  # x (N, T, I)
    W: Array,  # W (I, H)
    U: Array,  # U (H, H) contracts
    b: Array,  # b (H,)
    mask: Array,  # mask (N, T) < 2
) -> Array:
    """h(t) = tanh(x(t) W + h(t−1) U + b)."""
    h = elman_states(x, W, U, b, mask, np.tanh)  # (N, T, H)
    return h


@operation
def tanh_rnn_backward(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    W: Array,  # W (I, H)
    U: Array,  # U (H, H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array, Array]:
    """Through time with tanh' = 1 − tanh²."""
    da = elman_through_time(dh, 1 - h * h, U, mask)  # (N, T, H)
    dx = da @ W.T  # (N, T, I)
    dW = summed_over_steps(x, da)  # (I, H)
    dU = summed_over_steps(before(h), da)  # (H, H)
    db = da.sum(axis=(0, 1))  # (H,)
    return dx, dW, dU, db


@operation
def tanh_rnn_backward_parameters(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    U: Array,  # U (H, H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array]:
    """`tanh_rnn_backward` for the first layer of a network, where nobody asks for ∂L/∂x."""
    da = elman_through_time(dh, 1 - h * h, U, mask)  # (N, T, H)
    dW = summed_over_steps(x, da)  # (I, H)
    dU = summed_over_steps(before(h), da)  # (H, H)
    db = da.sum(axis=(0, 1))  # (H,)
    return dW, dU, db


@operation
def sigmoid_rnn_forward(
    x: Array,  # x (N, T, I)
    W: Array,  # W (I, H)
    U: Array,  # U (H, H) contracts
    b: Array,  # b (H,)
    mask: Array,  # mask (N, T) < 2
) -> Array:
    """h(t) = σ(x(t) W + h(t−1) U + b): D13 to the letter, with W for W_x and U for W_h."""
    h = elman_states(x, W, U, b, mask, sigmoid)  # (N, T, H)
    return h


@operation
def sigmoid_rnn_backward(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    W: Array,  # W (I, H)
    U: Array,  # U (H, H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array, Array]:
    """Through time with σ' = σ (1 − σ)."""
    da = elman_through_time(dh, h * (1 - h), U, mask)  # (N, T, H)
    dx = da @ W.T  # (N, T, I)
    dW = summed_over_steps(x, da)  # (I, H)
    dU = summed_over_steps(before(h), da)  # (H, H)
    db = da.sum(axis=(0, 1))  # (H,)
    return dx, dW, dU, db


@operation
def sigmoid_rnn_backward_parameters(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    U: Array,  # U (H, H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array]:
    """`sigmoid_rnn_backward` for the first layer of a network, where nobody asks for ∂L/∂x."""
    da = elman_through_time(dh, h * (1 - h), U, mask)  # (N, T, H)
    dW = summed_over_steps(x, da)  # (I, H)
    dU = summed_over_steps(before(h), da)  # (H, H)
    db = da.sum(axis=(0, 1))  # (H,)
    return dW, dU, db


@operation
def relu_rnn_forward(
    x: Array,  # x (N, T, I)
    W: Array,  # W (I, H)
    U: Array,  # U (H, H) contracts
    b: Array,  # b (H,)
    mask: Array,  # mask (N, T) < 2
) -> Array:
    """h(t) = max(0, x(t) W + h(t−1) U + b)."""
    h = elman_states(x, W, U, b, mask, relu)  # (N, T, H)
    return h


@operation
def relu_rnn_backward(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    W: Array,  # W (I, H)
    U: Array,  # U (H, H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array, Array]:
    """Through time with the slope 1 where h > 0, else 0; at the kink the choice is 0."""
    da = elman_through_time(dh, h > 0, U, mask)  # (N, T, H)
    dx = da @ W.T  # (N, T, I)
    dW = summed_over_steps(x, da)  # (I, H)
    dU = summed_over_steps(before(h), da)  # (H, H)
    db = da.sum(axis=(0, 1))  # (H,)
    return dx, dW, dU, db


@operation
def relu_rnn_backward_parameters(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    U: Array,  # U (H, H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array]:
    """`relu_rnn_backward` for the first layer of a network, where nobody asks for ∂L/∂x."""
    da = elman_through_time(dh, h > 0, U, mask)  # (N, T, H)
    dW = summed_over_steps(x, da)  # (I, H)
    dU = summed_over_steps(before(h), da)  # (H, H)
    db = da.sum(axis=(0, 1))  # (H,)
    return dW, dU, db


# --- LSTM -------------------------------------------------------------------------------------------------------------


@operation
def lstm_forward(
    x: Array,  # x (N, T, I)
    W: Array,  # W (I, 4 * H)
    U: Array,  # U (H, 4 * H) contracts
    b: Array,  # b (4 * H,)
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array]:
    """A cell c that is forgotten by f, written to by i, and seen through o; the gates stand in the order i, f, g, o.

    a = x(t) W + h(t−1) U + b;  i, f, o = σ(a_i), σ(a_f), σ(a_o);  g = tanh(a_g)
    c(t) = f c(t−1) + i g;  h(t) = o tanh(c(t))
    """
    h_t = c_t = np.zeros((len(x), len(U)), x.dtype)  # (N, H)   h(0) and c(0)
    states, cells, opened = [], [], []
    for t in range(x.shape[1]):
        a_i, a_f, a_g, a_o = np.split(x[:, t] @ W + h_t @ U + b, 4, axis=1)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        c_t = np.where(mask[:, t, None], f * c_t + i * g, c_t)
        h_t = np.where(mask[:, t, None], o * np.tanh(c_t), h_t)
        states.append(h_t)
        cells.append(c_t)
        opened.append(np.concatenate([i, f, g, o], axis=1))
    h = np.stack(states, axis=1)  # (N, T, H)
    c = np.stack(cells, axis=1)  # (N, T, H)
    gates = np.stack(opened, axis=1)  # (N, T, 4 * H)
    return h, c, gates


def lstm_through_time(dh: Array, c: Array, gates: Array, U: Array, mask: Array) -> Array:
    """∂L/∂a(t) for all steps, (N, T, 4H). Two things go from step to step, h and c, so two come back."""
    later_h = later_c = np.zeros_like(dh[:, 0])  # (N, H)
    c_before = before(c)  # (N, T, H)
    da = []
    for t in reversed(range(dh.shape[1])):
        i, f, g, o = np.split(gates[:, t], 4, axis=1)
        s = np.tanh(c[:, t])
        total = dh[:, t] + later_h  # ∂L/∂h(t)
        dc = later_c + total * o * (1 - s * s)  # ∂L/∂c(t), from h(t) = o tanh(c(t)) and from step t + 1
        da_i = dc * g * i * (1 - i)
        da_f = dc * c_before[:, t] * f * (1 - f)
        da_g = dc * i * (1 - g * g)
        da_o = total * s * o * (1 - o)
        da_t = np.where(mask[:, t, None], np.concatenate([da_i, da_f, da_g, da_o], axis=1), 0)
        later_h = np.where(mask[:, t, None], da_t @ U.T, total)
        later_c = np.where(mask[:, t, None], dc * f, later_c)
        da.append(da_t)
    return np.stack(da[::-1], axis=1)


@operation
def lstm_backward(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    c: Array,  # c (N, T, H)
    gates: Array,  # gates (N, T, 4 * H) within 1
    W: Array,  # W (I, 4 * H)
    U: Array,  # U (H, 4 * H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array, Array]:
    """Through time, by h and by c; nobody outside sees the cells and gates that forward returns besides."""
    da = lstm_through_time(dh, c, gates, U, mask)  # (N, T, 4 * H)
    dx = da @ W.T  # (N, T, I)
    dW = summed_over_steps(x, da)  # (I, 4 * H)
    dU = summed_over_steps(before(h), da)  # (H, 4 * H)
    db = da.sum(axis=(0, 1))  # (4 * H,)
    return dx, dW, dU, db


@operation
def lstm_backward_parameters(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    c: Array,  # c (N, T, H)
    gates: Array,  # gates (N, T, 4 * H) within 1
    U: Array,  # U (H, 4 * H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array]:
    """`lstm_backward` for the first layer of a network, where nobody asks for ∂L/∂x."""
    da = lstm_through_time(dh, c, gates, U, mask)  # (N, T, 4 * H)
    dW = summed_over_steps(x, da)  # (I, 4 * H)
    dU = summed_over_steps(before(h), da)  # (H, 4 * H)
    db = da.sum(axis=(0, 1))  # (4 * H,)
    return dW, dU, db


# --- GRU --------------------------------------------------------------------------------------------------------------


@operation
def gru_forward(
    x: Array,  # x (N, T, I)
    W: Array,  # W (I, 3 * H)
    U: Array,  # U (H, 3 * H) contracts
    b: Array,  # b (3 * H,)
    v: Array,  # v (H,)
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array]:
    """A state that z keeps or replaces by a candidate n; r says how much of it n sees. Gates in the order r, z, n.

    r, z = σ(x(t) W_r + h(t−1) U_r + b_r), σ(x(t) W_z + h(t−1) U_z + b_z)
    q = h(t−1) U_n + v;  n = tanh(x(t) W_n + b_n + r q);  h(t) = (1 − z) n + z h(t−1)
    """
    h_t = np.zeros((len(x), len(U)), x.dtype)  # (N, H)   h(0)
    H = len(U)
    states, opened, seen = [], [], []
    for t in range(x.shape[1]):
        a_r, a_z, a_n = np.split(x[:, t] @ W + b, 3, axis=1)
        r = sigmoid(a_r + h_t @ U[:, :H])
        z = sigmoid(a_z + h_t @ U[:, H : 2 * H])
        q_t = h_t @ U[:, 2 * H :] + v
        n = np.tanh(a_n + r * q_t)
        h_t = np.where(mask[:, t, None], (1 - z) * n + z * h_t, h_t)
        states.append(h_t)
        opened.append(np.concatenate([r, z, n], axis=1))
        seen.append(q_t)
    h = np.stack(states, axis=1)  # (N, T, H)
    gates = np.stack(opened, axis=1)  # (N, T, 3 * H)
    q = np.stack(seen, axis=1)  # (N, T, H)
    return h, gates, q


def gru_through_time(dh: Array, h: Array, gates: Array, q: Array, U: Array, mask: Array) -> tuple[Array, Array]:
    """∂L/∂a(t) (N, T, 3H) and ∂L/∂q(t) (N, T, H) for all steps."""
    later = np.zeros_like(dh[:, 0])  # (N, H)
    h_before, H = before(h), len(U)
    da, dq = [], []
    for t in reversed(range(dh.shape[1])):
        r, z, n = np.split(gates[:, t], 3, axis=1)
        total = dh[:, t] + later  # ∂L/∂h(t)
        da_z = total * (h_before[:, t] - n) * z * (1 - z)
        da_n = total * (1 - z) * (1 - n * n)
        da_r = da_n * q[:, t] * r * (1 - r)
        da_t = np.where(mask[:, t, None], np.concatenate([da_r, da_z, da_n], axis=1), 0)
        dq_t = np.where(mask[:, t, None], da_n * r, 0)
        earlier = total * z + da_t[:, : 2 * H] @ U[:, : 2 * H].T + dq_t @ U[:, 2 * H :].T
        later = np.where(mask[:, t, None], earlier, total)
        da.append(da_t)
        dq.append(dq_t)
    return np.stack(da[::-1], axis=1), np.stack(dq[::-1], axis=1)


def by_states(da: Array, dq: Array) -> Array:
    """∂L/∂(h(t−1) U) (N, T, 3H): as ∂L/∂a, but q is multiplied by r before it goes into a_n."""
    return np.concatenate([da[:, :, : -dq.shape[2]], dq], axis=2)


@operation
def gru_backward(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    gates: Array,  # gates (N, T, 3 * H) within 1
    q: Array,  # q (N, T, H)
    W: Array,  # W (I, 3 * H)
    U: Array,  # U (H, 3 * H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array, Array, Array]:
    """Through time, by z h(t−1) and by the gates; nobody outside sees the gates and q that forward returns besides."""
    da, dq = gru_through_time(dh, h, gates, q, U, mask)
    dx = da @ W.T  # (N, T, I)
    dW = summed_over_steps(x, da)  # (I, 3 * H)
    dU = summed_over_steps(before(h), by_states(da, dq))  # (H, 3 * H)
    db = da.sum(axis=(0, 1))  # (3 * H,)
    dv = dq.sum(axis=(0, 1))  # (H,)
    return dx, dW, dU, db, dv


@operation
def gru_backward_parameters(
    dh: Array,  # dh (N, T, H)
    x: Array,  # x (N, T, I)
    h: Array,  # h (N, T, H) within 1
    gates: Array,  # gates (N, T, 3 * H) within 1
    q: Array,  # q (N, T, H)
    U: Array,  # U (H, 3 * H) contracts
    mask: Array,  # mask (N, T) < 2
) -> tuple[Array, Array, Array, Array]:
    """`gru_backward` for the first layer of a network, where nobody asks for ∂L/∂x."""
    da, dq = gru_through_time(dh, h, gates, q, U, mask)
    dW = summed_over_steps(x, da)  # (I, 3 * H)
    dU = summed_over_steps(before(h), by_states(da, dq))  # (H, 3 * H)
    db = da.sum(axis=(0, 1))  # (3 * H,)
    dv = dq.sum(axis=(0, 1))  # (H,)
    return dW, dU, db, dv
