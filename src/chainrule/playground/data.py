"""From settings to samples: what a session learns from, and what it is tested on."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from chainrule.arrays import Array, Pixels, Samples, Shape
from chainrule.data import (
    DataSet,
    load_digits,
    load_mnist,
    make_blobs,
    make_hills,
    make_parabola,
    make_rings,
    make_sine,
    make_spirals,
    make_xor,
    split,
)
from chainrule.data.mnist import PARTS, find
from chainrule.errors import DataError
from chainrule.playground.settings import IMAGES, TOYS, Settings

MAKERS: dict[str, Callable[..., tuple[Array, Array]]] = {
    "rings": make_rings,
    "xor": make_xor,
    "spirals": make_spirals,
    "blobs": make_blobs,
    "parabola": make_parabola,
    "sine": make_sine,
    "hills": make_hills,
}
TICKET_WEIGHTS = (1, 6, 3)  # cheap, available, interested (mission item A1)
MOST_ROWS, MOST_COLUMNS, MOST_CLASSES = 5000, 32, 10  # of a table of the user's own


@dataclass(frozen=True, eq=False)
class Problem:
    """Samples to learn from and to test on; of a small one all are shown."""

    train: tuple[Samples, Array]
    test: tuple[Samples, Array]
    class_names: tuple[str, ...]  # () for a number to predict
    feature_names: tuple[str, ...]  # () for images
    image_shape: Shape | None = None
    whole: tuple[Samples, Array] | None = None  # of the user's own: all samples, before the split

    @property
    def classes(self) -> int:
        """How many there are; 0 for a number to predict."""
        return len(self.class_names)

    @property
    def features(self) -> int:
        """Numbers of a sample."""
        return int(self.train[0].shape[1])


@dataclass(frozen=True, eq=False)
class Table:
    """A table of the user's own: x (N, I) float32, standardised; y (N,) int64 labels or (N, 1) float32."""

    x: Array
    y: Array
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]


def make_problem(settings: Settings, own: Table | None = None) -> Problem:
    """The samples that the settings ask for. Raises DataError."""
    if settings.data in IMAGES:
        return _images(_load_images(settings.data))
    if settings.data == "tickets":
        return _tickets(settings.threshold)
    x, y, names, features = _samples(settings, own)
    if not settings.held_out:
        return Problem((x, y), (x, y), names, features, whole=(x, y))
    train, test = split(x, y, settings.held_out, np.random.default_rng(settings.seed))
    return Problem(train, test, names, features, whole=(x, y))


def mnist_is_here() -> bool:
    """Whether the four files of MNIST are on this machine: nothing is fetched from here."""
    return all(find(part) for part in PARTS)


@lru_cache
def _load_images(name: str) -> DataSet:
    if name == "mnist" and not mnist_is_here():
        raise DataError("MNIST is not on this machine; fetch it with  chainrule data fetch mnist")
    return load_mnist() if name == "mnist" else load_digits()


def _images(data: DataSet) -> Problem:
    return Problem(data.train, data.test, data.class_names or (), (), data.image_shape)


def _tickets(threshold: int) -> Problem:
    """All eight cases of three yes/no facts, and whether to go (A1)."""
    x = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], np.float32)  # (8, 3)
    y = (x @ np.array(TICKET_WEIGHTS) >= threshold).astype(np.int64)
    if len(set(y.tolist())) < 2:
        raise DataError(f"threshold: with {threshold} all eight cases are decided alike; choose one from 1 to 10")
    return Problem((x, y), (x, y), ("stay", "go"), ("cheap", "available", "interested"))


def _samples(settings: Settings, own: Table | None) -> tuple[Array, Array, tuple[str, ...], tuple[str, ...]]:
    """x, y, the names of the classes and of the features."""
    if settings.data in TOYS:
        x, y = make_toy(settings)
        classes = int(y.max()) + 1 if y.dtype.kind == "i" else 0
        return x, y, _letters(classes), ("x₁", "x₂")[: x.shape[1]]
    if settings.data == "own":
        if own is None:
            raise DataError("there is no table yet: choose a CSV file, or another data set")
        return own.x, own.y, own.class_names, own.feature_names
    if len(settings.points) < 2:
        raise DataError("draw at least two points, better twenty, of two classes or more")
    points = np.array(settings.points, np.float32)  # (N, 3)
    y = points[:, 2].astype(np.int64)
    return points[:, :2].copy(), y, _letters(max(2, int(y.max()) + 1)), ("x₁", "x₂")


