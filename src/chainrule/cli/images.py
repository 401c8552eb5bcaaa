"""Samples from a user's file: a picture, or an array in NumPy's .npy form."""

import io
import warnings
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import DataError, MissingExtraError, ShapeError
from chainrule.files import Pathlike, read_regular_file

NPY = b"\x93NUMPY"
MOST_PIXELS = 50_000_000  # a picture of more is refused before it is unpacked


@dataclass(frozen=True)
class Samples:
    """Rows of features x (N, I), and what was done to the file's content to get them, in words."""

    x: Array
    notes: tuple[str, ...] = ()


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


def read_npy(content: bytes, name: str) -> Array:
    """The array of numbers in an .npy file. Never unpickles, and takes no more memory than the file.

    Raises:
        DataError: damaged, cut short, or holding anything but numbers; `name` says which file.

    """
    shape, fortran, dtype, start = _npy_header(content, name)
    if dtype.kind not in "fiub":
        raise DataError(f"{name}: expected an array of numbers, got dtype {dtype}; it was not opened")
    if prod(shape) * dtype.itemsize != len(content) - start or min(shape, default=0) < 0:
        raise DataError(f"{name}: damaged: an array {shape} of {dtype} does not fit the file's length")
    return np.frombuffer(content, dtype, prod(shape), start).reshape(shape, order="F" if fortran else "C")


def _npy_header(content: bytes, name: str) -> tuple[Shape, bool, np.dtype[Any], int]:
    """Shape, whether in Fortran order, dtype, and where the numbers start."""
    file = io.BytesIO(content)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        with warnings.catch_warnings(action="ignore"):
            shape, fortran, dtype = read[np.lib.format.read_magic(file)](file)
    except Exception as error:  # a header is Python text, and NumPy lets through whatever its tokenizer raises
        raise DataError(f"{name}: a damaged .npy file ({type(error).__name__}: {error})") from None
    return shape, fortran, dtype, file.tell()


def _from_array(array: Array, name: str, features: int, image_shape: Shape | None) -> Samples:
    """An array of one sample or of many as rows."""
    rows = None
    if array.shape in ((features,), image_shape):
        rows = array.reshape(1, features)
    elif array.ndim > 1 and array.shape[1:] in ((features,), image_shape):
        rows = array.reshape(len(array), features)
    if rows is None or len(rows) == 0:
        image = f", (N, {image_shape[0]}, {image_shape[1]}) or {tuple(image_shape)}" if image_shape else ""
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
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError:
        raise MissingExtraError("Pillow", "images", "reading a picture") from None
    picture = _open(PIL.Image, PIL.ImageOps, content, name)
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


def _open(image: Any, operations: Any, content: bytes, name: str) -> Any:
    """The picture, unpacked, its right side up."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", image.DecompressionBombWarning)
            picture = image.open(io.BytesIO(content))
            if picture.width * picture.height > MOST_PIXELS:
                raise image.DecompressionBombError
            picture.load()
            return operations.exif_transpose(picture)
    except (image.DecompressionBombError, image.DecompressionBombWarning):
        raise DataError(f"{name}: a picture of more than {MOST_PIXELS:,} pixels; make it smaller") from None
    except image.UnidentifiedImageError:
        raise DataError(
            f"{name}: neither a picture (PNG, JPEG, …) nor a NumPy array (.npy); it cannot be read"
        ) from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise DataError(f"{name}: a damaged picture ({error})") from None


def _grey(image: Any, picture: Any) -> tuple[Any, list[str]]:
    """The picture in 256 greys, and a note if it was anything else."""
    if picture.mode == "L":
        return picture, []
    if picture.mode.startswith("I"):  # 16 bits per pixel
        return image.fromarray((np.asarray(picture).clip(0, 65535) // 257).astype(np.uint8)), []
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        paper = image.new("RGBA", picture.size, "white")
        picture = image.alpha_composite(paper, picture)
    return picture.convert("L"), ["converted to grey"]


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
