"""Columns of running text: which words stand in a cell. Source: mission item D14."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import positive_number
from chainrule.errors import DataError, SettingError
from chainrule.tabular.column import Column, check_texts, counted
from chainrule.tabular.table import Table, as_text

MOST_WORDS = 200
WORD = re.compile(r"\b\w\w+\b")  # two letters or digits at least, as scikit-learn's TfidfVectorizer has it


@dataclass(frozen=True)
class TextColumn(Column):
    """TF-IDF: how often each word stands in a cell, times its idf; each row is brought to length 1.

    idf = ln((1 + N) / (1 + n)) + 1 for a word that stands in n of N cells, so that a word that is everywhere counts
    least. Order and grammar are lost: this is a bag of words. Small and capital letters are the same.

    Args:
        name: of the column.
        words: those kept, the most frequent; none of them stands in a single cell only, where there are others.
        idf: one for each of them, above 0.

    """

    words: tuple[str, ...]
    idf: tuple[float, ...]

    kind: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_texts(self.words, f"{self.name}: words")
        if not isinstance(self.idf, tuple) or len(self.idf) != len(self.words):
            raise SettingError(f"{self.name}: idf: expected one number for each of {len(self.words)} words")
        for value in self.idf:
            positive_number(value, f"{self.name}: idf")

    @classmethod
    def fit(cls, table: Table, name: str) -> Self:
        cells = as_text(table.columns[name]).tolist()
        holding = Counter(word for cell in cells for word in {*words_in(cell)})  # cells that hold the word
        common = [word for word in holding if holding[word] > 1] or list(holding)
        kept = sorted(common, key=lambda word: (-holding[word], word))[:MOST_WORDS]
        if not kept:
            raise DataError(f"{table.source or 'table'}: column {name!r} holds no word of two letters or more")
        n = np.array([holding[word] for word in kept])
        idf = np.log((1 + len(cells)) / (1 + n)) + 1
        return cls(name, tuple(kept), tuple(idf.tolist()))

    @property
    def feature_names(self) -> list[str]:
        return [f"{self.name}: {word}" for word in self.words]

    def transform(self, table: Table) -> Array:
        places = {word: place for place, word in enumerate(self.words)}
        cells = as_text(table.columns[self.name]).tolist()
        found = [[places[word] for word in words_in(cell) if word in places] for cell in cells]
        counts = np.zeros((len(cells), len(self.words)), np.float32)
        rows = np.repeat(np.arange(len(cells)), [len(places) for places in found])
        np.add.at(counts, (rows, np.array([place for places in found for place in places], np.intp)), 1)
        counts *= np.array(self.idf, np.float32)
        lengths = np.sqrt(np.einsum("nw,nw->n", counts, counts))[:, None]
        return counts / np.where(lengths == 0, np.float32(1), lengths)

    def report(self) -> str:
        return f"{counted(len(self.words), 'word')}, TF-IDF: {', '.join(self.words[:6])}{', …' * (len(self.words) > 6)}"


def words_in(cell: str) -> list[str]:
    """The words of a cell in small letters."""
    return WORD.findall(cell.lower())
