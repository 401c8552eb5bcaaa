"""A user's own pictures on the command line: as samples, and as a saved network takes them."""

from __future__ import annotations

from math import prod
from pathlib import Path

from chainrule.arrays import Array, Pixels, Shape
from chainrule.cli.images import Samples, read_samples
from chainrule.cli.own import OwnData, OwnPictures, class_lines, class_names_of, measured_set, own_data_set, test_rows
from chainrule.data import DataSet
from chainrule.data.npy import NPY
from chainrule.data.pictures import files_below, read_pictures
from chainrule.errors import DataError
from chainrule.files import open_regular_file
from chainrule.network import Network


def learn_pictures(own: OwnPictures) -> OwnData:
    """Pictures as samples, one in five of each class held back, or those that the folder sets apart."""
    channels, height, width = own.images.shape[1:]
    test = test_rows(own.labels, classes=True) if own.test is None else own.test
    kind = "grey" if channels == 1 else "colour"
    lines = [
        f"{own.source}: {len(own.images):,} pictures of {width} × {height} pixels, {kind}.",
        *(f"{note[0].upper()}{note[1:]}." for note in own.notes),
        *class_lines(own.labels, own.class_names),
    ]
    samples = own_data_set(own.source, _rows(own, ~test), _rows(own, test), own.class_names, (channels, height, width))
    return OwnData(samples, {"sha256": own.sha256}, tuple(lines))


def test_of_pictures(network: Network, shape: Shape, own: OwnPictures) -> DataSet:
    """The pictures to measure a network on, see `read_test`. Raises DataError for other classes or another size."""
    names = class_names_of(network)
    if own.class_names != names:
        raise DataError(
            f"{own.source}: holds the classes {', '.join(own.class_names)}, the network knows {', '.join(names or ())}"
        )
    if own.images.shape[1:] != shape:
        raise DataError(f"{own.source}: expected pictures (C, H, W) of {shape}, got {own.images.shape[1:]}")
    test = own.test
    if test is None and own.sha256 == network.metadata.get("sha256"):
        test = test_rows(own.labels, classes=True)
    chosen = _rows(own, slice(None) if test is None else test)
    return measured_set(own.source, chosen, test is not None, names, shape)


def image_shape_of(network: Network) -> Shape | None:
    """(C, H, W) of the pictures that a network was trained on, if its file says so in a way that fits."""
    stated = network.metadata.get("image_shape")
    if not isinstance(stated, list) or len(stated) != 3:
        return None
    shape = tuple(n for n in stated if type(n) is int and n > 0)
    return shape if len(shape) == 3 and shape[0] in (1, 3) and network.input_shape == (prod(shape),) else None


def read_new_pictures(path: Path, shape: Shape) -> Samples:
    """A picture, those in a folder, or an array of pictures, for a network that takes them in `shape` (C, H, W)."""
    if path.is_dir():
        files = files_below(path)
        if not files:
            raise DataError(f"{path}: there is no file in this folder; expected pictures")
        images, notes = read_pictures(files, shape)
        names = tuple(str(file.relative_to(path)) for file in files)
        return Samples(Pixels(images.reshape(len(images), -1)), tuple(notes), names)
    with open_regular_file(path) as file:
        is_array = file.read(len(NPY)) == NPY
    if is_array:
        return read_samples(path, prod(shape), shape)
    images, notes = read_pictures([path], shape)
    return Samples(Pixels(images.reshape(1, -1)), tuple(notes))


def _rows(own: OwnPictures, chosen: Array | slice) -> tuple[Pixels, Array]:
    images = own.images[chosen]
    return Pixels(images.reshape(len(images), prod(own.images.shape[1:]))), own.labels[chosen]
