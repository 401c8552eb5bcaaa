"""Folders on the command line: pictures or sounds, a folder for each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chainrule.arrays import Shape
from chainrule.cli.own import OwnPictures, OwnTable, digest_of
from chainrule.data import read_image_folder, read_wav, sound_features
from chainrule.data.pictures import files_below
from chainrule.errors import DataError
from chainrule.files import read_regular_file
from chainrule.tabular import Table, as_table

SPLIT = {"train", "test"}  # where these are the folders, each holds a folder for each class
CLASS = "class"  # the column that names a sound's folder


def read_folder(folder: Path, shape: Shape | None) -> OwnTable | OwnPictures:
    """What a folder holds: sounds where every file is a .wav, else pictures, brought to `shape` where one is given.

    Raises:
        DataError: there is no file, or one that is neither; see `read_image_folder` and `read_wav`.

    """
    files = files_below(folder)
    if not files:
        raise DataError(f"{folder}: there is no file in this folder; expected a folder of pictures for each class")
    if all(file.suffix.lower() == ".wav" for file in files):
        return _sounds(folder, files)
    if {place.name for place in folder.iterdir() if place.is_dir()} == SPLIT:
        return _split_pictures(folder, shape)
    found = read_image_folder(folder, shape)
    return OwnPictures(str(folder), found.images, found.labels, found.class_names, notes=found.notes)


def read_sounds(files: list[Path]) -> Table:
    """The features of each WAV file in a row."""
    rows = np.stack([sound_features(*read_wav(file)) for file in files])
    bands = rows.shape[1] // 2
    names = [f"band {k} {what}" for what in ("loudness", "change") for k in range(bands)]
    return as_table({name: rows[:, place] for place, name in enumerate(names)})


def _split_pictures(folder: Path, shape: Shape | None) -> OwnPictures:
    train = read_image_folder(folder / "train", shape)
    test = read_image_folder(folder / "test", train.images.shape[1:])
    if test.class_names != train.class_names:
        raise DataError(
            f"{folder}: train holds the classes {', '.join(train.class_names)}, test {', '.join(test.class_names)}"
        )
    return OwnPictures(
        str(folder),
        np.concatenate([train.images, test.images]),
        np.concatenate([train.labels, test.labels]),
        train.class_names,
        np.arange(len(train.labels) + len(test.labels)) >= len(train.labels),
        tuple(f"{part}: {note}" for part, found in (("train", train), ("test", test)) for note in found.notes),
    )


def _sounds(folder: Path, files: list[Path]) -> OwnTable:
    outside = [file for file in files if file.parent == folder]
    if outside:
        raise DataError(f"{outside[0]}: expected a folder for each class, and the sounds in there")
    classes = as_table({CLASS: [file.relative_to(folder).parts[0] for file in files]})
    table = Table({**read_sounds(files).columns, **classes.columns}, str(folder))
    sha256 = digest_of(b"".join(bytes.fromhex(digest_of(read_regular_file(file))) for file in files))
    return OwnTable(table, sha256, target=CLASS)
