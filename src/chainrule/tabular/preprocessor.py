"""`TabularPreprocessor`: from a table to the numbers a network takes, and back from a model file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import JSON
from chainrule.errors import DataError, ModelFileError, NotBuiltError, SettingError
from chainrule.tabular.column import Column, counted
from chainrule.tabular.inference import KINDS, fit_column
from chainrule.tabular.memory import check_memory
from chainrule.tabular.table import Table, as_table

FORMAT = 1


class TabularPreprocessor:
    """Numbers, categories, text and dates, with gaps and outliers, as one float32 array.

        preprocessor = TabularPreprocessor().fit(table)         # learns from the training rows alone
        print(preprocessor)                                     # what it decided, a line for each column
        x = preprocessor.transform(table)                       # (N, I)
        network.metadata["preprocessing"] = preprocessor.to_dict()      # goes into the model file
        TabularPreprocessor.from_dict(cr.load(path).metadata["preprocessing"])

    A table is a pandas DataFrame, a dict of columns, an array (N, I), or what `read_csv` and `read_parquet` give.
    After `fit` everything is plain numbers and words: no other library is needed.

    Args:
        kinds: of columns whose kind shall not be inferred: {"zip code": "category"}. Kinds are "number", "category",
            "text", "date" and "ignore".

    Raises:
        SettingError: a kind that there is not.

    """

    def __init__(self, kinds: Mapping[str, str] | None = None) -> None:
        self.kinds = dict(kinds or {})
        self.columns: list[Column] = []
        for name, kind in self.kinds.items():
            if kind not in KINDS:
                raise SettingError(f"kinds: {name}: expected one of {', '.join(KINDS)}, got {kind!r}")

    def fit(self, table: Any) -> Self:
        """Learn from the rows of a table what its columns are and by which figures they become numbers.

        Raises:
            DataError: no rows, a column that cannot be understood (names the line), or nothing to learn from.
            DataTypeError, ShapeError: not a table.
            SettingError: a kind was given for a column that there is not.

        """
        rows = as_table(table)
        if len(rows) == 0:
            raise DataError("table: expected at least one row to learn from, got none")
        for name in self.kinds:
            if name not in rows.columns:
                raise SettingError(f"kinds: there is no column {name!r}; there are {_listed(list(rows.columns))}")
        self.columns = [
            KINDS[self.kinds[name]].fit(rows, name) if name in self.kinds else fit_column(rows, name)
            for name in rows.columns
        ]
        if not self.feature_names:
            reasons = ", ".join(f"{column.name!r} ({column.report()})" for column in self.columns)
            raise DataError(f"{rows.source or 'table'}: there is no column to learn from: {reasons}")
        return self

    @property
    def feature_names(self) -> list[str]:
        """One name for each of the I numbers that a row becomes."""
        return [name for column in self.columns for name in column.feature_names]

    def transform(self, table: Any) -> Array:
        """The rows of a table as numbers (N, I) float32.

        Columns are found by their names, in any order; others are left alone.

        Raises:
            NotBuiltError: nothing was learned yet.
            DataError: a column is missing, or a cell cannot be read; names both.
            DataTypeError, ShapeError: not a table.
            MemoryError: the numbers would not fit.

        """
        rows = self._checked(table)
        needed = len(rows) * len(self.feature_names) * np.dtype(np.float32).itemsize
        check_memory(2 * needed, f"{rows.source or 'table'}: {len(rows):,} rows as numbers")
        x = np.empty((len(rows), len(self.feature_names)), np.float32)
        start = 0
        for column in self._used():
            stop = start + len(column.feature_names)
            x[:, start:stop] = column.transform(rows)
            start = stop
        return x

    def remarks(self, table: Any) -> list[str]:
        """What in a table was not met while learning, and how it is taken, in words. Raises as `transform` does."""
        rows = self._checked(table)
        known = {column.name for column in self.columns}
        extra = [name for name in rows.columns if name not in known]
        found = {column.name: column.remark(rows) for column in self._used()}
        texts = [f"column {name!r}: {text}" for name, text in found.items() if text]
        return [f"not used: {_listed(extra)}", *texts] if extra else texts

    def to_dict(self) -> dict[str, JSON]:
        """Everything that was learned, as JSON takes it. `from_dict` is the inverse."""
        return {"format": FORMAT, "columns": [column.configuration() for column in self.columns]}

    @classmethod
    def from_dict(cls, content: JSON) -> Self:
        """The preprocessor that `to_dict` described.

        Raises:
            ModelFileError: it is no such description; says what is wrong. Nothing in it is ever run.

        """
        if not isinstance(content, dict) or set(content) != {"format", "columns"}:
            raise ModelFileError(f"preprocessing: expected a format and columns, got {content!r:.80}")
        if content["format"] != FORMAT or not isinstance(content["columns"], list):
            raise ModelFileError(f"preprocessing: format {content['format']!r:.40}; this program reads {FORMAT}")
        made = cls()
        try:
            made.columns = [Column.from_configuration(column) for column in content["columns"]]
        except (SettingError, TypeError, ValueError) as error:
            raise ModelFileError(f"preprocessing: {error}") from error
        names = [column.name for column in made.columns]
        if len(set(names)) != len(names) or not made.feature_names:
            raise ModelFileError("preprocessing: two columns have one name, or none has a feature")
        return made

    def __str__(self) -> str:
        """A line for each column: its name, what it is, how many features it becomes, and what was decided."""
        lines = [(c.name, c.kind, str(len(c.feature_names) or "-"), c.report()) for c in self.columns]
        widths = [max((len(line[place]) for line in lines), default=0) for place in range(3)]
        return "\n".join(
            f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {count:>{widths[2]}}  {report}"
            for name, kind, count, report in lines
        )

    def _used(self) -> list[Column]:
        return [column for column in self.columns if column.feature_names]

    def _checked(self, table: Any) -> Table:
        """The table, with every column that is needed."""
        if not self.columns:
            raise NotBuiltError("the preprocessor has learned nothing yet; call fit with the training rows")
        rows = as_table(table)
        missing = [column.name for column in self._used() if column.name not in rows.columns]
        if missing:
            raise DataError(
                f"{rows.source or 'table'}: {counted(len(missing), 'column')} missing: {_listed(missing)}; "
                f"there are {_listed(list(rows.columns))}"
            )
        return rows


def preprocessor_of(metadata: Mapping[str, JSON], input_shape: Shape | None) -> TabularPreprocessor | None:
    """How a model with such metadata turns tables into its samples; None where it was not made for tables.

    Raises:
        ModelFileError: what it says cannot be, or does not fit the model.

    """
    if "preprocessing" not in metadata:
        return None
    preprocessor = TabularPreprocessor.from_dict(metadata["preprocessing"])
    made = len(preprocessor.feature_names)
    if input_shape != (made,):
        raise ModelFileError(f"preprocessing: makes {made} numbers of a row, the network takes {input_shape}")
    return preprocessor


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:10]) + (", …" if len(names) > 10 else "")
