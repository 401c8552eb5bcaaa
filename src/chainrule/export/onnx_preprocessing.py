"""The pre-processing of tables in ONNX's words: a model that takes the columns themselves.

Each column that is used is an input (N, 1) of its own name: numbers as float64, NaN for a gap; categories as text, ""
for a gap. Dates and running text would have to be taken apart letter by letter, for which opset 17 has no operator.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.export.onnx_graph import Graph
from chainrule.export.words import Words
from chainrule.tabular import TabularPreprocessor
from chainrule.tabular.category import CategoryColumn
from chainrule.tabular.column import Column
from chainrule.tabular.numeric import NumericColumn

FLOAT, INT64, STRING, DOUBLE = 1, 7, 8, 11  # of onnx.TensorProto

onnx_columns = Words("ONNX", "onnx_columns", "transform")


def say_preprocessing(graph: Graph, preprocessor: TabularPreprocessor) -> str:
    """Put the columns into the graph as inputs, and what becomes of them; the name of the samples (N, I)."""
    used = [column for column in preprocessor.columns if column.feature_names]
    for column in used:
        kind = DOUBLE if isinstance(column, NumericColumn) else STRING
        graph.input(column.name, kind, [1])
    features = [_say(graph, column) for column in used]
    x = graph.node("Concat", *features, axis=1) if len(features) > 1 else features[0]
    return str(graph.node("Cast", x, to=DOUBLE) if graph.dtype == np.float64 else x)


def _say(graph: Graph, column: Column) -> str:
    if type(column) not in onnx_columns:
        raise SettingError(
            f"column {column.name!r}: ONNX has no words for a {column.kind}; export the network alone, which takes "
            "numbers, with preprocessing=False (--network-alone)"
        )
    words = onnx_columns.find(type(column), column.name)
    with graph.at(column.name):
        return str(words(graph, column, column.name))


@onnx_columns.says(NumericColumn)
def _numeric(graph: Graph, column: Any, x: str) -> str:
    def number(value: float) -> str:
        return graph.constant(value, "figure", np.float64)

    gap = graph.node("IsNaN", x)
    filled = graph.node("Where", gap, number(column.median), x)
    held = graph.node("Min", graph.node("Max", filled, number(column.low)), number(column.high))
    standardized = graph.node("Div", graph.node("Sub", held, number(column.mean)), number(column.deviation))
    feature = graph.node("Cast", standardized, to=FLOAT)
    if not column.gaps:
        return str(feature)
    return str(graph.node("Concat", feature, graph.node("Cast", gap, to=FLOAT), axis=1))


@onnx_columns.says(CategoryColumn)
def _category(graph: Graph, column: Any, x: str) -> str:
    """The place of each value, then a 1 at that place; a place behind the last one gives zeros alone."""
    depth = len(column.feature_names)
    places = [*range(len(column.values)), depth - 1 if column.gaps else depth]
    place = graph.node(
        "LabelEncoder",
        x,
        domain="ai.onnx.ml",
        keys_strings=[*column.values, ""],
        values_int64s=places,
        default_int64=len(column.values) if column.other else depth,
    )
    row = graph.reshape(place, -1)
    off_and_on = graph.constant([0.0, 1.0], "off_and_on", np.float32)
    return str(graph.node("OneHot", row, graph.constant(np.array(depth), "depth"), off_and_on, axis=1))
