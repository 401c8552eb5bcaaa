"""What a search tries: named settings, each with the values it may take. Source: mission item D8."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from chainrule.configuration import positive_number, whole_number
from chainrule.errors import SettingError
from chainrule.randomness import stream

Settings = dict[str, Any]  # one value for each name


@dataclass(frozen=True)
class LogScale:
    """Numbers on a logarithmic scale, such as learning rates from 1e-7 to 1e-1.

    Args:
        lowest: above 0.
        highest: above that.
        values: how many a grid takes, the same factor apart; None for one per decade.

    Raises:
        SettingError: one of them is out of range.

    """

    lowest: float
    highest: float
    values: int | None = None

    def __post_init__(self) -> None:
        if positive_number(self.lowest, "LogScale: lowest") >= positive_number(self.highest, "LogScale: highest"):
            raise SettingError(f"LogScale: expected lowest below highest, got {self.lowest:g} and {self.highest:g}")
        if self.values is not None:
            whole_number(self.values, "LogScale: values", at_least=2)

    def grid(self) -> list[float]:
        """The values of a grid, growing."""
        count = self.values or round(math.log10(self.highest / self.lowest)) + 1
        return [float(f"{value:.12g}") for value in np.geomspace(self.lowest, self.highest, max(2, count))]

    def draw(self, rng: np.random.Generator) -> float:
        """A random value with three digits, each decade as likely as any other."""
        return float(f"{math.exp(rng.uniform(math.log(self.lowest), math.log(self.highest))):.3g}")


def every_combination(space: Mapping[str, Any]) -> list[Settings]:
    """All combinations of the values, in their order; the last name changes fastest.

    Raises:
        SettingError: a setting has no values, or none that could be counted.

    """
    names = _checked(space)
    return [dict(zip(names, values, strict=True)) for values in product(*(_grid(name, space[name]) for name in names))]


def random_combinations(space: Mapping[str, Any], count: int, seed: int) -> list[Settings]:
    """`count` combinations, each value drawn by itself. The first ones are the same however many are asked for.

    Raises:
        SettingError: a setting has no values, or `count` is no whole number above 0.

    """
    names = _checked(space)
    rngs = [stream(seed, f"trial {number}") for number in range(whole_number(count, "trials"))]
    return [{name: _draw(name, space[name], rng) for name in names} for rng in rngs]


def _checked(space: Any) -> list[str]:
    if not isinstance(space, Mapping) or not space or not all(isinstance(name, str) for name in space):
        raise SettingError(
            f"space: expected settings by name, such as {{'learning_rate': LogScale(1e-7, 1e-1)}}, got {space!r}"
        )
    return list(space)


def _grid(name: str, values: Any) -> list[Any]:
    if callable(values):
        raise SettingError(f"space: {name}: a function draws values at random; pass trials=, how many, or list them")
    return values.grid() if isinstance(values, LogScale) else _listed(name, values)


def _draw(name: str, values: Any, rng: np.random.Generator) -> Any:
    if callable(values):
        return _plain(values(rng))
    if isinstance(values, LogScale):
        return values.draw(rng)
    choices = _listed(name, values)
    return choices[int(rng.integers(len(choices)))]


def _listed(name: str, values: Any) -> list[Any]:
    """The values as a list."""
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise SettingError(f"space: {name}: expected a list of values, a LogScale or a function, got {values!r}")
    found = [_plain(value) for value in values]
    if not found:
        raise SettingError(f"space: {name}: expected at least one value, got none")
    return found


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's own."""
    return value.item() if isinstance(value, np.generic) else value
