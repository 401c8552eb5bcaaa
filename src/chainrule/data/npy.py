"""Arrays in NumPy's files, .npy and .npz, read without ever running anything in them."""

import io
import warnings
import zipfile
import zlib
from math import prod
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import DataError

NPY = b"\x93NUMPY"


def read_npy(content: bytes, name: str) -> Array:
    """The array of numbers in an .npy file. Never unpickles, and takes no more memory than the file.

    Raises:
        DataError: damaged, cut short, or holding anything but numbers; `name` says which file.

    """
    shape, fortran, dtype, start = _npy_header(content, name)
    if dtype.kind not in "fiub":
        raise DataError(f"{name}: expected an array of numbers, got dtype {dtype}; it was not opened")
    return _filled(content, name, shape, fortran, dtype, start)


def read_npz(content: bytes, name: str) -> dict[str, Array]:
    """The arrays of numbers or text in an .npz file by their names. Never unpickles.

    Raises:
        DataError: not an .npz file, damaged, or holding anything but numbers and text; `name` says which file.

    """
    arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for member in packed.namelist():
                key = member.removesuffix(".npy")
                part, inside = packed.read(member), f"{name}, array {key!r}"
                shape, fortran, dtype, start = _npy_header(part, inside)
                if dtype.kind not in "fiubUS":
                    raise DataError(f"{inside}: expected numbers or text, got dtype {dtype}; it was not opened")
                arrays[key] = _filled(part, inside, shape, fortran, dtype, start)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{name}: not an .npz file, or a damaged one ({error})") from None
    return arrays


def _npy_header(content: bytes, name: str) -> tuple[Shape, bool, np.dtype[Any], int]:
    """Shape, whether in Fortran order, dtype, and where the numbers start."""
    file = io.BytesIO(content)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        with warnings.catch_warnings(action="ignore"):
            shape, fortran, dtype = read[np.lib.format.read_magic(file)](file)
    except Exception as error:  # a header is Python text, and NumPy lets through whatever its tokenizer raises
        raise DataError(f"{name}: a damaged .npy file ({type(error).__name__}: {error})") from None
    return shape, fortran, dtype, file.tell()


def _filled(content: bytes, name: str, shape: Shape, fortran: bool, dtype: np.dtype[Any], start: int) -> Array:
    """The numbers in the shape that the header gives them, where they fill it."""
    if prod(shape) * dtype.itemsize != len(content) - start or min(shape, default=0) < 0:
        raise DataError(f"{name}: damaged: an array {shape} of {dtype} does not fit the file's length")
    return np.frombuffer(content, dtype, prod(shape), start).reshape(shape, order="F" if fortran else "C")
