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


def _share(fraction: Any) -> float:
    if not isinstance(fraction, bool | str) and hasattr(fraction, "__float__") and 0 < float(fraction) < 1:
        return float(fraction)
    raise SettingError(f"fraction: expected a share above 0 and below 1, such as 0.2, got {fraction!r}")
