"""Sums, products and lengths of arrays, whatever they stand for."""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def add(x: Array, y: Array) -> Array:  # x (I, O), y (I, O)
    """z = x + y."""
    z = x + y  # (I, O)
    return z


@operation
def dot(x: Array, y: Array) -> Array:  # x (I,), y (I,)
    """Σ_i x_i y_i."""
    z = (x * y).sum()  # ()
    return z


@operation
def norm(x: Array) -> Array:  # x (I, O)
    """‖x‖ = √(Σ x²). Squares of large float32 numbers are no float32 numbers, hence float64 in between."""
    length = np.sqrt(np.square(x, dtype=np.float64).sum()).astype(x.dtype)  # ()
    return length


@operation
def hypotenuse(a: Array, b: Array) -> Array:  # a (), b ()
    """√(a² + b²): the length of a vector of two parts, from the lengths of the parts."""
    c = np.hypot(a, b)  # ()
    return c
