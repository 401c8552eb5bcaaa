"""How activations and gradients are spread, epoch by epoch. Source: Glorot & Bengio 2010, who read a training there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import whole_number
from chainrule.training.callbacks import Callback
from chainrule.training.diagnosis import some_samples
from chainrule.training.run import Run


@dataclass(frozen=True)
class Histogram:
    """How many values lie between one edge and the next."""

    counts: Array  # (bins,)
    edges: Array  # (bins + 1,)
    zeros: int = 0  # of gradients, which are counted by their logarithm: how many have none


class Histograms(Callback):
    """Keeps, before the first step and after each epoch, histograms of what each layer gives and of each gradient.

    `activations["layers.1"]` holds one Histogram per moment, of the numbers that the layer gives for some samples of
    the training data; `gradients["layers.0.W"]` likewise, of log₁₀ |∂J/∂w| for every w of the parameter that is not
    frozen. `epochs` says when: 0, 1, 2, …; `kinds["layers.1"]` what layer it is: "Tanh". `plots.histograms` draws
    them all.

    Nothing is changed: the weights are the same bytes with and without it. A checkpoint keeps what was gathered.

    Args:
        samples: how many, spread evenly over the training data in its own order.
        bins: of each histogram at most, from the smallest value to the largest; fewer where there are few values.

    """

    def __init__(self, samples: int = 256, bins: int = 60) -> None:
        self.samples = whole_number(samples, "Histograms: samples")
        self.bins = whole_number(bins, "Histograms: bins")
        self._forget()

    def _forget(self) -> None:
        self.kinds: dict[str, str] = {}
        self.epochs: list[int] = []
        self.activations: dict[str, list[Histogram]] = {}
        self.gradients: dict[str, list[Histogram]] = {}

    def on_train_start(self, run: Run) -> None:
        self._forget()
        self._gather(run)

    def on_epoch_end(self, run: Run) -> None:
        self._gather(run)

    def _gather(self, run: Run) -> None:
        x, t, w = some_samples(run, self.samples)
        self.epochs.append(run.epoch)
        y = x
        for position, layer in enumerate(run.network.layers):
            y, _ = layer.forward(y, run.network.body.context_at(position, run.context))
            self.kinds[f"layers.{position}"] = type(layer).__name__
            self.activations.setdefault(f"layers.{position}", []).append(self._histogram(y))
        gradients = run.cost_and_gradients(x, t, w, run.step + 1).gradients
        for name in (name for name in run.network.parameters if name in gradients):
            dW = gradients[name]
            sizes = np.abs(dW[dW != 0]).astype(np.float64)
            found = self._histogram(np.log10(sizes), zeros=int(dW.size - sizes.size))
            self.gradients.setdefault(name, []).append(found)

    def _histogram(self, values: Array, zeros: int = 0) -> Histogram:
        finite = values[np.isfinite(values)].astype(np.float64)
        bins = min(self.bins, max(5, int(2 * np.sqrt(values.size + zeros))))  # few values make coarse hills
        return Histogram(*np.histogram(finite, bins=bins), zeros)

    def state(self) -> dict[str, Any]:
        kept: dict[str, Any] = {"epochs": self.epochs, "kinds": self.kinds}
        for name, found in (self.activations | self.gradients).items():
            kept[f"counts of {name}"] = np.array([histogram.counts for histogram in found])
            kept[f"edges of {name}"] = np.array([histogram.edges for histogram in found])
            kept[f"zeros of {name}"] = [histogram.zeros for histogram in found]
        return kept

    def restore(self, state: dict[str, Any]) -> None:
        self._forget()
        self.epochs, self.kinds = list(state["epochs"]), dict(state["kinds"])
        before = "zeros of "
        for name in (key.removeprefix(before) for key in state if key.startswith(before)):
            counts, edges, zeros = (state[f"{part} of {name}"] for part in ("counts", "edges", "zeros"))
            found = [Histogram(*parts) for parts in zip(counts, edges, zeros, strict=True)]
            (self.activations if name in self.kinds else self.gradients)[name] = found
