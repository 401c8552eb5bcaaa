"""A table: columns by their names, as text or as numbers, wherever they came from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, as_numbers
from chainrule.errors import DataError, DataTypeError, ShapeError
from chainrule.tabular.memory import BYTES_PER_COLUMN, check_memory

TEXT = np.dtypes.StringDType()  # a gap is the empty text
GAPS = {"", "na", "n/a", "#n/a", "nan", "<na>", "nat", "null", "none", "?", "-"}  # in any case: there is no value


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one length by their names. A column (N,) is text, "" where there is nothing, or float64, NaN there.

    Args:
        columns: at least one, in their order.
        source: the file it was read from, for messages; "" if none.
        lines: on which line of the file each row begins (N,); None where rows are simply counted, from 0.
        notes: what reading it had to decide, in words.

    """

    columns: dict[str, Array]
    source: str = ""
    lines: Array | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values())))

    def place(self, row: int, name: str) -> str:
        """A cell in words, to begin a message with: "data.csv, line 7, column 'age'"."""
        where = f"row {row}" if self.lines is None else f"line {self.lines[row]}"
        return ", ".join(filter(None, [self.source, where, f"column {name!r}"]))

    def rows(self, chosen: Array) -> Table:
        """The rows that a mask or row numbers choose."""
        columns = {name: cells[chosen] for name, cells in self.columns.items()}
        return Table(columns, self.source, None if self.lines is None else self.lines[chosen], self.notes)

    def without(self, name: str) -> Table:
        """The other columns."""
        columns = {other: cells for other, cells in self.columns.items() if other != name}
        if not columns:
            raise DataError(f"{self.source or 'table'}: {name!r} is the only column; there is nothing to learn it from")
        return Table(columns, self.source, self.lines, self.notes)


def as_table(value: Any) -> Table:
    """A table of `value`: a Table, a pandas DataFrame, a dict of columns, or an array of numbers (N, I).

    The columns of an array are called x0, x1, …. Cells are numbers, text, True and False, dates, None.

    Raises:
        DataTypeError: something else, or cells that are none of these.
        ShapeError: no columns, or columns of different lengths.
        DataError: two columns have one name.

    """
    if isinstance(value, Table):
        return value
    if isinstance(value, Mapping):
        return _table(value.items())
    if hasattr(value, "columns") and hasattr(value, "iloc"):  # a DataFrame
        return _table((name, value.iloc[:, place]) for place, name in enumerate(value.columns))
    numbers = as_numbers(value, "table")
    if numbers.ndim != 2:
        raise ShapeError(f"table: expected rows and columns (N, I), got an array {numbers.shape}; pass x[:, None]")
    check_memory(numbers.size * np.dtype(np.float64).itemsize + numbers.shape[1] * BYTES_PER_COLUMN, "the table")
    return _table((f"x{place}", numbers[:, place]) for place in range(numbers.shape[1]))


def as_text(cells: Array) -> Array:
    """A column (N,) as text; whole numbers without a decimal point, as most files have them."""
    if cells.dtype == TEXT:
        return cells
    return np.array([_number_as_text(value) for value in cells.tolist()], TEXT)


def numbers_in(cells: Array) -> tuple[Array, Array]:
    """A column's numbers (N,), NaN where there is none, and a mask (N,) of the cells that hold something else."""
    if cells.dtype != TEXT:
        return cells, np.zeros(len(cells), bool)
    found = [_number(cell) for cell in cells.tolist()]
    strays = np.array([number is None for number in found], bool)
    return np.array([math.nan if number is None else number for number in found]), strays


def shown(cell: str) -> str:
    """A cell in quotes, cut short."""
    return repr(cell if len(cell) <= 40 else f"{cell[:39]}…")


def _number(cell: str) -> float | None:
    """The number a cell holds, NaN for a gap, None for anything else."""
    if not cell:
        return math.nan
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _number_as_text(number: float) -> str:
    if math.isnan(number):
        return ""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _table(pairs: Iterable[tuple[Any, Any]]) -> Table:
    columns: dict[str, Array] = {}
    for key, cells in pairs:
        name = str(key)
        if name in columns:
            raise DataError(f"table: two columns are called {name!r}; give each a name of its own")
        columns[name] = _column(cells, name)
    if not columns:
        raise ShapeError("table: expected at least one column, got none")
    lengths = {name: len(cells) for name, cells in columns.items()}
    first = next(iter(lengths))
    for name, length in lengths.items():
        if length != lengths[first]:
            raise ShapeError(f"table: column {first!r} has {lengths[first]} cells, column {name!r} {length}")
    return Table(columns)


def _column(cells: Any, name: str) -> Array:
    """The cells of one column as float64 or text."""
    if isinstance(cells, np.ma.MaskedArray):
        raise DataTypeError(f"column {name!r}: masked arrays are not understood; fill the gaps, or write NaN there")
    kind = str(getattr(getattr(cells, "dtype", None), "kind", ""))
    if kind and kind in "iuf":
        is_series = hasattr(cells, "to_numpy")  # of pandas, whose gaps need not be NaN
        values = cells.to_numpy(dtype=np.float64, na_value=math.nan) if is_series else np.asarray(cells, np.float64)
    else:
        values = np.array([_cell(cell, name) for cell in cells], TEXT)
    if values.ndim != 1:
        raise ShapeError(f"column {name!r}: expected one cell per row (N,), got an array {values.shape}")
    return values


def _cell(cell: Any, name: str) -> str:
    """One cell as text, "" for a gap."""
    if isinstance(cell, bytes | complex | np.complexfloating | list | dict | tuple | np.ndarray):
        raise DataTypeError(
            f"column {name!r}: expected numbers, text, dates, True or False, got {type(cell).__name__} ({cell!r:.40})"
        )
    if isinstance(cell, float | np.floating):
        return _number_as_text(float(cell))
    text = str(cell).strip()
    return "" if text.lower() in GAPS else text
