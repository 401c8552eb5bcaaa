"""Making numbers comparable before a network sees them. Source: mission item D14."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array, as_floats, as_numbers
from chainrule.errors import DataError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


@dataclass(frozen=True, eq=False)
class Standardizer:
    """(x − mean) / deviation, feature by feature, with the mean and deviation of the training samples.

        standardizer = Standardizer.fit(x_train)
        x_train, x_test = standardizer.apply(x_train), standardizer.apply(x_test)

    Learning them from the training samples alone keeps the test a test. A feature that is the same in all of them
    has no deviation; it becomes 0.

    Args:
        mean: (…) float64, of a sample's shape.
        deviation: (…) float64, above 0.

    """

    mean: Array
    deviation: Array

    @classmethod
    def fit(cls, x: Any, *, sample_weight: Array | None = None) -> Standardizer:
        """Learn mean and deviation from samples x (N, …), each of which counts as its weight (N,) says, above 0.

        Raises:
            DataTypeError, DataError: not finite numbers, too large ones, or none at all.
            ShapeError: not samples along a first axis.

        """
        samples = _samples(x)
        if len(samples) == 0:
            raise DataError("x: expected at least one sample to learn mean and deviation from, got none")
        with np.errstate(over="ignore", invalid="ignore"):
            if sample_weight is None:
                mean = samples.mean(axis=0, dtype=np.float64)
                deviation = samples.std(axis=0, dtype=np.float64)
            else:
                mean = np.average(samples.astype(np.float64), axis=0, weights=sample_weight)
                deviation = np.sqrt(np.average((samples - mean) ** 2, axis=0, weights=sample_weight))
        if not np.isfinite(deviation).all():
            raise DataError("x: the values are so large that their squares overflow; divide them by a constant first")
        constant = (samples == samples[0]).all(axis=0) | (deviation == 0)
        return cls(np.where(constant, samples[0], mean), np.where(constant, 1.0, deviation))

    def apply(self, x: Any) -> Array:
        """The samples x (N, …) standardised, float64 if they are float64, else float32.

        Raises:
            DataTypeError, DataError: not finite numbers.
            ShapeError: samples of another shape than those learned from.

        """
        samples = _samples(x)
        if samples.shape[1:] != self.mean.shape:
            raise ShapeError(f"x: expected samples of shape {self.mean.shape}, got {samples.shape[1:]}")
        return ((samples - self.mean) / self.deviation).astype(samples.dtype)


def _samples(x: Any) -> Array:
    numbers = as_numbers(x, "x")
    dtype: DTypeLike = np.float64 if numbers.dtype == np.float64 else np.float32
    samples = as_floats(numbers, "x", dtype)
    if samples.ndim < 2:
        raise ShapeError(f"x: expected samples along the first axis, got an array {samples.shape}; pass x[:, None]")
    return samples
