"""What a page may ask for, and within which limits. Anything else is refused with a SettingError."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from chainrule.errors import SettingError
from chainrule.layers import ELU, GELU, Identity, Layer, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Step, Tanh
from chainrule.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Hinge,
    Huber,
    Loss,
    Perceptron,
    SquaredError,
)
from chainrule.optimizers import SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSprop

TOYS = ("rings", "xor", "spirals", "blobs", "parabola", "sine", "hills")
IMAGES = ("digits", "mnist")
DATA = (*TOYS, "tickets", *IMAGES, "drawn", "own")
ACTIVATIONS: dict[str, type[Layer]] = {
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "relu": ReLU,
    "leaky-relu": LeakyReLU,
    "elu": ELU,
    "gelu": GELU,
    "silu": SiLU,
    "softplus": Softplus,
    "step": Step,
    "none": Identity,
}
LOSSES: dict[str, type[Loss]] = {
    "binary-cross-entropy": BinaryCrossEntropy,
    "cross-entropy": CrossEntropy,
    "hinge": Hinge,
    "perceptron": Perceptron,
    "squared-error": SquaredError,
    "absolute-error": AbsoluteError,
    "huber": Huber,
}
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
}
STARTS = ("glorot", "he", "normal", "zeros")
TRAINING = ("optimizer", "rate", "batch", "l1", "l2")  # may change in the middle of a training

MOST_LAYERS = 8
MOST_UNITS = 64
MOST_POINTS = 500  # drawn by hand


@dataclass(frozen=True)
class Settings:
    """All that decides what a session does; the same settings give the same weights, byte for byte."""

    data: str = "rings"
    samples: int = 400
    noise: float = 0.1
    classes: int = 3  # of the blobs
    threshold: int = 9  # of the ticket decision
    held_out: float = 0.3  # share of the samples that only test
    points: tuple[tuple[float, float, int], ...] = ()  # drawn by hand: x₁, x₂, class
    layers: tuple[str, ...] = ("4", "2")  # "8": units; "c4": filters 3×3, "c4x5": 5×5; "p": pooling 2×2
    activation: str = "tanh"
    start: str = "glorot"
    loss: str = ""  # "" for the one that suits the data
    dropout: float = 0.0
    seed: int = 0
    optimizer: str = "adam"
    rate: float = 0.03
    batch: int = 32  # 0 for all samples
    l1: float = 0.0
    l2: float = 0.0

    def same_network(self, other: Settings) -> bool:
        """Whether they differ in nothing but how the training goes on."""
        return replace(self, **{name: getattr(other, name) for name in TRAINING}) == other


def parse(given: Any) -> Settings:
    """Settings from a page's JSON; what it leaves out is as usual. Raises SettingError."""
    if not isinstance(given, dict):
        raise SettingError("settings: expected an object")
    known = {field.name for field in fields(Settings)}
    for name in given:
        if name not in known:
            raise SettingError(f"settings: there is no {name!r:.40}")
    usual = Settings()

    def number(name: str, low: float, high: float) -> float:
        value = given.get(name, getattr(usual, name))
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise SettingError(f"{name}: expected a number, got {value!r:.40}")
        if not low <= value <= high:
            raise SettingError(f"{name}: expected a number from {low:g} to {high:g}, got {value:g}")
        return float(value)

    def whole(name: str, low: int, high: int) -> int:
        value = number(name, low, high)
        if value != int(value):
            raise SettingError(f"{name}: expected a whole number, got {value:g}")
        return int(value)

    def one_of(name: str, names: Any) -> str:
        value = given.get(name, getattr(usual, name))
        if not isinstance(value, str) or value not in names:
            raise SettingError(f"{name}: expected one of {', '.join(names)}, got {value!r:.40}")
        return value

    return Settings(
        data=one_of("data", DATA),
        samples=whole("samples", 10, 5000),
        noise=number("noise", 0, 2),
        classes=whole("classes", 2, 6),
        threshold=whole("threshold", 0, 11),
        held_out=number("held_out", 0, 0.9),
        points=_points(given.get("points", ())),
        layers=_layers(given.get("layers", usual.layers)),
        activation=one_of("activation", ACTIVATIONS),
        start=one_of("start", STARTS),
        loss=one_of("loss", ("", *LOSSES)),
        dropout=number("dropout", 0, 0.9),
        seed=whole("seed", 0, 2**31),
        optimizer=one_of("optimizer", OPTIMIZERS),
        rate=number("rate", 1e-7, 1000),
        batch=whole("batch", 0, 60_000),
        l1=number("l1", 0, 1000),
        l2=number("l2", 0, 1000),
    )


def _points(given: Any) -> tuple[tuple[float, float, int], ...]:
    if not isinstance(given, list | tuple) or len(given) > MOST_POINTS:
        raise SettingError(f"points: expected at most {MOST_POINTS} of [x, y, class]")
    found = []
    for point in given:
        if not isinstance(point, list | tuple) or len(point) != 3:
            raise SettingError(f"points: expected [x, y, class], got {point!r:.60}")
        x, y, label = point
        plain = all(isinstance(v, int | float) and not isinstance(v, bool) for v in point)
        if not plain or not (abs(x) <= 2 and abs(y) <= 2) or label not in range(6):
            raise SettingError(f"points: expected [x, y, class] with |x|, |y| ≤ 2 and a class 0…5, got {point!r:.60}")
        found.append((float(x), float(y), int(label)))
    return tuple(found)


def _layers(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or len(given) > MOST_LAYERS:
        raise SettingError(f"layers: expected at most {MOST_LAYERS}")
    for token in given:
        parse_layer(token)
    return tuple(given)


def parse_layer(token: Any) -> tuple[str, int, int]:
    """What "8", "c4x5" or "p" stands for: (kind, units or filters, kernel size). Raises SettingError."""
    if token == "p":
        return "pool", 0, 2
    kind, text = ("conv", token[1:]) if isinstance(token, str) and token.startswith("c") else ("dense", token)
    parts = text.split("x") if isinstance(text, str) and len(text) <= 8 else []
    if not all(part.isascii() and part.isdigit() for part in parts) or len(parts) not in (1, 1 + (kind == "conv")):
        raise SettingError(f"layers: expected a layer such as 8, c4, c4x5 or p, got {token!r:.40}")
    units, kernel = int(parts[0]), int(parts[1]) if len(parts) > 1 else 3
    if not (1 <= units <= MOST_UNITS and 1 <= kernel <= 9):
        raise SettingError(f"layers: expected 1 to {MOST_UNITS} units and kernels of 1 to 9, got {token!r:.40}")
    return kind, units, kernel
