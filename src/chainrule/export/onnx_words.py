"""Every layer and every link in ONNX's words, opset 17.

A layer's words take the graph, the place of the layer and the name of its input, and return that of its output. A
link's words take the graph, the loss and the name of the scores.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule import layers, losses
from chainrule.arrays import Array
from chainrule.export.onnx_graph import Graph
from chainrule.export.words import Place, Words

onnx_layers = Words("ONNX", "onnx_layers")
onnx_links = Words("ONNX", "onnx_links", "link")


def say(graph: Graph, place: Place, x: str) -> str:
    """Put a layer into the graph, behind x; the name of its output."""
    words = onnx_layers.find(type(place.layer), str(place))
    with graph.at(place.name):
        return str(words(graph, place, x))


def say_link(graph: Graph, loss: losses.Loss, f: str) -> str:
    """Put the link of a loss into the graph, behind the scores; the name of the answer."""
    words = onnx_links.find(type(loss), f"the loss {type(loss).__name__}")
    with graph.at("link"):
        return str(words(graph, loss, f))


# --- layers with weights ----------------------------------------------------------------------------------------------


@onnx_layers.says(layers.Linear, layers.DropConnect)
def _linear(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Gemm", x, graph.array(place, "W"), graph.array(place, "b"))


@onnx_layers.says(layers.Conv2D, layers.Conv1D, layers.DepthwiseConv2D)
def _convolution(graph: Graph, place: Place, x: str) -> str:
    layer: Any = place.layer
    axes = slice(1 if isinstance(layer, layers.Conv1D) else 0, 2)  # a sequence is an image of one row, which goes
    return graph.node(
        "Conv",
        x,
        graph.array(place, "W"),
        graph.array(place, "b"),
        kernel_shape=layer.W.shape[2:],
        strides=layer._stride[axes],
        pads=2 * layer._padding[axes],  # at the beginning of each axis, then at the end
        group=place.input_shape[0] if isinstance(layer, layers.DepthwiseConv2D) else 1,
    )


@onnx_layers.says(layers.ConvTranspose2D)
def _transposed_convolution(graph: Graph, place: Place, x: str) -> str:
    layer: Any = place.layer
    return graph.node(
        "ConvTranspose",
        x,
        graph.array(place, "W"),
        graph.array(place, "b"),
        kernel_shape=layer.kernel_size,
        strides=layer.stride,
        pads=2 * layer.padding,
        output_padding=layer.output_padding,
    )


@onnx_layers.says(layers.Embedding)
def _embedding(graph: Graph, place: Place, x: str) -> str:
    words = graph.node("Cast", x, to=7)  # TensorProto.INT64
    return graph.node("Gather", graph.array(place, "W"), words, axis=0)


# --- activations ------------------------------------------------------------------------------------------------------


@onnx_layers.says(layers.Identity, layers.Dropout, layers.GaussianNoise, layers.Augment)
def _nothing(graph: Graph, place: Place, x: str) -> str:
    """What changes nothing in prediction needs no node."""
    return x


@onnx_layers.says(layers.Step)
def _step(graph: Graph, place: Place, x: str) -> str:
    return _as_numbers(graph, graph.node("GreaterOrEqual", x, graph.constant(0.0)))


@onnx_layers.says(layers.ReLU)
def _relu(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Relu", x)


@onnx_layers.says(layers.LeakyReLU)
def _leaky_relu(graph: Graph, place: Place, x: str) -> str:
    return graph.node("LeakyRelu", x, alpha=place.layer.slope)  # type: ignore[attr-defined]


@onnx_layers.says(layers.Softplus)
def _softplus(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Softplus", x)


@onnx_layers.says(layers.Sigmoid)
def _sigmoid(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Sigmoid", x)


@onnx_layers.says(layers.Tanh)
def _tanh(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Tanh", x)


@onnx_layers.says(layers.GELU)
def _gelu(graph: Graph, place: Place, x: str) -> str:
    """x Φ(x) = x (½ + ½ erf(x/√2)); or x σ(√(8/π) (x + 0.044715 x³)). The operator Gelu came with opset 20."""
    if place.layer.tanh:  # type: ignore[attr-defined]
        square = graph.node("Mul", x, x)
        factor = graph.node("Mul", square, graph.constant(math.sqrt(8 / math.pi) * 0.044715))
        slope = graph.node("Add", factor, graph.constant(math.sqrt(8 / math.pi)))
        return graph.node("Mul", x, graph.node("Sigmoid", graph.node("Mul", x, slope)))
    error = graph.node("Erf", graph.node("Mul", x, graph.constant(math.sqrt(0.5))))
    half = graph.constant(0.5)
    return graph.node("Mul", x, graph.node("Add", graph.node("Mul", error, half), half))


@onnx_layers.says(layers.SiLU)
def _silu(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Mul", x, graph.node("Sigmoid", x))


@onnx_layers.says(layers.ELU)
def _elu(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Elu", x, alpha=place.layer.alpha)  # type: ignore[attr-defined]


@onnx_layers.says(layers.SELU)
def _selu(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Selu", x, alpha=layers.SELU.alpha, gamma=layers.SELU.scale)


@onnx_layers.says(layers.HardSigmoid)
def _hard_sigmoid(graph: Graph, place: Place, x: str) -> str:
    return graph.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@onnx_layers.says(layers.Softmax)
def _softmax(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Softmax", x, axis=1)


@onnx_layers.says(layers.LogSoftmax)
def _log_softmax(graph: Graph, place: Place, x: str) -> str:
    return graph.node("LogSoftmax", x, axis=1)


# --- shapes, pooling, normalization -----------------------------------------------------------------------------------


@onnx_layers.says(layers.Reshape, layers.Flatten)
def _reshape(graph: Graph, place: Place, x: str) -> str:
    return graph.reshape(x, 0, *place.output_shape)


@onnx_layers.says(layers.Maxout)
def _maxout(graph: Graph, place: Place, x: str) -> str:
    pieces, (groups, *pixels) = place.layer.pieces, place.output_shape  # type: ignore[attr-defined]
    apart = graph.reshape(x, 0, groups, pieces, *pixels)
    return graph.node("ReduceMax", apart, axes=[2], keepdims=0)


@onnx_layers.says(layers.MaxPool2D)
def _max_pool(graph: Graph, place: Place, x: str) -> str:
    layer: Any = place.layer
    return graph.node("MaxPool", x, kernel_shape=layer._size, strides=layer._stride)


@onnx_layers.says(layers.AvgPool2D)
def _average_pool(graph: Graph, place: Place, x: str) -> str:
    layer: Any = place.layer
    return graph.node("AveragePool", x, kernel_shape=layer._size, strides=layer._stride)


@onnx_layers.says(layers.GlobalMaxPool2D)
def _global_max_pool(graph: Graph, place: Place, x: str) -> str:
    return graph.reshape(graph.node("GlobalMaxPool", x), 0, *place.output_shape)


@onnx_layers.says(layers.GlobalAvgPool2D)
def _global_average_pool(graph: Graph, place: Place, x: str) -> str:
    return graph.reshape(graph.node("GlobalAveragePool", x), 0, *place.output_shape)


@onnx_layers.says(layers.Upsample2D)
def _upsample(graph: Graph, place: Place, x: str) -> str:
    layer: Any = place.layer
    scales = graph.constant([1.0, 1.0, *layer.factor], "scales", np.float32)
    if layer.interpolation == "nearest":
        return graph.node(
            "Resize", x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        )
    return graph.node("Resize", x, "", scales, mode="linear", coordinate_transformation_mode="half_pixel")


@onnx_layers.says(layers.BatchNorm)
def _batch_norm(graph: Graph, place: Place, x: str) -> str:
    arrays = [graph.array(place, name) for name in ("gamma", "beta", "running_mean", "running_variance")]
    return graph.node("BatchNormalization", x, *arrays, epsilon=place.layer.epsilon)  # type: ignore[attr-defined]


@onnx_layers.says(layers.LayerNorm)
def _layer_norm(graph: Graph, place: Place, x: str) -> str:
    arrays = [graph.array(place, name) for name in ("gamma", "beta")]
    return graph.node("LayerNormalization", x, *arrays, axis=-1, epsilon=place.layer.epsilon)  # type: ignore[attr-defined]


# --- layers made of layers --------------------------------------------------------------------------------------------


@onnx_layers.says(layers.Sequential)
def _sequential(graph: Graph, place: Place, x: str) -> str:
    for inner in place.in_a_row():
        x = say(graph, inner, x)
    return x


@onnx_layers.says(layers.Residual)
def _residual(graph: Graph, place: Place, x: str) -> str:
    return graph.node("Add", x, _sequential(graph, place, x))


@onnx_layers.says(layers.Parallel)
def _parallel(graph: Graph, place: Place, x: str) -> str:
    outputs = [say(graph, inner, x) for inner in place.side_by_side()]
    if place.layer.join == "sum":  # type: ignore[attr-defined]
        return graph.node("Sum", *outputs)
    return graph.node("Concat", *outputs, axis=1)


@onnx_layers.says(layers.EachStep)
def _each_step(graph: Graph, place: Place, x: str) -> str:
    (T, I), (_, O) = place.input_shape, place.output_shape  # noqa: E741
    rows = graph.reshape(x, -1, I)
    y = say(graph, place.within("layer", place.layer.layer, (I,)), rows)  # type: ignore[attr-defined]
    return graph.reshape(y, -1, T, O)


# --- recurrent layers -------------------------------------------------------------------------------------------------

GATES = {  # where ONNX's gates stand among ours: i o f c among i f g o, and z r h among r z n
    layers.RNN: ("RNN", (0,)),
    layers.LSTM: ("LSTM", (0, 3, 1, 2)),
    layers.GRU: ("GRU", (1, 0, 2)),
}


@onnx_layers.says(layers.RNN, layers.LSTM, layers.GRU)
def _recurrent(graph: Graph, place: Place, x: str) -> str:
    return _directions(graph, place, [place.layer], x)


@onnx_layers.says(layers.Bidirectional)
def _bidirectional(graph: Graph, place: Place, x: str) -> str:
    both: Any = place.layer
    return _directions(graph, place, [both.layer, both._back], x)


def _directions(graph: Graph, place: Place, cells: list[Any], x: str) -> str:
    """One direction or both, D. ONNX has steps first: x (T, N, I), all states (T, D, N, H), the last ones (D, N, H)."""
    first, T = cells[0], place.input_shape[0]
    if first.mask_value is not None:
        raise place.refuse("ONNX", "mask_value: its recurrent operators can leave out steps at the end only")
    operator, _ = GATES[type(first)]
    attributes: dict[str, Any] = {"hidden_size": first.hidden_size}
    if len(cells) == 2:
        attributes["direction"] = "bidirectional"
    if operator == "RNN":
        attributes["activations"] = [first.activation.capitalize()] * len(cells)
    if operator == "GRU":
        attributes["linear_before_reset"] = 1  # the reset gate stands behind the product with U
    weights = [
        graph.constant(np.stack(arrays), name)
        for name, arrays in zip("WRB", zip(*map(_gates, cells), strict=True), strict=True)
    ]
    every, last = graph.node(operator, graph.node("Transpose", x, perm=[1, 0, 2]), *weights, outputs=2, **attributes)[
        :2
    ]
    if first.return_sequences:
        return graph.reshape(graph.node("Transpose", every, perm=[2, 0, 1, 3]), 0, T, len(cells) * first.hidden_size)
    return graph.reshape(graph.node("Transpose", last, perm=[1, 0, 2]), 0, len(cells) * first.hidden_size)


def _gates(cell: Any) -> tuple[Array, Array, Array]:
    """W (GH, I), R (GH, H) and both biases (2GH,) of one direction, the gates in ONNX's order."""
    _, order = GATES[type(cell)]

    def sorted_gates(array: Array) -> Array:
        parts = np.split(array, len(order), axis=-1)
        return np.concatenate([parts[gate] for gate in order], axis=-1)

    behind_U = np.zeros_like(cell.b)
    if isinstance(cell, layers.GRU):
        behind_U[-cell.hidden_size :] = cell.v  # n is the last gate in both orders
    return sorted_gates(cell.W).T, sorted_gates(cell.U).T, np.concatenate([sorted_gates(cell.b), behind_U])


