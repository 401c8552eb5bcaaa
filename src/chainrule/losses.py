"""Losses. Each owns the link that turns a network's raw scores into its answer, and the cost that is differentiated.

With its canonical link every one of them has the gradient (prediction − target) at the scores: mission items B4, C1,
D3 and D5 are one fact. `targets` are the user's, in any of the understood forms; `t` is what `prepare` made of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape, as_floats, as_numbers
from chainrule.configuration import Configurable
from chainrule.errors import DataError, ShapeError
from chainrule.operations import activations, batches, losses, softmax


class Loss(Configurable):
    """Base of the losses. `forward` gives one loss per sample; a cost is their mean."""

    def check_scores(self, shape: Shape) -> None:
        """Raise a ShapeError unless a network may end in scores of `shape` (per sample)."""

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        """The targets in the one form `forward` takes, for scores of `shape`. Raises DataError or DataTypeError."""
        raise NotImplementedError

    def forward(self, f: Array, t: Array) -> Array:
        """The loss of each sample (N,), from scores f (N, …) and prepared targets t."""
        raise NotImplementedError

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        """∂/∂f of Σ_n dloss_n L_n."""
        raise NotImplementedError

    def link(self, f: Array) -> Array:
        """The prediction that belongs to the scores."""
        raise NotImplementedError

    def count_right(self, f: Array, t: Array) -> Array | None:
        """How many samples are decided right (), or None where there is nothing to decide."""
        return None

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        """Targets for scores (samples, outputs), on which the common checks run."""
        raise NotImplementedError


@dataclass(eq=False)
class SquaredError(Loss):
    """L = ½ Σ_k (y_k − t_k)², link: the identity. Source: mission items B5, E1.

    Targets: numbers of the scores' shape; (N,) or (N, 1) for a single score; or whole-number class labels (N,) for
    several scores, which are read as one-hot.
    """

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        numbers = as_numbers(targets, name)
        if numbers.ndim == 1 and len(shape) == 1 and shape[0] > 1 and numbers.dtype.kind in "iub":
            return _labels(numbers, shape[0], name)
        return _rows(numbers, shape, name)

    def forward(self, f: Array, t: Array) -> Array:
        return losses.squared_error_forward(_flat(f), _indicator(t, f))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return losses.squared_error_backward(dloss, _flat(f), _indicator(t, f)).reshape(f.shape)

    def link(self, f: Array) -> Array:
        return activations.identity_forward(f)

    def count_right(self, f: Array, t: Array) -> Array | None:
        return batches.right_labels(f, t) if _are_labels(t, f) else None

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.standard_normal((samples, outputs))


@dataclass(eq=False)
class BinaryCrossEntropy(Loss):
    """L = −Σ_k [t log p + (1 − t) log(1 − p)] on scores, link: p = σ(f). Source: mission items D2, D4.

    Targets: 0 or 1 (or probabilities between), (N,) or (N, 1) for one score, (N, K) for K independent yes/no answers.
    """

    def check_scores(self, shape: Shape) -> None:
        features_of_scores(self, shape)

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        return _probabilities(_rows(as_numbers(targets, name), shape, name), name)

    def forward(self, f: Array, t: Array) -> Array:
        return losses.binary_cross_entropy_forward(f, t.astype(f.dtype, copy=False))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return losses.binary_cross_entropy_backward(dloss, f, t.astype(f.dtype, copy=False))

    def link(self, f: Array) -> Array:
        return activations.sigmoid_forward(f)

    def count_right(self, f: Array, t: Array) -> Array | None:
        return batches.right_decisions(f, t.astype(f.dtype, copy=False))

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.integers(0, 2, (samples, outputs))


@dataclass(eq=False)
class CrossEntropy(Loss):
    """L = −log p_j on scores, link: p = softmax(f). Source: mission items B3, B4, C1, C2, D4.

    Targets: labels 0 … K−1 (N,) or (N, 1); or one-hot rows, or any rows of probabilities (N, K).
    """

    def check_scores(self, shape: Shape) -> None:
        if features_of_scores(self, shape) < 2:
            raise ShapeError(
                "CrossEntropy: expected at least 2 scores, one per class, got 1; "
                "a network with one score answers yes or no: use BinaryCrossEntropy"
            )

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        numbers = as_numbers(targets, name)
        if numbers.ndim == 1 or (numbers.ndim == 2 and numbers.shape[1] == 1):
            return _labels(numbers.reshape(-1), shape[0], name)
        t = _probabilities(_rows(numbers, shape, name), name)
        off = np.abs(t.sum(axis=1) - 1) > 1e-3
        if off.any():
            row = int(off.argmax())
            raise DataError(f"{name}: rows of probabilities must sum to 1; row {row} sums to {t[row].sum():g}")
        return t

    def forward(self, f: Array, t: Array) -> Array:
        if t.ndim == 1:
            return losses.cross_entropy_forward(f, t)
        return losses.soft_cross_entropy_forward(f, t.astype(f.dtype, copy=False))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        if t.ndim == 1:
            return losses.cross_entropy_backward(dloss, f, t)
        return losses.soft_cross_entropy_backward(dloss, f, t.astype(f.dtype, copy=False))

    def link(self, f: Array) -> Array:
        return softmax.softmax_forward(f)

    def count_right(self, f: Array, t: Array) -> Array | None:
        return batches.right_labels(f, t) if t.ndim == 1 else batches.right_rows(f, t.astype(f.dtype, copy=False))

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.integers(0, outputs, samples)


@dataclass(eq=False)
class Perceptron(Loss):
    """L = Σ_k (s − t) f with the decision s = step(f), link: the step. Source: mission items A1 to A3.

    Descending it one case at a time with rate 1 is the perceptron learning rule. Targets: 0 or 1.
    """

    def check_scores(self, shape: Shape) -> None:
        features_of_scores(self, shape)

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        t = _rows(as_numbers(targets, name), shape, name)
        wrong = ~np.isin(t, (0, 1)).all(axis=1)
        if wrong.any():
            raise DataError(f"{name}: decisions must be 0 or 1; row {int(wrong.argmax())} is {t[wrong.argmax()]}")
        return t

    def forward(self, f: Array, t: Array) -> Array:
        return losses.perceptron_forward(f, t.astype(f.dtype, copy=False))

    def backward(self, dloss: Array, f: Array, t: Array) -> Array:
        return losses.perceptron_backward(dloss, f, t.astype(f.dtype, copy=False))

    def link(self, f: Array) -> Array:
        return activations.step_forward(f)

    def count_right(self, f: Array, t: Array) -> Array | None:
        return batches.right_decisions(f, t.astype(f.dtype, copy=False))

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.integers(0, 2, (samples, outputs))


def features_of_scores(loss: Loss, shape: Shape) -> int:
    """The number of scores of a flat output. Raises ShapeError for anything else."""
    if len(shape) != 1:
        raise ShapeError(
            f"{type(loss).__name__}: expected a row of scores (K,) per sample, got {shape}; end in a Linear"
        )
    return shape[0]


def _flat(f: Array) -> Array:
    return f.reshape(len(f), prod(f.shape[1:]))


def _are_labels(t: Array, f: Array) -> bool:
    return t.ndim == 1 and f.ndim == 2


def _indicator(t: Array, f: Array) -> Array:
    """Targets as rows like the scores: labels become one-hot."""
    return losses.one_hot(t, f.shape[1]) if _are_labels(t, f) else _flat(t).astype(f.dtype, copy=False)


def _labels(numbers: Array, classes: int, name: str) -> Array:
    """Whole-number class labels (N,) below `classes`; floats that are whole numbers are understood."""
    floats = as_floats(numbers, name, np.float64)
    wrong = (floats != np.floor(floats)) | (floats < 0) | (floats >= classes)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f"{name}: labels must be whole numbers from 0 to {classes - 1}; row {row} is {numbers[row]}")
    return floats.astype(np.intp)


def _rows(numbers: Array, shape: Shape, name: str) -> Array:
    """Finite numbers with one row of `shape` per sample; (N,) serves where there is a single score."""
    floats = as_floats(numbers, name, np.float64 if numbers.dtype.itemsize > 4 else np.float32)
    if floats.ndim == 1 and shape == (1,):
        floats = floats[:, None]
    if floats.shape[1:] != shape or floats.ndim == 0:
        raise ShapeError(f"{name}: expected rows of shape {shape}, as the scores have, got an array {numbers.shape}")
    return floats


def _probabilities(t: Array, name: str) -> Array:
    outside = ((t < 0) | (t > 1)).reshape(len(t), -1).any(axis=1) if t.size else np.zeros(0, bool)
    if outside.any():
        row = int(outside.argmax())
        raise DataError(f"{name}: expected 0, 1 or probabilities between; row {row} is {t[row]}")
    return t
