"""A recipe: every setting of a training. The same recipe gives the same network."""

import math
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from chainrule.arrays import Shape
from chainrule.cli.layers import STARTS, is_dashed, known_layers, parse_layers
from chainrule.configuration import JSON, positive_number, real_number
from chainrule.data import NAMES, DataSet
from chainrule.errors import SettingError
from chainrule.layers import Layer, Linear, Sigmoid
from chainrule.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    BinaryFocal,
    CrammerSinger,
    CrossEntropy,
    Focal,
    Hinge,
    Huber,
    Loss,
    Perceptron,
    Poisson,
    SquaredError,
    WestonWatkins,
)
from chainrule.losses.loss import BinaryLoss
from chainrule.network import Network
from chainrule.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Momentum,
    Nadam,
    Nesterov,
    Optimizer,
    RMSprop,
)
from chainrule.regularizers import L1, L2, PER, ElasticNet, Penalty
from chainrule.schedules import CosineDecay, ExponentialDecay, OneCycle, Schedule, StepDecay

LOSSES: dict[str, type[Loss]] = {
    "cross-entropy": CrossEntropy,
    "binary-cross-entropy": BinaryCrossEntropy,
    "squared-error": SquaredError,
    "perceptron": Perceptron,
    "focal": Focal,
    "binary-focal": BinaryFocal,
    "hinge": Hinge,
    "crammer-singer": CrammerSinger,
    "weston-watkins": WestonWatkins,
    "absolute-error": AbsoluteError,
    "huber": Huber,
    "poisson": Poisson,
}
SCHEDULES: dict[str, type[Schedule]] = {
    "one-cycle": OneCycle,
    "cosine": CosineDecay,
    "exponential": ExponentialDecay,
    "step": StepDecay,
}
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": Nadam,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "lion": Lion,
}
LEARNING_RATES = {  # where none is asked for
    "sgd": 0.5,
    "momentum": 0.05,
    "nesterov": 0.05,
    "adam": 0.005,
    "adamw": 0.005,
    "nadam": 0.005,
    "rmsprop": 0.002,
    "adagrad": 0.05,
    "adadelta": 1.0,
    "lion": 0.0005,
}
CLASS_WEIGHTS = ("balanced",)
HELD_BACK = 0.1  # the share of the training samples that early stopping watches: test samples must decide nothing


@dataclass(frozen=True)
class Defaults:
    """What suits a data set.

    Those of the digits did best of twelve settings in 5-fold cross-validation on the training samples. Which twelve,
    and all other defaults, were picked with the test figures in view: those figures flatter a little.
    """

    layers: str
    activation: str
    optimizer: str
    batch_size: int
    epochs: int
    learning_rate: float | None = None
    schedule: str | None = None
    l2: float | None = None  # on its own, not divided by anything


FAST = Defaults(  # the quickest recipe found to 99% of the test samples of MNIST on two cores
    "reshape:1x28x28,conv2d:16:5,relu,maxpool2d:2,conv2d:32:5,relu,maxpool2d:2,flatten,64,relu,10",
    "relu",
    "adam",
    100,
    2,
    0.006,
    "one-cycle",
)
MANY = 1000  # rows of a user's own, from which on there are two hidden layers
SMALLEST = 6  # pixels a side that are worth a convolution of 3 × 3 and pooling
STEPS = 2000  # of a training on a user's own data, about
L2_OF_ONE, MOST_L2 = 20.0, 0.02  # its penalty: the first divided by the rows, but no more than the second

PRESETS = {"fast": {"mnist": FAST}}

DEFAULTS = {
    "digits": Defaults("64-100-10", "relu", "sgd", 10, 50),
    "mnist": Defaults("784-100-10", "relu", "sgd", 64, 20),
    "xor": Defaults("2-8-1", "tanh", "adam", 16, 100),
    "rings": Defaults("2-8-1", "tanh", "adam", 16, 100),
    "spirals": Defaults("2-32-32-1", "relu", "adam", 16, 100),
    "blobs": Defaults("2-8-3", "tanh", "adam", 16, 30),
    "parabola": Defaults("1-16-1", "relu", "adam", 16, 100),
}


