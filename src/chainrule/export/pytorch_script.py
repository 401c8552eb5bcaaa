"""`to_pytorch_script`: a network as a PyTorch model, with the weights carried over."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from chainrule import layers, losses
from chainrule.arrays import Array
from chainrule.export.carried import Carried, carried, fixed
from chainrule.export.pytorch_parts import PARTS
from chainrule.export.scripts import answer, check_path, described, samples, short, write_script
from chainrule.export.words import Place, Words, places
from chainrule.files import Pathlike
from chainrule.network import Network

pytorch_layers = Words("the PyTorch script", "pytorch_layers")
pytorch_losses = Words("the PyTorch script", "pytorch_losses", "forward")

SCRIPT = '''\
"""A neural network in PyTorch, with its weights. Written by Chainrule; runs without it.

    python {name}.py samples.npy

{described}
Its weights are beside it, in {name}.npz, as the state_dict of the model. To train it on, minimise cost(model(x), t).
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
{functional}
{parts}model = nn.Sequential(
{layers}
).to(torch.{dtype})

with np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False) as file:
    model.load_state_dict({{name: torch.from_numpy(array) for name, array in file.items()}})


def cost(f, t):
    """J, the mean loss of scores f {output} = model(x) for {targets}."""
    return {cost}


def predict(x):
    """The {answer} {output}, for samples x {input}, both as NumPy arrays."""
    model.eval()
    with torch.no_grad():
        f = model(torch.as_tensor(x, dtype=torch.{dtype}))  # scores
        answer = {link}
    return answer.numpy()


if __name__ == "__main__":
    print(predict(np.load(sys.argv[1], allow_pickle=False)))
