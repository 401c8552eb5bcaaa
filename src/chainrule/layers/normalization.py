"""BatchNorm and LayerNorm: numbers are brought to mean 0 and variance 1, then to others that are learned."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import positive_number, real_number
from chainrule.errors import SettingError, ShapeError
from chainrule.initializers import Ones, Zeros
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations import normalization as operations
from chainrule.operations.shapes import reshape_forward


@dataclass(eq=False)
class BatchNorm(Layer):
    """y = γ (x − μ) / √(σ² + ε) + β for each feature of (F,), or each channel of (C, H, W). Ioffe & Szegedy 2015.

    In training μ and σ² are those of the batch, over all its samples and pixels; in prediction they are the running
    statistics: after each step μ ← (1 − momentum) μ + momentum · μ of the batch, and so σ², for which the batch's is
    taken m / (m − 1) times, m numbers being in it (PyTorch's convention; Keras' momentum is 1 − this one). They are
    saved with the model. The first axis of a sample is that of the channels. γ starts at 1, β at 0.
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    parameter_names: ClassVar[tuple[str, ...]] = ("gamma", "beta")
    state_names: ClassVar[tuple[str, ...]] = ("running_mean", "running_variance")

    def __post_init__(self) -> None:
        self.momentum = real_number(self.momentum, "BatchNorm: momentum")
        if self.momentum > 1:
            raise SettingError(f"BatchNorm: momentum: expected a number from 0 to 1, got {self.momentum!r}")
        self.epsilon = positive_number(self.epsilon, "BatchNorm: epsilon")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if not input_shape:
            raise ShapeError("expected features (F,) or channels (C, …) per sample, got single numbers")
        channels = (input_shape[0],)
        self.gamma, self.beta = Ones()(rng, channels), Zeros()(rng, channels)
        self.running_mean, self.running_variance = Zeros()(rng, channels), Ones()(rng, channels)
        self._shape = input_shape
        self._image = input_shape if len(input_shape) == 3 else (input_shape[0], prod(input_shape[1:]), 1)
        return input_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        image = _reshaped(x, self._image)
        if not context.training:
            mean, variance = self.running_mean, self.running_variance
            y = operations.running_norm_forward(image, self.gamma, self.beta, mean, variance, self.epsilon)
        else:
            y, mean, variance = operations.batch_norm_forward(image, self.gamma, self.beta, self.epsilon)
        return _reshaped(y, self._shape), (image, mean, variance, context.training)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        image, mean, variance, training = saved
        backward = operations.batch_norm_backward if training else operations.running_norm_backward
        dx, dgamma, dbeta = backward(_reshaped(dy, self._image), image, self.gamma, mean, variance, self.epsilon)
        return _reshaped(dx, self._shape), {"gamma": dgamma, "beta": dbeta}

    def next_state(self, saved: Saved) -> dict[str, Array]:
        image, mean, variance, _ = saved
        count = len(image) * prod(self._image[1:])
        running = self.running_mean, self.running_variance
        new_mean, new_variance = operations.running_statistics(*running, mean, variance, self.momentum, count)
        return {"running_mean": new_mean, "running_variance": new_variance}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (3,)), (cls(0.3, 0.01), (2, 3, 2)), (cls(), (2, 4)), (cls(), (1, 2, 1))]


def _reshaped(x: Array, shape: Shape) -> Array:
    """Samples in a new shape; images that have it already stay as they lie in memory."""
    return x if x.shape[1:] == shape else reshape_forward(x, shape)


@dataclass(eq=False)
class LayerNorm(Layer):
    """y = γ (x − μ) / √(σ² + ε) + β with μ and σ² over the last axis of each sample. Ba, Kiros & Hinton 2016.

    Samples may be (F,) or, say, (T, F): then each of the T places is by itself. γ and β (F,) start at 1 and 0.
    """

    epsilon: float = 1e-5

    parameter_names: ClassVar[tuple[str, ...]] = ("gamma", "beta")

    def __post_init__(self) -> None:
        self.epsilon = positive_number(self.epsilon, "LayerNorm: epsilon")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if not input_shape:
            raise ShapeError("expected features (F,) per sample, got single numbers")
        self.gamma, self.beta = Ones()(rng, input_shape[-1:]), Zeros()(rng, input_shape[-1:])
        return input_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        y, mean, variance = operations.layer_norm_forward(x, self.gamma, self.beta, self.epsilon)
        return y, (x, mean, variance)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        x, mean, variance = saved
        dx, dgamma, dbeta = operations.layer_norm_backward(dy, x, self.gamma, mean, variance, self.epsilon)
        return dx, {"gamma": dgamma, "beta": dbeta}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (4,)), (cls(0.01), (2, 3)), (cls(), (2, 2, 3))]
