"""`to_keras_script`: a network as a Keras model, with the weights carried over.

Keras has the channels of images, and of what Conv1D reads, on the last axis, and not every backend can do otherwise. So
they are moved there before the first layer that needs it, and back before the first one that sees all axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import layers, losses
from chainrule.arrays import Array, Shape
from chainrule.export.carried import Carried, carried
from chainrule.export.scripts import WIDTH, answer, check_path, described, samples, short, write_script
from chainrule.export.words import Place, Words, places
from chainrule.files import Pathlike
from chainrule.network import Network

keras_layers = Words("the Keras script", "keras_layers")
keras_losses = Words("the Keras script", "keras_losses", "forward")

SCRIPT = '''\
"""A neural network in Keras 3, with its weights. Written by Chainrule; runs without it.

    python {name}.py samples.npy

{described}
Its weights are beside it, in {name}.npz. KERAS_BACKEND says what runs it: torch, jax or tensorflow. To train it on:

    model.compile("adam", loss=cost)
    model.fit(x, t)
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
{precision}
x = inputs = keras.Input({input_shape})
{lines}
model = keras.Model(inputs, x)

with np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False) as file:
    for layer in model.layers:
        layer.set_weights([array for name, array in file.items() if name.startswith(layer.name + ".")])


def cost(t, f):
    """The loss of each sample (N,) of scores f {output} = model(x), for {targets}."""
{cost}


def predict(x):
    """The {answer} {output}, for samples x {input}, both as NumPy arrays."""
    f = model(np.asarray(x, "{dtype}"), training=False)  # scores
    return ops.convert_to_numpy({link})


if __name__ == "__main__":
    print(predict(np.load(sys.argv[1], allow_pickle=False)))
