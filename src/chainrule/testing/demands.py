"""What the checks demand, each with a message that names what is wrong, what was expected and what came.

Plain `assert` is not used: `python -O` would remove it.
"""

from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.testing.gradient import LIMIT, relative_error

SAME = 1e-12  # relative difference that rounding may make in float64
SAME_IN_FLOAT32 = 1e-5


def demand(condition: bool, message: str) -> None:
    """Raise AssertionError with `message` unless `condition` holds."""
    if not condition:
        raise AssertionError(message)


def demand_shape(name: str, array: Any, shape: tuple[int, ...]) -> None:
    """`array` must be an array (or NumPy number) of `shape`."""
    demand(isinstance(array, np.ndarray | np.generic), f"{name}: expected an array, got {type(array).__name__}")
    demand(array.shape == shape, f"{name}: expected shape {shape}, got {array.shape}")


def demand_dtype(name: str, array: Array, dtype: Any) -> None:
    """`array` must have `dtype`."""
    demand(array.dtype == dtype, f"{name}: expected {np.dtype(dtype)}, got {array.dtype}")


def demand_same(name: str, found: Array, expected: Array, limit: float = SAME) -> None:
    """Two arrays must agree up to rounding; NaN agrees with NaN."""
    demand_shape(name, found, expected.shape)
    gaps = np.isnan(expected)
    demand(np.array_equal(gaps, np.isnan(found)), f"{name}: NaN where there should be none, or the other way round")
    error = relative_error(np.where(gaps, 0, found), np.where(gaps, 0, expected))
    demand(error <= limit, f"{name}: relative difference {error:.1e}, at most {limit:g} allowed")


def demand_unchanged(name: str, array: Array, before: Array) -> None:
    """`array` must still hold what it held."""
    demand(np.array_equal(array, before, equal_nan=True), f"{name}: was changed; inputs must stay as they are")


def demand_gradient(name: str, analytic: Array, numeric: Array) -> None:
    """A hand-derived gradient must agree with the central differences to a relative error of 1e-7."""
    demand_shape(name, analytic, numeric.shape)
    error = relative_error(analytic, numeric)
    if error <= LIMIT:
        return
    place = np.unravel_index(int(np.argmax(np.abs(analytic - numeric))), numeric.shape)
    where = tuple(int(i) for i in place)
    raise AssertionError(
        f"{name}: the derivative is wrong, relative error {error:.1e}, at most {LIMIT:g} allowed; worst at {where}: "
        f"central differences give {float(numeric[place]):.9g}, the formula gives {float(analytic[place]):.9g}"
    )
