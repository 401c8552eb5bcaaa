"""How one step changes a parameter W, given its gradient dW. Source: mission items B3, B5, E5; the papers named."""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def sgd_update(W: Array, dW: Array, learning_rate: float) -> Array:  # W (I, O), dW (I, O)
    """W ← W − η ∂L/∂W: a small step down the steepest slope."""
    W = W - learning_rate * dW  # (I, O)
    return W


@operation
def momentum_update(
    W: Array, dW: Array, v: Array, learning_rate: float, momentum: float
) -> tuple[Array, Array]:  # W (I, O), dW (I, O), v (I, O)
    """The velocity v is a decaying sum of gradients (Polyak 1964); the step follows it."""
    v = momentum * v + dW  # (I, O)
    W = W - learning_rate * v  # (I, O)
    return W, v


@operation
def nesterov_update(
    W: Array, dW: Array, v: Array, learning_rate: float, momentum: float
) -> tuple[Array, Array]:  # W (I, O), dW (I, O), v (I, O)
    """Momentum that looks one step ahead (Nesterov 1983, in the form of Sutskever et al. 2013)."""
    v = momentum * v + dW  # (I, O)
    W = W - learning_rate * (dW + momentum * v)  # (I, O)
    return W, v


@operation
def adam_update(
    W: Array, dW: Array, m: Array, s: Array, step: int, learning_rate: float, beta1: float, beta2: float, epsilon: float
) -> tuple[Array, Array, Array]:  # W (I, O), dW (I, O), m (I, O), s (I, O) ≥ 0
    """Adam (Kingma & Ba 2015, algorithm 1): mean gradient over its root mean square. Steps count from 1."""
    m = beta1 * m + (1 - beta1) * dW  # (I, O)   running mean of dW
    s = beta2 * s + (1 - beta2) * dW * dW  # (I, O)   running mean of dW²
    mean = m / (1 - beta1**step)  # (I, O)   both started at 0: correct for it
    square = s / (1 - beta2**step)  # (I, O)
    W = W - learning_rate * mean / (np.sqrt(square) + epsilon)  # (I, O)
    return W, m, s


@operation
def rmsprop_update(
    W: Array, dW: Array, s: Array, learning_rate: float, decay: float, epsilon: float
) -> tuple[Array, Array]:  # W (I, O), dW (I, O), s (I, O) ≥ 0
    """RMSprop (Tieleman & Hinton 2012, lecture 6.5): the gradient over its root mean square of late."""
    s = decay * s + (1 - decay) * dW * dW  # (I, O)   running mean of dW²
    W = W - learning_rate * dW / (np.sqrt(s) + epsilon)  # (I, O)
    return W, s


@operation
def centered_rmsprop_update(
    W: Array, dW: Array, m: Array, v: Array, learning_rate: float, decay: float, epsilon: float
) -> tuple[Array, Array, Array]:  # W (I, O), dW (I, O), m (I, O), v (I, O) ≥ 0
    """RMSprop with the spread of the gradient around its mean in place of its size (Graves 2013, equations 38 to 41).

    v is mean(dW²) − mean(dW)², in a form that cannot come out below 0 (West 1979).
    """
    v = decay * (v + (1 - decay) * (dW - m) ** 2)  # (I, O)   running variance of dW
    m = decay * m + (1 - decay) * dW  # (I, O)   running mean of dW
    W = W - learning_rate * dW / (np.sqrt(v) + epsilon)  # (I, O)
    return W, m, v


@operation
def adagrad_update(
    W: Array, dW: Array, s: Array, learning_rate: float, epsilon: float
) -> tuple[Array, Array]:  # W (I, O), dW (I, O), s (I, O) ≥ 0
    """Adagrad (Duchi, Hazan & Singer 2011): what has moved much moves less; what is seldom seen keeps its pace."""
    s = s + dW * dW  # (I, O)   sum of dW²
    W = W - learning_rate * dW / (np.sqrt(s) + epsilon)  # (I, O)
    return W, s


