"""From settings to a network and the parts of its training."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.configuration import JSON
from chainrule.errors import SettingError
from chainrule.initializers import Glorot, He, Initializer, Normal, Zeros
from chainrule.layers import Conv2D, Dropout, Flatten, Layer, Linear, MaxPool2D, Reshape, Sigmoid
from chainrule.losses import BinaryCrossEntropy, Hinge, Loss, Perceptron, SquaredError
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.playground.data import Problem
from chainrule.playground.settings import ACTIVATIONS, LOSSES, OPTIMIZERS, Settings, parse_layer
from chainrule.regularizers import L1, L2, ElasticNet, Penalty

YES_OR_NO = (BinaryCrossEntropy, Hinge, Perceptron)  # losses with one score for two classes


@dataclass(frozen=True)
class Column:
    """What the page draws as one column of units: where its weights and its outputs are in `network.layers`."""

    kind: str  # "dense", "conv" or "pool"
    units: int
    weights: int | None  # the layer with W and b
    outputs: int  # the last of its layers: its activation, where there is one


def loss_names(problem: Problem) -> tuple[str, ...]:
    """The losses that suit the problem, the usual one first."""
    if not problem.classes:
        return "squared-error", "huber", "absolute-error"
    if problem.classes == 2:
        return "binary-cross-entropy", "cross-entropy", "hinge", "perceptron", "squared-error"
    return "cross-entropy", "squared-error"


def make_loss(settings: Settings, problem: Problem) -> Loss:
    """The loss. Raises SettingError where it does not suit the data."""
    names = loss_names(problem)
    name = settings.loss or names[0]
    if name not in names:
        raise SettingError(f"loss: {name} does not suit these data; choose {', '.join(names)}")
    return LOSSES[name]()


def make_network(settings: Settings, problem: Problem) -> tuple[Network, list[Column]]:
    """The network with its first weights, and its columns of units. Raises SettingError, ShapeError."""
    loss = make_loss(settings, problem)
    layers: list[Layer] = []
    columns: list[Column] = []
    as_image = False
    for token in settings.layers:
        kind, units, kernel = parse_layer(token)
        if kind == "dense":
            if as_image:
                layers.append(Flatten())
                as_image = False
            layers.append(Linear(units, _start(settings), _biases(settings)))
        else:
            if problem.image_shape is None:
                raise SettingError("layers: filters and pooling are for images; choose the digits, or plain units")
            if columns and not as_image:
                raise SettingError("layers: filters and pooling come before plain units")
            if not as_image:
                layers.append(Reshape((1, *problem.image_shape)))
                as_image = True
            layers.append(
                MaxPool2D(2) if kind == "pool" else Conv2D(units, kernel, 1, 0, _start(settings), _biases(settings))
            )
        weights = len(layers) - 1
        if kind != "pool":
            layers.append(ACTIVATIONS[settings.activation]())
        columns.append(Column(kind, units, None if kind == "pool" else weights, len(layers) - 1))
        if settings.dropout and kind == "dense":
            layers.append(Dropout(settings.dropout))
    if as_image:
        layers.append(Flatten())
    outputs = 1 if isinstance(loss, YES_OR_NO) else problem.classes or 1
    layers.append(Linear(outputs, _start(settings), _biases(settings)))
    weights = len(layers) - 1
    if isinstance(loss, SquaredError) and problem.classes:
        layers.append(Sigmoid())
    columns.append(Column("dense", outputs, weights, len(layers) - 1))
    metadata: dict[str, JSON] = {"class_names": list(problem.class_names)} if problem.classes else {}
    network = Network(layers, loss, seed=settings.seed, metadata=metadata)
    network.build((problem.features,))
    return network, [_counted(column, network) for column in columns]


def _counted(column: Column, network: Network) -> Column:
    """A pooling column has as many units as the shape says."""
    return Column(column.kind, network.body.shapes[column.outputs + 1][0], column.weights, column.outputs)


def _start(settings: Settings) -> Initializer:
    kinds: dict[str, type[Initializer]] = {"glorot": Glorot, "he": He, "normal": Normal, "zeros": Zeros}
    return kinds[settings.start]()


def _biases(settings: Settings) -> Initializer:
    return Normal() if settings.start == "normal" else Zeros()


def make_optimizer(settings: Settings) -> Optimizer:
    """The optimizer with its learning rate."""
    return OPTIMIZERS[settings.optimizer](learning_rate=settings.rate)  # type: ignore[call-arg]


def make_penalty(settings: Settings) -> Penalty | None:
    """The penalty on large weights, where there is one."""
    l1, l2 = settings.l1, settings.l2
    if l1 and l2:
        return ElasticNet(l1 + l2, l1 / (l1 + l2))
    if l1 or l2:
        return L1(l1) if l1 else L2(l2)
    return None


def batch_size(settings: Settings, problem: Problem) -> int | None:
    """Samples of a step; None for all of them."""
    return None if settings.batch == 0 else min(settings.batch, len(problem.train[0]))
