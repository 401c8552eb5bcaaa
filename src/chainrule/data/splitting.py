"""Rows held back for validation. Source: mission item B6."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array, Pixels, Samples, as_numbers
from chainrule.errors import DataError, SettingError, ShapeError

Pair = tuple[Samples, Array]  # samples (N, …) and their targets (N, …)


def split(x: Any, y: Any, fraction: float, rng: np.random.Generator) -> tuple[Pair, Pair]:
    """Hold back `fraction` of the rows, chosen by `rng`: ((x, y) to train on, (x, y) held back).

    Args:
        x: samples (N, …), an array or Pixels.
        y: their targets (N, …).
        fraction: the share to hold back, above 0 and below 1; rounded to whole rows.
        rng: chooses them. On both sides the rows keep the order they came in.

    Raises:
        SettingError: `fraction` is not between 0 and 1.
        ShapeError: x and y have different numbers of rows.
        DataError: there are too few rows: one side would be empty.
        DataTypeError: x or y is not an array of numbers.

    """
    samples = x if isinstance(x, Pixels) else as_numbers(x, "x")
    targets = as_numbers(y, "y")
    share = _share(fraction)
    if samples.ndim == 0 or targets.ndim == 0 or len(samples) != len(targets):
        raise ShapeError(f"x {samples.shape} and y {targets.shape}: expected as many rows in both")
    rows = len(samples)
    count = round(share * rows)
    if not 0 < count < rows:
        raise DataError(f"x: holding back {share:g} of {rows} rows leaves one side empty; give more rows")
    held_back = np.zeros(rows, dtype=bool)
    held_back[rng.permutation(rows)[:count]] = True
    return (samples[~held_back], targets[~held_back]), (samples[held_back], targets[held_back])


def held_back_by_class(labels: Any, fraction: float, rng: np.random.Generator) -> Array:
    """A mask (N,) that holds back `fraction` of the rows of each class, rounded: a stratified split.

    Args:
        labels: the classes (N,), whole numbers.
        fraction: the share to hold back, above 0 and below 1.
        rng: chooses the rows. Where every class is too small to give one, one row of the largest is held back.

    Raises:
        SettingError: `fraction` is not between 0 and 1.
        DataError: there are fewer than two rows.
        DataTypeError: the labels are not an array of numbers.

    """
    classes = as_numbers(labels, "labels")
    share = _share(fraction)
    if len(classes) < 2:
        raise DataError(f"labels: expected at least 2 rows, one of them to hold back, got {len(classes)}")
    names, counts = np.unique(classes, return_counts=True)
    taken = np.rint(share * counts).astype(int)
    if not taken.any():
        taken[counts.argmax()] = 1
    held_back = np.zeros(len(classes), bool)
    for name, count in zip(names, taken, strict=True):
        held_back[rng.permutation(np.flatnonzero(classes == name))[:count]] = True
    return held_back


def _share(fraction: Any) -> float:
    if not isinstance(fraction, bool | str) and hasattr(fraction, "__float__") and 0 < float(fraction) < 1:
        return float(fraction)
    raise SettingError(f"fraction: expected a share above 0 and below 1, such as 0.2, got {fraction!r}")
