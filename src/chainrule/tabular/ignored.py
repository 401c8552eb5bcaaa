"""Columns that say nothing a network could learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import SettingError
from chainrule.tabular.column import Column
from chainrule.tabular.table import Table


@dataclass(frozen=True)
class IgnoredColumn(Column):
    """No features. `reason` says why; where the user asked for it, that."""

    reason: str = "as you asked"

    kind: ClassVar[str] = "ignore"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.reason, str):
            raise SettingError(f"{self.name}: reason: expected text, got {self.reason!r}")

    @classmethod
    def fit(cls, table: Table, name: str) -> Self:
        return cls(name)

    @property
    def feature_names(self) -> list[str]:
        return []

    def transform(self, table: Table) -> Array:
        return np.zeros((len(table), 0), np.float32)

    def report(self) -> str:
        return self.reason
