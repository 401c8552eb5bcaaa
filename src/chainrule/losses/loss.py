"""What every loss does, and what those that answer yes or no, or with one of K classes, have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from chainrule.arrays import Array, Labels, Shape, as_numbers
from chainrule.configuration import Configurable
from chainrule.errors import ShapeError
from chainrule.losses.targets import as_decisions, as_labels, as_rows
from chainrule.operations import batches

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Loss(Configurable):
    """Base of the losses. `forward` gives one loss per sample; a cost is their mean."""

    decides: ClassVar[bool] = False  # whether the answer is a decision between classes, not a number

    def check_scores(self, shape: Shape) -> None:
        """Raise a ShapeError unless a network may end in scores of `shape` (per sample)."""

    def constants(self, shape: Shape, dtype: DTypeLike) -> tuple[Array, ...]:
        """The arrays that `forward` reads besides f and t, the same ones each time: a tape must know them."""
        return ()

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

    def classes_of(self, t: Array) -> Labels | None:
        """The class of each sample (N,), or None where prepared targets t do not name one class for each."""
        if t.ndim == 1 and t.dtype.kind == "i":
            return t
        if not self.decides or t.ndim != 2 or not np.isin(t, (0, 1)).all():
            return None
        if t.shape[1] == 1:
            return t[:, 0].astype(np.intp)
        return t.argmax(axis=1) if (t.sum(axis=1) == 1).all() else None

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        """Targets for scores (samples, outputs), on which the common checks run."""
        raise NotImplementedError


class BinaryLoss(Loss):
    """Base of the losses whose every score answers yes (1) or no (0) for itself.

    Targets: 0 or 1, (N,) or (N, 1) for one score, (N, K) for K independent answers.
    """

    decides: ClassVar[bool] = True

    def check_scores(self, shape: Shape) -> None:
        features_of_scores(self, shape)

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        return as_decisions(as_rows(as_numbers(targets, name), shape, name), name)

    def count_right(self, f: Array, t: Array) -> Array | None:
        return batches.right_decisions(f, t.astype(f.dtype, copy=False))

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.integers(0, 2, (samples, outputs))


class LabelLoss(Loss):
    """Base of the losses with one score for each of K classes, one of which is right.

    Targets: labels 0 … K−1 (N,) or (N, 1), or one-hot rows (N, K).
    """

    decides: ClassVar[bool] = True
    with_one_score: ClassVar[str] = "BinaryCrossEntropy"  # what answers yes or no in its stead

    def check_scores(self, shape: Shape) -> None:
        if features_of_scores(self, shape) < 2:
            raise ShapeError(
                f"{type(self).__name__}: expected at least 2 scores, one per class, got 1; "
                f"a network with one score answers yes or no: use {self.with_one_score}"
            )

    def prepare(self, targets: Any, shape: Shape, name: str) -> Array:
        return as_labels(as_numbers(targets, name), shape[0], name)

    def count_right(self, f: Array, t: Array) -> Array | None:
        return batches.right_labels(f, t)

    def example_targets(self, rng: np.random.Generator, samples: int, outputs: int) -> Array:
        return rng.integers(0, outputs, samples)


def features_of_scores(loss: Loss, shape: Shape) -> int:
    """The number of scores of a flat output. Raises ShapeError for anything else."""
    if len(shape) != 1:
        raise ShapeError(
            f"{type(loss).__name__}: expected a row of scores (K,) per sample, got {shape}; end in a Linear"
        )
    return shape[0]
