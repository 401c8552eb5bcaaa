"""The IDX file format, in which MNIST and its relatives are kept. Source: mission item B1, and MNIST's own page:

00 00              always
08                 the type of the values: unsigned bytes
03                 how many dimensions: 3 for images, 1 for labels
00 00 ea 60        the size of each dimension, 4 bytes, most significant first: 60,000 images …
00 00 00 1c        … of 28 rows …
00 00 00 1c        … of 28 columns
…                  the values, the last dimension running fastest
"""

from math import prod
from typing import Any

import numpy as np

from chainrule.errors import DataError

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

UNSIGNED_BYTES = 8
CLASSES = 10


def parse_idx(content: bytes, name: str) -> Bytes:
    """The array in the IDX file `content`: (N,) for labels, (N, height, width) for images. A read-only view.

    `name` says in errors which file is meant.

    Raises:
        DataError: not an IDX file, values of another type, neither 1 nor 3 dimensions, or more or fewer bytes than
            the header promises. Nothing is allocated on the word of the header.

    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError(f"{name}: not an IDX file: expected it to begin with 00 00 08, got {_start(content)}")
    kind, dimensions = content[2], content[3]
    if kind != UNSIGNED_BYTES:
        raise DataError(f"{name}: expected values of IDX type 08 (unsigned bytes), got type {kind:02x}")
    if dimensions not in (1, 3):
        raise DataError(f"{name}: expected 3 dimensions (images) or 1 (labels), got {dimensions}")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise DataError(f"{name}: truncated: the header takes {start} bytes, the file has {len(content)}")
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    promised = start + prod(shape)
    if 0 in shape:
        raise DataError(f"{name}: expected something in every dimension, got the shape {shape}")
    if len(content) < promised:
        raise DataError(f"{name}: truncated: shape {shape} takes {promised} bytes, the file has {len(content)}")
    if len(content) > promised:
        raise DataError(f"{name}: shape {shape} takes {promised} bytes, but more follow")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def parse_images(content: bytes, name: str) -> Bytes:
    """`parse_idx` for a file that must hold images, (N, height, width). Raises DataError, also for labels."""
    images = parse_idx(content, name)
    if images.ndim != 3:
        raise DataError(f"{name}: expected images (3 dimensions), got labels (1 dimension): are the files mixed up?")
    return images


def parse_labels(content: bytes, name: str) -> Bytes:
    """`parse_idx` for a file that must hold labels 0 … 9, (N,). Raises DataError, also for images."""
    labels = parse_idx(content, name)
    if labels.ndim != 1:
        raise DataError(f"{name}: expected labels (1 dimension), got images (3 dimensions): are the files mixed up?")
    wrong = labels >= CLASSES
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f"{name}: labels must be 0 to {CLASSES - 1}; row {row} is {labels[row]}")
    return labels


def _start(content: bytes) -> str:
    return content[:4].hex(" ") or "an empty file"
