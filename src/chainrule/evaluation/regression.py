"""How well values are predicted. Source: mission item E1."""

from typing import Any

import numpy as np

from chainrule.arrays import as_floats
from chainrule.errors import DataError, ShapeError


def r_squared(targets: Any, predicted: Any) -> float:
    """R² = 1 − Σ (t − y)² / Σ (t − t̄)²: 1 is perfect, 0 no better than always answering the mean.

    Args:
        targets: the true values (N,) or (N, 1); with more columns all are taken together.
        predicted: the values predicted, of the same shape; (N,) and (N, 1) go together.

    Raises:
        DataError: all targets are equal, so that there is no spread to explain.
        ShapeError: the shapes differ.

    """
    t, y = as_floats(targets, "targets", np.float64), as_floats(predicted, "predicted", np.float64)
    t, y = t.reshape(len(t), -1), y.reshape(len(y), -1)
    if t.shape != y.shape:
        raise ShapeError(f"targets and predicted: expected the same shape, got {t.shape} and {y.shape}")
    spread = float(((t - t.mean(axis=0)) ** 2).sum()) if len(t) else 0.0
    if spread == 0:
        raise DataError("targets: R² needs at least two different values")
    return 1 - float(((t - y) ** 2).sum()) / spread
