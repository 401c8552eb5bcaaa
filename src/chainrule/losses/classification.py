"""Losses of probabilities: the link makes them of the scores, the cost is −log of what the truth was given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from chainrule.arrays import Array, Shape, as_numbers
from chainrule.configuration import real_number
from chainrule.errors import DataError, SettingError, ShapeError
from chainrule.losses.loss import BinaryLoss, LabelLoss, features_of_scores
from chainrule.losses.targets import as_distributions, as_labels, as_probabilities, as_rows
from chainrule.operations import activations, batches, losses, softmax

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

PerScore = float | tuple[float, ...]  # a setting: one number for all scores, or one for each


@dataclass(eq=False)
class BinaryCrossEntropy(BinaryLoss):
    """L = −Σ_k [t log p + (1 − t) log(1 − p)] on scores, link: p = σ(f). Source: mission items D2, D4.

    Targets: 0 or 1 (or probabilities between), (N,) or (N, 1) for one score, (N, K) for K independent yes/no answers.

    Args:
        pos_weight: how many times a yes counts, L = −Σ_k [w t log p + …]; one number, or one for each score.

    """

    pos_weight: PerScore | None = None

    def __post_init__(self) -> None:
        if self.pos_weight is not None:
            self.pos_weight = _per_score(self.pos_weight, "BinaryCrossEntropy: pos_weight")

    def check_scores(self, shape: Shape) -> None:
        _check_count(self.pos_weight, features_of_scores(self, shape), "BinaryCrossEntropy: pos_weight")

    def constants(self, shape: Shape, dtype: DTypeLike) -> tuple[Array, ...]:
        return () if self.pos_weight is None else (_row(self.pos_weight, shape[0], np.dtype(dtype)),)

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        return as_probabilities(as_rows(as_numbers(targets, name), shape, name), name)

    def forward(self, f: Array, t: Array) -> Array:
        t = t.astype(f.dtype, copy=False)
        if self.pos_weight is None:
            return losses.binary_cross_entropy_forward(f, t)
        return losses.weighted_binary_cross_entropy_forward(f, t, _row(self.pos_weight, f.shape[1], f.dtype))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        t = t.astype(f.dtype, copy=False)
        if self.pos_weight is None:
            return losses.binary_cross_entropy_backward(dloss, f, t)
        return losses.weighted_binary_cross_entropy_backward(dloss, f, t, _row(self.pos_weight, f.shape[1], f.dtype))

    def link(self, f: Array) -> Array:
        return activations.sigmoid_forward(f)


@dataclass(eq=False)
class BinaryFocal(BinaryLoss):
    """L = −Σ_k α (1 − q)^γ log q, q the probability of the truth, link: p = σ(f). Source: Lin et al. 2017, equation 5.

    What is decided well counts little, so that many easy samples do not drown the hard ones. With γ = 0 and no α it is
    binary cross-entropy. Targets: 0 or 1, (N,) or (N, 1) for one score, (N, K) for K independent answers.

    Args:
        gamma: γ, from 0 on: how fast the weight falls.
        alpha: α for yes, from 0 to 1; 1 − α for no. None: 1 for both.

    """

    gamma: float = 2.0
    alpha: float | None = None

    def __post_init__(self) -> None:
        self.gamma = real_number(self.gamma, "BinaryFocal: gamma")
        if self.alpha is not None:
            self.alpha = _share(self.alpha, "BinaryFocal: alpha")

    def forward(self, f: Array, t: Array) -> Array:
        return losses.binary_focal_forward(f, t.astype(f.dtype, copy=False), self.gamma, *self._yes_and_no())

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return losses.binary_focal_backward(dloss, f, t.astype(f.dtype, copy=False), self.gamma, *self._yes_and_no())

    def link(self, f: Array) -> Array:
        return activations.sigmoid_forward(f)

    def _yes_and_no(self) -> tuple[float, float]:
        """α of the two answers."""
        return (1.0, 1.0) if self.alpha is None else (self.alpha, 1 - self.alpha)


@dataclass(eq=False)
class CrossEntropy(LabelLoss):
    """L = −log p_j on scores, link: p = softmax(f). Source: mission items B3, B4, C1, C2, D4.

    Targets: labels 0 … K−1 (N,) or (N, 1); or one-hot rows, or any rows of probabilities (N, K).

    Args:
        label_smoothing: the share ε of the certainty that is spread over all classes, t' = (1 − ε) t + ε/K; 0 or more,
            below 1. It is part of the loss, wherever that is reported, not of the accuracy (Szegedy et al. 2016).

    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        self.label_smoothing = real_number(self.label_smoothing, "CrossEntropy: label_smoothing", below=1.0)

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        numbers = as_numbers(targets, name)
        if numbers.ndim == 1 or (numbers.ndim == 2 and numbers.shape[1] == 1):
            return as_labels(numbers, shape[0], name)
        return as_distributions(as_rows(numbers, shape, name), name)

    def forward(self, f: Array, t: Array) -> Array:
        if t.ndim == 2:
            return losses.soft_cross_entropy_forward(f, self._smoothed(t, f))
        if self.label_smoothing:
            return losses.smoothed_cross_entropy_forward(f, t, self.label_smoothing)
        return losses.cross_entropy_forward(f, t)

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        if t.ndim == 2:
            return losses.soft_cross_entropy_backward(dloss, f, self._smoothed(t, f))
        if self.label_smoothing:
            return losses.smoothed_cross_entropy_backward(dloss, f, t, self.label_smoothing)
        return losses.cross_entropy_backward(dloss, f, t)

    def link(self, f: Array) -> Array:
        return softmax.softmax_forward(f)

    def count_right(self, f: Array, t: Array) -> Array | None:
        return batches.right_labels(f, t) if t.ndim == 1 else batches.right_rows(f, t.astype(f.dtype, copy=False))

    def _smoothed(self, t: Array, f: Array) -> Array:
        t = t.astype(f.dtype, copy=False)
        return losses.smoothed(t, self.label_smoothing) if self.label_smoothing else t


