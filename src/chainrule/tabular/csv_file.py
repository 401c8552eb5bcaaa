"""Reading a CSV file as it is found in the wild; whatever cannot be understood is named by its line and column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import DataError
from chainrule.files import Pathlike, open_regular_file
from chainrule.tabular.memory import BYTES_PER_CELL, BYTES_PER_COLUMN, check_memory
from chainrule.tabular.table import GAPS, TEXT, Table, shown

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MOST_COLUMNS = 100_000
CHUNK = 10_000  # rows that are turned into columns together
BINARY = {
    b"PK": "a zip archive (an Excel file is one); save the sheet as CSV",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"PAR1": "a Parquet file; give it a name that ends in .parquet",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save the sheet as CSV",
    b"\x89PNG": "a picture",
    b"%PDF": "a PDF file",
}
_QUOTED = re.compile(r'"[^"]*"')
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


def read_csv(path: Pathlike) -> Table:
    """The table in a CSV file whose first line names the columns.

    The delimiter (comma, semicolon, tab or bar) is found by the first line; quoted cells may hold it, and line breaks.
    UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252. Where semicolons separate, 3,14 is a
    number. Spaces around a cell and empty lines do not count. Empty cells and NA, N/A, NaN, null, None, ? and - are
    gaps.

    Raises:
        DataError: not a CSV file, empty, without rows, more than 100,000 columns, two columns of one name, a line with
            more or fewer cells than the first, or a quote that is not closed; names the line and, where there is one,
            the column.
        MemoryError: the table would not fit.
        OSError: no such file, or it may not be read.

    """
    source = str(path)
    text, notes = _text(path, source)
    first = io.StringIO(text.lstrip(" \r\n"), newline="").readline()
    delimiter = max(DELIMITERS, key=_QUOTED.sub("", first).count)
    if delimiter != ",":
        notes.append(f"cells are separated by {DELIMITERS[delimiter]}s")
    if delimiter == ";":
        notes.append("commas in numbers are read as decimal points")
    columns = 1 + first.count(delimiter)
    if columns > MOST_COLUMNS:
        raise DataError(f"{source}: the first line names {columns:,} columns; a table has {MOST_COLUMNS:,} at most")
    check_memory(text.count(delimiter) * BYTES_PER_CELL + columns * BYTES_PER_COLUMN, f"{source}: the table")
    records = _records(text, delimiter, source)
    names = _names(*next(records), source)
    cells, lines = _columns(records, names, source, decimal_comma=delimiter == ";")
    return Table(dict(zip(names, cells, strict=True)), source, lines, tuple(notes))


def _text(path: Pathlike, source: str) -> tuple[str, list[str]]:
    """The file's content as text, and a note where its encoding had to be guessed."""
    with open_regular_file(path) as file:
        content = file.read()
    for magic, kind in BINARY.items():
        if content.startswith(magic):
            raise DataError(f"{source}: expected a CSV file, got {kind}")
    notes: list[str] = []
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    if encoding != "utf-16" and 0 in content:
        raise DataError(f"{source}: expected a CSV file, got binary data (a zero byte at {content.index(0)})")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise DataError(f"{source}: begins like UTF-16 text, but is damaged at byte {error.start}") from None
        text = content.decode("cp1252", errors="replace")
        line = content.count(b"\n", 0, error.start) + 1
        notes.append(f"not UTF-8 from line {line} on; read as Windows-1252")
    if not text.strip():
        raise DataError(f"{source}: the file is empty; expected names of columns on the first line, then rows")
    return text, notes


def _records(text: str, delimiter: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Each line's number and cells, stripped; empty lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "a quote is opened and not closed" if "unexpected end" in str(error) else f"damaged ({error})"
            raise DataError(f"{source}, line {line}: {what}; a quote inside a quoted cell is written twice") from None
        if any(cell.strip() for cell in cells) or len(cells) > 1:
            yield line, [cell.strip() for cell in cells]


def _names(line: int, header: list[str], source: str) -> list[str]:
    """The names of the columns; one without a name is called after its place."""
    names = [name or f"column {place}" for place, name in enumerate(header, 1)]
    places: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if name in places:
            raise DataError(
                f"{source}, line {line}: columns {places[name]} and {place} are both called {name!r}; "
                "the first line must name each column, and no two alike"
            )
        places[name] = place
    return names


def _columns(
    records: Iterator[tuple[int, list[str]]], names: list[str], source: str, *, decimal_comma: bool
) -> tuple[list[Array], Array]:
    """The cells of each column, and the line on which each row begins."""
    chunks: list[list[Array]] = []
    lines: list[int] = []
    while rows := list(islice(records, CHUNK)):
        for line, cells in rows:
            if len(cells) != len(names):
                raise DataError(f"{source}, line {line}: {_uneven(cells, names)}")
        lines += [line for line, _ in rows]
        by_column = zip(*(cells for _, cells in rows), strict=True)
        chunks.append([np.array([_cell(cell, decimal_comma) for cell in cells], TEXT) for cells in by_column])
    if not chunks:
        raise DataError(f"{source}: there are no rows below the names of the columns ({', '.join(names[:10])})")
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)], np.array(lines)


def _cell(cell: str, decimal_comma: bool) -> str:
    if cell.lower() in GAPS:
        return ""
    return cell.replace(",", ".") if decimal_comma and _DECIMAL_COMMA.fullmatch(cell) else cell


def _uneven(cells: list[str], names: list[str]) -> str:
    """What is wrong with a line of another length than the first."""
    expected = f"expected {len(names)} cells as on the first line, got {len(cells)}"
    if len(cells) < len(names):
        return f"{expected}; column {names[len(cells)]!r} and what follows it are missing"
    return f"{expected}; {shown(cells[len(names)])} stands after the last column, {names[-1]!r}"
