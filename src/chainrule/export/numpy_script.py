"""`to_numpy_script`: a network as a script of plain Python and NumPy, to be read as much as to be run."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

from chainrule import layers, losses
from chainrule.export import numpy_formulas, table_formulas
from chainrule.export.numpy_table import samples_function
from chainrule.export.preprocessing import preprocessor_of
from chainrule.export.scripts import WIDTH, answer, check_path, described, samples, write_script
from chainrule.export.words import Place, Words, places
from chainrule.files import Pathlike
from chainrule.network import Network

numpy_layers = Words("the NumPy script", "numpy_layers")
numpy_links = Words("the NumPy script", "numpy_links", "link")

SCRIPT = '''\
"""A neural network in plain NumPy, formula by formula. Written by Chainrule; runs without it.

    python {name}.py {example}

{described}
Its weights are beside it, in {name}.npz. The samples come along the first axis of every array: N of them.
"""

{imports}

with np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False) as file:
    ARRAYS = dict(file)  # "layers.0.W" and so on

{formulas}
def weights(layer):
    """The arrays of a layer by their names, such as {{"W": …, "b": …}}: what its formula takes besides x."""
    return {{name.rpartition(".")[2]: array for name, array in ARRAYS.items() if name.rpartition(".")[0] == layer}}


def predict(x):
    """The {answer} {output}, for samples x {input}."""
    x = np.asarray(x, "{dtype}")
{steps}
{samples}

if __name__ == "__main__":
    print(predict({given}))
'''


def to_numpy_script(network: Network, path: Pathlike, *, preprocessing: bool = True) -> None:
    """Write a built network as a script that needs NumPy alone: `path`, which ends in .py, and its weights in a .npz.

    `python path samples.npy` prints what `network.predict` answers; `predict` of the script gives it as an array, in
    the network's dtype. Every formula that the network uses stands there with its explanation.

    Args:
        network: is not changed.
        path: of the script.
        preprocessing: whether the script of a network whose metadata hold the preprocessing of a table makes samples of
            such tables, so that `python path new.csv` works.

    Raises:
        SettingError: there are no words for a layer, a column or the loss, which it names; or `path` does not end in
            .py.
        ModelFileError: what the metadata hold under "preprocessing" is none.
        NotBuiltError: there are no parameters yet.
        OSError: a file could not be written.

    """
    target, script = check_path(path), Steps()
    table = preprocessor_of(network) if preprocessing else None
    make_samples = samples_function(table) if table else ""
    for place in places(network):
        say(script, place)
    link = numpy_links.find(type(network.loss), f"the loss {type(network.loss).__name__}")(network.loss)
    steps = f"{script}\n    return {link}".strip("\n")
    given = "samples(read_table(sys.argv[1]))" if table else "np.load(sys.argv[1], allow_pickle=False)"
    formulas = _formulas(f"def predict(x):\n{steps}\n{make_samples}\n{given}")
    text = SCRIPT.format(
        name=target.stem,
        example="new.csv" if table else "samples.npy",
        samples=make_samples,
        given=given,
        described=described(network),
        imports=_imports(formulas),
        formulas="".join(f"\n{formula}\n\n" for formula in formulas),
        answer=answer(network.loss),
        output=samples(network.output_shape),
        input=samples(network.input_shape or ()),
        dtype=network.dtype,
        steps=steps,
    )
    write_script(target, text, network.arrays)


class Steps:
    """The statements of `predict`, each of which makes a new x of the one before."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, statement: str, comment: str) -> None:
        """A statement, and a comment behind it, or above it where the line is long."""
        together = f"{statement}  # {comment}"
        self.lines += [together] if len(together) < WIDTH else [f"# {comment}", statement]

    def __str__(self) -> str:
        return textwrap.indent("\n".join(self.lines), "    ")


def say(script: Steps, place: Place) -> None:
    """Write the statements of one layer."""
    name, shape = type(place.layer).__name__, samples(place.output_shape)
    expression = numpy_layers.find(type(place.layer), str(place))(script, place)
    if expression != "x":
        script.line(f"x = {expression}", f"{name} → {shape}")
    elif not isinstance(place.layer, layers.Sequential):
        script.lines.append(f"# {name}: nothing in prediction")


def _formulas(code: str) -> list[str]:
    """The sources of all formulas that `code` names, and of those that they name, in their order."""
    every = vars(table_formulas) | vars(numpy_formulas)
    known = {name: inspect.getsource(formula) for name, formula in every.items() if inspect.isfunction(formula)}
    needed, waiting = set[str](), [code]
    while waiting:
        used = {node.id for node in ast.walk(ast.parse(waiting.pop())) if isinstance(node, ast.Name)}
        found = used & known.keys() - needed
        needed |= found
        waiting += [known[name] for name in found]
    return [known[name].strip() for name in every if name in needed]


def _imports(formulas: list[str]) -> str:
    code = "\n".join(formulas)
    plain = [name for name in ("csv", "math", "re") if f"{name}." in code]
    dates = ["from datetime import UTC, datetime, timedelta"] if "datetime." in code else []
    lines = [*(f"import {name}" for name in plain), "import sys", *dates, "from pathlib import Path"]
    return "\n".join([*lines, "", "import numpy as np"])


