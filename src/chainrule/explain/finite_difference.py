"""The derivative by its definition, [J(θ + h) − J(θ − h)] / 2h: it knows nothing of the chain rule."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, aligned_copy
from chainrule.explain.passes import cost
from chainrule.layers import Context
from chainrule.network import Network

STEPS = tuple(10.0 ** (-k / 2) for k in range(4, 13))  # from 0.01 to 0.000001


@dataclass(frozen=True)
class FiniteDifference:
    """What J does when θ is moved by h; in float64, whatever the network's dtype is."""

    step: float  # h
    above: float  # J(θ + h)
    below: float  # J(θ − h)
    here: float  # J(θ)
    value: float

    @property
    def slopes(self) -> tuple[float, float]:
        """Left and right of θ: [J(θ) − J(θ − h)] / h and [J(θ + h) − J(θ)] / h."""
        return (self.here - self.below) / self.step, (self.above - self.here) / self.step


def finite_difference(
    network: Network, x: Array, t: Array, context: Context, name: str, index: tuple[int, ...]
) -> FiniteDifference:
    """By θ = x[index] where `name` is "x", else by θ = the parameter of that name at `index`.

    Of several h the one is taken whose result differs least from that of the next: a large h is wrong where J bends, a
    small one where J's digits end.
    """
    exact, x = in_float64(network), x.astype(np.float64)
    W = x if name == "x" else exact.parameters[name]
    start = float(W[index])

    def J(theta: float) -> float:
        W[index] = theta
        return cost(exact, x, t, context)

    here = J(start)
    tried = [_central(J, start, here, h * max(1.0, abs(start))) for h in STEPS]
    gaps = np.abs(np.diff([one.value for one in tried]))
    return tried[int(np.argmin(gaps)) + 1]


def _central(J: Callable[[float], float], theta: float, here: float, h: float) -> FiniteDifference:
    above, below = J(theta + h), J(theta - h)
    width = (theta + h) - (theta - h)  # 2h, as rounding left it
    return FiniteDifference(h, above, below, here, (above - below) / width)


def in_float64(network: Network) -> Network:
    """A copy of a built network whose parameters, state and arithmetic are float64."""
    exact = copy.deepcopy(network)
    exact.dtype, exact.dJ = np.dtype(np.float64), np.ones((), np.float64)

    def widened(name: str, array: Any) -> Array:
        return aligned_copy(array.astype(np.float64))

    exact.body.replace_parameters(widened)
    return exact
