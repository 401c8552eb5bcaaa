"""What is said when a value is no longer finite. Source: mission item D9."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import DivergenceError
from chainrule.network import Network

if TYPE_CHECKING:
    from chainrule.training.run import Run


def diverged(run: Run, x: Array, parameter: str | None = None) -> DivergenceError:
    """The error for the step after `run.step`, on batch x; `parameter` is the one whose new value is not finite."""
    epoch, step = run.epoch, run.step + 1
    layer = _owner(run.network, parameter) if parameter else _first_not_finite(run, x)
    what = f"the new value of {parameter}" if parameter else "the loss"
    cause = _likely_cause(run, x)
    message = (
        f"training stopped at epoch {epoch}, step {step}: {what} is not finite; it first arose in {layer}. "
        f"Likely cause: {cause}. The network keeps the weights it had before this step, which are all finite."
    )
    return DivergenceError(message, epoch=epoch, step=step, layer=layer, cause=cause)


def _owner(network: Network, parameter: str) -> str:
    position = int(parameter.split(".")[1])
    return f"layer {position} ({type(network.layers[position]).__name__})"


def _first_not_finite(run: Run, x: Array) -> str:
    """The first layer whose output on x is not finite, or the loss."""
    for position, layer in enumerate(run.network.layers):
        x, _ = layer.forward(x, run.context.at(position))
        if not np.isfinite(x).all():
            return f"layer {position} ({type(layer).__name__})"
    return f"the loss ({type(run.network.loss).__name__})"


def _likely_cause(run: Run, x: Array) -> str:
    rate = run.optimizer.learning_rate
    largest = float(np.abs(x).max(initial=0))
    if largest > 100:
        return f"inputs as large as {largest:.3g} are not scaled; bring them to 0…1 or standardise them"
    if run.step == 0:
        return f"the starting weights or the targets are too large for {run.network.dtype}; use Glorot() or scale"
    if run.penalty is not None and rate * run.penalty.scales(run.network.parameters, run.samples)[1] > 2:
        return "the penalty alone moves the weights further in each step; lower its strength or the learning rate"
    return f"the learning rate {rate:g} is too high; try {rate / 10:g}"
