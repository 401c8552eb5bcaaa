"""Which classes are taken for which."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, Labels, as_floats, as_numbers
from chainrule.configuration import whole_number
from chainrule.errors import DataError, ShapeError


@dataclass(frozen=True)
class ConfusedPair:
    """How many samples of class `true` were taken for class `predicted`."""

    true: int
    predicted: int
    count: int


def confusion_matrix(labels: Any, predicted: Any, classes: int) -> Array:
    """How often each class (row) was taken for each class (column); the diagonal holds what is right.

    Args:
        labels: the true classes (N,), whole numbers 0 … classes−1.
        predicted: the classes decided on (N,).
        classes: how many there are, K.

    Returns:
        Counts (K, K), int64.

    Raises:
        DataError: something is not a class; names the first such row.
        ShapeError: `labels` and `predicted` are not rows of the same length.

    """
    K = whole_number(classes, "classes")
    true, guess = class_labels(labels, K, "labels"), class_labels(predicted, K, "predicted")
    if len(true) != len(guess):
        raise ShapeError(f"labels has {len(true)} samples, predicted {len(guess)}; they must be as many")
    matrix = np.zeros((K, K), np.int64)
    np.add.at(matrix, (true, guess), 1)
    return matrix


def most_confused_pairs(matrix: Any, most: int = 5) -> list[ConfusedPair]:
    """The pairs (true, predicted) that were confused most often, at most `most` of them, most frequent first."""
    counts = as_numbers(matrix, "matrix")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ShapeError(f"matrix: expected as many rows as columns (K, K), got an array {counts.shape}")
    pairs = [
        ConfusedPair(int(true), int(predicted), int(counts[true, predicted]))
        for true, predicted in np.argwhere(counts > 0)
        if true != predicted
    ]
    return sorted(pairs, key=lambda pair: -pair.count)[: whole_number(most, "most", at_least=0)]


def class_labels(values: Any, classes: int, name: str) -> Labels:
    """`values` (N,) as whole numbers 0 … classes−1, else a DataError or ShapeError."""
    floats = as_floats(as_numbers(values, name), name, np.float64)
    if floats.ndim != 1:
        raise ShapeError(f"{name}: expected one class per sample (N,), got an array {floats.shape}")
    wrong = (floats != np.floor(floats)) | (floats < 0) | (floats >= classes)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f"{name}: classes must be whole numbers from 0 to {classes - 1}; row {row} is {floats[row]:g}")
    return floats.astype(np.intp)