# --- links ------------------------------------------------------------------------------------------------------------


@onnx_links.says(losses.SquaredError, losses.AbsoluteError, losses.Huber)
def _as_it_is(graph: Graph, loss: losses.Loss, f: str) -> str:
    return f


@onnx_links.says(losses.BinaryCrossEntropy, losses.BinaryFocal)
def _probability(graph: Graph, loss: losses.Loss, f: str) -> str:
    return graph.node("Sigmoid", f)


@onnx_links.says(losses.CrossEntropy, losses.KullbackLeibler, losses.Focal)
def _probabilities(graph: Graph, loss: losses.Loss, f: str) -> str:
    return graph.node("Softmax", f, axis=1)


@onnx_links.says(losses.Poisson)
def _rate(graph: Graph, loss: losses.Loss, f: str) -> str:
    return graph.node("Exp", f)


@onnx_links.says(losses.Perceptron, losses.Hinge)
def _decision(graph: Graph, loss: losses.Loss, f: str) -> str:
    return _as_numbers(graph, graph.node("GreaterOrEqual", f, graph.constant(0.0)))


@onnx_links.says(losses.CrammerSinger, losses.WestonWatkins)
def _largest(graph: Graph, loss: losses.Loss, f: str) -> str:
    """1 for the largest score of each row, the first among equals, else 0."""
    classes = graph.node("Squeeze", graph.node("Shape", f, start=1))  # ()
    best = graph.node("ArgMax", f, axis=1, keepdims=0)
    return graph.node("OneHot", best, classes, graph.constant(np.array([0.0, 1.0])), axis=1)


def _as_numbers(graph: Graph, decisions: str) -> str:
    return graph.node("Cast", decisions, to=11 if graph.dtype == np.float64 else 1)  # TensorProto.DOUBLE, FLOAT
