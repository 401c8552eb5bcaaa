"""Numbers to predict are standardised while a network learns them; the saved network answers in their own unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from chainrule.arrays import Array
from chainrule.data import DataSet, Standardizer
from chainrule.layers import Linear
from chainrule.losses import AbsoluteError, Huber, SquaredError
from chainrule.network import Network

LINEAR = (SquaredError, AbsoluteError, Huber)  # their link is the identity: an answer is a score


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and deviation (K,) of the numbers to predict."""

    mean: Array
    deviation: Array


def scale_of(network: Network, samples: DataSet) -> Scale | None:
    """The scale of the training targets; None where it could not be undone in the last layer."""
    if samples.class_names is not None or not isinstance(network.loss, LINEAR):
        return None
    if not isinstance(network.layers[-1], Linear):
        return None
    found = Standardizer.fit(samples.train[1])
    return Scale(found.mean, found.deviation)


def scaled(samples: DataSet, scale: Scale) -> DataSet:
    """The same samples, their targets standardised."""
    (x, y), (x_test, y_test) = samples.train, samples.test
    return replace(samples, train=(x, _standardized(y, scale)), test=(x_test, _standardized(y_test, scale)))


def unscale(network: Network, scale: Scale) -> None:
    """Have a network that learned standardised targets answer in their own unit: its last layer is changed.

    x W + b standardised is x (W σ) + (b σ + μ) in the unit of the targets.
    """
    last = f"layers.{len(network.layers) - 1}"
    W, b = (network.parameters[f"{last}.{name}"] for name in "Wb")
    W *= scale.deviation.astype(W.dtype)
    b[:] = b * scale.deviation + scale.mean


def _standardized(y: Array, scale: Scale) -> Array:
    return ((y - scale.mean) / scale.deviation).astype(np.float32)
