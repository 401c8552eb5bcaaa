"""The node cases of the onnx wheel, run by our layers and operations, and by what we export.

    python tests/onnx_cases.py > docs/onnx-cases.md

`served` looks at one case. It gives what we make of its inputs, beside what is expected; or raises NotHereError, which
says what the case asks for that we do not have.
"""

import warnings
from dataclasses import dataclass
from math import prod

import numpy as np

import chainrule as cr
from chainrule.operations import OPERATIONS, losses, normalization, penalties, softmax, updates, vectors

RTOL = 1e-5
ATOL = (
    1e-7  # of the largest number, at least of 1: what float32 leaves where larger numbers cancel (onnx's runner: 1e-7)
)
LATE = 10**6  # a step so late that Adam's correction of the first steps is 1


class NotHereError(Exception):
    """What the case asks for that we do not have."""


@dataclass
class Served:
    """What we found for each output of a case, and the network that found the first, if one did."""

    found: list
    network: cr.Network | None = None
    x: np.ndarray | None = None
    arrange: object = None  # from the network's answer to the output of the case


def cases():
    """All node cases of our operators, by name: those whose model is one node."""
    from onnx.backend.test.loader import load_node_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = [case for case in load_node_model_tests() if case.model is not None]
    return {c.name: c for c in every if len(c.model.graph.node) == 1 and c.model.graph.node[0].op_type in OPERATORS}


def served(case):
    """Our answers to a case, and what is expected. Raises NotHereError."""
    from onnx import helper

    (node,) = case.model.graph.node
    (inputs, expected), *_ = case.data_sets
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    by_name = dict(zip([value.name for value in case.model.graph.input], inputs, strict=True))
    if any(not isinstance(array, np.ndarray | np.generic) for array in (*inputs, *expected)):
        raise NotHereError("values that are no arrays")
    given = [by_name[name] if name else None for name in node.input]
    answer = OPERATORS[node.op_type](Attributes(attributes), given, [name for name in node.output if name])
    return answer, expected


class Attributes(dict):
    """The attributes of a node; bytes are text."""

    def get(self, name, default=None):
        value = super().get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def refuse(self, **harmless):
        """Raise NotHereError where an attribute is there with another value than the harmless one."""
        for name, value in harmless.items():
            if name in self and self.get(name) != value:
                raise NotHereError(f"{name}={self.get(name)}")


def by_layers(layers, x, parameters=None, arrange=None, loss=None):
    """The answer of a network of some layers, the last of which has these parameters."""
    x = np.asarray(x)
    if x.dtype != np.float32:
        raise NotHereError(f"numbers of {x.dtype}")
    network = cr.Network(layers, loss=loss or cr.SquaredError()).build(x.shape[1:])
    for name, value in (parameters or {}).items():
        network.arrays[name][...] = value
    arrange = arrange or (lambda y: y)
    return Served([arrange(network.predict(x))], network, x, arrange)


# --- one function for each operator -----------------------------------------------------------------------------------


def conv(attributes, given, outputs):
    x, W, *b = given
    attributes.refuse(dilations=[1] * (W.ndim - 2), group=1)
    if W.ndim != 4:
        raise NotHereError(f"filters of {W.ndim - 2} axes")
    stride = attributes.get("strides", [1, 1])
    padding = pads(attributes, x.shape[2:], W.shape[2:], stride)
    layer = cr.Conv2D(len(W), W.shape[2:], stride=tuple(stride), padding=padding)
    return by_layers([layer], x, {"layers.0.W": W, "layers.0.b": b[0] if b else 0})