def make_toy(settings: Settings) -> tuple[Array, Array]:
    """The samples of a data set that is made from a formula."""
    make = MAKERS[settings.data]
    if settings.data == "blobs":
        return make(settings.samples, settings.classes, settings.noise, seed=settings.seed)
    return make(settings.samples, settings.noise, seed=settings.seed)


def _letters(classes: int) -> tuple[str, ...]:
    return tuple("ABCDEF"[:classes])


def parse_table(text: str) -> Table:
    """A table from CSV text: a header, then rows; the last column is what to predict.

    It is a class where the column holds words, or at most ten different whole numbers; else a number. Features are
    standardised, words among them become one column each (0 or 1).

    Raises:
        DataError: names the row and column that cannot be used.

    """
    try:
        delimiter = csv.Sniffer().sniff(text[:2000], ",;\t").delimiter
    except csv.Error:
        delimiter = ","
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(cell.strip() for cell in row)]
    if len(rows) < 3:
        raise DataError("the table needs a header and at least two rows")
    header, body = [name.strip()[:24] for name in rows[0]], rows[1:]
    if not 2 <= len(header) <= MOST_COLUMNS or len(body) > MOST_ROWS:
        raise DataError(f"expected 2 to {MOST_COLUMNS} columns and at most {MOST_ROWS} rows, got {len(header)} columns")
    for number, row in enumerate(body, 2):
        if len(row) != len(header):
            raise DataError(f"row {number}: expected {len(header)} cells, got {len(row)}")
    columns = [[row[i].strip() for row in body] for i in range(len(header))]
    x, names = _features(header[:-1], columns[:-1])
    y, classes = _target(header[-1], columns[-1])
    return Table(x, y, classes, names)


def _features(header: list[str], columns: list[list[str]]) -> tuple[Array, tuple[str, ...]]:
    found: list[Array] = []
    names: list[str] = []
    for name, cells in zip(header, columns, strict=True):
        if all(_is_number(cell) for cell in cells):
            values = np.array(cells, float)
            found.append((values - values.mean()) / (values.std() or 1.0))
            names.append(name)
            continue
        words = sorted(set(cells))
        if len(words) > MOST_CLASSES:
            row = next(i for i, cell in enumerate(cells, 2) if not _is_number(cell))
            raise DataError(f"row {row}, column {name!r}: {cells[row - 2]!r:.40} is not a number")
        found += [np.array([cell == word for cell in cells], float) for word in words]
        names += [f"{name}={word}"[:24] for word in words]
    if len(found) > MOST_COLUMNS:
        raise DataError(f"expected at most {MOST_COLUMNS} features, got {len(found)}")
    return np.stack(found, axis=1).astype(np.float32), tuple(names)


def _target(name: str, cells: list[str]) -> tuple[Array, tuple[str, ...]]:
    if "" in cells:
        raise DataError(f"row {cells.index('') + 2}, column {name!r}: the cell is empty")
    numbers = all(_is_number(cell) for cell in cells)
    different = sorted(set(cells), key=lambda cell: (float(cell) if numbers else 0.0, cell))
    if numbers and (len(different) > MOST_CLASSES or any(float(cell) != int(float(cell)) for cell in different)):
        values = np.array(cells, float)
        return ((values - values.mean()) / (values.std() or 1.0))[:, None].astype(np.float32), ()
    if not 2 <= len(different) <= MOST_CLASSES:
        raise DataError(f"column {name!r}: expected 2 to {MOST_CLASSES} classes, got {len(different)}")
    labels = np.array([different.index(cell) for cell in cells], np.int64)
    return labels, tuple(word[:24] for word in different)


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def rows_of(x: Samples, rows: Array) -> Array:
    """Some samples as floats."""
    return np.asarray(x[rows], np.float32) if isinstance(x, Pixels) else x[rows]
