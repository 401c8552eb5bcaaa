"""Parquet files, by pyarrow."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import DataError, MissingExtraError
from chainrule.files import Pathlike, read_regular_file
from chainrule.tabular.memory import BYTES_PER_CELL, BYTES_PER_COLUMN, check_memory
from chainrule.tabular.table import Table, as_table


def read_parquet(path: Pathlike) -> Table:
    """The table in a Parquet file. Columns are numbers, text, yes or no, dates or dictionaries of these.

    Raises:
        MissingExtraError: pyarrow is not installed.
        DataError: not a Parquet file, damaged, or without rows.
        DataTypeError: a column of lists, bytes or another kind that is no cell of a table.
        MemoryError: the table would not fit.
        OSError: no such file, or it may not be read.

    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet", "reading a Parquet file") from None
    content = read_regular_file(path)
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        rows, columns = file.metadata.num_rows, file.metadata.num_columns
        check_memory(columns * (rows * BYTES_PER_CELL + BYTES_PER_COLUMN), f"{path}: the table")
        found = file.read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a Parquet file, or a damaged one ({str(error).splitlines()[0]})") from None
    if found.num_rows == 0:
        raise DataError(f"{path}: there are no rows below the names of the columns")
    names = found.column_names
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"{path}: two columns are called {twice[0]!r}; give each a name of its own")
    table = as_table({name: _cells(found.column(place), pa) for place, name in enumerate(names)})
    return Table(table.columns, str(path))


def _cells(column: Any, pa: Any) -> Any:
    """One column: float64 with NaN for gaps, or a list of what Python has for its cells."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return column.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
    return column.to_pylist()
