"""Heat maps as tiny PNG pictures within a page: blue below 0, white at 0, orange above; no library needed."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.numbers import tiles

BELOW, ZERO, ABOVE = (33, 102, 172), (247, 247, 247), (179, 88, 6)  # told apart by the colour-blind too
SMALLEST = 12  # numbers from which on a picture says more than they do
WIDEST, HIGHEST = 168, 112  # pixels on the page


def heat_map(value: Any) -> str:
    """<img>s of an array with its numbers as colours, all to one scale; "" for few numbers."""
    if not isinstance(value, np.ndarray) or value.size < SMALLEST or value.dtype.kind not in "fiub":
        return ""
    tables = [np.nan_to_num(table, posinf=0.0, neginf=0.0) for table in tiles(value)]
    full = max(float(np.abs(table).max(initial=0)) for table in tables)
    return "".join(_image(table, full) for table in tables)


def _image(cells: Array, full: float) -> str:
    rows, columns = cells.shape
    size = max(1, min(WIDEST // columns, HIGHEST // rows, 14))
    source = base64.b64encode(png(_colours(cells, full))).decode("ascii")
    return (
        f'<img alt="heat map, {rows} × {columns}" src="data:image/png;base64,{source}" width="{columns * size}" '
        f'height="{rows * size}" style="image-rendering:pixelated;border:1px solid #bbb;margin:2px 4px 2px 0">'
    )


def _colours(cells: Array, full: float) -> Array:
    """(rows, columns, 3) bytes; `full` is the magnitude that has the full colour."""
    strength = cells / max(full, 1e-300)
    ends = np.where(strength[..., None] < 0, np.array(BELOW, float), np.array(ABOVE, float))
    mixed = np.array(ZERO, float) + np.abs(strength)[..., None] * (ends - np.array(ZERO, float))
    return np.round(mixed).astype(np.uint8)


def png(pixels: Array) -> bytes:
    """The PNG file of (rows, columns, 3) bytes (ISO/IEC 15948)."""
    rows, columns, _ = pixels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(pixels))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
