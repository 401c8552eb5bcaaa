"""Losses of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape, as_numbers
from chainrule.configuration import positive_number
from chainrule.losses.loss import Loss
from chainrule.losses.targets import as_counts, as_labels, as_rows
from chainrule.operations import activations, batches, losses, regression


@dataclass(eq=False)
class SquaredError(Loss):
    """L = ½ Σ_k (y_k − t_k)², link: the identity. Source: mission items B5, E1.

    Targets: numbers of the scores' shape; (N,) or (N, 1) for a single score; or whole-number class labels (N,) for
    several scores, which are read as one-hot.
    """

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        numbers = as_numbers(targets, name)
        if numbers.ndim == 1 and len(shape) == 1 and shape[0] > 1 and numbers.dtype.kind in "iub":
            return as_labels(numbers, shape[0], name)
        return as_rows(numbers, shape, name)

    def forward(self, f: Array, t: Array) -> Array:
        return regression.squared_error_forward(_flat(f), _indicator(t, f))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return regression.squared_error_backward(dloss, _flat(f), _indicator(t, f)).reshape(f.shape)

    def link(self, f: Array) -> Array:
        return activations.identity_forward(f)

    def count_right(self, f: Array, t: Array) -> Array | None:
        return batches.right_labels(f, t) if _are_labels(t, f) else None

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.standard_normal((samples, outputs))


@dataclass(eq=False)
class AbsoluteError(Loss):
    """L = Σ_k |y_k − t_k|, link: the identity. Source: Laplace 1774: the median of the targets makes it least.

    A target far off pulls no harder than one nearby. Targets: numbers of the scores' shape; (N,) or (N, 1) for a single
    score.
    """

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        return as_rows(as_numbers(targets, name), shape, name)

    def forward(self, f: Array, t: Array) -> Array:
        return regression.absolute_error_forward(_flat(f), _flat(t).astype(f.dtype, copy=False))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        df = regression.absolute_error_backward(dloss, _flat(f), _flat(t).astype(f.dtype, copy=False))
        return df.reshape(f.shape)

    def link(self, f: Array) -> Array:
        return activations.identity_forward(f)

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.standard_normal((samples, outputs))


@dataclass(eq=False)
class Huber(Loss):
    """L = Σ_k ½ e² where |e| ≤ δ, else δ (|e| − ½ δ), with e = y − t, link: the identity. Source: Huber 1964.

    Squared error near the target, absolute error times δ far from it. Targets: numbers of the scores' shape; (N,) or
    (N, 1) for a single score.

    Args:
        delta: δ, above 0: where the parabola goes over into straight lines, in the units of the targets.

    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        self.delta = positive_number(self.delta, "Huber: delta")

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        return as_rows(as_numbers(targets, name), shape, name)

    def forward(self, f: Array, t: Array) -> Array:
        return regression.huber_forward(_flat(f), _flat(t).astype(f.dtype, copy=False), self.delta)

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        df = regression.huber_backward(dloss, _flat(f), _flat(t).astype(f.dtype, copy=False), self.delta)
        return df.reshape(f.shape)

    def link(self, f: Array) -> Array:
        return activations.identity_forward(f)

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.standard_normal((samples, outputs))


@dataclass(eq=False)
class Poisson(Loss):
    """L = Σ_k e^{f_k} − t_k f_k, link: the rate y = e^f. Source: McCullagh & Nelder 1989, chapter 6.

    −log of the probability of the counts t under Poisson's distribution, without log t!, which no score changes.
    Targets: counts, or other numbers of at least 0, of the scores' shape; (N,) or (N, 1) for a single score.
    """

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        return as_counts(as_rows(as_numbers(targets, name), shape, name), name)

    def forward(self, f: Array, t: Array) -> Array:
        return regression.poisson_forward(_flat(f), _flat(t).astype(f.dtype, copy=False))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return regression.poisson_backward(dloss, _flat(f), _flat(t).astype(f.dtype, copy=False)).reshape(f.shape)

    def link(self, f: Array) -> Array:
        return regression.exponential_forward(f)

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.poisson(2, (samples, outputs))


def _flat(f: Array) -> Array:
    return f.reshape(len(f), prod(f.shape[1:]))


def _are_labels(t: Array, f: Array) -> bool:
    return t.ndim == 1 and f.ndim == 2


def _indicator(t: Array, f: Array) -> Array:
    """Targets as rows like the scores: labels become one-hot."""
    return losses.one_hot(t, f.shape[1]) if _are_labels(t, f) else _flat(t).astype(f.dtype, copy=False)