'''


def to_pytorch_script(network: Network, path: Pathlike) -> None:
    """Write a built network as a PyTorch script: `path`, which ends in .py, and its weights in a .npz beside it.

    The script has `model`, an nn.Sequential of PyTorch's own layers where it has them, which gives scores; `predict`,
    which answers as `network.predict` does; and `cost`, the loss, to train on with.

    Raises:
        SettingError: there are no words for a layer, a setting or the loss, which it names; or `path` does not end in
            .py.
        NotBuiltError: there are no parameters yet.
        OSError: a file could not be written.

    """
    target, model = check_path(path), pytorch_model(network)
    loss = network.loss
    targets, cost, link = pytorch_losses.find(type(loss), f"the loss {type(loss).__name__}")(loss)
    text = SCRIPT.format(
        name=target.stem,
        described=described(network),
        functional="from torch.nn import functional as F\n" if "F." in cost else "",
        parts="".join(f"\n{PARTS[part]}\n" for part in PARTS if part in model.parts) + "\n" * bool(model.parts),
        layers=textwrap.indent("\n".join(model.lines), "    "),
        dtype=network.dtype,
        targets=targets,
        cost=cost,
        answer=answer(loss),
        output=samples(network.output_shape),
        input=samples(network.input_shape or ()),
        link=link,
    )
    write_script(target, text, {one.theirs: one.array for one in model.carried})


class Model:
    """The lines of an nn.Sequential, the parts they need, and the arrays of its state_dict."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.parts: set[str] = set()
        self.carried: list[Carried] = []

    def part(self, name: str) -> str:
        """The name of a part that has to be written out."""
        self.parts.add(name)
        return name


def pytorch_model(network: Network) -> Model:
    """A built network in PyTorch's words. Raises as `to_pytorch_script` does."""
    model = Model()
    for position, place in enumerate(places(network)):
        model.lines += _commented(say(model, place, str(position)), samples(place.output_shape))
    return model


def say(model: Model, place: Place, theirs: str) -> str:
    """What makes the module of one layer, whose arrays are named `theirs`.… in the state_dict."""
    return str(pytorch_layers.find(type(place.layer), str(place))(model, place, theirs))


def _commented(module: str, comment: str) -> list[str]:
    """A module as an entry of a list, the shape of its output behind it."""
    *lines, last = module.split("\n")
    return [*lines, f"{last},  # → {comment}"]


def _container(model: Model, kind: str, inner: list[Place], theirs: str, brackets: str = "()") -> str:
    entries = []
    for position, place in enumerate(inner):
        entries += _commented(say(model, place, f"{theirs}.{position}"), samples(place.output_shape))
    if not entries:
        return f"{kind}()"
    opening, closing = (f"{kind}(", ")") if brackets == "()" else (f"{kind}([", "])")
    return "\n".join([opening, textwrap.indent("\n".join(entries), "    "), closing])


# --- layers with weights ----------------------------------------------------------------------------------------------


@pytorch_layers.says(layers.Linear, layers.DropConnect)
def _linear(model: Model, place: Place, theirs: str) -> str:
    model.carried += [carried(f"{theirs}.weight", place, "W", np.transpose), carried(f"{theirs}.bias", place, "b")]
    return f"nn.Linear({place.input_shape[0]}, {place.output_shape[0]})"


def _windows(layer: Any) -> str:
    """Kernel size, stride and padding; those left out that PyTorch has anyway."""
    padding = layer._padding[1] if isinstance(layer, layers.Conv1D) else layer._padding
    stride = "" if short(layer.stride) == 1 else f", stride={short(layer.stride)}"
    return f"{short(layer.kernel_size)}{stride}" + ("" if short(padding) == 0 else f", padding={short(padding)}")


def _filters(model: Model, place: Place, theirs: str) -> None:
    model.carried += [carried(f"{theirs}.weight", place, "W"), carried(f"{theirs}.bias", place, "b")]


@pytorch_layers.says(layers.Conv2D)
def _convolution(model: Model, place: Place, theirs: str) -> str:
    layer: Any = place.layer
    _filters(model, place, theirs)
    return f"nn.Conv2d({place.input_shape[0]}, {layer.out_channels}, {_windows(layer)})"


@pytorch_layers.says(layers.Conv1D)
def _convolution_1d(model: Model, place: Place, theirs: str) -> str:
    layer: Any = place.layer
    _filters(model, place, theirs)
    return f"nn.Conv1d({place.input_shape[0]}, {layer.out_channels}, {_windows(layer)})"


@pytorch_layers.says(layers.DepthwiseConv2D)
def _depthwise(model: Model, place: Place, theirs: str) -> str:
    layer: Any = place.layer
    _filters(model, place, theirs)
    C = place.input_shape[0]
    return f"nn.Conv2d({C}, {place.output_shape[0]}, {_windows(layer)}, groups={C})"


@pytorch_layers.says(layers.ConvTranspose2D)
def _transposed(model: Model, place: Place, theirs: str) -> str:
    layer: Any = place.layer
    _filters(model, place, theirs)
    more = f", output_padding={short(layer.output_padding)}" if any(layer.output_padding) else ""
    return f"nn.ConvTranspose2d({place.input_shape[0]}, {layer.out_channels}, {_windows(layer)}{more})"


@pytorch_layers.says(layers.Embedding)
def _embedding(model: Model, place: Place, theirs: str) -> str:
    layer: Any = place.layer
    model.carried.append(carried(f"{theirs}.weight", place, "W"))
    return f"{model.part('Words')}({layer.words}, {layer.features})"


@pytorch_layers.says(layers.BatchNorm)
def _batch_norm(model: Model, place: Place, theirs: str) -> str:
    layer: Any = place.layer
    kinds = {1: "BatchNorm1d", 2: "BatchNorm1d", 3: "BatchNorm2d", 4: "BatchNorm3d"}
    if len(place.input_shape) not in kinds:
        raise place.refuse("PyTorch", f"BatchNorm of samples with {len(place.input_shape)} axes, only of 1 to 4")
    names = {"weight": "gamma", "bias": "beta", "running_mean": "running_mean", "running_var": "running_variance"}
    model.carried += [carried(f"{theirs}.{name}", place, ours) for name, ours in names.items()]
    model.carried.append(fixed(f"{theirs}.num_batches_tracked", np.array(0)))
    kind = kinds[len(place.input_shape)]
    return f"nn.{kind}({place.input_shape[0]}, eps={layer.epsilon!r}, momentum={layer.momentum!r})"


@pytorch_layers.says(layers.LayerNorm)
def _layer_norm(model: Model, place: Place, theirs: str) -> str:
    model.carried += [carried(f"{theirs}.weight", place, "gamma"), carried(f"{theirs}.bias", place, "beta")]
    return f"nn.LayerNorm({place.input_shape[-1]}, eps={place.layer.epsilon!r})"  # type: ignore[attr-defined]


# --- activations and shapes -------------------------------------------------------------------------------------------

PLAIN = {
    layers.Identity: "nn.Identity()",
    layers.ReLU: "nn.ReLU()",
    layers.Softplus: "nn.Softplus(threshold=40)",  # its own, 20, is where float64 still sees the difference
    layers.Sigmoid: "nn.Sigmoid()",
    layers.Tanh: "nn.Tanh()",
    layers.SiLU: "nn.SiLU()",
    layers.SELU: "nn.SELU()",
    layers.Softmax: "nn.Softmax(dim=1)",
    layers.LogSoftmax: "nn.LogSoftmax(dim=1)",
    layers.Flatten: "nn.Flatten()",
    layers.GlobalMaxPool2D: "nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten())",
    layers.GlobalAvgPool2D: "nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())",
}


@pytorch_layers.says(*PLAIN)
def _plain(model: Model, place: Place, theirs: str) -> str:
    return PLAIN[type(place.layer)]


@pytorch_layers.says(layers.Augment)
def _augment(model: Model, place: Place, theirs: str) -> str:
    return "nn.Identity()"


@pytorch_layers.says(layers.Step)
def _step(model: Model, place: Place, theirs: str) -> str:
    return f"{model.part('Step')}()"


@pytorch_layers.says(layers.HardSigmoid)
def _hard_sigmoid(model: Model, place: Place, theirs: str) -> str:
    return f"{model.part('HardSigmoid')}()"


@pytorch_layers.says(layers.Dropout)
def _dropout(model: Model, place: Place, theirs: str) -> str:
    return f"nn.Dropout({place.layer.rate!r})"  # type: ignore[attr-defined]


@pytorch_layers.says(layers.GaussianNoise)
def _noise(model: Model, place: Place, theirs: str) -> str:
    return f"{model.part('GaussianNoise')}({place.layer.deviation!r})"  # type: ignore[attr-defined]


@pytorch_layers.says(layers.LeakyReLU)
def _leaky_relu(model: Model, place: Place, theirs: str) -> str:
    return f"nn.LeakyReLU({place.layer.slope!r})"  # type: ignore[attr-defined]


@pytorch_layers.says(layers.GELU)
def _gelu(model: Model, place: Place, theirs: str) -> str:
    return 'nn.GELU(approximate="tanh")' if place.layer.tanh else "nn.GELU()"  # type: ignore[attr-defined]


@pytorch_layers.says(layers.ELU)
def _elu(model: Model, place: Place, theirs: str) -> str:
    return f"nn.ELU({place.layer.alpha!r})"  # type: ignore[attr-defined]


@pytorch_layers.says(layers.Reshape)
def _reshape(model: Model, place: Place, theirs: str) -> str:
    unflatten = f"nn.Unflatten(1, {place.output_shape})"
    return unflatten if len(place.input_shape) == 1 else f"nn.Sequential(nn.Flatten(), {unflatten})"


@pytorch_layers.says(layers.Maxout)
def _maxout(model: Model, place: Place, theirs: str) -> str:
    return f"{model.part('Maxout')}({place.layer.pieces})"  # type: ignore[attr-defined]


@pytorch_layers.says(layers.MaxPool2D, layers.AvgPool2D)
def _pool(model: Model, place: Place, theirs: str) -> str:
    layer: Any = place.layer
    kind = "MaxPool2d" if isinstance(layer, layers.MaxPool2D) else "AvgPool2d"
    stride = "" if layer._stride == layer._size else f", stride={short(layer._stride)}"
    return f"nn.{kind}({short(layer._size)}{stride})"


@pytorch_layers.says(layers.Upsample2D)
def _upsample(model: Model, place: Place, theirs: str) -> str:
    layer: Any = place.layer
    return f'nn.Upsample(scale_factor={short(layer.factor)}, mode="{layer.interpolation}")'


# --- layers made of layers --------------------------------------------------------------------------------------------


@pytorch_layers.says(layers.Sequential)
def _sequential(model: Model, place: Place, theirs: str) -> str:
    return _container(model, "nn.Sequential", place.in_a_row(), theirs)


@pytorch_layers.says(layers.Residual)
def _residual(model: Model, place: Place, theirs: str) -> str:
    return _container(model, model.part("Residual"), place.in_a_row(), theirs)


@pytorch_layers.says(layers.Parallel)
def _parallel(model: Model, place: Place, theirs: str) -> str:
    kind = model.part("Sum" if place.layer.join == "sum" else "Concatenate")  # type: ignore[attr-defined]
    return _container(model, kind, place.side_by_side(), theirs, "[]")


@pytorch_layers.says(layers.EachStep)
def _each_step(model: Model, place: Place, theirs: str) -> str:
    inner = place.within("layer", place.layer.layer, place.input_shape[1:])  # type: ignore[attr-defined]
    return f"{model.part('EachStep')}({say(model, inner, f'{theirs}.module')})"


# --- recurrent layers -------------------------------------------------------------------------------------------------


@pytorch_layers.says(layers.RNN, layers.LSTM, layers.GRU)
def _recurrent(model: Model, place: Place, theirs: str) -> str:
    layer: Any = place.layer
    if isinstance(layer, layers.RNN) and layer.activation == "sigmoid":
        _check_mask(place, layer)
        model.carried += [carried(f"{theirs}.cells.{name}", place, name) for name in ("W", "U", "b")]
        cells = f"{model.part('SigmoidRNN')}({place.input_shape[1]}, {layer.hidden_size})"
        return f"{_states(model, layer)}({cells})"
    return _cells(model, layer, {"": place}, theirs)


@pytorch_layers.says(layers.Bidirectional)
def _bidirectional(model: Model, place: Place, theirs: str) -> str:
    both: Any = place.layer
    if isinstance(both.layer, layers.RNN) and both.layer.activation == "sigmoid":
        raise place.refuse("PyTorch", 'an RNN with the activation "sigmoid" in both directions')
    ahead = place.within("ahead", both.layer, place.input_shape)
    back = place.within("back", both._back, place.input_shape)
    return _cells(model, both.layer, {"": ahead, "_reverse": back}, theirs)


def _cells(model: Model, layer: Any, directions: dict[str, Place], theirs: str) -> str:
    """PyTorch's own recurrent layer, with one direction or two. Its weights are ours transposed, gates in our order."""
    _check_mask(directions[""], layer)
    for suffix, place in directions.items():
        at = f"{theirs}.cells.{{}}_l0{suffix}"
        model.carried += [
            carried(at.format("weight_ih"), place, "W", np.transpose),
            carried(at.format("weight_hh"), place, "U", np.transpose),
            carried(at.format("bias_ih"), place, "b"),
        ]
        if isinstance(layer, layers.GRU):
            model.carried.append(carried(at.format("bias_hh"), place, "v", _behind_zeros))
        else:
            model.carried.append(fixed(at.format("bias_hh"), np.zeros_like(place.arrays["b"])))
    settings = ["batch_first=True"]
    if isinstance(layer, layers.RNN) and layer.activation == "relu":
        settings.append('nonlinearity="relu"')
    if len(directions) == 2:
        settings.append("bidirectional=True")
    sizes = f"{directions[''].input_shape[1]}, {layer.hidden_size}"
    bias = model.part("one_bias_but_for_n" if isinstance(layer, layers.GRU) else "one_bias")
    return f"{_states(model, layer)}({bias}(nn.{type(layer).__name__}({sizes}, {', '.join(settings)})))"


def _states(model: Model, layer: Any) -> str:
    return model.part("EveryState" if layer.return_sequences else "LastState")


def _check_mask(place: Place, layer: Any) -> None:
    if layer.mask_value is not None:
        raise place.refuse("PyTorch", "mask_value: its recurrent layers can leave out steps at the end only")


def _behind_zeros(v: Array) -> Array:
    return np.concatenate([np.zeros_like(v), np.zeros_like(v), v])


# --- losses: the targets in words, the cost, and the link -------------------------------------------------------------

Said = tuple[str, str, str]
LABELS = "class labels t (N,)"
DECISIONS = "decisions t of 0 and 1, of the same shape"
NUMBERS = "numbers t of the same shape"


@pytorch_losses.says(losses.SquaredError)
def _squared_error(loss: losses.Loss) -> Said:
    return NUMBERS, "((f - t) ** 2).sum() / 2 / len(f)", "f"


@pytorch_losses.says(losses.AbsoluteError)
def _absolute_error(loss: losses.Loss) -> Said:
    return NUMBERS, "(f - t).abs().sum() / len(f)", "f"


@pytorch_losses.says(losses.Huber)
def _huber(loss: Any) -> Said:
    return NUMBERS, f'F.huber_loss(f, t, reduction="sum", delta={loss.delta!r}) / len(f)', "f"


@pytorch_losses.says(losses.Poisson)
def _poisson(loss: losses.Loss) -> Said:
    return "counts t of the same shape", "(f.exp() - t * f).sum() / len(f)", "f.exp()"


@pytorch_losses.says(losses.BinaryCrossEntropy)
def _binary_cross_entropy(loss: Any) -> Said:
    weight = "" if loss.pos_weight is None else f", pos_weight=torch.tensor({loss.pos_weight!r}, dtype=f.dtype)"
    cost = f'F.binary_cross_entropy_with_logits(f, t, reduction="sum"{weight}) / len(f)'
    return DECISIONS, cost, "torch.sigmoid(f)"


@pytorch_losses.says(losses.BinaryFocal)
def _binary_focal(loss: Any) -> Said:
    signed = "torch.where(t > 0, f, -f)"  # the score of the truth
    alpha = "" if loss.alpha is None else f"(t * {loss.alpha!r} + (1 - t) * {1 - loss.alpha!r}) * "
    each = f"{alpha}torch.sigmoid(-{signed}) ** {loss.gamma!r} * F.logsigmoid({signed})"
    return DECISIONS, f"-({each}).sum() / len(f)", "torch.sigmoid(f)"


@pytorch_losses.says(losses.CrossEntropy)
def _cross_entropy(loss: Any) -> Said:
    smoothing = f", label_smoothing={loss.label_smoothing!r}" if loss.label_smoothing else ""
    return f"{LABELS} or rows of probabilities", f"F.cross_entropy(f, t{smoothing})", "torch.softmax(f, dim=1)"


@pytorch_losses.says(losses.KullbackLeibler)
def _kullback_leibler(loss: losses.Loss) -> Said:
    cost = 'F.kl_div(F.log_softmax(f, dim=1), t, reduction="batchmean")'
    return "rows of probabilities t", cost, "torch.softmax(f, dim=1)"


@pytorch_losses.says(losses.Focal)
def _focal(loss: Any) -> Said:
    log_p = "F.log_softmax(f, dim=1).gather(1, t[:, None])[:, 0]"
    if isinstance(loss.alpha, tuple):
        alpha = f"torch.tensor({list(loss.alpha)}, dtype=f.dtype)[t] * "
    else:
        alpha = "" if loss.alpha is None else f"{loss.alpha!r} * "
    return LABELS, f"-({alpha}(1 - {log_p}.exp()) ** {loss.gamma!r} * {log_p}).mean()", "torch.softmax(f, dim=1)"


@pytorch_losses.says(losses.Perceptron)
def _perceptron(loss: losses.Loss) -> Said:
    return DECISIONS, "(((f >= 0).to(f.dtype) - t) * f).sum() / len(f)", "(f >= 0).to(f.dtype)"


@pytorch_losses.says(losses.Hinge)
def _hinge(loss: Any) -> Said:
    power = " ** 2" if loss.power == 2 else ""
    cost = f"(F.relu({loss.margin!r} - (2 * t - 1) * f){power}).sum() / len(f)"
    return DECISIONS, cost, "(f >= 0).to(f.dtype)"


@pytorch_losses.says(losses.CrammerSinger)
def _crammer_singer(loss: Any) -> Said:
    rivals = "f.masked_fill(F.one_hot(t, f.shape[1]).bool(), -torch.inf).amax(dim=1)"
    cost = f"F.relu({loss.margin!r} + {rivals} - f.gather(1, t[:, None])[:, 0]).mean()"
    return LABELS, cost, "F.one_hot(f.argmax(dim=1), f.shape[1]).to(f.dtype)"


@pytorch_losses.says(losses.WestonWatkins)
def _weston_watkins(loss: Any) -> Said:
    cost = f"F.multi_margin_loss(f, t, p={loss.power}, margin={loss.margin!r}) * f.shape[1]"
    return LABELS, cost, "F.one_hot(f.argmax(dim=1), f.shape[1]).to(f.dtype)"
