"""Write layers.json: what PyTorch finds for the layers, in float64.

    python tests/oracle/layers.py

It needs PyTorch, which the tests do not: they read the file. Each case has a layer of ours, the input, its parameters
and state, and the gradient at its output; then what PyTorch gives: the output, the gradients at the input and at every
parameter, and the state after a step of training. PyTorch's weights of linear layers are ours transposed.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

TARGET = Path(__file__).with_name("layers.json")
GENERATOR = torch.Generator().manual_seed(0)


def normal(*shape):
    return torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


def positive(*shape):
    return normal(*shape).abs() + 0.5


def channels(C):
    return {"gamma": normal(C), "beta": normal(C)}


def running(C):
    return {"running_mean": normal(C), "running_variance": positive(C)}


def batch_norm(momentum, epsilon):
    def forward(x, p, s, training):
        return F.batch_norm(
            x, s["running_mean"], s["running_variance"], p["gamma"], p["beta"], training, momentum, epsilon
        )

    return forward


def layer_norm(epsilon):
    return lambda x, p: F.layer_norm(x, x.shape[-1:], p["gamma"], p["beta"], epsilon)


def linear(x, W, b):
    return x @ W + b


def two_layers(x, p, at=""):
    hidden = torch.tanh(linear(x, p[f"{at}layers.0.W"], p[f"{at}layers.0.b"]))
    return linear(hidden, p[f"{at}layers.2.W"], p[f"{at}layers.2.b"])


def of_two_layers(*sizes, at=""):
    I, H, O = sizes  # noqa: E741
    return {
        f"{at}layers.0.W": normal(I, H),
        f"{at}layers.0.b": normal(H),
        f"{at}layers.2.W": normal(H, O),
        f"{at}layers.2.b": normal(O),
    }


def layer(name, **settings):
    return {"class": name, **settings}


def linear_layer(out_features):
    return layer("Linear", out_features=out_features)


def in_a_row(*layers):
    return layer("Sequential", layers=list(layers))


TWO = [linear_layer(4), layer("Tanh"), linear_layer(3)]
INCEPTION = [in_a_row(linear_layer(4), layer("Tanh"), linear_layer(2)), linear_layer(3), layer("Identity")]


def inception(x, p):
    return torch.cat([two_layers(x, p, "layers.0."), linear(x, p["layers.1.W"], p["layers.1.b"]), x], 1)


def projected(x, p):
    return two_layers(x, p, "layers.0.") + linear(x, p["layers.1.W"], p["layers.1.b"])


def conv(stride, padding):
    return lambda x, p: F.conv2d(x, p["W"], p["b"], stride, padding)


def of_linear(I, O, at=""):  # noqa: E741
    return {f"{at}W": normal(I, O), f"{at}b": normal(O)}


ROWS, IMAGES = normal(5, 4), normal(3, 2, 4, 5)
CASES = [  # our layer, the input, parameters, PyTorch's function of both
    (linear_layer(3), ROWS, of_linear(4, 3), lambda x, p: linear(x, p["W"], p["b"])),
    (layer("DropConnect", out_features=3), ROWS, of_linear(4, 3), lambda x, p: linear(x, p["W"], p["b"])),
    (
        layer("Conv2D", out_channels=3, kernel_size=[2, 3], stride=[2, 1], padding=[1, 0]),
        IMAGES,
        {"W": normal(3, 2, 2, 3), "b": normal(3)},
        conv((2, 1), (1, 0)),
    ),
    (layer("MaxPool2D", size=2), IMAGES, {}, lambda x, p: F.max_pool2d(x, 2)),
    (layer("AvgPool2D", size=[2, 3], stride=1), IMAGES, {}, lambda x, p: F.avg_pool2d(x, (2, 3), 1)),
    (layer("GlobalAvgPool2D"), IMAGES, {}, lambda x, p: F.adaptive_avg_pool2d(x, 1).flatten(1)),
    (layer("GlobalMaxPool2D"), IMAGES, {}, lambda x, p: F.adaptive_max_pool2d(x, 1).flatten(1)),
    (layer("Softmax"), ROWS, {}, lambda x, p: F.softmax(x, 1)),
    (layer("LogSoftmax"), ROWS, {}, lambda x, p: F.log_softmax(x, 1)),
    (layer("ReLU"), ROWS, {}, lambda x, p: F.relu(x)),
    (layer("LeakyReLU", slope=0.2), ROWS, {}, lambda x, p: F.leaky_relu(x, 0.2)),
    (layer("Softplus"), ROWS, {}, lambda x, p: F.softplus(x)),
    (layer("Sigmoid"), ROWS, {}, lambda x, p: torch.sigmoid(x)),
    (layer("Tanh"), ROWS, {}, lambda x, p: torch.tanh(x)),
    (layer("GELU"), ROWS, {}, lambda x, p: F.gelu(x)),
    (layer("GELU", tanh=True), ROWS, {}, lambda x, p: F.gelu(x, approximate="tanh")),
    (layer("SiLU"), ROWS, {}, lambda x, p: F.silu(x)),
    (layer("ELU"), ROWS, {}, lambda x, p: F.elu(x)),
    (layer("ELU", alpha=0.3), ROWS, {}, lambda x, p: F.elu(x, 0.3)),
    (layer("SELU"), ROWS, {}, lambda x, p: F.selu(x)),
    (layer("HardSigmoid"), 3 * ROWS, {}, lambda x, p: (x / 6 + 0.5).clamp(0, 1)),  # F.hardsigmoid has 1/6 in float32
    (layer("Maxout"), ROWS, {}, lambda x, p: x.reshape(5, 2, 2).max(2).values),
    (layer("Maxout"), IMAGES, {}, lambda x, p: x.max(1, keepdim=True).values),
    (layer("LayerNorm", epsilon=0.01), ROWS, channels(4), layer_norm(0.01)),
    (layer("LayerNorm"), normal(3, 2, 5), channels(5), layer_norm(1e-5)),
    (layer("Residual", layers=[linear_layer(3), layer("Tanh"), linear_layer(4)]), ROWS, of_two_layers(4, 3, 4),
     lambda x, p: x + two_layers(x, p)),
    (layer("Parallel", layers=[in_a_row(*TWO), linear_layer(3)]), ROWS,
     of_two_layers(4, 4, 3, at="layers.0.") | of_linear(4, 3, "layers.1."), projected),
    (layer("Parallel", layers=INCEPTION, join="concatenate"), ROWS,
     of_two_layers(4, 4, 2, at="layers.0.") | of_linear(4, 3, "layers.1."), inception),
]  # fmt: skip
WITH_STATE = [  # likewise, with the state
    (layer("BatchNorm"), ROWS, channels(4), running(4), batch_norm(0.1, 1e-5)),
    (layer("BatchNorm", momentum=0.3, epsilon=0.01), IMAGES, channels(2), running(2), batch_norm(0.3, 0.01)),
    (layer("BatchNorm"), normal(4, 3, 5), channels(3), running(3), batch_norm(0.1, 1e-5)),
]


def found(made, x, parameters, forward, **more):
    x = x.clone().requires_grad_()
    p = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    y = forward(x, p)
    dy = normal(*y.shape)
    dx, *slopes = torch.autograd.grad(y, [x, *p.values()], dy)
    return {
        "layer": made,
        **more,
        "x": x.tolist(),
        "parameters": {name: value.tolist() for name, value in p.items()},
        "dy": dy.tolist(),
        "y": y.tolist(),
        "dx": dx.tolist(),
        "gradients": {name: slope.tolist() for name, slope in zip(p, slopes, strict=True)},
    }


def with_state(made, x, parameters, state, forward, training):
    before = {name: value.tolist() for name, value in state.items()}
    s = {name: value.clone() for name, value in state.items()}
    case = found(made, x, parameters, lambda x, p: forward(x, p, s, training), training=training, state=before)
    return case | {"next state": {name: value.tolist() for name, value in s.items()}}


def embedding():
    words, W = torch.tensor([[0, 3, 3], [5, 0, 2], [3, 1, 3]]), normal(6, 4).requires_grad_()
    y = F.embedding(words, W)
    dy = normal(*y.shape)
    (dW,) = torch.autograd.grad(y, W, dy)
    return {
        "layer": layer("Embedding", words=6, features=4),
        "x": words.tolist(),
        "parameters": {"W": W.tolist()},
        "dy": dy.tolist(),
        "y": y.tolist(),
        "dx": torch.zeros(3, 3).tolist(),
        "gradients": {"W": dW.tolist()},
    }


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class Maxout(nn.Module):
    def forward(self, x):
        return x.unflatten(1, (-1, 2)).max(2).values


class GlobalAvgPool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def features():
    return normal(12, 3), nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.GELU(), nn.Linear(5, 4))


def images():
    block = Residual(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3, momentum=0.3), nn.SiLU())
    return normal(12, 2, 4, 4), nn.Sequential(nn.Conv2d(2, 3, 2), block, nn.ELU(0.5), GlobalAvgPool(), nn.Linear(3, 4))


def words():
    layers = [nn.Embedding(6, 4), nn.LayerNorm(4), nn.Flatten(), nn.Linear(12, 8), Maxout(), nn.SELU(), nn.Linear(4, 4)]
    return torch.arange(36).reshape(12, 3) * 7 % 6, nn.Sequential(*layers)


def descent(made, steps=100, rate=0.1):
    """Full-batch descent, which the running statistics follow; then the answers in prediction."""
    x, network = made()
    network.double()
    labels = torch.arange(12) % 4
    for p in network.parameters():
        p.data = normal(*p.shape)
    start = ours(network)
    optimizer, costs = torch.optim.SGD(network.parameters(), lr=rate), []
    for _ in range(steps):
        optimizer.zero_grad()
        cost = F.cross_entropy(network(x), labels)
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    answers = network.eval()(x).softmax(1)
    return {
        "x": x.tolist(),
        "labels": labels.tolist(),
        "rate": rate,
        "start": start,
        "end": ours(network),
        "costs": costs,
        "answers": answers.tolist(),
    }


OURS = {
    nn.Linear: {"weight": "W", "bias": "b"},
    nn.Conv2d: {"weight": "W", "bias": "b"},
    nn.Embedding: {"weight": "W"},
    nn.LayerNorm: {"weight": "gamma", "bias": "beta"},
    nn.BatchNorm1d: {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "running_mean",
        "running_var": "running_variance",
    },
}
OURS[nn.BatchNorm2d] = OURS[nn.BatchNorm1d]


def ours(network):
    """Parameters and running statistics under our names: "1.0.weight" is "layers.1.layers.0.W"."""
    arrays = {}
    for place, module in network.named_modules():
        prefix = "".join(f"layers.{number}." for number in place.split("."))
        for name, our_name in OURS.get(type(module), {}).items():
            array = getattr(module, name)
            turned = isinstance(module, nn.Linear) and name == "weight"
            arrays[prefix + our_name] = (array.T if turned else array).tolist()
    return arrays


def main():
    cases = [found(*case) for case in CASES]
    cases += [with_state(*case, training) for case in WITH_STATE for training in (False, True)]
    content = {"made with": f"PyTorch {torch.__version__}", "cases": [*cases, embedding()]}
    content["descents"] = {made.__name__: descent(made) for made in (features, images, words)}
    text = json.dumps(content, indent=None, separators=(",", ":")).replace('{"layer":', '\n{"layer":')
    TARGET.write_text(text + "\n")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
