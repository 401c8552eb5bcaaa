"""The derivative by its definition, to compare the hand-derived ones with."""

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.arrays import Array, as_floats
from chainrule.configuration import positive_number
from chainrule.errors import ShapeError

LIMIT = 1e-7  # relative error up to which a derivative counts as right, in float64


def numerical_gradient(function: Callable[[Array], Any], x: Any, *, step: float = 1e-5) -> Array:
    """∂function/∂x by central differences, [f(x + h) − f(x − h)] / 2h for one element of x after the other.

    Args:
        function: takes an array of x's shape (float64, its own copy each time) and returns one number.
        x: where to differentiate; any shape. It is not changed.
        step: h. The error is about f''' h²/6 from the curve and 10⁻¹⁶ f/h from rounding; 1e-5 balances the two.

    Returns:
        float64, of x's shape.

    Raises:
        ShapeError: the function returns more than one number.
        DataError, DataTypeError, SettingError: x holds no finite numbers, or the step is not above 0.

    """
    h = positive_number(step, "step")
    point = np.array(as_floats(x, "x", np.float64))
    gradient = np.zeros_like(point)
    for place in np.ndindex(point.shape):
        above, below = point.copy(), point.copy()
        above[place] += h
        below[place] -= h
        width = above[place] - below[place]  # 2h, as rounding left it
        gradient[place] = (_value(function, above) - _value(function, below)) / width
    return gradient


def _value(function: Callable[[Array], Any], x: Array) -> float:
    value = np.asarray(function(x))
    if value.size != 1:
        raise ShapeError(f"function: expected one number to differentiate, got an array {value.shape}; sum it first")
    return float(value.reshape(()))


def relative_error(found: Array, expected: Array) -> float:
    """‖found − expected‖ over the larger of their norms; 0 where both are zero, NaN where one is not finite."""
    largest = max(np.abs(found).max(initial=0), np.abs(expected).max(initial=0))
    if largest == 0:
        return 0.0
    with np.errstate(invalid="ignore"):
        a, b = found / largest, expected / largest  # so that no square is too large or too small
        return float(np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b)))