@operation
def adadelta_update(
    W: Array, dW: Array, s: Array, u: Array, learning_rate: float, decay: float, epsilon: float
) -> tuple[Array, Array, Array]:  # W (I, O), dW (I, O), s (I, O) ≥ 0, u (I, O) ≥ 0
    """Adadelta (Zeiler 2012, algorithm 1): steps have the unit of W, as their own root mean square is in front."""
    s = decay * s + (1 - decay) * dW * dW  # (I, O)   running mean of dW²
    step = np.sqrt(u + epsilon) / np.sqrt(s + epsilon) * dW  # (I, O)
    u = decay * u + (1 - decay) * step * step  # (I, O)   running mean of step²
    W = W - learning_rate * step  # (I, O)
    return W, s, u


@operation
def adamw_update(
    W: Array,  # W (I, O)
    dW: Array,  # dW (I, O)
    m: Array,  # m (I, O)
    s: Array,  # s (I, O) ≥ 0
    step: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> tuple[Array, Array, Array]:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2): λW is not averaged with dW."""
    m = beta1 * m + (1 - beta1) * dW  # (I, O)   running mean of dW
    s = beta2 * s + (1 - beta2) * dW * dW  # (I, O)   running mean of dW²
    mean = m / (1 - beta1**step)  # (I, O)   both started at 0: correct for it
    square = s / (1 - beta2**step)  # (I, O)
    W = W - learning_rate * (mean / (np.sqrt(square) + epsilon) + weight_decay * W)  # (I, O)
    return W, m, s


@operation
def nadam_update(
    W: Array,  # W (I, O)
    dW: Array,  # dW (I, O)
    m: Array,  # m (I, O)
    s: Array,  # s (I, O) ≥ 0
    product: Array,  # product () ≥ 0
    step: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    momentum_decay: float,
) -> tuple[Array, Array, Array, Array]:
    """Adam that looks one step ahead, as Nesterov's momentum does (Dozat 2016, algorithm 2).

    The momentum μ_t = β₁ (1 − ½ · 0.96^(tψ)) grows with the steps t, the faster the larger ψ (momentum_decay);
    `product` is μ_1 μ_2 … μ_t, 1 at first.
    """
    now = beta1 * (1 - 0.96 ** (step * momentum_decay) / 2)  # μ_t
    ahead = beta1 * (1 - 0.96 ** ((step + 1) * momentum_decay) / 2)  # μ_{t+1}
    product = product * now  # ()
    m = beta1 * m + (1 - beta1) * dW  # (I, O)   running mean of dW
    s = beta2 * s + (1 - beta2) * dW * dW  # (I, O)   running mean of dW²
    mean = (1 - now) * dW / (1 - product) + ahead * m / (1 - product * ahead)  # (I, O)
    square = s / (1 - beta2**step)  # (I, O)
    W = W - learning_rate * mean / (np.sqrt(square) + epsilon)  # (I, O)
    return W, m, s, product


@operation
def average_update(a: Array, W: Array, step: int, decay: float) -> Array:  # a (I, O), W (I, O)
    """The mean of the weights after each step so far, of which those of k steps ago count decayᵏ.

    So the weights before the first step do not count (Kingma & Ba 2015, section 3, likewise corrects a running mean).
    """
    share = (1 - decay) / (1 - decay**step)  # of the newest among all, 1 at first
    a = a + share * (W - a)  # (I, O)
    return a


@operation
def lion_update(
    W: Array, dW: Array, m: Array, learning_rate: float, beta1: float, beta2: float, weight_decay: float
) -> tuple[Array, Array]:  # W (I, O), dW (I, O), m (I, O)
    """Lion (Chen et al. 2023, algorithm 2): every weight moves by the same length, only its sign is learned."""
    direction = np.sign(beta1 * m + (1 - beta1) * dW)  # (I, O)   −1, 0 or 1
    m = beta2 * m + (1 - beta2) * dW  # (I, O)   running mean of dW
    W = W - learning_rate * (direction + weight_decay * W)  # (I, O)
    return W, m
