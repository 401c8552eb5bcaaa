"""onnxruntime: prediction only, of the networks of W2 and W3 with random weights.

python -m benchmarks.peers.with_onnxruntime W2 --latency
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
import onnxruntime
from benchmarks.common import THREADS, WORKLOADS, main, mnist
from onnx import helper, numpy_helper


def model(name: str) -> onnx.ModelProto:
    """The network of a workload, ended by softmax."""
    rng = np.random.default_rng(0)
    nodes, tensors = [], []

    def add(kind: str, *shape: int, **settings: Any) -> None:
        """One more node after the last one; with weights and biases where a shape of weights is given."""
        names = []
        if shape:
            fan_in = int(np.prod(shape[1:])) if kind == "Conv" else shape[0]
            outputs = shape[0] if kind == "Conv" else shape[1]
            W = rng.uniform(-1, 1, shape) / np.sqrt(fan_in)
            for label, array in (("W", W), ("b", np.zeros(outputs))):
                names.append(f"{label}{len(nodes)}")
                tensors.append(numpy_helper.from_array(array.astype(np.float32), names[-1]))
        before = f"y{len(nodes)}" if nodes else "x"
        nodes.append(helper.make_node(kind, [before, *names], [f"y{len(nodes) + 1}"], **settings))

    sizes = WORKLOADS[name].sizes
    if name == "W3":
        for shape in ((32, 1, 3, 3), (64, 32, 3, 3)):
            add("Conv", *shape)
            add("Relu")
        add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        add("Flatten")
        sizes = (9216, 128, 10)
    for i, o in pairwise(sizes):
        add("Gemm", i, o)
        add("Softmax" if o == sizes[-1] else "Relu")
    shape = [1, 1, 28, 28] if name == "W3" else [1, 784]
    ends = [
        helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s)
        for n, s in (("x", shape), (f"y{len(nodes)}", [1, 10]))
    ]
    graph = helper.make_graph(nodes, name, ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def prediction(name: str, variant: str) -> Callable[[int], Any]:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(
        model(name).SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    x = mnist("t10k")[0][:512]
    if name == "W3":
        x = x.reshape(-1, 1, 28, 28)
    return lambda i: session.run(None, {"x": x[i : i + 1]})


if __name__ == "__main__":
    main("onnxruntime", ("session",), None, prediction)
