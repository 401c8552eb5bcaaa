"""From what users give as targets to the one form that formulas take; what cannot be meant is refused and named."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array, Labels, Shape, as_floats
from chainrule.errors import DataError, ShapeError


def as_rows(numbers: Array, shape: Shape, name: str) -> Array:
    """Finite numbers with one row of `shape` per sample; (N,) serves where there is a single score."""
    floats = as_floats(numbers, name, np.float64 if numbers.dtype.itemsize > 4 else np.float32)
    if floats.ndim == 1 and shape == (1,):
        floats = floats[:, None]
    if floats.shape[1:] != shape or floats.ndim == 0:
        raise ShapeError(f"{name}: expected rows of shape {shape}, as the scores have, got an array {numbers.shape}")
    return floats


def as_labels(numbers: Array, classes: int, name: str) -> Labels:
    """Whole-number class labels below `classes` (N,), from those, (N, 1), floats that are whole, or one-hot rows."""
    if numbers.ndim == 2 and numbers.shape[1] != 1:
        t = as_rows(numbers, (classes,), name)
        _refuse(~(np.isin(t, (0, 1)).all(axis=1) & (t.sum(axis=1) == 1)), t, name, "expected labels, or one-hot rows")
        return t.argmax(axis=1)
    if numbers.ndim not in (1, 2):
        raise ShapeError(f"{name}: expected one label per sample (N,), got an array {numbers.shape}")
    floats = as_floats(numbers.reshape(-1), name, np.float64)
    wrong = (floats != np.floor(floats)) | (floats < 0) | (floats >= classes)
    _refuse(wrong, numbers.reshape(-1), name, f"labels must be whole numbers from 0 to {classes - 1}")
    return floats.astype(np.intp)


def as_decisions(t: Array, name: str) -> Array:
    """Rows in which each number is 0 or 1."""
    _refuse(~np.isin(t, (0, 1)).all(axis=1), t, name, "decisions must be 0 or 1")
    return t


def as_probabilities(t: Array, name: str) -> Array:
    """Rows in which each number lies between 0 and 1."""
    _refuse(((t < 0) | (t > 1)).any(axis=1), t, name, "expected 0, 1 or probabilities between")
    return t


def as_distributions(t: Array, name: str) -> Array:
    """Rows of probabilities that sum to 1."""
    sums = as_probabilities(t, name).sum(axis=1)
    off = np.abs(sums - 1) > 1e-3
    if off.any():
        row = int(off.argmax())
        raise DataError(f"{name}: rows of probabilities must sum to 1; row {row} sums to {sums[row]:g}")
    return t


def as_counts(t: Array, name: str) -> Array:
    """Rows without negative numbers."""
    _refuse((t < 0).any(axis=tuple(range(1, t.ndim))), t, name, "expected counts, 0 or more")
    return t


def _refuse(wrong: Any, values: Array, name: str, expected: str) -> None:
    """Raise a DataError that names the first row where `wrong` (N,) holds, if there is one."""
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f"{name}: {expected}; row {row} is {values[row]}")
