"""Signs of health and of trouble, layer by layer and epoch by epoch. Source: mission item D9.

Glorot & Bengio 2010 read activations and gradients this way.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import whole_number
from chainrule.layers import Context, HardSigmoid, Layer, Parallel, ReLU, Sequential, Sigmoid, Tanh
from chainrule.operations.penalties import is_weight
from chainrule.operations.vectors import norm
from chainrule.optimizers import LBFGS
from chainrule.training.callbacks import Callback
from chainrule.training.history import Record
from chainrule.training.run import Run

RANGES: dict[type[Layer], tuple[float, float]] = {Sigmoid: (0, 1), HardSigmoid: (0, 1), Tanh: (-1, 1)}
NEAR = 0.01  # of the range: this close to an end, a sigmoid's slope is below 4% of its greatest


class Diagnosis(Callback):
    """Adds figures of every layer to the history, measured after each epoch on some samples of the training data.

    "layers.1.mean", "layers.1.deviation": mean and standard deviation of what the layer gives.
    "layers.1.dead": of a ReLU, the share of its units that are 0 for all these samples.
    "layers.1.saturated": of a Sigmoid, HardSigmoid or Tanh, the share of outputs within 1% of an end of its range.
    "layers.0.W.gradient_norm": ‖∂J/∂W‖, penalty and all, before clipping; 0 where W is frozen.
    "layers.0.W.update_ratio": ‖ΔW‖ / ‖W‖ of the step that these samples would bring about, at the rate of the last
    step; of weights that are all 0, ‖ΔW‖. Not for biases, and not with LBFGS.

    A unit is one number of a layer's output, for images (N, C, H, W) a whole channel. Dropout and the like work as in
    the next step of the training. Nothing is changed: the weights are the same bytes with and without a diagnosis.

    Args:
        samples: how many, spread evenly over the training data in its own order.

    """

    def __init__(self, samples: int = 256) -> None:
        self.samples = whole_number(samples, "Diagnosis: samples")

    def on_epoch_end(self, run: Run) -> None:
        run.history.records[-1].update(figures(run, self.samples))


def figures(run: Run, samples: int) -> Record:
    """The figures of all layers as they are now, see `Diagnosis`; before the first step, those of its weights."""
    x, t, w = some_samples(run, samples)
    record: Record = {}
    inputs = x
    with np.errstate(all="ignore"):  # a mean of what is not finite is not finite either
        for position, layer in enumerate(run.network.layers):
            context = run.network.body.context_at(position, run.context)
            inputs = _look_at(layer, inputs, context, f"layers.{position}", record)
    record |= _gradient_norms(run, x, t, w)
    if not isinstance(run.optimizer, LBFGS):
        record |= _update_ratios(run, x, t, w)
    return record


def some_samples(run: Run, count: int) -> tuple[Array, Array, Array | None]:
    """Samples of the training data, their targets and weights."""
    x, t, w = run.data
    rows = np.linspace(0, len(t) - 1, min(count, len(t))).astype(int)
    return run.network.floats(x[rows]), t[rows], None if w is None else w[rows]


def _look_at(layer: Layer, x: Array, context: Context, name: str, record: Record) -> Array:
    """What a layer gives for x. Its figures, and those of the layers in it, come into the record."""
    if isinstance(layer, Sequential | Parallel):
        inputs = x
        for position, part in enumerate(layer.layers):
            outputs = _look_at(part, inputs, context.at(position), f"{name}.layers.{position}", record)
            inputs = outputs if isinstance(layer, Sequential) else x
    y, _ = layer.forward(x, context)
    record[f"{name}.mean"] = float(y.mean(dtype=np.float64))
    record[f"{name}.deviation"] = float(y.std(dtype=np.float64))
    if isinstance(layer, ReLU):
        record[f"{name}.dead"] = _dead(y)
    if type(layer) in RANGES:
        record[f"{name}.saturated"] = _saturated(y, *RANGES[type(layer)])
    return y


def _dead(y: Array) -> float:
    """The share of units that are 0 for every sample; y is (N, …)."""
    alive = y.any(axis=(0, 2, 3) if y.ndim == 4 else 0)
    return float((~alive).mean())


def _saturated(y: Array, low: float, high: float) -> float:
    """The share of outputs close to an end of their range."""
    margin = NEAR * (high - low)
    return float(((y < low + margin) | (y > high - margin)).mean())


def _gradient_norms(run: Run, x: Array, t: Array, w: Array | None) -> Record:
    gradients = run.cost_and_gradients(x, t, w, run.step + 1).gradients
    return {
        f"{name}.gradient_norm": float(norm(gradients[name])) if name in gradients else 0.0
        for name in run.network.parameters
    }


def _update_ratios(run: Run, x: Array, t: Array, w: Array | None) -> Record:
    updated = run.work_out(x, t, w, run.step + 1, run.rate_at(max(1, run.step))).updated
    ratios: Record = {}
    for name, W in run.network.parameters.items():
        if is_weight(W):
            step = float(norm(updated[name][0] - W)) if name in updated else 0.0
            ratios[f"{name}.update_ratio"] = step / (float(norm(W)) or 1.0)
    return ratios
