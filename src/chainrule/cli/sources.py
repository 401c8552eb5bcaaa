"""Where a user's own data come from: a table, arrays, or a folder of pictures or sounds."""

from __future__ import annotations

from pathlib import Path

from chainrule.arrays import Shape
from chainrule.cli.folders import read_folder
from chainrule.cli.images import Samples
from chainrule.cli.npz import read_arrays
from chainrule.cli.own import OwnData, OwnPictures, OwnTable
from chainrule.cli.pictures import image_shape_of, learn_pictures, read_new_pictures, test_of_pictures
from chainrule.cli.recipe import one_of
from chainrule.cli.tables import is_table, learn_table, read_new_rows, read_table, test_of_table
from chainrule.data import DataSet
from chainrule.errors import DataError, SettingError
from chainrule.network import Network
from chainrule.tabular.inference import KINDS
from chainrule.tabular.preprocessor import preprocessor_of


def read_source(path: Path, shape: Shape | None = None) -> OwnTable | OwnPictures:
    """What a file or folder holds; pictures are brought to `shape` (C, H, W), where one is given.

    Raises:
        DataError: it cannot be understood; names file, line and column.
        MissingExtraError: a library is needed that is not installed.
        OSError, MemoryError: it cannot be read.

    """
    if path.is_dir():
        return read_folder(path, shape)
    if is_table(path):
        return read_table(path)
    if path.suffix.lower() == ".npz":
        return read_arrays(path)
    raise DataError(
        f"{path}: expected a table (.csv, .tsv, .txt, .parquet), arrays (.npz) or a folder with a folder of pictures "
        "for each class"
    )


def read_own(path: Path, *, target: str | None, task: str | None, column: list[str] | None) -> OwnData:
    """The data in a file or folder, ready to be learned from.

    Args:
        path: see `read_source`.
        target: the column to predict, of a table.
        task: "classification" or "regression"; None for what the target looks like.
        column: what is said of columns, `NAME=KIND` each.

    Raises:
        SettingError: an option that does not go with such data, or a column that there is not.
        DataError, MissingExtraError, OSError, MemoryError: see `read_source`.

    """
    found = read_source(path)
    if isinstance(found, OwnTable) and found.target is None:
        return learn_table(found, target=target, task=task, kinds=_kinds(column))
    for option, value in {"--target": target, "--column": column, "--task": task}.items():
        if value and not (option == "--task" and isinstance(found, OwnTable)):
            raise SettingError(f"{option}: belongs to a table of your own, which {path} is not")
    if isinstance(found, OwnTable):
        return learn_table(found, target=found.target, task=task, kinds={})
    return learn_pictures(found)


def read_test(network: Network, path: Path) -> DataSet:
    """What a network is to be measured on: what the file sets apart for that, or what was held back of the very data it
    was trained on; of any other data, all.

    Raises:
        DataError: the network was not trained on such data; and see `read_source`.

    """
    preprocessor, shape = preprocessor_of(network.metadata, network.input_shape), image_shape_of(network)
    found = read_source(path, shape)
    if isinstance(found, OwnTable) and preprocessor is not None:
        return test_of_table(network, preprocessor, found)
    if isinstance(found, OwnPictures) and shape is not None:
        return test_of_pictures(network, shape, found)
    kind = "a table" if isinstance(found, OwnTable) else "pictures"
    raise DataError(f"{path}: holds {kind}, which this network was not trained on")


def read_new(network: Network, path: Path) -> Samples | None:
    """Samples to ask a network about, where it was trained on a user's own data; else None.

    Raises:
        DataError: a column is missing, a cell or a picture cannot be read; see `read_source`.

    """
    preprocessor, shape = preprocessor_of(network.metadata, network.input_shape), image_shape_of(network)
    if preprocessor is not None:
        return read_new_rows(network, preprocessor, path)
    return None if shape is None else read_new_pictures(path, shape)


def _kinds(options: list[str] | None) -> dict[str, str]:
    """What `--column NAME=KIND`, given any number of times, says."""
    kinds = {}
    for option in options or []:
        name, equals, kind = option.rpartition("=")
        if not equals or not name:
            raise SettingError(f"--column {option}: expected NAME=KIND, such as zip=category")
        kinds[name] = one_of(kind, KINDS, f"--column {name}")
    return kinds