def defaults_for(data: DataSet) -> Defaults:
    """What suits a user's own data by its size.

    About as many steps for few samples as for many, and a penalty that weighs the less the more samples there are.
    `benchmarks/own_data.py` compares them with others; docs/your-own-data.md has the table.
    """
    x, y = data.train
    rows, features = x.shape
    outputs = y.shape[1] if data.class_names is None else len(data.class_names)
    outputs = 1 if data.class_names is not None and outputs == 2 else outputs
    batch_size = min(256, max(16, 2 ** round(math.log2(rows / 100))))
    epochs = min(100, max(10, round(STEPS * batch_size / rows)))
    l2 = float(f"{min(MOST_L2, L2_OF_ONE / rows):.1g}")
    if data.image_shape is not None:
        layers = convolutional(data.image_shape, outputs)
    else:
        layers = f"{features}-{'64-32' if rows >= MANY else '32'}-{outputs}"
    return Defaults(layers, "relu", "adam", batch_size, epochs, 0.003, "one-cycle", l2)


def convolutional(image_shape: Shape, outputs: int) -> str:
    """A small network for pictures (C, H, W): two convolutions, as far as there are pixels for them."""
    channels, height, width = image_shape
    parts = [f"reshape:{channels}x{height}x{width}"]
    side = min(height, width)
    for filters in (16, 32):
        if side >= SMALLEST:
            parts += [f"conv2d:{filters}:3", "relu", "maxpool2d:2"]
            side = (side - 2) // 2
    return ",".join([*parts, "flatten", "64", "relu", str(outputs)])


@dataclass(frozen=True)
class Recipe:
    """The settings of `chainrule train`, each under the name of its option. `batch_size` 0 is the full batch."""

    data: str
    layers: str
    activation: str | None
    start: str | None
    loss: str
    optimizer: str
    learning_rate: float
    batch_size: int
    epochs: int
    seed: int
    validation_fraction: float | None = None
    early_stopping: int | None = None
    schedule: str | None = None
    l1: float | None = None
    l2: float | None = None
    penalty_per: str | None = None
    clip: float | None = None
    accumulate: int | None = None
    average: float | None = None
    class_weight: str | None = None
    target: str | None = None  # this and what follows it: of a user's own data
    task: str | None = None
    column: tuple[str, ...] | None = None

    def command(self) -> str:
        """The command that repeats the training."""
        own = self.data not in NAMES
        words = ["chainrule", "train", *([self.data] if own else [])]
        for name, value in self.to_dict().items():
            if value is not None and not (own and name == "data"):
                for one in value if isinstance(value, list) else [value]:
                    words += [f"--{name.replace('_', '-')}", str(one)]
        return shlex.join(words)

    def to_dict(self) -> dict[str, JSON]:
        """The settings by name."""
        return {f.name: _as_json(getattr(self, f.name)) for f in fields(self)}

    def build_optimizer(self) -> Optimizer:
        """The optimizer, its other settings as they are by default."""
        optimizer = OPTIMIZERS[self.optimizer]()
        return type(optimizer).from_configuration({**optimizer.configuration(), "learning_rate": self.learning_rate})


def _as_json(setting: Any) -> JSON:
    return list(setting) if isinstance(setting, tuple) else setting


def build_schedule(recipe: Recipe) -> Schedule | None:
    """The schedule of the learning rate, or None where it stays."""
    return None if recipe.schedule is None else SCHEDULES[recipe.schedule]()


