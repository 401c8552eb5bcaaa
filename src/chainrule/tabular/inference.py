"""What kind a column is, by its cells."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import DataError
from chainrule.tabular.category import MOST_CATEGORIES, CategoryColumn
from chainrule.tabular.column import Column
from chainrule.tabular.date import DateColumn, is_date
from chainrule.tabular.ignored import IgnoredColumn
from chainrule.tabular.numeric import NumericColumn, are_slips
from chainrule.tabular.table import Table, as_text, numbers_in, shown
from chainrule.tabular.text import TextColumn

KINDS: dict[str, type[Column]] = {
    kind.kind: kind for kind in (NumericColumn, CategoryColumn, TextColumn, DateColumn, IgnoredColumn)
}
FEW = 10  # cells that may all differ without naming the rows
SENTENCE = 3  # words on average: such cells are text
DIFFERENT = 0.9  # of the cells: such a column names the rows
IDENTIFIER = re.compile(r"(?i:(.*[^a-z])?(id|idx|index|no|nr|number|row))|.*[a-z]I[dD]|column 1")


def fit_column(table: Table, name: str) -> Column:
    """The column `name`, of the kind that its cells suggest, its figures learned from the rows of `table`.

    * No cell filled, or all the same: ignored.
    * Numbers throughout: a number; ignored where it only numbers the rows and is called so (id, index, …).
    * Dates such as 2024-03-31 throughout: a date.
    * More than two words a cell, and hardly one twice: text.
    * Nearly every cell different: ignored, it names the rows.
    * Anything else: a category.

    Raises:
        DataError: numbers but for a few cells; names the first of them.

    """
    cells = as_text(table.columns[name])
    counts = Counter(cells.tolist())
    gaps = counts.pop("", 0)
    if not counts:
        return IgnoredColumn(name, "empty")
    if len(counts) == 1 and not gaps:
        return IgnoredColumn(name, f"always {shown(next(iter(counts)))}")
    x, strays = numbers_in(table.columns[name])
    if not strays.any():
        return IgnoredColumn(name, "numbers the rows") if _numbers_rows(x, name) else NumericColumn.fit(table, name)
    _check_slips(table, name, strays, counts.total())
    if all(is_date(cell) for cell in counts):
        return DateColumn.fit(table, name)
    words = sum(len(cell.split()) * often for cell, often in counts.items()) / counts.total()
    if words >= SENTENCE and len(counts) > min(MOST_CATEGORIES, counts.total() / 2):
        return TextColumn.fit(table, name)
    if len(counts) > max(FEW, DIFFERENT * counts.total()):
        return IgnoredColumn(name, f"nearly every row has another value, such as {shown(next(iter(counts)))}")
    return CategoryColumn.fit(table, name)


def _numbers_rows(x: Array, name: str) -> bool:
    """Whether a column x (N,) has another whole number in each row, and the name of one that does no more."""
    return bool(IDENTIFIER.fullmatch(name)) and len(np.unique(x)) == len(x) and bool((x % 1 == 0).all())


def _check_slips(table: Table, name: str, strays: Array, filled: int) -> None:
    """Raise a DataError where a few cells keep a column from being numbers."""
    count = int(strays.sum())
    if not are_slips(count, filled):
        return
    row = int(strays.argmax())
    share = f"the other {filled - count:,} cells are" if count == 1 else f"{filled - count:,} of {filled:,} cells are"
    raise DataError(
        f"{table.place(row, name)}: {shown(as_text(table.columns[name])[row])} is not a number, but {share}; "
        f"correct it, leave it empty, or say that the column is something else ({name}=category)"
    )