'''

FLOAT64 = """
keras.config.set_floatx("float64")  # of the backends, tensorflow alone has it throughout
keras.config.set_dtype_policy("float64")
"""


def to_keras_script(network: Network, path: Pathlike) -> None:
    """Write a built network as a script for Keras 3: `path`, which ends in .py, and its weights in a .npz beside it.

    The script has `model`, which gives scores; `predict`, which answers as `network.predict` does; and `cost`, the
    loss, to train on with. Samples are given as here: images with their channels first.

    Raises:
        SettingError: there are no words for a layer, a setting or the loss, which it names; or `path` does not end in
            .py.
        NotBuiltError: there are no parameters yet.
        OSError: a file could not be written.

    """
    target, model = check_path(path), keras_model(network)
    loss = network.loss
    targets, cost, link = keras_losses.find(type(loss), f"the loss {type(loss).__name__}")(loss)
    axes = -1 if len(network.output_shape) == 1 else tuple(range(1, 1 + len(network.output_shape)))
    text = SCRIPT.format(
        name=target.stem,
        described=described(network),
        precision=FLOAT64 if network.dtype == np.float64 else "",
        input_shape=network.input_shape,
        lines="\n".join(model.lines),
        output=samples(network.output_shape),
        targets=targets,
        cost="\n".join(f"    {line}" for line in cost.format(axes=axes).split("\n")),
        answer=answer(loss),
        input=samples(network.input_shape or ()),
        dtype=network.dtype,
        link=link,
    )
    write_script(target, text, {one.theirs: one.array for one in model.carried})


class Model:
    """The lines that make a Keras model, each a new x of the one before, and the weights in the order of its layers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.carried: list[Carried] = []
        self.channels_last = False  # where the channels are just now
        self.each_step = False  # within a layer that is for each step

    def line(self, statement: str, comment: str) -> None:
        """A statement, and a comment behind it, or above it where the line is long."""
        together = f"{statement}  # {comment}"
        self.lines += [together] if len(together) < WIDTH else [f"# {comment}", statement]

    def layer(self, made: str, comment: str, name: str = "") -> None:
        """x goes through a layer, given as the expression that makes it, and what it is called if it has weights."""
        if self.each_step:
            made = f"layers.TimeDistributed({made})"
        named = f'{made[:-1]}, name="{name}")' if name else made
        self.line(f"x = {named}(x)", comment)

    def put_channels(self, *, last: bool, shape: Shape) -> None:
        """See to it that the channels of samples are where they must be; `shape` has them first."""
        if last != self.channels_last and len(shape) > 1:
            axes = range(1, 1 + len(shape))
            order = (*axes[1:], 1) if last else (len(shape), *axes[:-1])
            self.line(f"x = layers.Permute({order})(x)", f"the channels {'last' if last else 'first'}")
        self.channels_last = last and len(shape) > 1

    def name(self, place: Place) -> str:
        """What the layer at a place is called in Keras."""
        return place.name.replace(".", "_")

    def carry(self, place: Place, **names: str) -> str:
        """Take over arrays of ours, given as theirs=ours in Keras's order; what the layer is called in Keras."""
        self.carried += [carried(f"{self.name(place)}.{theirs}", place, ours) for theirs, ours in names.items()]
        return self.name(place)


def keras_model(network: Network) -> Model:
    """A built network in Keras's words. Raises as `to_keras_script` does."""
    model = Model()
    for place in places(network):
        say(model, place)
    model.put_channels(last=False, shape=network.output_shape)
    return model


def say(model: Model, place: Place) -> None:
    """Write the lines of one layer."""
    keras_layers.find(type(place.layer), str(place))(model, place)


def _shape(model: Model, place: Place) -> str:
    """A comment: the shape of the output of a layer, as it lies in Keras."""
    shape = place.output_shape
    moved = (*shape[1:], shape[0]) if model.channels_last and len(shape) > 1 else shape
    return f"→ {samples(moved)}"


# --- layers with weights ----------------------------------------------------------------------------------------------


@keras_layers.says(layers.Linear, layers.DropConnect)
def _linear(model: Model, place: Place) -> None:
    name = model.carry(place, kernel="W", bias="b")
    model.layer(f"layers.Dense({place.output_shape[0]})", _shape(model, place), name)


def _filters(model: Model, place: Place, arrange: Any) -> str:
    """Carry filters and biases over; what the layer is called in Keras."""
    name = model.name(place)
    model.carried += [carried(f"{name}.kernel", place, "W", arrange), carried(f"{name}.bias", place, "b")]
    return name


def _windows(layer: Any, stride: Any) -> str:
    return f"{short(layer.kernel_size)}" + ("" if short(stride) == 1 else f", strides={short(stride)}")


@keras_layers.says(layers.Conv2D, layers.DepthwiseConv2D)
def _convolution(model: Model, place: Place) -> None:
    layer: Any = place.layer
    model.put_channels(last=True, shape=place.input_shape)
    if any(layer._padding):
        model.layer(f"layers.ZeroPadding2D({layer._padding})", "zeros around the image")
    if isinstance(layer, layers.Conv2D):
        name = _filters(model, place, lambda W: W.transpose(2, 3, 1, 0))  # (O, C, P, Q) → (P, Q, C, O)
        made = f"layers.Conv2D({layer.out_channels}, {_windows(layer, layer.stride)})"
    else:
        C, M = place.input_shape[0], layer.depth_multiplier
        name = _filters(model, place, lambda W: W.transpose(2, 3, 1, 0).reshape(*W.shape[2:], C, M))
        more = f", depth_multiplier={M}" if M > 1 else ""
        made = f"layers.DepthwiseConv2D({_windows(layer, layer.stride)}{more})"
    model.layer(made, _shape(model, place), name)


@keras_layers.says(layers.Conv1D)
def _convolution_1d(model: Model, place: Place) -> None:
    layer: Any = place.layer
    model.put_channels(last=True, shape=place.input_shape)
    if layer._padding[1]:
        model.layer(f"layers.ZeroPadding1D({layer._padding[1]})", "zeros at both ends")
    name = _filters(model, place, lambda W: W.transpose(2, 1, 0))  # (O, C, P) → (P, C, O)
    model.layer(f"layers.Conv1D({layer.out_channels}, {_windows(layer, layer.stride)})", _shape(model, place), name)


@keras_layers.says(layers.ConvTranspose2D)
def _transposed(model: Model, place: Place) -> None:
    """Keras leaves a gap behind the last stamp as between all others, where the stride is larger than the kernel."""
    layer: Any = place.layer
    model.put_channels(last=True, shape=place.input_shape)
    cut = []
    for size, stride, padding, more in zip(
        layer.kernel_size, layer.stride, layer.padding, layer.output_padding, strict=True
    ):
        cut.append((padding, padding + max(stride - size, 0) - more))
    if any(end < 0 for _, end in cut):
        raise place.refuse("Keras", f"output_padding={layer.output_padding} with padding={layer.padding}")
    name = _filters(model, place, lambda W: W.transpose(2, 3, 1, 0))  # (C, O, P, Q) → (P, Q, O, C)
    made = f"layers.Conv2DTranspose({layer.out_channels}, {_windows(layer, layer.stride)})"
    if np.any(cut):
        model.layer(made, "with what is cut off", name)
        made, name = f"layers.Cropping2D({tuple(cut)})", ""
    model.layer(made, _shape(model, place), name)


@keras_layers.says(layers.Embedding)
def _embedding(model: Model, place: Place) -> None:
    layer: Any = place.layer
    name = model.carry(place, embeddings="W")
    model.layer(f"layers.Embedding({layer.words}, {layer.features})", _shape(model, place), name)


@keras_layers.says(layers.BatchNorm)
def _batch_norm(model: Model, place: Place) -> None:
    layer: Any = place.layer
    arrays = {"moving_mean": "running_mean", "moving_variance": "running_variance"}
    name = model.carry(place, gamma="gamma", beta="beta", **arrays)
    axis = "" if model.channels_last or len(place.input_shape) == 1 else "axis=1, "
    settings = f"{axis}momentum={1 - layer.momentum!r}, epsilon={layer.epsilon!r}"
    model.layer(f"layers.BatchNormalization({settings})", _shape(model, place), name)


@keras_layers.says(layers.LayerNorm)
def _layer_norm(model: Model, place: Place) -> None:
    model.put_channels(last=False, shape=place.input_shape)
    name = model.carry(place, gamma="gamma", beta="beta")
    epsilon = place.layer.epsilon  # type: ignore[attr-defined]
    model.layer(f"layers.LayerNormalization(epsilon={epsilon!r})", _shape(model, place), name)


# --- activations and shapes -------------------------------------------------------------------------------------------


@keras_layers.says(layers.Identity, layers.Augment)
def _nothing(model: Model, place: Place) -> None:
    model.lines.append(f"# {type(place.layer).__name__}: nothing in prediction")


PLAIN = {
    layers.ReLU: "layers.ReLU()",
    layers.Sigmoid: 'layers.Activation("sigmoid")',
    layers.Tanh: 'layers.Activation("tanh")',
    layers.SiLU: 'layers.Activation("silu")',
    layers.SELU: 'layers.Activation("selu")',
    layers.HardSigmoid: 'layers.Activation("hard_sigmoid")',
    layers.Softmax: "layers.Softmax()",
    layers.LogSoftmax: 'layers.Activation("log_softmax")',
}


@keras_layers.says(*PLAIN)
def _plain(model: Model, place: Place) -> None:
    model.layer(PLAIN[type(place.layer)], _shape(model, place))


@keras_layers.says(layers.Step)
def _step(model: Model, place: Place) -> None:
    model.line("x = ops.cast(x >= 0, x.dtype)", f"1 where x ≥ 0 {_shape(model, place)}")


@keras_layers.says(layers.Softplus)
def _softplus(model: Model, place: Place) -> None:
    model.line("x = ops.logaddexp(x, 0.0)", f"softplus, log(1 + eˣ) {_shape(model, place)}")


@keras_layers.says(layers.GELU)
def _gelu(model: Model, place: Place) -> None:
    tanh = place.layer.tanh  # type: ignore[attr-defined]
    model.line(f"x = ops.gelu(x, approximate={tanh})", _shape(model, place))


@keras_layers.says(layers.LeakyReLU)
def _leaky_relu(model: Model, place: Place) -> None:
    model.layer(f"layers.LeakyReLU({place.layer.slope!r})", _shape(model, place))  # type: ignore[attr-defined]


@keras_layers.says(layers.ELU)
def _elu(model: Model, place: Place) -> None:
    model.layer(f"layers.ELU({place.layer.alpha!r})", _shape(model, place))  # type: ignore[attr-defined]


@keras_layers.says(layers.Dropout)
def _dropout(model: Model, place: Place) -> None:
    model.layer(f"layers.Dropout({place.layer.rate!r})", _shape(model, place))  # type: ignore[attr-defined]


@keras_layers.says(layers.GaussianNoise)
def _noise(model: Model, place: Place) -> None:
    model.layer(f"layers.GaussianNoise({place.layer.deviation!r})", _shape(model, place))  # type: ignore[attr-defined]


@keras_layers.says(layers.Reshape, layers.Flatten)
def _reshape(model: Model, place: Place) -> None:
    model.put_channels(last=False, shape=place.input_shape)
    model.layer(f"layers.Reshape({place.output_shape})", _shape(model, place))


@keras_layers.says(layers.Maxout)
def _maxout(model: Model, place: Place) -> None:
    model.put_channels(last=True, shape=place.input_shape)
    groups, *pixels = place.output_shape
    pieces = place.layer.pieces  # type: ignore[attr-defined]
    model.layer(f"layers.Reshape({(*pixels, groups, pieces)})", f"groups of {pieces} that compete")
    model.line("x = ops.max(x, axis=-1)", _shape(model, place))


@keras_layers.says(layers.MaxPool2D, layers.AvgPool2D)
def _pool(model: Model, place: Place) -> None:
    layer: Any = place.layer
    model.put_channels(last=True, shape=place.input_shape)
    kind = "MaxPooling2D" if isinstance(layer, layers.MaxPool2D) else "AveragePooling2D"
    strides = "" if layer._stride == layer._size else f", strides={short(layer._stride)}"
    model.layer(f"layers.{kind}({short(layer._size)}{strides})", _shape(model, place))


@keras_layers.says(layers.GlobalMaxPool2D, layers.GlobalAvgPool2D)
def _global_pool(model: Model, place: Place) -> None:
    model.put_channels(last=True, shape=place.input_shape)
    kind = "GlobalMaxPooling2D" if isinstance(place.layer, layers.GlobalMaxPool2D) else "GlobalAveragePooling2D"
    model.layer(f"layers.{kind}()", _shape(model, place))
    model.channels_last = False


@keras_layers.says(layers.Upsample2D)
def _upsample(model: Model, place: Place) -> None:
    layer: Any = place.layer
    model.put_channels(last=True, shape=place.input_shape)
    how = "" if layer.interpolation == "nearest" else f', interpolation="{layer.interpolation}"'
    model.layer(f"layers.UpSampling2D({short(layer.factor)}{how})", _shape(model, place))


# --- layers made of layers --------------------------------------------------------------------------------------------


@keras_layers.says(layers.Sequential)
def _sequential(model: Model, place: Place) -> None:
    for inner in place.in_a_row():
        say(model, inner)


@keras_layers.says(layers.Residual)
def _residual(model: Model, place: Place) -> None:
    before, last = _begin(model, place, "what the layers make of x is added to it")
    _sequential(model, place)
    model.put_channels(last=last, shape=place.output_shape)
    model.line(f"x = layers.Add()([{before}, x])", _shape(model, place))


@keras_layers.says(layers.Parallel)
def _parallel(model: Model, place: Place) -> None:
    inner = place.side_by_side()
    before, last = _begin(model, place, f"{len(inner)} ways from here, which are joined again")
    ways = list[str]()
    for way in inner:
        if ways:
            model.line(f"x = {before}", "the next way")
            model.channels_last = last
        say(model, way)
        image = len(way.output_shape) == len(place.input_shape)
        model.put_channels(last=last and image, shape=way.output_shape)
        ways.append(f"{model.name(way)}_x")
        model.line(f"{ways[-1]} = x", _shape(model, way))
    if len(ways) > 1:
        axis = -1 if model.channels_last or len(place.output_shape) == 1 else 1
        join = "Add()" if place.layer.join == "sum" else f"Concatenate(axis={axis})"  # type: ignore[attr-defined]
        model.line(f"x = layers.{join}([{', '.join(ways)}])", _shape(model, place))


def _begin(model: Model, place: Place, comment: str) -> tuple[str, bool]:
    """Keep x for later: its name, and whether its channels are last, as they are best for images."""
    model.put_channels(last=len(place.input_shape) == 3, shape=place.input_shape)
    before = f"{model.name(place)}_before"
    model.line(f"{before} = x", f"{type(place.layer).__name__}: {comment}")
    return before, model.channels_last


@keras_layers.says(layers.EachStep)
def _each_step(model: Model, place: Place) -> None:
    model.put_channels(last=False, shape=place.input_shape)
    outside, model.each_step = model.each_step, True
    say(model, place.within("layer", place.layer.layer, place.input_shape[1:]))  # type: ignore[attr-defined]
    model.each_step = outside


# --- recurrent layers -------------------------------------------------------------------------------------------------

CELLS = {layers.RNN: "SimpleRNN", layers.LSTM: "LSTM", layers.GRU: "GRU"}


@keras_layers.says(layers.RNN, layers.LSTM, layers.GRU)
def _recurrent(model: Model, place: Place) -> None:
    cells = _cells(model, place, place.layer)
    _carry_cells(model, place, "")
    model.layer(cells, _shape(model, place), model.name(place))


@keras_layers.says(layers.Bidirectional)
def _bidirectional(model: Model, place: Place) -> None:
    both: Any = place.layer
    cells = _cells(model, place, both.layer)
    for way, layer in (("ahead", both.layer), ("back", both._back)):
        _carry_cells(model, place.within(way, layer, place.input_shape), model.name(place))
    model.layer(f"layers.Bidirectional({cells})", _shape(model, place), model.name(place))


def _cells(model: Model, place: Place, layer: Any) -> str:
    """What makes a recurrent layer of Keras's; a layer before it masks steps, where some are to be skipped."""
    model.put_channels(last=False, shape=place.input_shape)
    if layer.mask_value is not None:
        if layer.return_sequences:
            raise place.refuse("Keras", "mask_value with return_sequences: it repeats the state at a skipped step")
        model.layer(f"layers.Masking({layer.mask_value!r})", "steps to skip")
    activation = f', activation="{layer.activation}"' if isinstance(layer, layers.RNN) else ""
    every = ", return_sequences=True" if layer.return_sequences else ""
    return f"layers.{CELLS[type(layer)]}({layer.hidden_size}{activation}{every})"


def _carry_cells(model: Model, place: Place, within: str) -> None:
    """Carry the weights of one direction over. Gates of the LSTM stand in the same order, those of the GRU do not."""
    name = f"{within}.{place.name.rpartition('.')[2]}_" if within else f"{model.name(place)}."
    if isinstance(place.layer, layers.GRU):
        weights = carried(f"{name}kernel", place, "W", _z_before_r)
        recurrent = carried(f"{name}recurrent_kernel", place, "U", _z_before_r)
        beside_W = carried(f"{name}bias", place, "b", _z_before_r)
        beside_U = _behind_zeros(place.arrays["v"])  # r and z need no second bias
        both = np.stack([beside_W.array, beside_U]), np.stack([beside_W.ours_at, np.full(len(beside_U), -1)])
        model.carried += [weights, recurrent, Carried(beside_W.theirs, beside_W.ours, *both)]
    else:
        names = {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}
        model.carried += [carried(f"{name}{theirs}", place, ours) for theirs, ours in names.items()]


def _z_before_r(array: Array) -> Array:
    """Gates r z n → z r n."""
    r, z, n = np.split(array, 3, axis=-1)
    return np.concatenate([z, r, n], axis=-1)


def _behind_zeros(v: Array) -> Array:
    return np.concatenate([np.zeros_like(v), np.zeros_like(v), v])


# --- losses: the targets in words, the cost of each sample, and the link ----------------------------------------------

Said = tuple[str, str, str]
LABELS = "class labels t (N,)"
DECISIONS = "decisions t of 0 and 1, of the same shape"
NUMBERS = "numbers t of the same shape"
LARGEST = "ops.one_hot(ops.argmax(f, axis=-1), f.shape[-1], dtype=f.dtype)"
ONE_HOT = "t = ops.one_hot(ops.reshape(t, (-1,)), f.shape[-1], dtype=f.dtype)\n"
OR_ROWS = "if len(t.shape) == 1 or t.shape[1] == 1:  # labels\n    "


@keras_losses.says(losses.SquaredError)
def _squared_error(loss: losses.Loss) -> Said:
    return NUMBERS, "return ops.sum((f - t) ** 2, axis={axes}) / 2", "f"


@keras_losses.says(losses.AbsoluteError)
def _absolute_error(loss: losses.Loss) -> Said:
    return NUMBERS, "return ops.sum(ops.abs(f - t), axis={axes})", "f"


@keras_losses.says(losses.Huber)
def _huber(loss: Any) -> Said:
    d = loss.delta
    cost = (
        f"e = ops.abs(f - t)\nreturn ops.sum(ops.where(e <= {d!r}, e**2 / 2, {d!r} * (e - {d / 2!r})), axis={{axes}})"
    )
    return NUMBERS, cost, "f"


@keras_losses.says(losses.Poisson)
def _poisson(loss: losses.Loss) -> Said:
    return "counts t of the same shape", "return ops.sum(ops.exp(f) - t * f, axis={axes})", "ops.exp(f)"


@keras_losses.says(losses.BinaryCrossEntropy)
def _binary_cross_entropy(loss: Any) -> Said:
    yes = "t"
    if isinstance(loss.pos_weight, tuple):
        yes = f"ops.array({[*loss.pos_weight]}, dtype=f.dtype) * t"
    elif loss.pos_weight is not None:
        yes = f"{loss.pos_weight!r} * t"
    cost = f"return -ops.sum({yes} * ops.log_sigmoid(f) + (1 - t) * ops.log_sigmoid(-f), axis={{axes}})"
    return DECISIONS, cost, "ops.sigmoid(f)"


@keras_losses.says(losses.BinaryFocal)
def _binary_focal(loss: Any) -> Said:
    alpha = "" if loss.alpha is None else f"(t * {loss.alpha!r} + (1 - t) * {1 - loss.alpha!r}) * "
    cost = (
        "score = ops.where(t > 0, f, -f)  # of the truth\n"
        f"return -ops.sum({alpha}ops.sigmoid(-score) ** {loss.gamma!r} * ops.log_sigmoid(score), axis={{axes}})"
    )
    return DECISIONS, cost, "ops.sigmoid(f)"


@keras_losses.says(losses.CrossEntropy)
def _cross_entropy(loss: Any) -> Said:
    e = loss.label_smoothing
    smoothed = f"t = {1 - e!r} * t + {e!r} / f.shape[-1]\n" if e else ""
    cost = f"{OR_ROWS}{ONE_HOT}{smoothed}return -ops.sum(t * ops.log_softmax(f, axis=-1), axis=-1)"
    return f"{LABELS} or rows of probabilities", cost, "ops.softmax(f, axis=-1)"


@keras_losses.says(losses.KullbackLeibler)
def _kullback_leibler(loss: losses.Loss) -> Said:
    cost = (
        "log_t = ops.log(ops.where(t > 0, t, 1))  # 0 log 0 is 0\n"
        "return ops.sum(t * (log_t - ops.log_softmax(f, axis=-1)), axis=-1)"
    )
    return "rows of probabilities t", cost, "ops.softmax(f, axis=-1)"


@keras_losses.says(losses.Focal)
def _focal(loss: Any) -> Said:
    alpha = "" if loss.alpha is None else f"{loss.alpha!r} * "
    if isinstance(loss.alpha, tuple):
        alpha = f"ops.sum(t * ops.array({[*loss.alpha]}, dtype=f.dtype), axis=-1) * "
    cost = (
        f"{ONE_HOT}log_p = ops.sum(t * ops.log_softmax(f, axis=-1), axis=-1)\n"
        f"return -{alpha}(1 - ops.exp(log_p)) ** {loss.gamma!r} * log_p"
    )
    return LABELS, cost, "ops.softmax(f, axis=-1)"


@keras_losses.says(losses.Perceptron)
def _perceptron(loss: losses.Loss) -> Said:
    return DECISIONS, "return ops.sum((ops.cast(f >= 0, f.dtype) - t) * f, axis={axes})", "ops.cast(f >= 0, f.dtype)"


@keras_losses.says(losses.Hinge)
def _hinge(loss: Any) -> Said:
    power = " ** 2" if loss.power == 2 else ""
    cost = f"return ops.sum(ops.relu({loss.margin!r} - (2 * t - 1) * f){power}, axis={{axes}})"
    return DECISIONS, cost, "ops.cast(f >= 0, f.dtype)"


@keras_losses.says(losses.CrammerSinger)
def _crammer_singer(loss: Any) -> Said:
    cost = (
        f"{ONE_HOT}rival = ops.max(ops.where(t > 0, -np.inf, f), axis=-1)\n"
        f"return ops.relu({loss.margin!r} + rival - ops.sum(t * f, axis=-1))"
    )
    return LABELS, cost, LARGEST


@keras_losses.says(losses.WestonWatkins)
def _weston_watkins(loss: Any) -> Said:
    power = " ** 2" if loss.power == 2 else ""
    cost = (
        f"{ONE_HOT}gap = ops.relu({loss.margin!r} + f - ops.sum(t * f, axis=-1, keepdims=True))\n"
        f"return ops.sum((1 - t) * gap{power}, axis=-1)"
    )
    return LABELS, cost, LARGEST