def build_penalty(recipe: Recipe) -> Penalty | None:
    """The penalty on large weights, or None: (l1 Σ|w| + ½ l2 Σ w²) / divisor."""
    l1, l2 = recipe.l1 or 0.0, recipe.l2 or 0.0
    if not l1 and not l2:
        return None
    per = recipe.penalty_per or "parameter"
    if not l1 or not l2:
        return L1(l1, per) if l1 else L2(l2, per)
    return ElasticNet(l1 + l2, l1 / (l1 + l2), per)


def build_network(recipe: Recipe, data: DataSet) -> Network:
    """The network of `recipe` for samples of `data`, with its first weights.

    Raises:
        SettingError: the layers do not fit each other, the data or the loss; says what would.

    """
    features, expected = data.train[0].shape[1], outputs_for(recipe.loss, data)
    network = plan_network(recipe, data)
    try:
        network.build((features,))
    except ValueError as error:  # a ShapeError names the layer
        raise SettingError(f"--layers {recipe.layers}: {error}") from None
    if network.output_shape != (expected,):
        found = " × ".join(str(n) for n in network.output_shape)
        raise SettingError(
            f"--layers {recipe.layers}: ends in {found} outputs; {recipe.data} with {recipe.loss} needs {expected}"
        )
    return network


def plan_network(recipe: Recipe, data: DataSet) -> Network:
    """The network of `recipe`, without weights yet. Raises SettingError."""
    features = data.train[0].shape[1]
    layers = parse_layers(recipe.layers, features, activation=recipe.activation or "relu", start=recipe.start)
    if ends_in_sigmoid(recipe, data):
        layers.append(Sigmoid())
    return Network(layers, LOSSES[recipe.loss](), seed=recipe.seed)


def ends_in_sigmoid(recipe: Recipe, data: DataSet) -> bool:
    """Whether a sigmoid stands after the last layer: for squared error on classes, where the layers are sizes only."""
    return recipe.loss == "squared-error" and data.class_names is not None and is_dashed(recipe.layers)


def outputs_for(loss: str, data: DataSet) -> int:
    """How many outputs a network needs for `data` and `loss`. Raises SettingError when they do not go together."""
    classes, kind = len(data.class_names) if data.class_names else 0, LOSSES[loss]
    if not classes:
        if kind.decides:
            raise SettingError(f"--loss {loss}: {data.name} has a number to predict, not classes; use squared-error")
        return int(data.train[1].shape[1])
    if not kind.decides and kind is not SquaredError:
        raise SettingError(f"--loss {loss}: predicts numbers, but {data.name} has classes; use cross-entropy")
    if issubclass(kind, BinaryLoss):
        if classes != 2:
            raise SettingError(f"--loss {loss}: answers yes or no, but {data.name} has {classes} classes")
        return 1
    return classes


def default_loss(data: DataSet, layers: list[Layer]) -> str:
    """The loss that suits the data and the number of scores the layers end in."""
    if not data.class_names:
        return "squared-error"
    scores = next((layer.out_features for layer in reversed(layers) if isinstance(layer, Linear)), 0)
    return "binary-cross-entropy" if scores == 1 and len(data.class_names) == 2 else "cross-entropy"


