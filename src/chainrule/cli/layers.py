"""The little language of `--layers`: `784-30-10` (sizes) or `30,sigmoid,10` (layers by name).

A layer's settings follow its name in their order, as in `conv2d:16:5` (16 channels, filters of 5 × 5), `dropout:0.5` or
`reshape:1x28x28`.
"""

import dataclasses
import re
from typing import Any

from chainrule.configuration import Configurable
from chainrule.errors import SettingError
from chainrule.initializers import Glorot, He, Initializer, Normal, Zeros
from chainrule.layers import (
    Bidirectional,
    Composite,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    DepthwiseConv2D,
    DropConnect,
    EachStep,
    Layer,
    LeakyReLU,
    Linear,
    ReLU,
    Softplus,
)

STARTS = ("glorot", "he", "normal")
COMPOSITES = (Composite, Bidirectional, EachStep)  # they take other layers
WEIGHTED = (Linear, DropConnect, Conv1D, Conv2D, ConvTranspose2D)  # a DepthwiseConv2D has a start of its own
RECTIFIERS = (ReLU, LeakyReLU, Softplus)  # of the activations, those that He's start was worked out for


def known_layers() -> dict[str, type[Layer]]:
    """The layers that need no setting, by their name in small letters."""
    return {name: kind for name, kind in _layers().items() if not _required(kind)}


def _layers() -> dict[str, type[Layer]]:
    """Every layer by its name in small letters, but composites."""
    kinds = [kind for kind in Configurable.register.values() if issubclass(kind, Layer)]
    kinds = [kind for kind in kinds if not issubclass(kind, COMPOSITES)]
    return {kind.__name__.lower(): kind for kind in kinds if dataclasses.is_dataclass(kind)}


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
    if ":" in part:
        return _with_settings(part, text)
    return named_layer(part, f"--layers {text}")


def _with_settings(part: str, text: str) -> Layer:
    """A layer written as its name and settings, with colons between."""
    name, *settings = part.split(":")
    kind = _layers().get(name.strip().lower())
    if kind is None:
        raise SettingError(f"--layers {text}: {name!r} is not the name of a layer; known are {', '.join(_layers())}")
    try:
        return kind(*(_setting(setting) for setting in settings))
    except (SettingError, TypeError, ValueError) as error:
        raise SettingError(f"--layers {text}: {part}: {error}") from None


def _setting(written: str) -> Any:
    """A whole number, a number, whole numbers with x between, true or false, or a word."""
    if re.fullmatch(r"\d+(x\d+)+", written):
        return tuple(int(number) for number in written.split("x"))
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(written.lower(), written)


def _size(part: str, text: str) -> int:
    size = int(part) if len(part.strip()) < 10 else 0
    if size < 1:
        raise SettingError(f"--layers {text}: a size must be a whole number from 1 to 999999999, got {part.strip()}")
    return size


def _started(layers: list[Layer], start: str | None) -> list[Layer]:
    """`layers` with their weights where `start` says."""
    for position, layer in enumerate(layers):
        if isinstance(layer, WEIGHTED) or (start is not None and isinstance(layer, DepthwiseConv2D)):
            layer.weights, layer.biases = _initializers(start, layers[position + 1 : position + 2])
    return layers


def _initializers(start: str | None, following: list[Layer]) -> tuple[Initializer, Initializer]:
    if start == "normal":
        return Normal(), Normal()  # mission item B2: weights and biases from N(0, 1)
    if start == "he" or (start is None and isinstance(next(iter(following), None), RECTIFIERS)):
        return He(), Zeros()
    return Glorot(), Zeros()
