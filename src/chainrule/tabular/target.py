"""The column to be predicted: classes by their names, or a number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import DataError, SettingError
from chainrule.tabular.numeric import are_slips, numbers
from chainrule.tabular.table import Table, as_text, numbers_in, shown

TASKS = ("classification", "regression")
MOST_CLASSES = 20  # of whole numbers, where nobody says that they are classes
FEWEST_ROWS = 5  # of each such class, on average


@dataclass(frozen=True)
class Target:
    """What is predicted: column `name`; `class_names` in their order, or None where it is a number."""

    name: str
    class_names: tuple[str, ...] | None

    @classmethod
    def fit(cls, table: Table, name: str, task: str | None = None) -> Target:
        """What the column `name` is, by its cells, or as the `task` says: "classification" or "regression".

        Text is classes. So are whole numbers where there are two of them, or at most twenty and five rows or more for
        each. Other numbers are numbers.

        Raises:
            SettingError: no such column, or no such task.
            DataError: empty, always the same, text for a regression, or text that is different in most rows.

        """
        if name not in table.columns:
            there = ", ".join(repr(other) for other in list(table.columns)[:20])
            raise SettingError(f"{table.source or 'table'}: there is no column {name!r}; there are {there}")
        if task is not None and task not in TASKS:
            raise SettingError(f"task: expected one of {', '.join(TASKS)}, got {task!r}")
        counts = Counter(class_cells(table.columns[name]).tolist())
        counts.pop("", 0)
        if len(counts) < 2:
            what = f"always {shown(next(iter(counts)))}" if counts else "empty"
            raise DataError(f"{table.source or 'table'}: column {name!r} is {what}; there is nothing to learn")
        if (task or _task(table, name, counts)) == "regression":
            numbers(table, name)
            return cls(name, None)
        if len(counts) > max(2, counts.total() / 2):
            raise DataError(
                f"{table.source or 'table'}: column {name!r} has {len(counts):,} different values in "
                f"{counts.total():,} rows; too many for classes"
            )
        return cls(name, tuple(sorted(counts, key=_in_order)))

    def known(self, table: Table) -> Array:
        """A mask (N,) of the rows in which the target is known."""
        cells = table.columns[self.name]
        return as_text(cells) != ""

    def encode(self, table: Table) -> Array:
        """The targets as a network takes them: labels (N,) int64, or values (N, 1) float32.

        Raises:
            DataError: a gap, or a value that is no number or none of the classes; names its line.

        """
        cells = table.columns[self.name]
        if self.class_names is None:
            values = numbers(table, self.name)
            self._check(np.isnan(values), table, "is empty")
            return values.astype(np.float32)[:, None]
        places = {name: place for place, name in enumerate(self.class_names)}
        labels = np.array([places.get(cell, -1) for cell in class_cells(cells).tolist()], np.int64)
        self._check(labels < 0, table, f"is none of the classes {', '.join(self.class_names[:10])}")
        return labels

    def _check(self, wrong: Array, table: Table, what: str) -> None:
        if wrong.any():
            row = int(wrong.argmax())
            cell = str(as_text(table.columns[self.name][row : row + 1])[0])
            raise DataError(f"{table.place(row, self.name)}: {shown(cell)} {what}")


def class_cells(cells: Array) -> Array:
    """A column (N,) as text, in which 1, 1.0 and 01 are one class where all cells are numbers."""
    values, strays = numbers_in(cells)
    return as_text(cells) if strays.any() or np.isinf(values).any() else as_text(values)


def _task(table: Table, name: str, counts: Counter[str]) -> str:
    """What a target with these counts of cells looks like; a slip among numbers does not make them classes."""
    values, strays = numbers_in(table.columns[name])
    known = values[~np.isnan(values)]
    whole = len(known) > 0 and bool((known[np.isfinite(known)] % 1 == 0).all() and np.isfinite(known).all())
    few = len(counts) == 2 or (len(counts) <= MOST_CLASSES and counts.total() >= FEWEST_ROWS * len(counts))
    if whole and few:
        return "classification"
    return "regression" if are_slips(int(strays.sum()), counts.total()) else "classification"


def _in_order(name: str) -> tuple[float, str]:
    """Numbers by size, then words by their letters."""
    number: Any = numbers_in(np.array([name], np.dtypes.StringDType()))[0][0]
    return (float("inf") if np.isnan(number) else float(number), name)