def complete(
    data: DataSet,
    *,
    layers: str | None,
    activation: str | None,
    start: str | None,
    loss: str | None,
    optimizer: str | None,
    rate: float | None,
    batch_size: str | None,
    epochs: int | None,
    seed: int,
    validation_fraction: float | None,
    early_stopping: int | None,
    schedule: str | None = None,
    preset: str | None = None,
    l1: float | None = None,
    l2: float | None = None,
    penalty_per: str | None = None,
    clip: float | None = None,
    accumulate: int | None = None,
    average: float | None = None,
    class_weight: str | None = None,
    target: str | None = None,
    task: str | None = None,
    column: list[str] | None = None,
) -> Recipe:
    """The recipe of the options given, with the defaults of the data set in the place of those that were not.

    Raises:
        SettingError: an option has a value it cannot have.

    """
    usual = _usual(data) if preset is None else _preset(preset, data)
    if l1 is None and l2 is None and penalty_per is None and usual.l2 is not None:
        l2, penalty_per = usual.l2, "none"
    layers = layers or usual.layers
    activation = one_of(activation or usual.activation, known_layers(), "--activation")
    start = one_of(start, STARTS, "--start") if start else None
    found = parse_layers(layers, data.train[0].shape[1], activation=activation, start=start)
    loss = one_of(loss, LOSSES, "--loss") if loss else default_loss(data, found)
    optimizer = one_of(optimizer or usual.optimizer, OPTIMIZERS, "--optimizer")
    size = usual.batch_size if batch_size is None else _batch_size(batch_size)
    if accumulate and not size:
        raise SettingError("--accumulate: the full batch is one step already; say with --batch-size how many at a time")
    held_back = HELD_BACK if early_stopping and validation_fraction is None else validation_fraction
    if held_back is not None and not 0 < held_back < 1:
        raise SettingError(f"--validation-fraction: expected a share above 0 and below 1, got {held_back:g}")
    return Recipe(
        data=data.name,
        layers=layers.strip(),
        activation=activation if is_dashed(layers) else None,
        start=start,
        loss=loss,
        optimizer=optimizer,
        learning_rate=(usual.learning_rate or LEARNING_RATES[optimizer])
        if rate is None
        else positive_number(rate, "--learning-rate"),
        batch_size=size,
        epochs=usual.epochs if epochs is None else epochs,
        seed=seed,
        validation_fraction=held_back,
        early_stopping=early_stopping,
        schedule=one_of(schedule, SCHEDULES, "--schedule") if schedule else usual.schedule,
        l1=None if l1 is None else positive_number(l1, "--l1"),
        l2=None if l2 is None else positive_number(l2, "--l2"),
        penalty_per=_penalty_per(penalty_per, l1, l2),
        clip=None if clip is None else positive_number(clip, "--clip"),
        accumulate=accumulate,
        average=None if average is None else real_number(average, "--average", below=1.0),
        class_weight=_class_weight(class_weight, data),
        target=target,
        task=task,
        column=tuple(column) if column else None,
    )


def _usual(data: DataSet) -> Defaults:
    """The settings that suit a data set."""
    return DEFAULTS[data.name] if data.name in DEFAULTS else defaults_for(data)


def _class_weight(name: str | None, data: DataSet) -> str | None:
    """How classes are weighed, where there are any."""
    if name is not None and data.class_names is None:
        raise SettingError(f"--class-weight {name}: {data.name} has a number to predict, not classes")
    return None if name is None else one_of(name, CLASS_WEIGHTS, "--class-weight")


def _penalty_per(name: str | None, l1: float | None, l2: float | None) -> str | None:
    """By what a penalty is divided, where there is one."""
    if l1 is None and l2 is None:
        if name is not None:
            raise SettingError("--penalty-per: there is no penalty; give one with --l1 or --l2")
        return None
    return one_of(name or "parameter", PER, "--penalty-per")


def _preset(name: str, data: DataSet) -> Defaults:
    """The settings of a preset for a data set."""
    fitting = PRESETS[one_of(name, PRESETS, "--preset")]
    if data.name not in fitting:
        raise SettingError(f"--preset {name}: is made for {', '.join(fitting)}, not for {data.name}")
    return fitting[data.name]


def one_of(value: str, known: Iterable[str], option: str) -> str:
    """`value` in small letters, when it is `known`, else a SettingError that names the option."""
    names = list(known)
    if value.strip().lower() not in names:
        raise SettingError(f"{option}: expected one of {', '.join(names)}, got {value!r}")
    return value.strip().lower()


def _batch_size(text: str) -> int:
    if text.strip().lower() == "full":
        return 0
    if not (text.isascii() and text.isdigit()):
        raise SettingError(f"--batch-size: expected a whole number, 0 or full for the full batch, got {text!r}")
    return int(text)
