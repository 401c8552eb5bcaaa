"""Columns of dates: how late, and when in the year, the week and the day. Source: mission item D14."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import positive_number, real_number, whole_number, yes_or_no
from chainrule.errors import DataError
from chainrule.tabular.column import Column, counted
from chainrule.tabular.table import Table, as_text, shown

EPOCH = datetime(1970, 1, 1)  # a Thursday
ISO = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?")
CYCLES = {"year": 365.2425, "week": 7.0, "day": 1.0}  # days


@dataclass(frozen=True)
class DateColumn(Column):
    """Days since 1970, standardised, and sine and cosine of the way through the year, the week, the day.

    On such a circle the 31st of December lies beside the 1st of January.

    Args:
        name: of the column.
        median: of the training rows, in days since 1970; what stands in for a gap.
        mean: of the training rows, in days since 1970.
        deviation: the same rows' standard deviation in days, above 0.
        clock: whether a training row had a time of day.
        gaps: how many of the training rows had none.

    """

    median: float
    mean: float
    deviation: float
    clock: bool = False
    gaps: int = 0

    kind: ClassVar[str] = "date"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("median", "mean"):
            real_number(getattr(self, name), f"{self.name}: {name}", at_least=float("-inf"))
        positive_number(self.deviation, f"{self.name}: deviation")
        yes_or_no(self.clock, f"{self.name}: clock")
        whole_number(self.gaps, f"{self.name}: gaps", at_least=0)

    @classmethod
    def fit(cls, table: Table, name: str) -> Self:
        days = _days(table, name)
        known = days[~np.isnan(days)]
        if len(known) == 0:
            raise DataError(f"{table.source or 'table'}: column {name!r} holds no date")
        clock = bool((known % 1 != 0).any())
        deviation = float(known.std()) or 1.0
        return cls(name, float(np.median(known)), float(known.mean()), deviation, clock, len(days) - len(known))

    @property
    def feature_names(self) -> list[str]:
        cycles = [f"{self.name} ({wave} of the {cycle})" for cycle in self._cycles() for wave in ("sine", "cosine")]
        return [self.name, *cycles, *([f"{self.name} (missing)"] if self.gaps else [])]

    def transform(self, table: Table) -> Array:
        days = _days(table, self.name)
        gap = np.isnan(days)
        filled = np.where(gap, self.median, days)
        angles = [2 * np.pi * filled / CYCLES[cycle] for cycle in self._cycles()]
        waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
        features = [(filled - self.mean) / self.deviation, *waves, gap]
        return np.stack(features, axis=1).astype(np.float32)[:, : len(self.feature_names)]

    def report(self) -> str:
        middle = (EPOCH + timedelta(days=self.median)).date() if abs(self.median) < 700_000 else "?"
        text = f"around {middle}: days, and where in the {', '.join(self._cycles())}"
        return text + (f"; {counted(self.gaps, 'gap')} filled with the median and marked" if self.gaps else "")

    def _cycles(self) -> list[str]:
        return ["year", "week", "day"] if self.clock else ["year", "week"]


def is_date(cell: str) -> bool:
    """Whether a cell holds a date such as 2024-03-31, with or without a time behind it."""
    return _day(cell) is not None


def _days(table: Table, name: str) -> Array:
    """A column's dates (N,) in days since 1970, NaN for gaps."""
    cells = as_text(table.columns[name])
    found = [_day(cell) if cell else np.nan for cell in cells.tolist()]
    for row, day in enumerate(found):
        if day is None:
            raise DataError(f"{table.place(row, name)}: {shown(cells[row])} is not a date such as 2024-03-31")
    return np.array(found, np.float64)


def _day(cell: str) -> float | None:
    """Days since 1970, of a time in a zone by universal time; None for anything but a date."""
    if not ISO.fullmatch(cell):
        return None
    try:
        moment = datetime.fromisoformat(cell)
        moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
    return (moment - EPOCH) / timedelta(days=1)
