"""Every data set by its name."""

from collections.abc import Callable
from typing import Any

from chainrule.arrays import Array
from chainrule.data import mnist, toy
from chainrule.data.dataset import DataSet
from chainrule.data.digits import FILE as DIGITS_FILE
from chainrule.data.digits import load_digits
from chainrule.errors import SettingError

Maker = Callable[..., tuple[Array, Array]]


def _toy(name: str, make: Maker, class_names: tuple[str, ...] | None, description: str) -> Callable[[], DataSet]:
    """A loader of 400 samples to train and 400 others to test, made with the default settings."""

    def load() -> DataSet:
        return DataSet(
            name=name,
            train=make(samples=400, seed=0),
            test=make(samples=400, seed=1),
            image_shape=None,
            class_names=class_names,
            source=f"made by chainrule.data.{make.__name__}",
            licence="MIT, as the rest of Chainrule",
            description=description,
        )

    return load


_LOADERS: dict[str, Callable[[], DataSet]] = {
    "digits": load_digits,
    "mnist": mnist.load_mnist,
    "xor": _toy(
        "xor",
        toy.make_xor,
        ("equal signs", "opposite signs"),
        "Points in four quadrants, classed by whether just one coordinate is positive: no straight line does it.",
    ),
    "rings": _toy("rings", toy.make_rings, ("inner", "outer"), "Two rings, one around the other: the donut."),
    "spirals": _toy("spirals", toy.make_spirals, ("first arm", "second arm"), "Two spiral arms around each other."),
    "blobs": _toy("blobs", toy.make_blobs, ("right", "top left", "bottom left"), "Three round clouds of points."),
    "parabola": _toy("parabola", toy.make_parabola, None, "Noisy points near y = 2x² − x + ½, for regression."),
}

NAMES = tuple(_LOADERS)


def load(name: str) -> DataSet:
    """The data set called `name`, one of `NAMES`.

    Raises:
        SettingError: there is none of that name.
        DataError, DownloadError: see `load_mnist`.

    """
    return _LOADERS[_checked(name)]()


def where(name: str) -> list[str]:
    """Where the data set comes from on this machine, a line each: its files, or how it is made. Fetches nothing."""
    if _checked(name) == "digits":
        return [f"built in: {DIGITS_FILE}"]
    if name != "mnist":
        return ["made from a formula"]
    return [
        str(mnist.find(part) or f"{mnist.cache_folder() / part.name}.gz (not there yet: fetched when first used)")
        for part in mnist.PARTS
    ]


def fetch(name: str) -> list[str]:
    """Make sure the data set is on this machine; returns `where` it is. Raises SettingError, DownloadError."""
    if _checked(name) == "mnist":
        mnist.fetch_mnist()
    return where(name)


def _checked(name: Any) -> str:
    if name not in NAMES:
        raise SettingError(f"name: expected one of {', '.join(NAMES)}, got {name!r}")
    return str(name)