def _weights(place: Place) -> str:
    """The arrays of a layer, as the arguments of its formula."""
    return f'**weights("{place.name}")'


def _variable(place: Place, stem: str) -> str:
    """A name for something that belongs to a place, such as "before_2_0"."""
    return "_".join([stem, *(part for part in place.name.split(".") if part.isdigit())])


# --- layers with weights ----------------------------------------------------------------------------------------------


@numpy_layers.says(layers.Linear, layers.DropConnect)
def _linear(script: Steps, place: Place) -> str:
    return f"linear(x, {_weights(place)})"


@numpy_layers.says(layers.Conv2D)
def _convolution(script: Steps, place: Place) -> str:
    layer: Any = place.layer
    return f"convolution(x, {_weights(place)}, stride={layer._stride}, padding={layer._padding})"


@numpy_layers.says(layers.Conv1D)
def _convolution_1d(script: Steps, place: Place) -> str:
    layer: Any = place.layer
    return f"convolution_1d(x, {_weights(place)}, stride={layer._stride[1]}, padding={layer._padding[1]})"


@numpy_layers.says(layers.DepthwiseConv2D)
def _depthwise(script: Steps, place: Place) -> str:
    layer: Any = place.layer
    return f"depthwise_convolution(x, {_weights(place)}, stride={layer._stride}, padding={layer._padding})"


@numpy_layers.says(layers.ConvTranspose2D)
def _transposed(script: Steps, place: Place) -> str:
    layer: Any = place.layer
    settings = f"stride={layer.stride}, padding={layer.padding}, extent={place.output_shape[1:]}"
    return f"transposed_convolution(x, {_weights(place)}, {settings})"


@numpy_layers.says(layers.Embedding)
def _embedding(script: Steps, place: Place) -> str:
    return f"embedding(x, {_weights(place)})"


@numpy_layers.says(layers.BatchNorm)
def _batch_norm(script: Steps, place: Place) -> str:
    return f"batch_norm(x, {_weights(place)}, epsilon={place.layer.epsilon!r})"  # type: ignore[attr-defined]


@numpy_layers.says(layers.LayerNorm)
def _layer_norm(script: Steps, place: Place) -> str:
    return f"layer_norm(x, {_weights(place)}, epsilon={place.layer.epsilon!r})"  # type: ignore[attr-defined]


# --- activations and shapes -------------------------------------------------------------------------------------------


@numpy_layers.says(layers.Identity, layers.Dropout, layers.GaussianNoise, layers.Augment)
def _nothing(script: Steps, place: Place) -> str:
    return "x"


PLAIN = {
    layers.Step: "step",
    layers.ReLU: "relu",
    layers.Softplus: "softplus",
    layers.Sigmoid: "sigmoid",
    layers.Tanh: "tanh",
    layers.SiLU: "silu",
    layers.HardSigmoid: "hard_sigmoid",
    layers.Softmax: "softmax",
    layers.LogSoftmax: "log_softmax",
    layers.GlobalMaxPool2D: "global_max_pool",
    layers.GlobalAvgPool2D: "global_average_pool",
}


@numpy_layers.says(*PLAIN)
def _plain(script: Steps, place: Place) -> str:
    return f"{PLAIN[type(place.layer)]}(x)"


@numpy_layers.says(layers.LeakyReLU)
def _leaky_relu(script: Steps, place: Place) -> str:
    return f"leaky_relu(x, slope={place.layer.slope!r})"  # type: ignore[attr-defined]


@numpy_layers.says(layers.GELU)
def _gelu(script: Steps, place: Place) -> str:
    return "gelu_tanh(x)" if place.layer.tanh else "gelu(x)"  # type: ignore[attr-defined]


@numpy_layers.says(layers.ELU)
def _elu(script: Steps, place: Place) -> str:
    return f"elu(x, slope=1, depth={place.layer.alpha!r})"  # type: ignore[attr-defined]


@numpy_layers.says(layers.SELU)
def _selu(script: Steps, place: Place) -> str:
    return f"elu(x, slope={layers.SELU.scale!r}, depth={layers.SELU.scale * layers.SELU.alpha!r})"


@numpy_layers.says(layers.Reshape, layers.Flatten)
def _reshape(script: Steps, place: Place) -> str:
    return f"x.reshape(len(x), {', '.join(map(str, place.output_shape))})"


@numpy_layers.says(layers.Maxout)
def _maxout(script: Steps, place: Place) -> str:
    return f"maxout(x, pieces={place.layer.pieces})"  # type: ignore[attr-defined]


@numpy_layers.says(layers.MaxPool2D)
def _max_pool(script: Steps, place: Place) -> str:
    layer: Any = place.layer
    return f"max_pool(x, size={layer._size}, stride={layer._stride})"


@numpy_layers.says(layers.AvgPool2D)
def _average_pool(script: Steps, place: Place) -> str:
    layer: Any = place.layer
    return f"average_pool(x, size={layer._size}, stride={layer._stride})"