def pads(attributes, extent, size, stride):
    """The padding, the same at both ends of an axis."""
    count = len(size)
    found = attributes.get("pads", [0] * (2 * count))
    how = attributes.get("auto_pad", "NOTSET")
    if how.startswith("SAME"):
        totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, s, k in zip(extent, stride, size, strict=True)]
        if any(total % 2 for total in totals):
            raise NotHereError(f"auto_pad={how}, which pads one end more than the other")
        found = [total // 2 for total in totals] * 2
    if found[:count] != found[count:]:
        raise NotHereError(f"pads={found}, other at one end than at the other")
    return tuple(found[:count])


def conv_transpose(attributes, given, outputs):
    x, W, *b = given
    if W.ndim != 4:
        raise NotHereError(f"filters of {W.ndim - 2} axes")
    attributes.refuse(dilations=[1, 1], group=1, output_shape=None, auto_pad="NOTSET")
    layer = cr.ConvTranspose2D(
        W.shape[1],
        W.shape[2:],
        stride=tuple(attributes.get("strides", [1, 1])),
        padding=pads(attributes, x.shape[2:], W.shape[2:], [1, 1]),
        output_padding=tuple(attributes.get("output_padding", [0, 0])),
    )
    return by_layers([layer], x, {"layers.0.W": W, "layers.0.b": b[0] if b else 0})


def gemm(attributes, given, outputs):
    x, W, *c = given
    attributes.refuse(transA=0, alpha=1.0, beta=1.0)
    W = W.T if attributes.get("transB") else W
    if c and c[0].ndim == 2 and len(c[0]) > 1:
        raise NotHereError("another bias for each sample")
    return by_layers([cr.Linear(W.shape[1])], x, {"layers.0.W": W, "layers.0.b": c[0].ravel() if c else 0})


def matmul(attributes, given, outputs):
    x, W = given
    if x.ndim != 2 or W.ndim != 2:
        raise NotHereError("stacks of matrices, or single vectors")
    return by_layers([cr.Linear(W.shape[1])], x, {"layers.0.W": W, "layers.0.b": 0})


def pool(kind):
    def by_window(attributes, given, outputs):
        (x,) = given
        size = attributes.get("kernel_shape")
        attributes.refuse(auto_pad="NOTSET", pads=[0] * (2 * len(size)), ceil_mode=0, dilations=[1] * len(size))
        if len(outputs) > 1:
            raise NotHereError("where the largest number stood, as an output")
        if len(size) > 2:
            raise NotHereError(f"windows of {len(size)} axes")
        stride = attributes.get("strides", [1] * len(size))
        if len(size) == 2:
            return by_layers([kind(tuple(size), stride=tuple(stride))], x)
        C, length = x.shape[1:]  # a sequence is an image of one row
        beside = [kind((1, size[0]), stride=(1, stride[0])), cr.Reshape((C, (length - size[0]) // stride[0] + 1))]
        return by_layers([cr.Reshape((C, 1, length)), *beside], x)

    return by_window


def global_pool(kind):
    return lambda attributes, given, outputs: by_layers([kind()], given[0], arrange=lambda y: y[:, :, None, None])


def over_last_axis(kind):
    def along(attributes, given, outputs):
        (x,) = given
        if attributes.get("axis", -1) % x.ndim != x.ndim - 1:
            raise NotHereError("another axis than the last")
        if x.ndim == 2:
            return by_layers([kind()], x)
        return by_layers([cr.EachStep(kind())], x)

    return along


def activation(make):
    def by_element(attributes, given, outputs):
        (x,) = given
        rows = x[:, None] if x.ndim == 1 else x
        return by_layers([make(attributes)], rows, arrange=lambda y: y.reshape(x.shape))

    return by_element


def selu(attributes):
    if {"alpha", "gamma"} & attributes.keys():
        raise NotHereError("other numbers than SELU's own")
    return cr.SELU()


def hard_sigmoid(attributes):
    if attributes.get("alpha", 0.2) != 1 / 6:
        raise NotHereError("another slope than 1/6")
    return cr.HardSigmoid()


def flatten(attributes, given, outputs):
    (x,) = given
    if attributes.get("axis", 1) % x.ndim != 1:
        raise NotHereError("an axis other than that behind the samples")
    return by_layers([cr.Flatten()], x)


def dropout(attributes, given, outputs):
    x, ratio, training = (*given, None, None)[:3]
    if len(outputs) > 1:
        raise NotHereError("the mask as an output")
    if training is not None and training and (ratio is None or ratio > 0):
        raise NotHereError("the random numbers of another program")
    rows = x[:, None] if x.ndim == 1 else x
    rate = float(ratio if ratio is not None else attributes.get("ratio", 0.5))
    answer = by_layers([cr.Dropout(rate)], rows, arrange=lambda y: y.reshape(x.shape))
    if training:
        answer.found = [answer.network.forward(x, training=True)[0]]
    return answer


def batch_norm(attributes, given, outputs):
    x, *arrays = given
    attributes.refuse(training_mode=0)  # its running variance is not taken m / (m − 1) times
    names = ("gamma", "beta", "running_mean", "running_variance")
    parameters = {f"layers.0.{name}": array for name, array in zip(names, arrays, strict=True)}
    return by_layers([cr.BatchNorm(epsilon=attributes.get("epsilon", 1e-5))], x, parameters)


def layer_norm(attributes, given, outputs):
    x, gamma, beta = given
    axis, epsilon = attributes.get("axis", -1) % x.ndim, attributes.get("epsilon", 1e-5)
    if axis == 0:
        raise NotHereError("mean and variance over the samples")
    flat = (*x.shape[1:axis], prod(x.shape[axis:]))  # the axes from `axis` on as one
    layers = [cr.Reshape(flat), cr.LayerNorm(epsilon), cr.Reshape(x.shape[1:])]
    answer = by_layers(layers, x, {"layers.1.gamma": gamma.ravel(), "layers.1.beta": beta.ravel()})
    _, mean, variance = normalization.layer_norm_forward(x.reshape(len(x), *flat), gamma.ravel(), beta.ravel(), epsilon)
    along = (*x.shape[:axis], *[1] * (x.ndim - axis))
    answer.found += [mean.reshape(along), (1 / np.sqrt(variance + epsilon)).reshape(along)]
    return answer


def recurrent(make, gates):
    def read(attributes, given, outputs):
        X, W, R, B, *more = (*given, None)[: max(4, len(given))]
        if more:
            raise NotHereError("peepholes, or an initial state")
        attributes.refuse(clip=None, activations=None)
        H, D = R.shape[2], len(W)
        x = X if attributes.get("layout") else X.transpose(1, 0, 2)
        B = np.zeros((D, 2 * len(gates) * H), np.float32) if B is None else B
        if make is cr.GRU and not attributes.get("linear_before_reset") and (x.shape[1] > 1 or B[:, -H:].any()):
            raise NotHereError("linear_before_reset=0 with a state to reset")
        answers = {every: read_all(make, gates, attributes, x, W, R, B, every) for every in ("Y", "Y_h")}
        found = []
        for name in outputs:
            if name == "Y_c":
                found.append(np.stack([last_cell(gates, attributes, x, W[d], R[d], B[d], d) for d in range(D)]))
            else:
                found += answers[name].found
        first = answers[outputs[0]]
        return Served(found, first.network, first.x, first.arrange)

    return read


def read_all(make, gates, attributes, x, W, R, B, output):
    """A recurrent network in one direction or both; reverse is the second half of both, beside one without weights."""
    H, D, direction = R.shape[2], len(W), attributes.get("direction", "forward")
    cells = make(H, return_sequences=output == "Y")
    if direction == "forward":
        layer, ways = cells, {"": 0}
    else:
        layer = cr.Bidirectional(cells)
        ways = {"ahead.": 0, "back.": 1} if direction == "bidirectional" else {"ahead.": None, "back.": 0}
    parameters = {}
    for way, d in ways.items():
        for name, array in (weights(gates, W[d or 0], R[d or 0], B[d or 0], make) or {}).items():
            parameters[f"layers.0.{way}{name}"] = 0 if d is None else array

    def arrange(y):
        y = y.reshape(*y.shape[:-1], len(ways), H)[..., -D:, :]  # (N, T, D, H) or (N, D, H)
        return y if attributes.get("layout") else np.moveaxis(y, 0, -2)

    return by_layers([layer], x, parameters, arrange)


def weights(gates, W, R, B, make=None):
    """ONNX's weights in our order of the gates: both biases as one, but for n of a GRU."""
    H = R.shape[1]

    def ours(array):
        parts = np.split(array, len(gates), axis=0)
        return np.concatenate([parts[gate] for gate in gates], axis=0).T

    beside_x, beside_h = (ours(b) for b in np.split(B, 2))
    if make is cr.GRU:
        behind = np.concatenate([beside_h[: 2 * H], np.zeros(H, B.dtype)])
        return {"W": ours(W), "U": ours(R), "b": beside_x + behind, "v": beside_h[2 * H :]}
    return {"W": ours(W), "U": ours(R), "b": beside_x + beside_h}


def last_cell(gates, attributes, x, W, R, B, d):
    """The cell of an LSTM after the last step, which the layer keeps for itself."""
    back = attributes.get("direction") == "reverse" or d == 1
    steps = np.ascontiguousarray(x[:, ::-1] if back else x)
    named = {name: np.ascontiguousarray(array) for name, array in weights(gates, W, R, B).items()}
    _, c, _ = OPERATIONS["lstm_forward"](steps, *named.values(), np.ones(x.shape[:2], np.uint8))
    return c[:, -1]


def cross_entropy(log_input):
    """Softmax and −log in one; or −log alone, which is the first less log Σ e^x."""

    def lose(attributes, given, outputs):
        x, t, *w = given
        K, reduction, ignored = x.shape[1], attributes.get("reduction", "mean"), attributes.get("ignore_index")
        f = np.ascontiguousarray(np.moveaxis(x, 1, -1).reshape(-1, K))  # every place is a sample
        f = f.astype(np.float64) if log_input else f  # a difference follows
        labels = t.ravel().astype(np.int64)
        counts = np.ones(len(labels), bool) if ignored is None else labels != ignored
        safe = np.where(counts, labels, 0)
        weight = (w[0][safe] if w else np.ones(len(labels), np.float32)) * counts
        log_p = softmax.log_softmax_forward(f)
        loss = losses.cross_entropy_forward(f, safe)
        if log_input:
            loss = loss - (f - log_p)[:, 0]
        loss = loss * weight
        if reduction == "none":
            found = loss.reshape(t.shape)
        elif reduction == "sum":
            found = loss.sum(dtype=np.float64)
        else:  # in float64, as `evaluate` takes it
            found = losses.mean_forward(loss.astype(np.float64)) / losses.mean_forward(weight.astype(np.float64))
        in_place = np.moveaxis(log_p.reshape(*t.shape, K), -1, 1)
        return Served([found, in_place][: len(outputs)])

    return lose


def optimizer(step, slots):
    def update(attributes, given, outputs):
        rate, count, *arrays = given
        if count > 0:
            raise NotHereError(f"a step that is number {count}")
        tensors = len(arrays) // (2 + slots)
        groups = [arrays[start : start + tensors] for start in range(0, len(arrays), tensors)]
        found = []
        for X, G, *state in zip(*groups, strict=True):
            slope = penalties.penalty_backward(np.ones((), X.dtype), X, 0.0, attributes.get("norm_coefficient", 0.0))
            found.append(step(attributes, X, vectors.add(G, slope), state, float(rate)))
        return Served([one[place] for place in range(1 + slots) for one in found])

    return update


def adam(attributes, X, G, state, rate):
    settings = attributes.get("alpha"), attributes.get("beta"), attributes.get("epsilon")
    return updates.adam_update(X, G, *state, LATE, rate, *settings)


def momentum(attributes, X, G, state, rate):
    take = updates.nesterov_update if attributes.get("mode") == "nesterov" else updates.momentum_update
    return take(X, G, *state, rate, attributes.get("alpha"))


def adagrad(attributes, X, G, state, rate):
    return updates.adagrad_update(X, G, *state, rate, attributes.get("epsilon"))


OPERATORS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Gemm": gemm,
    "MatMul": matmul,
    "MaxPool": pool(cr.MaxPool2D),
    "AveragePool": pool(cr.AvgPool2D),
    "GlobalMaxPool": global_pool(cr.GlobalMaxPool2D),
    "GlobalAveragePool": global_pool(cr.GlobalAvgPool2D),
    "Softmax": over_last_axis(cr.Softmax),
    "LogSoftmax": over_last_axis(cr.LogSoftmax),
    "RNN": recurrent(cr.RNN, (0,)),
    "LSTM": recurrent(cr.LSTM, (0, 2, 3, 1)),  # i o f g → i f g o
    "GRU": recurrent(cr.GRU, (1, 0, 2)),  # z r n → r z n
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "NegativeLogLikelihoodLoss": cross_entropy(log_input=True),
    "SoftmaxCrossEntropyLoss": cross_entropy(log_input=False),
    "Dropout": dropout,
    "Flatten": flatten,
    "Adam": optimizer(adam, 2),
    "Momentum": optimizer(momentum, 1),
    "Adagrad": optimizer(adagrad, 1),
    "Relu": activation(lambda a: cr.ReLU()),
    "LeakyRelu": activation(lambda a: cr.LeakyReLU(a.get("alpha", 0.01))),
    "Sigmoid": activation(lambda a: cr.Sigmoid()),
    "Tanh": activation(lambda a: cr.Tanh()),
    "Elu": activation(lambda a: cr.ELU(a.get("alpha", 1.0))),
    "Selu": activation(selu),
    "Softplus": activation(lambda a: cr.Softplus()),
    "HardSigmoid": activation(hard_sigmoid),
    "Gelu": activation(lambda a: cr.GELU(tanh=a.get("approximate") == "tanh")),
    "Swish": activation(lambda a: cr.SiLU()),
    "Identity": activation(lambda a: cr.Identity()),
}


def page():
    """docs/onnx-cases.md: every case by name, and what those that we cannot serve ask for."""
    found, refused = {}, {}
    for name, case in cases().items():
        operator = case.model.graph.node[0].op_type
        try:
            answer, _ = served(case)
        except NotHereError as reason:
            refused[name] = (operator, str(reason))
        else:
            found.setdefault(operator, []).append((name, answer.network is not None))
    count, exported = sum(map(len, found.values())), sum(through for names in found.values() for _, through in names)
    lines = [
        "# ONNX's own cases",
        "",
        "The onnx package brings cases for every operator: a model of one node, inputs, and the outputs that are",
        f"expected. Of those for operators that we have, {count} of {count + len(refused)} ask for nothing that we",
        "lack. Our layers and operations pass them all at a relative 10⁻⁵ in float32 (`tests/test_onnx_cases.py`), and",
        f"{exported} of them also go through `to_onnx` and onnxruntime; the others are losses, optimizers, or results",
        "that only training has.",
        "",
        "| Operator | Cases that pass; those in brackets have nothing to export |",
        "|---|---|",
    ]
    for operator in OPERATORS:
        names = [f"`{name}`" if through else f"(`{name}`)" for name, through in found.get(operator, [])]
        lines.append(f"| {operator} | {', '.join(names) or '–'} |")
    lines += ["", "| Not here | Operator | It asks for |", "|---|---|---|"]
    lines += [f"| `{name}` | {operator} | {reason} |" for name, (operator, reason) in refused.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page())
