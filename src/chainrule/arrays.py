"""The door through which a user's arrays come in: anything that means numbers is understood, the rest is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from chainrule.errors import DataError, DataTypeError, SettingError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Array = np.ndarray[Any, np.dtype[Any]]  # numbers: float32 or float64, unless a comment says otherwise
Labels = np.ndarray[Any, np.dtype[Any]]  # whole numbers 0 … K−1, one class each
Shape = tuple[int, ...]

DTYPES = ("float32", "float64")
BLOCK = 2**18  # numbers that are looked at together, so that data larger than memory can be looked through


class Pixels(NDArrayOperatorsMixin):
    """Images held as their bytes, which read as numbers from 0 to 1: byte / 255, a float32.

        x = Pixels(images)              # (60000, 784) uint8: 47 MB, as float32 it would be 188
        cr.train(network, (x, labels))

    Training and prediction turn one batch after the other into floats, never all of them at once. A slice of samples,
    row numbers or a mask pick samples out as Pixels; everything else that NumPy can do with an array makes floats.

    Args:
        images: (N, …) uint8, samples first. It is not copied: what is written into it later counts.

    Raises:
        DataTypeError: not an array of uint8. Numbers that are not grey levels of 0…255 are passed as they are.
        ShapeError: no axis of samples.

    """

    def __init__(self, images: Any) -> None:
        self.bytes: Array = as_numbers(images, "images")  # (N, …) uint8
        if self.bytes.dtype != np.uint8:
            raise DataTypeError(
                f"images: expected bytes (dtype uint8), got {self.bytes.dtype}; pass floats as they are, without Pixels"
            )
        if self.bytes.ndim == 0:
            raise ShapeError("images: expected samples along the first axis, got a single number")

    @property
    def shape(self) -> Shape:
        """(N, …)."""
        return self.bytes.shape

    @property
    def ndim(self) -> int:
        """The number of axes, that of the samples included."""
        return self.bytes.ndim

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """What the bytes are read as: float32."""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.bytes)

    def __getitem__(self, key: Any) -> Pixels | Array:
        """Pixels for a slice, a list or array of row numbers, or a mask of the samples; else floats."""
        picked = self.bytes[key]
        picks_samples = isinstance(key, slice) or (isinstance(key, list | np.ndarray) and np.ndim(key) == 1)
        return Pixels(picked) if picks_samples else _shares_of_255(picked)

    def reshape(self, *shape: Any) -> Pixels:
        """The same samples, each in another shape. Raises ShapeError where the first axis would not be theirs."""
        other = self.bytes.reshape(*shape)
        if other.shape[:1] != self.shape[:1]:
            raise ShapeError(
                f"reshape: {self.shape} to {other.shape} does not keep the {len(self)} samples; "
                "numpy.asarray(x).reshape(...) makes an array of floats in any shape"
            )
        return Pixels(other)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """All of them as floats."""
        if copy is False:
            raise ValueError("bytes cannot be read as floats without a copy")
        return _shares_of_255(self.bytes).astype(dtype or np.float32, copy=False)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Arithmetic and comparison, on floats."""
        return getattr(ufunc, method)(*(np.asarray(x) if isinstance(x, Pixels) else x for x in inputs), **keywords)

    def __repr__(self) -> str:
        return f"<Pixels {self.shape}: bytes that read as float32 in 0…1>"


Samples = Array | Pixels  # (N, …), the samples along the first axis


def _shares_of_255(images: Array) -> Array:
    return np.divide(images, 255, dtype=np.float32)


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
    place = _first_not_finite(array)
    if place is None:
        return
    where = f" in row {place[0]}" if array.ndim > 0 else ""
    where += f", at {place}" if array.ndim > 1 else ""
    raise DataError(
        f"{name}: values must be finite and fit {array.dtype}; the first that does not is {array[place]}{where}"
    )


def _first_not_finite(array: Array) -> tuple[int, ...] | None:
    """Where the first NaN or infinity stands. The array may be a file larger than memory."""
    rows = np.atleast_1d(array)
    height = max(1, BLOCK // max(1, rows[:1].size))
    for start in range(0, len(rows), height):
        finite = np.isfinite(rows[start : start + height])
        if not finite.all():
            row, *rest = (int(i) for i in np.argwhere(~finite)[0])
            return (start + row, *rest)[: array.ndim]
    return None


def check_whole_numbers(array: Array, name: str, below: int) -> None:
    """Raise a DataError that names the first row of `array` with a number that is not one of 0, 1, … `below` − 1."""
    right = (array >= 0) & (array < below) & (array == np.floor(array))
    if not right.all():
        place = tuple(int(i) for i in np.argwhere(~right)[0])
        raise DataError(
            f"{name}: expected whole numbers from 0 to {below - 1}; the first that is none is {array[place]:g} "
            f"in row {place[0]}, at {place}"
        )


def _kind(array: Array) -> str:
    kinds = {"U": "text", "S": "bytes", "O": "Python objects", "c": "complex numbers", "M": "dates", "m": "durations"}
    return f"{kinds.get(array.dtype.kind, 'something else')} (dtype {array.dtype})"


def _advice(array: Array) -> str:
    if array.dtype.kind in "US":
        return "turn text classes into numbers, for example  classes, y = numpy.unique(y, return_inverse=True)"
    return "convert it to an array of integers or floats first"
