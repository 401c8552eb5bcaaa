"""Numbers as a reader wants them: four digits, large arrays by their corners, never dumped."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.arrays import Array

DIGITS = 4
MOST_WHOLE = 100  # numbers of an array that are given one by one in the dictionary form
GRID = 28  # rows and columns of a heat map at most
TILES = 8  # heat maps of one array at most
MINUS = "\N{MINUS SIGN}"


def number(value: Any) -> str:
    """One number to four digits, with a true minus sign: 0.3679, −1.25e−07, 12."""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, int | np.integer):
        return str(int(value)).replace("-", MINUS)
    text = f"{float(value):.{DIGITS}g}"
    return {"-0": "0"}.get(text, text).replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", MINUS)


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as people say it: "3 × 4", or "one number"."""
    return " × ".join(map(str, shape)) or "one number"


def picked(count: int, most: int) -> list[int | None]:
    """Which of `count` places are shown where `most` fit: all, or the first and the last with a gap (None) between."""
    if count <= most:
        return list(range(count))
    return [*range(most - 2), None, count - 1]


def rows_of(value: Array, most_rows: int, most_columns: int) -> list[list[str]]:
    """The numbers of an array as rows of text, with "…" where some are left out; more axes are read as rows."""
    table = value.reshape(1, -1) if value.ndim < 2 else value.reshape(-1, value.shape[-1])
    rows, columns = picked(table.shape[0], most_rows), picked(table.shape[1], most_columns)
    return [
        ["…" if i is None or j is None else number(table[i, j]) for j in columns]
        for i in rows
    ]  # fmt: skip


def inline(value: Any, most_rows: int = 3, most_columns: int = 4) -> str:
    """A value in one line: 0.25, [1 2 3], [1 2; 3 4], [0.1 0.2 … 0.9]; with its shape where it has more axes."""
    if isinstance(value, tuple | list):
        inner = ", ".join(inline(part) for part in value[:3])
        return f"({inner}, …)" if len(value) > 3 else f"({inner})"
    if isinstance(value, str):
        return value
    if np.ndim(value) == 0:
        return number(value[()] if isinstance(value, np.ndarray) else value)
    if value.size == 0:
        return "[]"
    rows = rows_of(value, most_rows, most_columns)
    text = "; ".join("…" if all(cell == "…" for cell in row) else " ".join(row) for row in rows)
    return f"[{text}]" if value.ndim <= 2 else f"[{text}]({'×'.join(map(str, value.shape))})"


def as_dict(value: Any, *, with_tiles: bool = True) -> dict[str, Any]:
    """A value for the dictionary form, made of what JSON knows: its shape, its numbers or what stands for them.

    Keys: "shape", "dtype", "text" (one line), "numbers" (nested lists; None for more than 100), "minimum", "maximum",
    "mean" (of the finite numbers; None where there are none), "zeros" (how many), and for more than 100 numbers
    "tiles", what heat maps of it show (see `tiles`), else None; the key is missing without `with_tiles`.
    """
    if isinstance(value, tuple | list | str):
        return {"shape": None, "dtype": type(value).__name__, "text": inline(value), "numbers": None}
    array = np.asarray(value)
    whole = array.size <= MOST_WHOLE
    finite = array[np.isfinite(array)].astype(np.float64)
    found = {
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "text": inline(value),
        "numbers": _json(array.tolist()) if whole else None,
        "minimum": float(finite.min()) if finite.size else None,
        "maximum": float(finite.max()) if finite.size else None,
        "mean": float(finite.mean()) if finite.size else None,
        "zeros": int(array.size - np.count_nonzero(array)),
    }
    return found | {"tiles": None if whole else _rounded(tiles(array))} if with_tiles else found


def tiles(array: Array) -> list[Array]:
    """What heat maps of an array show: at most 8 tables, of at most 28 × 28 numbers each, which are means of blocks.

    An array of more than two axes gives a table for each of its last two, such as the channels of an image; a single
    row whose length is a square is read as an image.
    """
    values = array.astype(np.float64)
    if values.ndim < 2 or (values.ndim == 2 and len(values) == 1):
        side = round(values.size**0.5)
        values = values.reshape(1, side, side) if side * side == values.size else values.reshape(1, 1, -1)
    return [_blocks(table) for table in values.reshape(-1, *values.shape[-2:])[:TILES]]


def _rounded(tables: list[Array]) -> Any:
    """Nested lists, to three digits of the largest number: a heat map shows no more."""
    largest = max(float(np.abs(table[np.isfinite(table)]).max(initial=0)) for table in tables)
    decimals = 2 - math.floor(math.log10(largest)) if largest else 0
    return [_json(np.round(table, decimals).tolist()) for table in tables]


def _blocks(table: Array) -> Array:
    for axis in (0, 1):
        starts = np.unique(np.linspace(0, table.shape[axis], GRID + 1).astype(int)[:-1])
        counts = np.diff([*starts, table.shape[axis]])
        summed = np.add.reduceat(table, starts, axis=axis)
        table = summed / (counts[:, None] if axis == 0 else counts)
    return table


def _json(value: Any) -> Any:
    """Nested lists with what JSON cannot say (NaN, infinity) as text."""
    if isinstance(value, list):
        return [_json(part) for part in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value
