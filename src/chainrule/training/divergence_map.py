"""Where does training fail? Learning rate against strength of the penalty, one short training for each pair.

Source: mission items D8 and D9: too high a rate sends the cost to infinity, and a strong penalty does so at rates that
would do without it; too low a rate hardly moves; too strong a penalty leaves the error at chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import positive_number, real_number
from chainrule.errors import DataError, DivergenceError, SettingError
from chainrule.network import Network
from chainrule.optimizers import LBFGS, SGD, Optimizer
from chainrule.regularizers import L2, Penalty
from chainrule.training.train import train


@dataclass(frozen=True)
class DivergenceMap:
    """What `map_divergence` has measured for S strengths and R rates; `plots.divergence_map` draws it.

    Losses are the mean over all samples, without the penalty, so that they can be compared with each other.
    """

    rates: tuple[float, ...]  # R, growing
    strengths: tuple[float, ...]  # S, growing
    start: float  # the loss before training
    losses: Array  # (S, R) the loss after it; NaN where a value was not finite

    @property
    def failed(self) -> Array:
        """(S, R), whether a value was not finite, or the loss is higher than before."""
        return ~(self.losses <= self.start)

    @property
    def best(self) -> tuple[float, float]:
        """The rate and the strength with the lowest loss. Raises SettingError where all have failed."""
        if self.failed.all():
            raise SettingError("every training of the map has failed: map lower rates or weaker penalties")
        row, column = np.unravel_index(np.nanargmin(self.losses), self.losses.shape)
        return self.rates[column], self.strengths[row]


def map_divergence(
    network: Network,
    data: tuple[Any, Any],
    *,
    rates: Iterable[float] = (0.001, 0.01, 0.1, 1.0, 10.0),
    strengths: Iterable[float] = (0.0, 0.01, 0.1, 1.0, 10.0),
    penalty: Callable[[float], Penalty] = L2,
    optimizer: Callable[[float], Optimizer] = SGD,
    epochs: int = 3,
    **settings: Any,
) -> DivergenceMap:
    """Train from the same weights with every pair of a learning rate and a strength, and see where it fails.

    The network has the weights it had before again at the end.

    Args:
        network: is built from the data if it has no parameters yet.
        data: (x, targets), x of shape (N, *input_shape).
        rates: the learning rates, each above 0.
        strengths: those of the penalty; 0 is none.
        penalty: makes a penalty of a strength: L2, or `lambda strength: L1(strength, per="none")`.
        optimizer: makes an optimizer of a rate: SGD, or `lambda rate: Momentum(rate, 0.95)`.
        epochs: of each training.
        settings: of `train`: batch_size, clip, schedule, sample_weight, class_weight, seed.

    Raises:
        SettingError: a rate or a strength is out of range, or given twice; or the optimizer is LBFGS.
        DataError, DataTypeError: see `train`.

    """
    across = _growing(positive_number(rate, "rates") for rate in rates)
    down = _growing(real_number(strength, "strengths") for strength in strengths)
    if isinstance(optimizer(across[0]), LBFGS):
        raise SettingError("optimizer: LBFGS finds the length of its steps by itself")
    weights = {name: value for name, value in settings.items() if name in ("sample_weight", "class_weight")}
    start = network.evaluate(*data, **weights)["loss"]
    before = {name: array.copy() for name, array in network.arrays.items()}
    losses = np.full((len(down), len(across)), np.nan)
    for (row, strength), (column, rate) in product(enumerate(down), enumerate(across)):
        by, with_penalty = optimizer(rate), penalty(strength) if strength else None
        try:
            train(network, data, optimizer=by, penalty=with_penalty, epochs=epochs, progress=False, **settings)
            losses[row, column] = _loss(network, data, weights)
        except DivergenceError:
            pass  # NaN says so
        finally:
            for name, array in before.items():
                network.arrays[name][...] = array
    return DivergenceMap(across, down, start, losses)


def _loss(network: Network, data: tuple[Any, Any], weights: dict[str, Any]) -> float:
    """The loss over all samples; NaN where finite weights give scores that are not."""
    try:
        return network.evaluate(*data, **weights)["loss"]
    except DataError:
        return float("nan")


def _growing(values: Iterable[float]) -> tuple[float, ...]:
    """In order. Raises SettingError where there are none."""
    found = tuple(sorted(set(values)))
    if not found:
        raise SettingError("rates, strengths: expected at least one number, got none")
    return found
