"""`to_onnx`: a network as an ONNX model, which other programs run without this library."""

from __future__ import annotations

import json

import numpy as np

from chainrule.export.onnx_graph import Graph, onnx
from chainrule.export.onnx_words import say, say_link
from chainrule.export.words import places
from chainrule.files import Pathlike, write_atomically
from chainrule.network import Network

OPSET = 17  # of 2022: what most programs read
IR_VERSION = 8  # of the file, which came with it


def to_onnx(network: Network, path: Pathlike) -> None:
    """Write a built network to `path` as an ONNX model (opset 17), atomically.

    Its input "x" has the shape (N, *input_shape), its output "y" is what `network.predict` answers: the link of the loss
    is in it. N is symbolic: any number of samples goes through. Both have the network's dtype; settings such as a slope
    are float32, as ONNX has them. What `network.metadata` says is in the model's properties, as JSON.

    Raises:
        MissingExtraError: onnx is not installed (extra `onnx`).
        SettingError: ONNX has no words for a layer, a setting or the loss; names it.
        NotBuiltError: there are no parameters yet.
        OSError: the file could not be written.

    """
    helper, numpy_helper = onnx().helper, onnx().numpy_helper
    stations = places(network)
    graph = Graph(network.dtype)
    value = "x"
    for place in stations:
        value = say(graph, place, value)
    answer = say_link(graph, network.loss, value)
    graph.nodes.append(helper.make_node("Identity", [answer], ["y"], name="y"))
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(network.dtype))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "network",
            [helper.make_tensor_value_info("x", kind, ["N", *(network.input_shape or ())])],
            [helper.make_tensor_value_info("y", kind, ["N", *network.output_shape])],
            [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
        ),
        producer_name="chainrule",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, {name: json.dumps(fact) for name, fact in network.metadata.items()})
    onnx().checker.check_model(model)
    write_atomically(path, model.SerializeToString())
