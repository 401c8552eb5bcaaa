"""What every kind of column can do: become numbers, say how, and be written down."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule.arrays import Array
from chainrule.configuration import Configurable
from chainrule.errors import SettingError
from chainrule.tabular.table import Table


@dataclass(frozen=True)
class Column(Configurable, ABC):
    """A column whose cells become numbers, by figures that were learned from the training rows."""

    name: str

    kind: ClassVar[str]  # as the user writes it

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise SettingError(f"name: expected text, got {self.name!r}")

    @classmethod
    @abstractmethod
    def fit(cls, table: Table, name: str) -> Column:
        """Learn the figures from the rows of `table`. Raises DataError where the column cannot be of this kind."""

    @property
    @abstractmethod
    def feature_names(self) -> list[str]:
        """One name for each number that a cell becomes."""

    @abstractmethod
    def transform(self, table: Table) -> Array:
        """The numbers (N, F) float32. Raises DataError, which names line and column of a cell that cannot be read."""

    @abstractmethod
    def report(self) -> str:
        """What was decided, in a line."""

    def remark(self, table: Table) -> str:
        """What in these rows was not met while learning, in words; "" if nothing."""
        return ""


def counted(count: int, word: str) -> str:
    """A number of things: "1 gap", "2,000 gaps"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def brief(number: float) -> str:
    """A number to four digits, or as many as stand before the point: "24,978", "0.9468"."""
    if not 1e-4 <= abs(number) < 1e15:
        return f"{number:.4g}"
    decimals = max(0, 3 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def check_texts(values: Any, name: str) -> None:
    """Raise a SettingError unless `values` are texts, all different."""
    if not isinstance(values, tuple) or not all(isinstance(value, str) for value in values):
        raise SettingError(f"{name}: expected texts, got {values!r:.80}")
    if len(set(values)) != len(values):
        raise SettingError(f"{name}: one of them stands there twice")
