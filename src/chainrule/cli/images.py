"""Samples from a user's file: a picture, or an array in NumPy's .npy form."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, Pixels, Shape
from chainrule.data.npy import NPY, read_npy
from chainrule.data.pictures import on_white, open_picture
from chainrule.errors import DataError, ShapeError
from chainrule.files import Pathlike, read_regular_file


@dataclass(frozen=True)
class Samples:
    """Rows of features x (N, I), what was done to the file's content to get them, and the files they came from."""

    x: Array | Pixels
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None


def read_samples(path: Pathlike, features: int, image_shape: Shape | None) -> Samples:
    """The samples in the file `path`, for a network of so many features, whose images have `image_shape`.

    Raises:
        DataError: neither a picture nor an .npy file, damaged, or of the wrong shape; says what was expected.
        MissingExtraError: a picture, and Pillow is not installed.
        OSError: no such file, or it may not be read.

    """
    content = read_regular_file(path)
    if content.startswith(NPY):
        return _from_array(read_npy(content, str(path)), str(path), features, image_shape)
    if image_shape is None:
        raise DataError(f"{path}: this network takes {features} numbers per sample, not pictures; give it an .npy file")
    pixels, notes = read_picture(content, str(path), image_shape)
    return Samples(pixels.reshape(1, -1), tuple(notes))


def _from_array(array: Array, name: str, features: int, image_shape: Shape | None) -> Samples:
    """An array of one sample or of many as rows."""
    rows = None
    if array.shape in ((features,), image_shape):
        rows = array.reshape(1, features)
    elif array.ndim > 1 and array.shape[1:] in ((features,), image_shape):
        rows = array.reshape(len(array), features)
    if rows is None or len(rows) == 0:
        image = f", (N, {', '.join(map(str, image_shape))}) or {tuple(image_shape)}" if image_shape else ""
        raise ShapeError(f"{name}: expected samples of shape (N, {features}){image}, got an array {array.shape}")
    if image_shape and rows.dtype == np.uint8 and rows.max() > 1:
        return Samples(np.divide(rows, 255, dtype=np.float32), ("divided by 255: the network takes greys from 0 to 1",))
    if image_shape and (rows.min() < 0 or rows.max() > 1):
        return Samples(rows, (f"values from {rows.min():g} to {rows.max():g}; the network takes greys from 0 to 1",))
    return Samples(rows)


def read_picture(content: bytes, name: str, image_shape: Shape) -> tuple[Array, list[str]]:
    """The picture in `content` as ink (H, W), 0 for none and 1 for full, and what was done to it, in words.

    What is transparent counts as white. Colours become grey. A picture whose border is light is taken for dark ink
    on paper and inverted, for the data sets have ink as 1. A picture of another size is resized; one of other
    proportions gets a border first, so that nothing is distorted.

    Raises:
        DataError: not a picture, damaged, or too large; `name` says which file.
        MissingExtraError: Pillow is not installed.

    """
    picture = open_picture(content, name)
    import PIL.Image
    import PIL.ImageOps

    grey, notes = _grey(PIL.Image, picture)
    ground = _ground(np.asarray(grey))
    if ground > 127:
        notes.append("inverted: it has a light ground, the network takes light ink on a dark one")
        grey, ground = PIL.ImageOps.invert(grey), 255 - ground
    height, width = image_shape
    if grey.size != (width, height):
        notes.append(f"resized from {grey.width} × {grey.height} to {width} × {height} pixels")
        grey = _resized(PIL.ImageOps, PIL.Image, grey, (width, height), ground)
    return np.asarray(grey, np.float32) / 255, notes


def _grey(image: Any, picture: Any) -> tuple[Any, list[str]]:
    """The picture in 256 greys, and a note if it was anything else."""
    if picture.mode == "L":
        return picture, []
    if picture.mode.startswith("I"):  # 16 bits per pixel
        return image.fromarray((np.asarray(picture).clip(0, 65535) // 257).astype(np.uint8)), []
    return on_white(picture).convert("L"), ["converted to grey"]


def _ground(grey: Array) -> int:
    """The median of the picture's border."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return int(np.median(border))


def _resized(operations: Any, image: Any, grey: Any, size: tuple[int, int], ground: int) -> Any:
    """The picture at `size`, each new pixel the mean of the old ones it covers."""
    width, height = size
    scale = max(grey.width / width, grey.height / height)  # old pixels per new one
    padded = operations.pad(grey, (round(width * scale), round(height * scale)), color=ground)
    return padded.resize(size, image.Resampling.BOX)
