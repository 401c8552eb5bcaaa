"""Columns of numbers: gaps filled and marked, outliers clipped, the rest standardised. Source: mission item D14."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import positive_number, real_number, whole_number
from chainrule.errors import DataError, SettingError
from chainrule.tabular.column import Column, brief, counted
from chainrule.tabular.table import Table, as_text, numbers_in, shown

FENCE = 3.0  # interquartile ranges beyond a quartile (Tukey 1977, "far out")
MOST_OUTLIERS = 0.05  # where more lie beyond the fences, they are the column's shape
FEW_SLIPS = 10  # cells
TAIL = 0.005  # then this share is clipped on each side


@dataclass(frozen=True)
class NumericColumn(Column):
    """(min(max(x, low), high) − mean) / deviation, a gap taken for the median; and 1 for a gap, if there were any.

    Args:
        name: of the column.
        median: of the training rows; what stands in for a gap.
        low: the smallest value let through.
        high: the largest value let through.
        mean: of the training rows, filled and clipped.
        deviation: the same rows' standard deviation, above 0.
        gaps: how many of the training rows had none.
        outliers: how many of the training rows were clipped.

    """

    median: float
    low: float
    high: float
    mean: float
    deviation: float
    gaps: int = 0
    outliers: int = 0

    kind: ClassVar[str] = "number"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("median", "low", "high", "mean"):
            real_number(getattr(self, name), f"{self.name}: {name}", at_least=float("-inf"))
        positive_number(self.deviation, f"{self.name}: deviation")
        whole_number(self.gaps, f"{self.name}: gaps", at_least=0)
        whole_number(self.outliers, f"{self.name}: outliers", at_least=0)
        if self.low > self.high:
            raise SettingError(f"{self.name}: low {self.low} is above high {self.high}")

    @classmethod
    def fit(cls, table: Table, name: str) -> Self:
        x = numbers(table, name)  # (N,), NaN for gaps
        known = x[~np.isnan(x)]
        if len(known) == 0:
            raise DataError(f"{table.source or 'table'}: column {name!r} holds no number")
        median = float(np.median(known))
        low, high = limits(known)
        clipped = np.clip(np.where(np.isnan(x), median, x), low, high)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, deviation = float(clipped.mean()), float(clipped.std())
        if not np.isfinite(deviation):
            raise DataError(f"{table.place(int(np.nanargmax(np.abs(x))), name)}: too large; its square overflows")
        outliers = int(((known < low) | (known > high)).sum())
        return cls(name, median, low, high, mean, deviation or 1.0, len(x) - len(known), outliers)

    @property
    def feature_names(self) -> list[str]:
        return [self.name, f"{self.name} (missing)"] if self.gaps else [self.name]

    def transform(self, table: Table) -> Array:
        x = numbers(table, self.name)
        gap = np.isnan(x)
        with np.errstate(over="ignore"):  # the network refuses what is not finite
            standardized = (np.clip(np.where(gap, self.median, x), self.low, self.high) - self.mean) / self.deviation
            return np.stack([standardized, gap], axis=1).astype(np.float32)[:, : len(self.feature_names)]

    def report(self) -> str:
        text = f"mean {brief(self.mean)}, deviation {brief(self.deviation)}"
        if self.gaps:
            text += f"; {counted(self.gaps, 'gap')} filled with the median {brief(self.median)} and marked"
        if self.outliers:
            text += f"; {counted(self.outliers, 'outlier')} beyond {brief(self.low)} … {brief(self.high)} clipped"
        return text

    def remark(self, table: Table) -> str:
        x = numbers(table, self.name)
        gaps = int(np.isnan(x).sum())
        outliers = int(((x < self.low) | (x > self.high)).sum())
        parts = []
        if gaps and not self.gaps:
            parts.append(f"{counted(gaps, 'gap')} filled with the median {brief(self.median)}; training had none")
        if outliers:
            parts.append(f"{counted(outliers, 'value')} beyond {brief(self.low)} … {brief(self.high)} clipped")
        return "; ".join(parts)


def numbers(table: Table, name: str) -> Array:
    """A column's numbers (N,) float64, NaN for gaps.

    Raises:
        DataError: a cell holds something else, or an infinity; names its line.

    """
    cells = table.columns[name]
    x, strays = numbers_in(cells)
    wrong = strays | np.isinf(x)
    if wrong.any():
        row = int(wrong.argmax())
        what = "is not a number" if strays[row] else "is not finite"
        raise DataError(
            f"{table.place(row, name)}: {shown(as_text(cells[row : row + 1])[0])} {what}; "
            "correct it, or leave the cell empty"
        )
    return x


def are_slips(others: int, filled: int) -> bool:
    """Whether so few of the filled cells hold something else than numbers that the column must be numbers."""
    return others <= max(FEW_SLIPS, filled / 10) and others < filled / 2


def limits(x: Array) -> tuple[float, float]:
    """Between what the values x (N,) are let through: everything but outliers.

    Tukey's outer fences, three interquartile ranges beyond the quartiles. Where more than one in twenty lies beyond,
    that is no accident but a long tail, of which half a percent is clipped. Where half of all are equal, nothing is.
    """
    first, third = np.quantile(x, [0.25, 0.75])
    low, high = first - FENCE * (third - first), third + FENCE * (third - first)
    if first == third:
        return float(x.min()), float(x.max())
    if np.mean((x < low) | (x > high)) > MOST_OUTLIERS:
        low, high = np.quantile(x, [TAIL, 1 - TAIL])
    return float(low), float(high)
