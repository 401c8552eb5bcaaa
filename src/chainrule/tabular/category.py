"""Columns of categories: one 1 among zeros. Source: mission item D14."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import whole_number, yes_or_no
from chainrule.errors import DataError
from chainrule.tabular.column import Column, check_texts, counted
from chainrule.tabular.table import Table, as_text, shown

MOST_CATEGORIES = 50
MOST_TOLD = 4


@dataclass(frozen=True)
class CategoryColumn(Column):
    """One feature for each value, which is 1 where the cell holds it, else 0.

    Where the training rows had more values than are kept, or gaps, there is a feature for each of the two. A value
    never seen counts as one of those not kept; where there are none, all features are 0, as for a gap where there was
    none.

    Args:
        name: of the column.
        values: those kept, the most frequent first.
        other: whether the training rows held more.
        gaps: how many of the training rows had none.

    """

    values: tuple[str, ...]
    other: bool = False
    gaps: int = 0

    kind: ClassVar[str] = "category"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_texts(self.values, f"{self.name}: values")
        yes_or_no(self.other, f"{self.name}: other")
        whole_number(self.gaps, f"{self.name}: gaps", at_least=0)

    @classmethod
    def fit(cls, table: Table, name: str) -> Self:
        counts = Counter(as_text(table.columns[name]).tolist())
        gaps = counts.pop("", 0)
        if not counts:
            raise DataError(f"{table.source or 'table'}: column {name!r} holds no value")
        frequent = sorted(counts, key=lambda value: (-counts[value], value))[:MOST_CATEGORIES]
        return cls(name, tuple(frequent), len(counts) > len(frequent), gaps)

    @property
    def feature_names(self) -> list[str]:
        others = ["(other)"] * self.other + ["(missing)"] * bool(self.gaps)
        return [f"{self.name} = {value}" for value in (*self.values, *others)]

    def transform(self, table: Table) -> Array:
        nowhere = len(self.feature_names)
        unknown = len(self.values) if self.other else nowhere
        places = {value: place for place, value in enumerate(self.values)} | {"": nowhere - 1 if self.gaps else nowhere}
        chosen = [places.get(cell, unknown) for cell in as_text(table.columns[self.name]).tolist()]
        features = np.zeros((len(chosen), nowhere + 1), np.float32)  # the last one stands for none
        features[np.arange(len(chosen)), chosen] = 1
        return features[:, :nowhere]

    def report(self) -> str:
        told = ", ".join(shown(value) for value in self.values[:MOST_TOLD])
        more = ", …" if len(self.values) > MOST_TOLD or self.other else ""
        text = f"{counted(len(self.values), 'value')}: {told}{more}"
        if self.other:
            text += "; rarer ones count as one"
        if self.gaps:
            text += f"; {counted(self.gaps, 'gap')} marked"
        return text

    def remark(self, table: Table) -> str:
        known = {*self.values, ""}
        unseen = Counter(cell for cell in as_text(table.columns[self.name]).tolist() if cell not in known)
        if not unseen or self.other:
            return ""
        told = ", ".join(shown(value) for value, _ in unseen.most_common(MOST_TOLD))
        more = ", …" if len(unseen) > MOST_TOLD else ""
        rows = counted(unseen.total(), "row")
        return f"{rows} with a value not met in training ({told}{more}), taken for none of those known"
