"""A user's own data: as a file or folder holds them, and as samples to learn from and to test on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Labels, Samples, Shape
from chainrule.configuration import JSON
from chainrule.data import DataSet, held_back_by_class
from chainrule.errors import ModelFileError
from chainrule.network import Network
from chainrule.randomness import stream
from chainrule.tabular import Table

TEST_SHARE = 0.2
UNEVEN = 3  # times as many samples in the largest class as in the smallest: worth a word
MOST_TOLD = 10  # classes


@dataclass(frozen=True, eq=False)
class OwnTable:
    """A table as it was found.

    Args:
        table: its columns.
        sha256: by which the same file is known again.
        target: the column to predict, where the form of the file says it.
        test: a mask (N,) of the rows to test on, where the file says it.

    """

    table: Table
    sha256: str
    target: str | None = None
    test: Array | None = None


@dataclass(frozen=True, eq=False)
class OwnPictures:
    """Pictures as they were found.

    Args:
        source: the file or folder.
        images: (N, C, H, W) uint8.
        labels: the class of each (N,).
        class_names: one for each label.
        test: a mask (N,) of those to test on, where the file or folder says it.
        notes: what was done to them, in words.

    """

    source: str
    images: Array
    labels: Labels
    class_names: tuple[str, ...]
    test: Array | None = None
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """By which the same pictures are known again."""
        return hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest()


@dataclass(frozen=True, eq=False)
class OwnData:
    """Samples to learn from and to test on, what the model file must say of them, and what was found, in lines."""

    samples: DataSet
    metadata: dict[str, JSON]
    lines: tuple[str, ...]


def own_data_set(
    source: str,
    train: tuple[Samples, Array],
    test: tuple[Samples, Array],
    class_names: tuple[str, ...] | None,
    image_shape: Shape | None = None,
    description: str | None = None,
) -> DataSet:
    """A data set of the user's."""
    return DataSet(
        name=source,
        train=train,
        test=test,
        image_shape=image_shape,
        class_names=class_names,
        source=source,
        licence="your own data",
        description=description or f"{len(train[1]):,} samples to learn from, {len(test[1]):,} to test on.",
    )


def measured_set(
    source: str,
    test: tuple[Samples, Array],
    held_back: bool,
    class_names: tuple[str, ...] | None,
    image_shape: Shape | None = None,
) -> DataSet:
    """Samples of the user's to measure a network on, those held back from its training or all; none to learn from."""
    x, y = test
    which = "held back from the training" if held_back else "all of them"
    return own_data_set(source, (x[:0], y[:0]), test, class_names, image_shape, f"{len(y):,} samples, {which}.")


def test_rows(y: Array, classes: bool) -> Array:
    """A mask (N,) of the samples to test on, one in five, by class where there are classes.

    The same whatever the seed of a training, so that trainings can be compared.

    Raises:
        DataError: there are fewer than two samples.

    """
    return held_back_by_class(y if classes else np.zeros(len(y)), TEST_SHARE, stream(0, "test rows"))


def class_lines(labels: Labels, names: tuple[str, ...]) -> list[str]:
    """How many samples each class has, and a warning where that is uneven."""
    counts = np.bincount(labels, minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    told = ", ".join(f"{names[k]} {counts[k]:,} ({counts[k] / len(labels):.1%})" for k in order[:MOST_TOLD])
    lines = [f"{len(names)} classes: {told}{', …' if len(names) > MOST_TOLD else ''}."]
    most, fewest = order[0], order[-1]
    if counts[most] >= UNEVEN * counts[fewest]:
        lines.append(
            f"The classes are uneven: always to answer {names[most]!r} is right {counts[most] / len(labels):.1%} of "
            "the time. Look at the confusion matrix; --class-weight balanced has all classes count alike."
        )
    return lines


def class_names_of(network: Network) -> tuple[str, ...] | None:
    """The names of the classes as a model file states them; None where it has a number to predict.

    Raises:
        ModelFileError: they are no names.

    """
    stated = network.metadata.get("class_names")
    if stated is None:
        return None
    if not isinstance(stated, list) or len({str(name) for name in stated}) != len(stated):
        raise ModelFileError(f"class_names: expected different names, got {stated!r:.80}")
    return tuple(str(name) for name in stated)


def digest_of(content: bytes) -> str:
    """By which the same content is known again."""
    return hashlib.sha256(content).hexdigest()
