"""Arrays on the command line: an .npz file with samples and what is to be learned of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chainrule.arrays import Array
from chainrule.cli.own import OwnPictures, OwnTable, digest_of
from chainrule.data import read_npz
from chainrule.errors import DataError, ShapeError
from chainrule.files import read_regular_file
from chainrule.tabular import Table, Target, as_table

PAIRS = (("x", "y"), ("X", "y"), ("data", "target"), ("images", "labels"), ("features", "targets"))
SPLIT = ("x_train", "y_train", "x_test", "y_test")
MOST_COLUMNS = 2000  # what is learned of each stands in the model file
TARGET = "y"


def read_arrays(path: Path) -> OwnTable | OwnPictures:
    """Samples and their targets from an .npz file: x and y, or x_train, y_train, x_test and y_test.

    Bytes (N, H, W), (N, H, W, C) or (N, C, H, W) are pictures. Anything else is a table, each number of a sample a
    column.

    Raises:
        DataError, ShapeError, DataTypeError: other arrays, or arrays that do not go together.

    """
    content = read_regular_file(path)
    x, y, test = _parts(read_npz(content, str(path)), path)
    targets = as_table({TARGET: _one_per_sample(y, len(x), path)})
    if x.dtype == np.uint8 and x.ndim > 2:
        goal = Target.fit(targets, TARGET, "classification")
        return OwnPictures(str(path), _channels_first(x, path), goal.encode(targets), goal.class_names or (), test)
    rows = x.reshape(len(x), -1)
    if rows.shape[1] > MOST_COLUMNS:
        raise ShapeError(
            f"{path}: a sample has {rows.shape[1]:,} numbers, more than the {MOST_COLUMNS:,} that can be columns; "
            "give pictures as bytes (uint8) of shape (N, H, W)"
        )
    table = Table({**as_table(rows).columns, **targets.columns}, str(path))
    return OwnTable(table, digest_of(content), TARGET, test)


def _parts(arrays: dict[str, Array], path: Path) -> tuple[Array, Array, Array | None]:
    """Samples, targets, and a mask of the samples to test on, where the file says which."""
    if set(SPLIT) <= set(arrays):
        x, y, x_test, y_test = (arrays[name] for name in SPLIT)
        if x.shape[1:] != x_test.shape[1:] or x.dtype != x_test.dtype:
            raise ShapeError(f"{path}: x_train {x.shape} {x.dtype} and x_test {x_test.shape} {x_test.dtype} differ")
        if len(x) != len(y) or len(x_test) != len(y_test):
            raise ShapeError(f"{path}: expected as many targets as samples, in both parts")
        return np.concatenate([x, x_test]), np.concatenate([y, y_test]), np.arange(len(y) + len(y_test)) >= len(y)
    for x_name, y_name in PAIRS:
        if x_name in arrays and y_name in arrays:
            return arrays[x_name], arrays[y_name], None
    raise DataError(
        f"{path}: expected arrays called x and y, or {', '.join(SPLIT)}; there are {', '.join(arrays) or 'none'}"
    )


def _one_per_sample(y: Array, samples: int, path: Path) -> Array:
    """Targets (N,), of (N,), (N, 1) or one-hot rows (N, K)."""
    if y.ndim == 0 or len(y) != samples:
        raise ShapeError(f"{path}: {samples} samples, but targets {y.shape}; they must be as many")
    rows = y.reshape(samples, -1) if y.size else y
    if rows.ndim == 2 and rows.shape[1] == 1:
        return rows[:, 0]
    if rows.ndim == 2 and rows.dtype.kind in "fiub" and np.isin(rows, (0, 1)).all() and (rows.sum(axis=1) == 1).all():
        return rows.argmax(axis=1)
    if rows.ndim == 1:
        return rows
    raise ShapeError(f"{path}: expected one target for each sample (N,), or one-hot rows (N, K), got {y.shape}")


def _channels_first(x: Array, path: Path) -> Array:
    """Pictures (N, C, H, W), of (N, H, W), (N, H, W, C) or (N, C, H, W); C is 1 or 3."""
    if x.ndim == 3:
        return x[:, None]
    if x.ndim == 4 and x.shape[3] in (1, 3):
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    if x.ndim == 4 and x.shape[1] in (1, 3):
        return x
    raise ShapeError(f"{path}: expected pictures (N, H, W), (N, H, W, C) or (N, C, H, W), C 1 or 3, got {x.shape}")