@numpy_layers.says(layers.Upsample2D)
def _upsample(script: Steps, place: Place) -> str:
    layer: Any = place.layer
    return f"upsample_{layer.interpolation}(x, factor={layer.factor})"


# --- layers made of layers --------------------------------------------------------------------------------------------


@numpy_layers.says(layers.Sequential)
def _sequential(script: Steps, place: Place) -> str:
    for inner in place.in_a_row():
        say(script, inner)
    return "x"


@numpy_layers.says(layers.Residual)
def _residual(script: Steps, place: Place) -> str:
    before = _variable(place, "before")
    script.line(f"{before} = x", "Residual: what its layers make of x is added to it")
    _sequential(script, place)
    return f"{before} + x"


@numpy_layers.says(layers.Parallel)
def _parallel(script: Steps, place: Place) -> str:
    before, ways = _variable(place, "before"), list[str]()
    script.line(f"{before} = x", f"Parallel: {len(place.side_by_side())} ways from here, which are joined again")
    for inner in place.side_by_side():
        if ways:
            script.line(f"x = {before}", "the next way")
        say(script, inner)
        ways.append(_variable(inner, "way"))
        script.line(f"{ways[-1]} = x", samples(inner.output_shape))
    if place.layer.join == "sum":  # type: ignore[attr-defined]
        return " + ".join(ways)
    return f"np.concatenate([{', '.join(ways)}], axis=1)"


@numpy_layers.says(layers.EachStep)
def _each_step(script: Steps, place: Place) -> str:
    (T, I), (_, O) = place.input_shape, place.output_shape  # noqa: E741
    script.line(f"x = x.reshape(-1, {I})", "EachStep: every step a row of its own")
    say(script, place.within("layer", place.layer.layer, (I,)))  # type: ignore[attr-defined]
    return f"x.reshape(-1, {T}, {O})"


# --- recurrent layers -------------------------------------------------------------------------------------------------


@numpy_layers.says(layers.RNN, layers.LSTM, layers.GRU)
def _recurrent(script: Steps, place: Place) -> str:
    states = _states(script, place, place.layer, "x")
    return states if place.layer.return_sequences else f"{states}[:, -1]"  # type: ignore[attr-defined]


@numpy_layers.says(layers.Bidirectional)
def _bidirectional(script: Steps, place: Place) -> str:
    both: Any = place.layer
    ahead = place.within("ahead", both.layer, place.input_shape)
    back = place.within("back", both._back, place.input_shape)
    states = samples((place.input_shape[0], both.layer.hidden_size))
    read_back, read_ahead = _states(script, back, both._back, "x[:, ::-1]"), _states(script, ahead, both.layer, "x")
    script.line(f"back = {read_back}", f"from the last step to the first, {states}")
    script.line(f"ahead = {read_ahead}", f"from the first to the last, {states}")
    if both.layer.return_sequences:
        return "np.concatenate([ahead, back[:, ::-1]], axis=2)"
    return "np.concatenate([ahead[:, -1], back[:, -1]], axis=1)"


def _states(script: Steps, place: Place, layer: Any, x: str) -> str:
    """All states of a recurrent layer that reads x, with `mask_value` at the steps that are skipped."""
    cells, arrays = type(layer).__name__.lower(), f'weights("{place.name}")'
    activation = layer.activation if isinstance(layer, layers.RNN) else None
    if layer.mask_value is None:
        return f"{cells}({x}, **{arrays}" + (f", activation={activation})" if activation else ")")
    if activation:
        arrays = f'{{**{arrays}, "activation": {activation}}}'
    counts = "_".join([_variable(place, "counts"), *(["back"] if place.name.endswith(".back") else [])])
    script.line(f"{counts} = counted_steps({x}, {layer.mask_value!r})", "which steps count")
    states = f"without_masked_steps({x}, {counts}, {cells}, {arrays})"
    return f"masked({states}, {counts}, {layer.mask_value!r})" if layer.return_sequences else states


# --- links ------------------------------------------------------------------------------------------------------------


@numpy_links.says(losses.SquaredError, losses.AbsoluteError, losses.Huber)
def _as_it_is(loss: losses.Loss) -> str:
    return "x"


@numpy_links.says(losses.BinaryCrossEntropy, losses.BinaryFocal)
def _probability(loss: losses.Loss) -> str:
    return "sigmoid(x)"


@numpy_links.says(losses.CrossEntropy, losses.KullbackLeibler, losses.Focal)
def _probabilities(loss: losses.Loss) -> str:
    return "softmax(x)"


@numpy_links.says(losses.Poisson)
def _rate(loss: losses.Loss) -> str:
    return "np.exp(x)"


@numpy_links.says(losses.Perceptron, losses.Hinge)
def _decision(loss: losses.Loss) -> str:
    return "step(x)"


@numpy_links.says(losses.CrammerSinger, losses.WestonWatkins)
def _largest(loss: losses.Loss) -> str:
    return "largest(x)"
