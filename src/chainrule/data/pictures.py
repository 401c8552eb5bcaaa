"""Pictures in files, and folders of them, one folder for each class; by Pillow."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import DataError, MissingExtraError
from chainrule.files import Pathlike, read_regular_file

MOST_PIXELS = 50_000_000  # a picture of more is refused before it is unpacked
LONGEST_SIDE = 64  # pixels that pictures of a folder have at most


@dataclass(frozen=True, eq=False)
class ImageFolder:
    """The pictures of a folder: bytes (N, C, H, W), grey (C 1) or red, green and blue (C 3).

    Args:
        images: (N, C, H, W) uint8.
        labels: the class of each, (N,) int64.
        class_names: the names of the folders, in alphabetical order.
        files: where each lies.
        notes: what was done to the pictures, in words.

    """

    images: Array
    labels: Array
    class_names: tuple[str, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def read_image_folder(folder: Pathlike, shape: Shape | None = None) -> ImageFolder:
    """The pictures in the folders within `folder`, each of which is a class; folders within those belong to it.

    Files whose names begin with a dot do not count.

    Args:
        folder: holds a folder for each class, at least two.
        shape: (C, H, W) of all pictures; None for the size that most of them have, at most 64 pixels a side, and
            colour where one of them has it. Others are brought to it, with a black border rather than distortion.

    Raises:
        DataError: fewer than two classes, a folder without pictures, a file that is no picture; names it.
        MissingExtraError: Pillow is not installed.
        OSError: no such folder, or it may not be read.

    """
    classes = [place for place in sorted(Path(folder).iterdir()) if place.is_dir() and not place.name.startswith(".")]
    if len(classes) < 2:
        raise DataError(
            f"{folder}: expected a folder for each class, at least two, with its pictures; "
            f"there {'is one' if classes else 'is none'}"
        )
    files, labels = [], []
    for label, place in enumerate(classes):
        found = files_below(place)
        if not found:
            raise DataError(f"{place}: there is no file in this folder; expected the pictures of class {place.name!r}")
        files += found
        labels += [label] * len(found)
    images, notes = read_pictures(files, shape)
    names = tuple(place.name for place in classes)
    return ImageFolder(images, np.array(labels, np.int64), names, tuple(files), tuple(notes))


def files_below(folder: Path) -> list[Path]:
    """Every file in a folder and the folders within it, in order, but those whose names begin with a dot."""
    return sorted(place for place in folder.rglob("*") if place.is_file() and not place.name.startswith("."))


def read_pictures(files: Iterable[Path], shape: Shape | None = None) -> tuple[Array, list[str]]:
    """Pictures as bytes (N, C, H, W), and what was done to them, in words. See `read_image_folder`."""
    opened = [(file, open_picture(read_regular_file(file), str(file))) for file in files]
    channels, height, width = shape or _common_shape([picture for _, picture in opened])
    images = np.empty((len(opened), channels, height, width), np.uint8)
    resized = coloured = 0
    for n, (_, picture) in enumerate(opened):
        resized += picture.size != (width, height)
        coloured += channels == 1 and not _is_grey(picture)
        images[n] = _as_array(picture, channels, height, width)
    notes = [f"{resized:,} of {len(images):,} pictures resized to {width} × {height} pixels"] if resized else []
    plural = "" if coloured == 1 else "s"
    return images, [*notes, *([f"{coloured:,} picture{plural} converted to grey"] if coloured else [])]


def open_picture(content: bytes, name: str) -> Any:
    """The picture in the bytes of a file, unpacked, its right side up: an image of Pillow's.

    Raises:
        DataError: not a picture, damaged, or too large; `name` says which file.
        MissingExtraError: Pillow is not installed.

    """
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError:
        raise MissingExtraError("Pillow", "images", "reading a picture") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            picture = PIL.Image.open(io.BytesIO(content))
            if picture.width * picture.height > MOST_PIXELS:
                raise PIL.Image.DecompressionBombError
            picture.load()
            return PIL.ImageOps.exif_transpose(picture)
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise DataError(f"{name}: a picture of more than {MOST_PIXELS:,} pixels; make it smaller") from None
    except PIL.UnidentifiedImageError:
        raise DataError(
            f"{name}: neither a picture (PNG, JPEG, …) nor a NumPy array (.npy); it cannot be read"
        ) from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise DataError(f"{name}: a damaged picture ({error})") from None


def on_white(picture: Any) -> Any:
    """A picture with paper put behind what is transparent."""
    import PIL.Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        paper = PIL.Image.new("RGBA", picture.size, "white")
        return PIL.Image.alpha_composite(paper, picture)
    return picture


def _is_grey(picture: Any) -> bool:
    return picture.mode in ("1", "L", "LA") or picture.mode.startswith("I")


def _common_shape(pictures: list[Any]) -> Shape:
    """(C, H, W) that suits most of the pictures."""
    (width, height), _ = Counter(picture.size for picture in pictures).most_common(1)[0]
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    channels = 1 if all(_is_grey(picture) for picture in pictures) else 3
    return channels, max(1, round(height * scale)), max(1, round(width * scale))


def _as_array(picture: Any, channels: int, height: int, width: int) -> Array:
    """A picture as bytes (C, H, W)."""
    import PIL.Image
    import PIL.ImageOps

    if picture.mode.startswith("I"):  # 16 bits per pixel
        picture = PIL.Image.fromarray((np.asarray(picture).clip(0, 65535) // 257).astype(np.uint8))
    picture = on_white(picture).convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = PIL.ImageOps.pad(picture, (width, height), PIL.Image.Resampling.BILINEAR)
    array = np.asarray(picture)
    return array[None] if channels == 1 else array.transpose(2, 0, 1)
