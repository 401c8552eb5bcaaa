"""Data larger than memory: written to files piece by piece, and read from there as arrays."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from chainrule.arrays import Array, Shape, as_numbers
from chainrule.errors import DataError, ShapeError
from chainrule.files import Pathlike

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def store(pieces: Iterable[tuple[Any, Any]], folder: Pathlike, *, dtype: DTypeLike = "float32") -> tuple[Array, Array]:
    """Write what a generator yields to `folder`, and give it back as two arrays that stay in their files.

    Training takes them like any others: in a new order in each epoch, by tape, with checkpoints. Only the rows of one
    batch are in memory at a time. `numpy.load(folder / "x.npy", mmap_mode="r")` opens them again.

    Args:
        pieces: pairs of some samples (n, …) and their targets (n, …), in any number.
        folder: where x.npy and targets.npy are written; what is there under these names is replaced at the end.
        dtype: of the samples in the file: the network's own, or they would be turned into it in memory. The targets
            keep that of the first piece.

    Returns:
        (x, targets), memory-mapped and read-only.

    Raises:
        DataError: there are no samples.
        ShapeError: samples or targets are not shaped like those of the first piece, or not as many as each other.
        DataTypeError: something is not an array of numbers.
        OSError: a file could not be written; the old ones are intact.

    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    names = ("x.npy", "targets.npy")
    parts = [target / f"{name}.part" for name in names]
    try:
        with contextlib.ExitStack() as files:
            growing = [_Growing(files.enter_context(part.open("wb"))) for part in parts]
            for x, targets in pieces:
                samples, t = as_numbers(x, "x").astype(dtype, copy=False), as_numbers(targets, "targets")
                if samples.ndim == 0 or t.ndim == 0 or len(samples) != len(t):
                    raise ShapeError(f"x {samples.shape} and targets {t.shape}: expected as many rows in both")
                growing[0].add(samples, "x")
                growing[1].add(t, "targets")
            if growing[0].rows == 0:
                raise DataError("pieces: expected at least one sample, got none")
            for one in growing:
                one.finish()
        for part, name in zip(parts, names, strict=True):
            part.replace(target / name)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return np.load(target / "x.npy", mmap_mode="r"), np.load(target / "targets.npy", mmap_mode="r")


class _Growing:
    """A .npy file to which rows are added; only at the end is it known how many there are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.rows = file, 0
        self._shape: Shape | None = None
        self._dtype = np.dtype(float)

    def add(self, array: Array, name: str) -> None:
        if self._shape is None:
            self._shape, self._dtype = array.shape[1:], array.dtype
            self._write_header()
        if array.shape[1:] != self._shape:
            raise ShapeError(f"{name}: expected rows of shape {self._shape} as before, got {array.shape[1:]}")
        self._file.write(np.ascontiguousarray(array, self._dtype).data)
        self.rows += len(array)

    def finish(self) -> None:
        self._file.seek(0)
        self._write_header()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write_header(self) -> None:
        """NumPy leaves room in a header for a number of rows that grows: its length stays the same."""
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": (self.rows, *(self._shape or ()))}
        np.lib.format.write_array_header_1_0(self._file, header)
