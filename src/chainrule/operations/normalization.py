"""Normalization: numbers are brought to mean 0 and variance 1, then to a mean β and deviation γ that are learned.

BatchNorm takes mean and variance of each channel over the samples and pixels of a batch (Ioffe & Szegedy 2015),
LayerNorm those of each sample over its features (Ba, Kiros & Hinton 2016). A small ε keeps the division from exploding.
The sizes in the comments are those of one example: images of 3 × 2 pixels, H × W.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def batch_norm_forward(
    x: Array,  # x (N, C, 3, 2)
    gamma: Array,  # gamma (C,)
    beta: Array,  # beta (C,)
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """y = γ_c z + β_c with z = (x − μ_c) / √(σ²_c + ε); μ_c, σ²_c over all m = N·H·W numbers of channel c."""
    m = len(x) * x.shape[2] * x.shape[3]
    mean = x.sum(axis=(0, 2, 3)) / m  # (C,)
    gap = x - mean[:, None, None]  # (N, C, 3, 2)
    variance = (gap * gap).sum(axis=(0, 2, 3)) / m  # (C,)
    z = gap / np.sqrt(variance + epsilon)[:, None, None]  # (N, C, 3, 2)
    y = gamma[:, None, None] * z + beta[:, None, None]  # (N, C, 3, 2)
    return y, mean, variance


@operation
def batch_norm_backward(
    dy: Array,  # dy (N, C, 3, 2)
    x: Array,  # x (N, C, 3, 2)
    gamma: Array,  # gamma (C,)
    mean: Array,  # mean (C,)
    variance: Array,  # variance (C,) ≥ 0
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """Each x moves y directly, and all y of its channel through μ and σ²: hence the two means that are taken off."""
    m = len(x) * x.shape[2] * x.shape[3]
    deviation = np.sqrt(variance + epsilon)[:, None, None]  # (C, 1, 1)
    z = (x - mean[:, None, None]) / deviation  # (N, C, 3, 2)
    dgamma = (dy * z).sum(axis=(0, 2, 3))  # (C,)   ∂L/∂γ_c = Σ ∂L/∂y z
    dbeta = dy.sum(axis=(0, 2, 3))  # (C,)   ∂L/∂β_c = Σ ∂L/∂y
    inner = dy - (dbeta / m)[:, None, None] - z * (dgamma / m)[:, None, None]  # (N, C, 3, 2)
    dx = gamma[:, None, None] / deviation * inner  # (N, C, 3, 2)
    return dx, dgamma, dbeta


@operation
def running_norm_forward(
    x: Array,  # x (N, C, 3, 2)
    gamma: Array,  # gamma (C,)
    beta: Array,  # beta (C,)
    mean: Array,  # mean (C,)
    variance: Array,  # variance (C,) ≥ 0
    epsilon: float,
) -> Array:
    """BatchNorm in prediction: y = γ_c (x − μ_c) / √(σ²_c + ε) + β_c with the running μ and σ² of the training."""
    z = (x - mean[:, None, None]) / np.sqrt(variance + epsilon)[:, None, None]  # (N, C, 3, 2)
    y = gamma[:, None, None] * z + beta[:, None, None]  # (N, C, 3, 2)
    return y


@operation
def running_norm_backward(
    dy: Array,  # dy (N, C, 3, 2)
    x: Array,  # x (N, C, 3, 2)
    gamma: Array,  # gamma (C,)
    mean: Array,  # mean (C,)
    variance: Array,  # variance (C,) ≥ 0
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """μ and σ² do not depend on x here."""
    deviation = np.sqrt(variance + epsilon)[:, None, None]  # (C, 1, 1)
    z = (x - mean[:, None, None]) / deviation  # (N, C, 3, 2)
    dgamma = (dy * z).sum(axis=(0, 2, 3))  # (C,)
    dbeta = dy.sum(axis=(0, 2, 3))  # (C,)
    dx = gamma[:, None, None] / deviation * dy  # (N, C, 3, 2)
    return dx, dgamma, dbeta


@operation
def running_statistics(
    mean: Array,  # mean (C,)
    variance: Array,  # variance (C,) ≥ 0
    batch_mean: Array,  # batch_mean (C,)
    batch_variance: Array,  # batch_variance (C,) ≥ 0
    momentum: float,
    count: int,
) -> tuple[Array, Array]:
    """μ ← (1 − momentum) μ + momentum · that of the batch, σ² likewise.

    The variance of `count` numbers about their own mean is too small by (count − 1) / count on average; that is put
    right here. One number alone has none.
    """
    mean = (1 - momentum) * mean + momentum * batch_mean  # (C,)
    variance = (1 - momentum) * variance + momentum * (count / max(1, count - 1)) * batch_variance  # (C,)
    return mean, variance


@operation
def layer_norm_forward(
    x: Array,  # x (N, T, I)
    gamma: Array,  # gamma (I,)
    beta: Array,  # beta (I,)
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """y = γ_i z + β_i with z = (x − μ) / √(σ² + ε); μ, σ² over the last axis, the I features of one place."""
    mean = x.sum(axis=-1) / x.shape[-1]  # (N, T)
    gap = x - mean[..., None]  # (N, T, I)
    variance = (gap * gap).sum(axis=-1) / x.shape[-1]  # (N, T)
    y = gamma * (gap / np.sqrt(variance + epsilon)[..., None]) + beta  # (N, T, I)
    return y, mean, variance


@operation
def layer_norm_backward(
    dy: Array,  # dy (N, T, I)
    x: Array,  # x (N, T, I)
    gamma: Array,  # gamma (I,)
    mean: Array,  # mean (N, T)
    variance: Array,  # variance (N, T) ≥ 0
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """As in `batch_norm_backward`; the means taken off are those over the features, of γ ∂L/∂y."""
    deviation = np.sqrt(variance + epsilon)[..., None]  # (N, T, 1)
    z = (x - mean[..., None]) / deviation  # (N, T, I)
    dz = gamma * dy  # (N, T, I)
    along = (dz * z).sum(axis=-1, keepdims=True) / x.shape[-1]  # (N, T, 1)
    dx = (dz - dz.sum(axis=-1, keepdims=True) / x.shape[-1] - z * along) / deviation  # (N, T, I)
    places = tuple(range(x.ndim - 1))
    dgamma = (dy * z).sum(axis=places)  # (I,)   ∂L/∂γ_i = Σ ∂L/∂y z
    dbeta = dy.sum(axis=places)  # (I,)   ∂L/∂β_i = Σ ∂L/∂y
    return dx, dgamma, dbeta
