"""Which rows go together: the batches of an epoch, and rows held back for validation. Source: mission items B3, B6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.arrays import Array, Labels, Pixels, Samples, as_numbers
from chainrule.configuration import whole_number
from chainrule.errors import DataError, SettingError, ShapeError

Pair = tuple[Samples, Array]  # samples (N, …) and their targets (N, …)


def batches(rows: int, batch_size: int | None, rng: np.random.Generator | None = None) -> Iterator[slice | Labels]:
    """Every one of `rows` row numbers once, `batch_size` at a time; the last batch takes what is left.

    Args:
        rows: how many there are.
        batch_size: how many go together; None, or more than there are, takes all in one batch.
        rng: draws a new order for this epoch; None keeps the order of the rows.

    Yields:
        What picks the rows out of an array: a slice (a view, no copy) where the order is kept, else row numbers.
        A single batch of all rows keeps their order, because a mean over all of them does not depend on it.

    Raises:
        SettingError: `batch_size` is not a whole number of at least 1.

    """
    size = max(rows, 1) if batch_size is None else whole_number(batch_size, "batch_size")
    order = rng.permutation(rows) if rng is not None and size < rows else None
    return _batches(rows, size, order)


def _batches(rows: int, size: int, order: Labels | None) -> Iterator[slice | Labels]:
    for start in range(0, rows, size):
        batch = slice(start, min(start + size, rows))
        yield batch if order is None else order[batch]


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
