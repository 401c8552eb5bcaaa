"""Losses that ask for a margin; their scores are distances from a threshold, not probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Array, Shape, as_numbers
from chainrule.configuration import positive_number, whole_number
from chainrule.errors import SettingError
from chainrule.losses.loss import BinaryLoss, LabelLoss
from chainrule.losses.targets import as_decisions, as_rows
from chainrule.operations import activations, losses, margins


@dataclass(eq=False)
class Perceptron(BinaryLoss):
    """L = Σ_k (s − t) f with the decision s = step(f), link: the step. Source: mission items A1 to A3.

    Descending it one case at a time with rate 1 is the perceptron learning rule. Targets: 0 or 1.
    """

    def forward(self, f: Array, t: Array) -> Array:
        return margins.perceptron_forward(f, t.astype(f.dtype, copy=False))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return margins.perceptron_backward(dloss, f, t.astype(f.dtype, copy=False))

    def link(self, f: Array) -> Array:
        return activations.step_forward(f)


@dataclass(eq=False)
class Hinge(BinaryLoss):
    """L = Σ_k max(0, m − s f)^p with s = 1 for yes, −1 for no, link: the step. Source: Cortes & Vapnik 1995.

    With a penalty on the weights it makes a single Linear(1) a support vector machine. Targets: 0 or 1, or −1 or 1,
    (N,) or (N, 1) for one score, (N, K) for K independent answers.

    Args:
        margin: m, above 0: how far on the right side of 0 a score must lie to cost nothing.
        power: p, 1 for the hinge, 2 for the squared hinge.

    """

    margin: float = 1.0
    power: int = 1

    def __post_init__(self) -> None:
        self.margin = positive_number(self.margin, "Hinge: margin")
        self.power = _one_or_two(self.power, "Hinge: power")

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        t = as_rows(as_numbers(targets, name), shape, name)
        return (t + 1) / 2 if (np.abs(t) == 1).all() else as_decisions(t, name)

    def forward(self, f: Array, t: Array) -> Array:
        return margins.hinge_forward(f, t.astype(f.dtype, copy=False), self.margin, self.power)

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return margins.hinge_backward(dloss, f, t.astype(f.dtype, copy=False), self.margin, self.power)

    def link(self, f: Array) -> Array:
        return activations.step_forward(f)


@dataclass(eq=False)
class CrammerSinger(LabelLoss):
    """L = max(0, m + max_{k≠j} f_k − f_j), link: 1 for the largest score, else 0. Source: Crammer & Singer 2001.

    The score of the label must be a margin above its strongest rival. Targets: labels 0 … K−1 (N,) or (N, 1), or
    one-hot rows (N, K).

    Args:
        margin: m, above 0.

    """

    margin: float = 1.0

    with_one_score: ClassVar[str] = "Hinge"

    def __post_init__(self) -> None:
        self.margin = positive_number(self.margin, "CrammerSinger: margin")

    def forward(self, f: Array, t: Array) -> Array:
        return margins.crammer_singer_forward(f, t, self.margin)

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return margins.crammer_singer_backward(dloss, f, t, self.margin)

    def link(self, f: Array) -> Array:
        return _largest(f)


@dataclass(eq=False)
class WestonWatkins(LabelLoss):
    """L = Σ_{k≠j} max(0, m + f_k − f_j)^p, link: 1 for the largest score, else 0. Source: Weston & Watkins 1999.

    The score of the label must be a margin above every rival. Targets: labels 0 … K−1 (N,) or (N, 1), or one-hot
    rows (N, K).

    Args:
        margin: m, above 0.
        power: p, 1 or 2.

    """

    margin: float = 1.0
    power: int = 1

    with_one_score: ClassVar[str] = "Hinge"

    def __post_init__(self) -> None:
        self.margin = positive_number(self.margin, "WestonWatkins: margin")
        self.power = _one_or_two(self.power, "WestonWatkins: power")

    def forward(self, f: Array, t: Array) -> Array:
        return margins.weston_watkins_forward(f, t, self.margin, self.power)

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return margins.weston_watkins_backward(dloss, f, t, self.margin, self.power)

    def link(self, f: Array) -> Array:
        return _largest(f)


def _one_or_two(power: Any, name: str) -> int:
    """`power` if it is 1 or 2, else a SettingError that names the setting."""
    if whole_number(power, name) > 2:
        raise SettingError(f"{name}: expected 1 (hinge) or 2 (squared hinge), got {power!r}")
    return int(power)


def _largest(f: Array) -> Array:
    """1 for the largest score of each row, else 0."""
    return losses.one_hot(f.argmax(axis=1), f.shape[1]).astype(f.dtype, copy=False)
