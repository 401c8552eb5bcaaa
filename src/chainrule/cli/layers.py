"""The little language of `--layers`: `784-30-10` (sizes) or `30,sigmoid,10` (layers by name)."""

import dataclasses
import re
from typing import Any

from chainrule.configuration import Configurable
from chainrule.errors import SettingError
from chainrule.initializers import Glorot, He, Initializer, Normal, Zeros
from chainrule.layers import Layer, LeakyReLU, Linear, ReLU, Softplus

STARTS = ("glorot", "he", "normal")
RECTIFIERS = (ReLU, LeakyReLU, Softplus)  # of the activations, those that He's start was worked out for


def known_layers() -> dict[str, type[Layer]]:
    """The layers that need no setting, by their name in small letters."""
    kinds = [kind for kind in Configurable.register.values() if issubclass(kind, Layer)]
    return {kind.__name__.lower(): kind for kind in kinds if dataclasses.is_dataclass(kind) and not _required(kind)}


def _required(kind: Any) -> list[str]:
    """The settings of a layer that have no default."""
    return [
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]


def parse_layers(text: str, features: int, *, activation: str, start: str | None = None) -> list[Layer]:
    """The layers that `text` asks for.

    Args:
        text: sizes from input to output with dashes between, or whole numbers (fully connected layers of that many
            outputs) and names of layers with commas between.
        features: of one sample; a dashed text must begin with it.
        activation: the layer that stands after every hidden one of a dashed text.
        start: where weights start: "glorot", "he" or "normal"; None for He's before rectifiers, else Glorot's.

    Raises:
        SettingError: says what is wrong in `text`.

    """
    if is_dashed(text):
        sizes = [_size(part, text) for part in text.split("-")]
        if sizes[0] != features:
            better = "-".join([str(features), *text.strip().split("-")[1:]])
            raise SettingError(
                f"--layers {text}: begins with {sizes[0]}, but a sample has {features} features; write {better}"
            )
        layers: list[Layer] = []
        for size in sizes[1:]:
            layers += [Linear(size), named_layer(activation, "--activation")]
        layers.pop()  # a network ends in raw scores
    else:
        layers = [_layer(part.strip(), text) for part in text.split(",")]
    return _started(layers, start)


def is_dashed(text: str) -> bool:
    """Whether `text` gives sizes from input to output."""
    return re.fullmatch(r"\s*\d+(-\d+)+\s*", text) is not None


def named_layer(name: str, option: str) -> Layer:
    """A new layer by its name, whatever its case. Raises SettingError."""
    known = known_layers()
    if name.strip().lower() not in known:
        raise SettingError(f"{option}: {name!r} is not the name of a layer; known are {', '.join(known)}")
    return known[name.strip().lower()]()


def _layer(part: str, text: str) -> Layer:
    if not part:
        raise SettingError(f"--layers {text!r}: a layer is missing; write for example 64-100-10 or 100,relu,10")
    if part.isascii() and part.isdigit():
        return Linear(_size(part, text))
    return named_layer(part, f"--layers {text}")


def _size(part: str, text: str) -> int:
    size = int(part) if len(part.strip()) < 10 else 0
    if size < 1:
        raise SettingError(f"--layers {text}: a size must be a whole number from 1 to 999999999, got {part.strip()}")
    return size


def _started(layers: list[Layer], start: str | None) -> list[Layer]:
    """`layers` with their weights where `start` says."""
    for position, layer in enumerate(layers):
        if isinstance(layer, Linear):
            layer.weights, layer.biases = _initializers(start, layers[position + 1 : position + 2])
    return layers


def _initializers(start: str | None, following: list[Layer]) -> tuple[Initializer, Initializer]:
    if start == "normal":
        return Normal(), Normal()  # mission item B2: weights and biases from N(0, 1)
    if start == "he" or (start is None and isinstance(next(iter(following), None), RECTIFIERS)):
        return He(), Zeros()
    return Glorot(), Zeros()
