"""`to_onnx`: a network as an ONNX model, which other programs run without this library."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from chainrule.export.onnx_graph import Graph, onnx
from chainrule.export.onnx_preprocessing import say_preprocessing
from chainrule.export.onnx_words import say, say_link
from chainrule.export.preprocessing import preprocessor_of
from chainrule.export.words import places
from chainrule.files import Pathlike, write_atomically
from chainrule.network import Network

OPSET = 17  # of 2022: what most programs read
ML_OPSET = 3  # of the operators for tables
IR_VERSION = 8  # of the file; these three came together


def to_onnx(network: Network, path: Pathlike, *, preprocessing: bool = True) -> None:
    """Write a built network to `path` as an ONNX model (opset 17), atomically.

    Its input "x" has the shape (N, *input_shape), its output "y" is what `network.predict` answers: the link of the
    loss is in it. N is symbolic: any number of samples goes through. Both have the network's dtype; settings such as a
    slope are float32, as ONNX has them. What `network.metadata` says is in the model's properties, as JSON.

    Args:
        network: is not changed.
        path: of the file.
        preprocessing: whether a network whose metadata hold the preprocessing of a table takes the table's columns:
            instead of "x" there is then an input (N, 1) for each, by its name. Numbers are float64, NaN for a gap;
            categories are text, "" for a gap.

    Raises:
        MissingExtraError: onnx is not installed (extra `onnx`).
        SettingError: ONNX has no words for a layer, a setting, the loss or a column; names it.
        ModelFileError: what the metadata hold under "preprocessing" is none.
        NotBuiltError: there are no parameters yet.
        OSError: the file could not be written.

    """
    helper = onnx().helper
    stations, table = places(network), preprocessor_of(network) if preprocessing else None
    graph = Graph(network.dtype)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(network.dtype))
    value = say_preprocessing(graph, table) if table else graph.input("x", kind, network.input_shape or ())
    for place in stations:
        value = say(graph, place, value)
    answer, output = say_link(graph, network.loss, value), graph.new_name("y")
    graph.nodes.append(helper.make_node("Identity", [answer], [output], name=output))
    model = _model(graph, helper.make_tensor_value_info(output, kind, ["N", *network.output_shape]))
    helper.set_model_props(model, {name: json.dumps(fact) for name, fact in network.metadata.items()})
    onnx().checker.check_model(model)
    write_atomically(path, model.SerializeToString())


def _model(graph: Graph, output: Any) -> Any:
    helper, numpy_helper = onnx().helper, onnx().numpy_helper
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "network",
            [helper.make_tensor_value_info(*declared) for declared in graph.inputs],
            [output],
            [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
        ),
        producer_name="chainrule",
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
        ir_version=IR_VERSION,
    )
