"""The door through which a user's arrays come in: anything that means numbers is understood, the rest is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import DataError, DataTypeError, SettingError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Array = np.ndarray[Any, np.dtype[Any]]  # numbers: float32 or float64, unless a comment says otherwise
Labels = np.ndarray[Any, np.dtype[Any]]  # whole numbers 0 … K−1, one class each
Shape = tuple[int, ...]

DTYPES = ("float32", "float64")


def float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """The dtype of a network: float32 or float64, else a SettingError."""
    try:
        chosen = np.dtype(dtype)
    except TypeError:
        chosen = None
    if chosen is None or chosen.name not in DTYPES:
        raise SettingError(f"dtype: expected one of {', '.join(DTYPES)}, got {dtype!r}")
    return np.dtype(chosen.name)  # in the machine's own byte order


def as_numbers(value: Any, name: str) -> Array:
    """`value` as an array of plain numbers of whatever dtype it has, else a DataTypeError.

    Lists, NumPy arrays and numeric pandas objects are understood. Text, objects, complex numbers, masked and sparse
    arrays are refused, because every silent reading of them would be a guess.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise DataTypeError(f"{name}: masked arrays are not understood; fill the gaps first, for example x.filled(0)")
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise DataTypeError(f"{name}: sparse matrices are not understood; pass {name}.toarray()")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataTypeError(f"{name}: expected rows of equal length, got ragged data ({error})") from None
    if array.dtype.kind not in "fiub":
        raise DataTypeError(f"{name}: expected numbers, got {_kind(array)}; {_advice(array)}")
    return array


def as_floats(value: Any, name: str, dtype: DTypeLike) -> Array:
    """`value` as a C-contiguous array of finite floats.

    Raises:
        DataTypeError: not numbers (see `as_numbers`).
        DataError: a value is NaN or infinite, or too large for `dtype`; names `name` and the first such row.

    """
    numbers = as_numbers(value, name)
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(numbers, dtype=dtype).reshape(numbers.shape)
    check_finite(floats, name)
    return floats


def aligned_copy(array: Array) -> Array:
    """A C-contiguous copy of `array` that begins on a cache line, where kernels read and write it fastest."""
    line = 64
    room = np.empty(array.nbytes + line, np.uint8)
    start = -room.ctypes.data % line
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def check_finite(array: Array, name: str) -> None:
    """Raise a DataError that names the first row of `array` holding a NaN or an infinity."""
    if np.isfinite(array).all():
        return
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    where = f" in row {place[0]}" if array.ndim > 0 else ""
    where += f", at {place}" if array.ndim > 1 else ""
    raise DataError(
        f"{name}: values must be finite and fit {array.dtype}; the first that does not is {array[place]}{where}"
    )


def _kind(array: Array) -> str:
    kinds = {"U": "text", "S": "bytes", "O": "Python objects", "c": "complex numbers", "M": "dates", "m": "durations"}
    return f"{kinds.get(array.dtype.kind, 'something else')} (dtype {array.dtype})"


def _advice(array: Array) -> str:
    if array.dtype.kind in "US":
        return "turn text classes into numbers, for example  classes, y = numpy.unique(y, return_inverse=True)"
    return "convert it to an array of integers or floats first"
