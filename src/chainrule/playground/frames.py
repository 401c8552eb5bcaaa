"""How arrays travel to the page: one binary message of a header and the numbers as they are."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from chainrule.arrays import Array

KINDS = {"float32": "f4", "uint8": "u1", "int32": "i4"}


def pack(header: dict[str, Any], arrays: dict[str, Array]) -> bytes:
    """Length of the header (4 bytes, little-endian), the header as JSON, arrays of float32, int32 or uint8 as they are.

    Each array begins at a multiple of 4, counted from the end of the header. The header gets "arrays":
    {name: [kind, shape, where it begins]}.
    """
    where: dict[str, Any] = {}
    body: list[bytes] = []
    length = 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).tobytes()
        where[name] = [KINDS[array.dtype.name], list(array.shape), length]
        body.append(_padded(data, b"\0"))
        length += len(body[-1])
    text = _padded(json.dumps({**header, "arrays": where}, allow_nan=False).encode(), b" ")
    return b"".join([struct.pack("<I", len(text)), text, *body])


def _padded(data: bytes, filler: bytes) -> bytes:
    return data + filler * (-len(data) % 4)
