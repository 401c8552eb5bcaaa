"""The pre-processing of a table as part of a NumPy script."""

from __future__ import annotations

import json
import textwrap
from pprint import pformat
from typing import Any

from chainrule.export.scripts import WIDTH
from chainrule.export.words import Words
from chainrule.tabular import TabularPreprocessor
from chainrule.tabular.category import CategoryColumn
from chainrule.tabular.date import CYCLES, DateColumn
from chainrule.tabular.numeric import NumericColumn
from chainrule.tabular.text import TextColumn

numpy_columns = Words("the NumPy script", "numpy_columns", "transform")

SAMPLES = '''

def samples(table):
    """What the network takes, x (N, {features}), of a table: its columns by their names, each a list of text."""
    columns = [
{columns}
    ]
    return np.concatenate(columns, axis=1)
'''


def samples_function(preprocessor: TabularPreprocessor) -> str:
    """The function that makes samples of a table."""
    columns = []
    for column in preprocessor.columns:
        if column.feature_names:
            words = numpy_columns.find(type(column), f"column {column.name!r} ({column.kind})")
            name, arguments = words(column)
            columns.append(_call(name, column.name, arguments))
    return SAMPLES.format(features=len(preprocessor.feature_names), columns="\n".join(columns))


def _call(name: str, column: str, arguments: dict[str, Any]) -> str:
    """One entry of the list of columns; an argument on each line where one line is too short."""
    cells = f"table[{json.dumps(column, ensure_ascii=False)}]"
    settings = [f"{setting}={value!r}" for setting, value in arguments.items()]
    line = f"        {name}({', '.join([cells, *settings])}),"
    if len(line) <= WIDTH + 20:
        return line
    each = [f"{setting}={pformat(value, width=WIDTH, compact=True)}" for setting, value in arguments.items()]
    inner = textwrap.indent(",\n".join([cells, *each]), " " * 12)
    return f"        {name}(\n{inner},\n        ),"


@numpy_columns.says(NumericColumn)
def _number(column: Any) -> tuple[str, dict[str, Any]]:
    figures = {name: getattr(column, name) for name in ("median", "low", "high", "mean", "deviation")}
    return "number", {**figures, "marked": bool(column.gaps)}


@numpy_columns.says(CategoryColumn)
def _category(column: Any) -> tuple[str, dict[str, Any]]:
    return "category", {"values": list(column.values), "other": column.other, "marked": bool(column.gaps)}


@numpy_columns.says(DateColumn)
def _date(column: Any) -> tuple[str, dict[str, Any]]:
    figures = {name: getattr(column, name) for name in ("median", "mean", "deviation")}
    cycles = list(CYCLES.values()) if column.clock else list(CYCLES.values())[:2]
    return "date", {**figures, "cycles": cycles, "marked": bool(column.gaps)}


@numpy_columns.says(TextColumn)
def _text(column: Any) -> tuple[str, dict[str, Any]]:
    return "text", {"words": list(column.words), "idf": list(column.idf)}
