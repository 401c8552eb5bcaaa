"""The data of many trainings, and which of them each training is tested on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, Pixels
from chainrule.configuration import whole_number
from chainrule.errors import DataError, MissingExtraError, SettingError, ShapeError
from chainrule.network.weights import as_sample_weights

Rows = tuple[Any, Any, Array | None]  # some samples, their targets and weights


@dataclass(frozen=True, eq=False)
class Samples:
    """The data as plain arrays, as they go to the workers.

    Args:
        x: (N, …), an array or a DataFrame; the bytes of Pixels.
        y: targets (N, …).
        weights: of the samples (N,), or None.
        pixels: whether `x` are the bytes of Pixels.

    """

    x: Any
    y: Any
    weights: Array | None
    pixels: bool

    def rows(self, rows: Array) -> Rows:
        """Some samples, their targets and weights."""
        x = _rows(self.x, rows)
        return (
            Pixels(x) if self.pixels else x,
            _rows(self.y, rows),
            None if self.weights is None else self.weights[rows],
        )


def as_samples(data: Any, sample_weight: Any) -> Samples:
    """The data of a pair (x, targets). Raises SettingError, ShapeError, DataError, DataTypeError."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise SettingError(f"data: expected a pair (x, targets), got {type(data).__name__}")
    x, y = (part if hasattr(part, "iloc") else part if isinstance(part, Pixels) else np.asarray(part) for part in data)
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise ShapeError(f"data: expected as many targets as samples, got x {x.shape} and targets {y.shape}")
    weights = as_sample_weights(sample_weight, len(x), "sample_weight")
    return Samples(x.bytes if isinstance(x, Pixels) else x, y, weights, isinstance(x, Pixels))


def _rows(values: Any, rows: Array) -> Any:
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]


def assign_folds(y: Any, folds: int, seeds: Sequence[int], decides: bool) -> Array:
    """(R, N): for each of R seeds, the fold 0 … K−1 that each of the N samples is tested in.

    Where the targets name a class for each sample, every fold has the same share of each class, as far as it goes.

    Raises:
        SettingError: fewer than two folds.
        DataError: fewer samples than folds, or a class with fewer samples than that.
        MissingExtraError: without scikit-learn.

    """
    count = whole_number(folds, "folds", at_least=2)
    if len(y) < count:
        raise DataError(f"data: {len(y)} samples cannot be shared out among {count} folds; give more, or fewer folds")
    classes = _classes(y) if decides else None
    if classes is not None:
        _check_classes(classes, count)
    model_selection = _model_selection()
    kind = model_selection.KFold if classes is None else model_selection.StratifiedKFold
    found = np.empty((len(seeds), len(y)), np.int32)
    for row, seed in enumerate(seeds):
        parts = kind(count, shuffle=True, random_state=seed).split(np.empty(len(y)), classes)
        for fold, (_, tested) in enumerate(parts):
            found[row, tested] = fold
    return found


def _classes(y: Any) -> Array | None:
    """One class for each sample (N,), from labels, a column of them, or one-hot rows; None for anything else."""
    targets = np.asarray(y)
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim == 1:
        return targets
    if targets.ndim == 2 and np.isin(targets, (0, 1)).all() and (targets.sum(axis=1) == 1).all():
        return targets.argmax(axis=1)
    return None


def _check_classes(classes: Array, folds: int) -> None:
    names, counts = np.unique(classes, return_counts=True)
    rarest = counts.argmin()
    if counts[rarest] < folds:
        raise DataError(
            f"targets: class {names[rarest]} has {counts[rarest]} samples, too few for {folds} folds with one of it in "
            "each; give fewer folds, or leave that class out"
        )


def _model_selection() -> Any:
    try:
        from sklearn import model_selection
    except ImportError:
        raise MissingExtraError("scikit-learn", "sklearn", "cross-validation") from None
    return model_selection