@dataclass(eq=False)
class KullbackLeibler(LabelLoss):
    """L = Σ_k t_k log(t_k / p_k) on scores, link: p = softmax(f). Source: Kullback & Leibler 1951.

    Cross-entropy less the entropy of the targets: the same gradient, and 0 where p is t. Targets: rows of probabilities
    (N, K) that sum to 1.
    """

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        numbers = as_numbers(targets, name)
        if numbers.ndim == 1:
            raise DataError(f"{name}: expected rows of probabilities (N, {shape[0]}); for labels use CrossEntropy")
        return as_distributions(as_rows(numbers, shape, name), name)

    def forward(self, f: Array, t: Array) -> Array:
        return losses.kullback_leibler_forward(f, t.astype(f.dtype, copy=False))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return losses.kullback_leibler_backward(dloss, f, t.astype(f.dtype, copy=False))

    def link(self, f: Array) -> Array:
        return softmax.softmax_forward(f)

    def count_right(self, f: Array, t: Array) -> Array | None:
        return batches.right_rows(f, t.astype(f.dtype, copy=False))

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.dirichlet(np.ones(outputs), samples)


@dataclass(eq=False)
class Focal(LabelLoss):
    """L = −α_j (1 − p_j)^γ log p_j on scores, link: p = softmax(f). Source: Lin et al. 2017, equation 5.

    What is known well counts little, so that many easy samples do not drown the hard ones. With γ = 0 and no α it is
    cross-entropy. Targets: labels 0 … K−1 (N,) or (N, 1), or one-hot rows (N, K).

    Args:
        gamma: γ, from 0 on: how fast the weight falls.
        alpha: one number, or one for each class. None: 1.

    """

    gamma: float = 2.0
    alpha: PerScore | None = None

    with_one_score: ClassVar[str] = "BinaryFocal"

    def __post_init__(self) -> None:
        self.gamma = real_number(self.gamma, "Focal: gamma")
        if self.alpha is not None:
            self.alpha = _per_score(self.alpha, "Focal: alpha")

    def check_scores(self, shape: Shape) -> None:
        super().check_scores(shape)
        _check_count(self.alpha, shape[0], "Focal: alpha")

    def constants(self, shape: Shape, dtype: DTypeLike) -> tuple[Array, ...]:
        return (self._alpha(shape[0], np.dtype(dtype)),)

    def forward(self, f: Array, t: Array) -> Array:
        return losses.focal_forward(f, t, self._alpha(f.shape[1], f.dtype), self.gamma)

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return losses.focal_backward(dloss, f, t, self._alpha(f.shape[1], f.dtype), self.gamma)

    def link(self, f: Array) -> Array:
        return softmax.softmax_forward(f)

    def _alpha(self, classes: int, dtype: np.dtype[Any]) -> Array:
        return _row(1.0 if self.alpha is None else self.alpha, classes, dtype)


def _share(value: Any, name: str) -> float:
    """`value` as a float from 0 to 1, else a SettingError that names the setting."""
    share = real_number(value, name)
    if share > 1:
        raise SettingError(f"{name}: expected a share from 0 to 1, got {value!r}")
    return share


def _per_score(value: Any, name: str) -> PerScore:
    """`value` as a float, or as floats, of at least 0, else a SettingError that names the setting."""
    values = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(values, list | tuple):
        return tuple(real_number(one, name) for one in values)
    return real_number(values, name)


def _check_count(value: PerScore | None, outputs: int, name: str) -> None:
    """Raise a ShapeError unless there is one number, or as many as scores."""
    if isinstance(value, tuple) and len(value) != outputs:
        raise ShapeError(f"{name}: expected one number, or one for each of the {outputs} scores, got {len(value)}")


@lru_cache
def _row(value: PerScore, outputs: int, dtype: np.dtype[Any]) -> Array:
    """A setting as one number for each score (outputs,): the same array each time, so that a tape may know it."""
    row = np.array(np.broadcast_to(value, outputs), dtype)
    row.flags.writeable = False
    return row
