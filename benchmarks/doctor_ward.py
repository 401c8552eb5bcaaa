"""The ward: trainings that are healthy, and trainings with one planted trouble each, from a seeded generator.

    python -m benchmarks.doctor_ward --seed 2000 --healthy 200 --sick 10

A healthy training is drawn from sensible settings and kept if it reaches the par of its data and does not overfit. A
sick one is a healthy one with one thing changed; it is kept if that made its test loss worse. Neither looks at what the
doctor says. Every training is examined once, and the change of the first finding is tried. Needs scikit-learn, for its
data sets.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.doctor import remedy
from chainrule.errors import DataError, DivergenceError
from chainrule.operations.operation import operation
from chainrule.randomness import stream

Data = tuple[np.ndarray, np.ndarray]
WORSE = 1.15  # times the loss of the healthy twin: below, a planted trouble has done no harm


@dataclass(frozen=True)
class Case:
    """One training, with data to train on, to watch and to test on that nobody has seen."""

    name: str  # of the data
    train: Data
    validation: Data
    test: Data
    classes: int  # 0: numbers
    par: float  # the test accuracy, or R², that a sound training reaches
    layers: tuple[cr.Layer, ...]
    settings: dict[str, Any]
    trouble: str | None = None
    loss: cr.Loss | None = None  # None: the usual one
    seed: int = 0

    def network(self) -> cr.Network:
        """With first weights."""
        layers = [cr.Layer.from_configuration(layer.configuration()) for layer in self.layers]
        usual = cr.CrossEntropy() if self.classes else cr.SquaredError()
        return cr.Network(layers, loss=self.loss or usual, seed=self.seed)


def toy(make: Callable[..., Data], **ranges: tuple[float, float]) -> Callable[[np.random.Generator, int], list[Data]]:
    """A data set of the library's own: as many samples as asked for, then 200 and 400 others."""

    def draw(rng: np.random.Generator, samples: int) -> list[Data]:
        settings = {name: rng.uniform(*between) for name, between in ranges.items()}
        seeds = rng.integers(2**31, size=3).tolist()
        return [make(samples=n, seed=s, **settings) for n, s in zip((samples, 200, 400), seeds, strict=True)]

    return draw


def stored(name: str) -> Callable[[np.random.Generator, int], list[Data]]:
    """A data set of scikit-learn's, standardised, or the digits, in three parts."""

    def draw(rng: np.random.Generator, samples: int) -> list[Data]:
        x, y = table(name)
        order = rng.permutation(len(x))
        held = min(300, len(x) // 4)
        parts = np.split(order, [held, 2 * held, 2 * held + samples])[:3]
        validation, test, train = [(x[rows], y[rows]) for rows in parts]
        return [train, validation, test]

    return draw


def table(name: str) -> Data:
    """Samples and targets of a stored data set."""
    if name == "digits":
        digits = cr.data.load_digits()
        return np.concatenate([digits.train[0], digits.test[0]]), np.concatenate([digits.train[1], digits.test[1]])
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
    if name == "diabetes":
        y = ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
    return x, y


@dataclass(frozen=True)
class Source:
    """Where data come from, and what is usual for them."""

    draw: Callable[[np.random.Generator, int], list[Data]]
    classes: int
    par: float
    epochs: tuple[int, int]
    samples: tuple[int, int] = (250, 400)


# "mixed" data: classes that overlap, so that no network is right everywhere.
SOURCES = {
    "xor": Source(toy(cr.data.make_xor, noise=(0, 0.05)), 2, 0.95, (60, 100)),
    "rings": Source(toy(cr.data.make_rings, noise=(0.03, 0.1)), 2, 0.95, (50, 90)),
    "spirals": Source(toy(cr.data.make_spirals, noise=(0.01, 0.03)), 2, 0.93, (250, 350)),
    "blobs": Source(toy(cr.data.make_blobs, spread=(0.15, 0.4)), 3, 0.9, (20, 50)),
    "parabola": Source(toy(cr.data.make_parabola, noise=(0.05, 0.15)), 0, 0.9, (40, 80)),
    "mixed xor": Source(toy(cr.data.make_xor, noise=(0.1, 0.2)), 2, 0.82, (30, 60)),
    "mixed rings": Source(toy(cr.data.make_rings, noise=(0.1, 0.2)), 2, 0.82, (30, 60)),
    "mixed blobs": Source(toy(cr.data.make_blobs, spread=(0.4, 0.6)), 3, 0.8, (15, 30)),
    "digits": Source(stored("digits"), 10, 0.91, (15, 30), (600, 900)),
    "iris": Source(stored("iris"), 3, 0.85, (30, 60), (75, 75)),
    "wine": Source(stored("wine"), 3, 0.9, (15, 30), (88, 88)),
    "breast_cancer": Source(stored("breast_cancer"), 2, 0.92, (10, 25), (280, 280)),
    "diabetes": Source(stored("diabetes"), 0, 0.35, (15, 30), (220, 220)),
}

RATES = {
    cr.SGD: (0.05, 0.3),
    cr.Momentum: (0.005, 0.03),
    cr.Nesterov: (0.005, 0.03),
    cr.RMSprop: (0.001, 0.005),
    cr.Adam: (0.002, 0.01),
    cr.AdamW: (0.002, 0.01),
    cr.Nadam: (0.002, 0.01),
}


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between two, evenly on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def pick(rng: np.random.Generator, some: Any) -> Any:
    """One of some, all equally likely."""
    some = list(some)
    return some[int(rng.integers(len(some)))]


def stack(
    widths: list[int], activation: type[cr.Layer], outputs: int, start: cr.Initializer, **more: Any
) -> tuple[cr.Layer, ...]:
    """Hidden layers of these widths, and the last one."""
    hidden = [layer for width in widths for layer in (cr.Linear(width, weights=start, **more), activation())]
    return (*hidden, cr.Linear(outputs))


def sensible(rng: np.random.Generator, sources: Any = SOURCES, activations: Any = None) -> Case:
    """A training with settings that an experienced user might choose."""
    name = pick(rng, sources)
    source = SOURCES[name]
    parts = source.draw(rng, int(rng.integers(source.samples[0], source.samples[1] + 1)))
    activation = pick(rng, activations or (cr.ReLU, cr.ReLU, cr.Tanh, cr.LeakyReLU, cr.Sigmoid))
    depth = 1 if activation is cr.Sigmoid else int(rng.integers(1, 4))
    widths = [int(rng.integers(16, 65)) for _ in range(depth)]
    start = cr.He() if activation in (cr.ReLU, cr.LeakyReLU) else cr.Glorot()
    optimizer = pick(rng, RATES)
    epochs = int(rng.integers(*source.epochs)) * (2 if activation is cr.Sigmoid else 1)
    size = pick(rng, (4, 8, 8, 16, 16, 32, 32, 64))
    settings = {
        "optimizer": optimizer(between(rng, *RATES[optimizer]) * min(1, size / 8)),
        "batch_size": int(size),
        "epochs": epochs,
        "penalty": pick(rng, (None, None, None, cr.L2(between(rng, 1e-3, 1e-1)))),
        "seed": int(rng.integers(1000)),
    }
    layers = stack(widths, activation, max(1, source.classes), start)
    seed = int(rng.integers(1000))
    return Case(name, *parts, source.classes, source.par, layers, settings, seed=seed)


def varied(rng: np.random.Generator, sources: Any = SOURCES) -> Case:
    """The same with one of many things besides: other layers, losses and ways to step."""
    case = sensible(rng, sources)
    kind = rng.integers(10)
    hidden = list(case.layers[:-1])
    if kind == 0:
        return replace(case, layers=(*hidden, cr.Dropout(rng.uniform(0.05, 0.2)), case.layers[-1]))
    if kind == 1 and case.settings["batch_size"] >= 16:
        return replace(case, layers=(hidden[0], cr.BatchNorm(), *hidden[1:], case.layers[-1]))
    if kind == 2 and case.classes == 2:
        return replace(case, layers=(*hidden, cr.Linear(1)), loss=cr.BinaryCrossEntropy())
    if kind == 3:
        return changed(case, schedule=pick(rng, (cr.CosineDecay(), cr.WarmUp(3))))
    if kind == 4:
        return changed(case, clip=cr.ClipNorm(1.0))
    if kind == 5 and case.name == "digits":
        convolution = (cr.Reshape((1, 8, 8)), cr.Conv2D(8, 3, weights=cr.He()), cr.ReLU(), cr.MaxPool2D(2))
        return replace(case, layers=(*convolution, cr.Flatten(), cr.Linear(10)))
    if kind == 6 and len(hidden) <= 4:
        return changed(case, optimizer=cr.LBFGS(), batch_size=None, epochs=case.settings["epochs"] // 2)
    return case


def changed(case: Case, **settings: Any) -> Case:
    """The same training with other settings."""
    return replace(case, settings={**case.settings, **settings})


def width_of(case: Case) -> int:
    """The number of outputs."""
    return max(1, case.classes)


def rate_of(case: Case) -> float:
    """The learning rate."""
    return case.settings["optimizer"].learning_rate


def with_rate(case: Case, rate: float) -> Case:
    """The same training at another rate."""
    optimizer = case.settings["optimizer"]
    return changed(case, optimizer=type(optimizer)(rate))


# Each planter gives a healthy case and its sick twin.

Planted = tuple[Case, Case]


def by_steps(rng: np.random.Generator) -> Case:
    """A varied training whose optimizer has a rate."""
    while True:
        case = varied(rng)
        if not isinstance(case.settings["optimizer"], cr.LBFGS):
            return case


def rate_too_high(rng: np.random.Generator) -> Planted:
    """20 to 500 times a good rate."""
    case = by_steps(rng)
    return case, with_rate(case, rate_of(case) * between(rng, 20, 500))


def rate_too_low(rng: np.random.Generator) -> Planted:
    """A hundredth to a thirty-thousandth of a good rate."""
    case = by_steps(rng)
    return case, with_rate(case, rate_of(case) / between(rng, 100, 30000))


@cache
def own_layers() -> tuple[type[cr.Layer], type[cr.Layer]]:
    """Two layers of a user's own: a root, which has no value below 0, and a logarithm, which is infinite there."""

    @operation
    def root_forward(x):  # x (N, …)
        return np.sqrt(x)

    @operation
    def root_backward(dy, y):  # dy, y (N, …)
        return dy / (2 * y)

    @operation
    def logarithm_forward(x):  # x (N, …)
        return np.log(x)

    @operation
    def logarithm_backward(dy, x):  # dy, x (N, …)
        return dy / x

    @dataclass(eq=False)
    class Root(cr.Layer):
        """y = √x."""

        def forward(self, x, context):
            y = root_forward(x)
            return y, (y,)

        def backward(self, dy, saved):
            (y,) = saved
            return root_backward(dy, y), {}

    @dataclass(eq=False)
    class Logarithm(cr.Layer):
        """y = log x."""

        def forward(self, x, context):
            return logarithm_forward(x), (x,)

        def backward(self, dy, saved):
            (x,) = saved
            return logarithm_backward(dy, x), {}

    return Root, Logarithm


def values_not_finite(rng: np.random.Generator) -> Planted:
    """A layer of a user's own where its formula has no value: a root in place of a ReLU, or a logarithm behind one."""
    root, logarithm = own_layers()
    while True:
        case = sensible(rng, activations=(cr.ReLU,))
        place = pick(rng, [at for at, layer in enumerate(case.layers) if isinstance(layer, cr.ReLU)])
        own = pick(rng, ((root(),), (cr.ReLU(), logarithm())))
        sick = replace(case, layers=(*case.layers[:place], *own, *case.layers[place + 1 :]))
        if outcome(sick).loss == float("inf"):
            return case, sick


def outlying_values(rng: np.random.Generator) -> Planted:
    """One to three rows with a value far beyond all others."""
    case = by_steps(rng)
    (x, t), rows = case.train, rng.permutation(len(case.train[0]))[: int(rng.integers(1, 4))]
    x, t = x.copy(), t.copy()
    if not case.classes and rng.random() < 0.5:
        t[rows] = between(rng, 1e8, 1e30)
    else:
        x[rows, rng.integers(x.shape[1])] = between(rng, 1e8, 1e35)
    return case, replace(case, train=(x, t))


def dead_relus(rng: np.random.Generator) -> Planted:
    """Biases that start so low that hardly any unit ever answers."""
    case = sensible(rng, activations=(cr.ReLU,))
    hidden = [layer.out_features for layer in case.layers if isinstance(layer, cr.Linear)][:-1]
    low = cr.Normal(-rng.uniform(3, 8), 0.3)
    sick = stack(hidden, cr.ReLU, width_of(case), cr.He(), biases=low)
    return case, replace(case, layers=sick)


def saturated_units(rng: np.random.Generator) -> Planted:
    """Sigmoids or hyperbolic tangents whose weights start far too large."""
    case = sensible(rng, activations=(cr.Sigmoid, cr.Tanh))
    kind = type(case.layers[1])
    hidden = [layer.out_features for layer in case.layers if isinstance(layer, cr.Linear)][:-1]
    features = np.prod(case.train[0].shape[1:])
    large = cr.Normal(0, between(rng, 15, 60) / np.sqrt(features))
    return case, replace(case, layers=stack(hidden, kind, width_of(case), large))


def vanishing_gradients(rng: np.random.Generator) -> Planted:
    """Six to ten layers of sigmoids, or four to seven others whose weights start far too small."""
    case = sensible(rng, activations=(cr.ReLU, cr.Tanh))
    if rng.random() < 0.5:
        widths, kind, start = [int(rng.integers(16, 40)) for _ in range(rng.integers(6, 11))], cr.Sigmoid, cr.Glorot()
    else:
        widths = [int(rng.integers(16, 40)) for _ in range(rng.integers(4, 8))]
        kind, start = pick(rng, (cr.ReLU, cr.Tanh)), cr.Normal(0, between(rng, 0.005, 0.03))
    return case, replace(case, layers=stack(widths, kind, width_of(case), start))


def exploding_gradients(rng: np.random.Generator) -> Planted:
    """Four to eight layers of ReLU whose weights start too large, so that signals grow from layer to layer."""
    case = sensible(rng, activations=(cr.ReLU, cr.LeakyReLU))
    widths = [int(rng.integers(24, 49)) for _ in range(rng.integers(4, 9))]
    large = cr.Normal(0, between(rng, 3, 10) * np.sqrt(2 / 32))
    return case, replace(case, layers=stack(widths, type(case.layers[1]), width_of(case), large))


def unscaled_inputs(rng: np.random.Generator) -> Planted:
    """Features in other units: thousands, thousandths, or far from 0."""
    case = sensible(rng)
    features = case.train[0].shape[1]
    factor, offset = np.ones(features, np.float32), np.zeros(features, np.float32)
    kind = pick(rng, ("large", "mixed", "small", "offset"))
    if kind == "large":
        factor[:] = between(rng, 100, 10000)
    elif kind == "mixed":
        factor = np.exp(rng.uniform(np.log(0.1), np.log(5000), features)).astype(np.float32)
        factor[rng.integers(features)] = between(rng, 500, 5000)
    elif kind == "small":
        factor[:] = 1 / between(rng, 300, 10000)
    else:
        offset[:] = between(rng, 50, 1000)
    parts = [((x * factor + offset).astype(np.float32), t) for x, t in (case.train, case.validation, case.test)]
    return case, replace(case, train=parts[0], validation=parts[1], test=parts[2])


def penalty_too_strong(rng: np.random.Generator) -> Planted:
    """A penalty that pulls harder than the data."""
    case = changed(sensible(rng), penalty=None)
    network = case.network().build(case.train[0].shape[1:])
    weights = sum(W.size for W in network.parameters.values() if W.ndim > 1)
    if rng.random() < 0.7:
        return case, changed(case, penalty=cr.L2(between(rng, 0.2, 2) * weights))
    return case, changed(case, penalty=cr.L1(between(rng, 0.05, 0.3) * weights))


NOISY = {
    "xor": toy(cr.data.make_xor, noise=(0.25, 0.4)),
    "rings": toy(cr.data.make_rings, noise=(0.2, 0.3)),
    "blobs": toy(cr.data.make_blobs, spread=(0.5, 0.8)),
    "parabola": toy(cr.data.make_parabola, noise=(0.5, 1.0)),
    "diabetes": stored("diabetes"),
}


def overfitting(rng: np.random.Generator) -> Planted:
    """A large network for long on few noisy samples; its twin stops in time."""
    case = sensible(rng, sources=list(NOISY), activations=(cr.ReLU, cr.Tanh))
    parts = NOISY[case.name](rng, int(rng.integers(30, 80)))
    layers = stack([128, 128], type(case.layers[1]), width_of(case), cr.He())
    case = replace(case, train=parts[0], validation=parts[1], test=parts[2], layers=layers)
    sick = changed(case, optimizer=cr.Adam(between(rng, 0.003, 0.01)), epochs=int(rng.integers(150, 300)), penalty=None)
    return changed(sick, callbacks=[cr.EarlyStopping(patience=10)]), sick


def underfitting(rng: np.random.Generator) -> Planted:
    """One or two hidden units, or none, for what needs many."""
    case = sensible(rng, sources=("xor", "rings", "spirals", "digits", "parabola"), activations=(cr.ReLU, cr.Tanh))
    widths = pick(rng, ([], [1], [2])) if case.name != "digits" else pick(rng, ([1], [2], [3]))
    widths = widths if case.name != "parabola" else pick(rng, ([], [1]))
    return case, replace(case, layers=stack(widths, type(case.layers[1]), width_of(case), cr.Glorot()))


def class_imbalance(rng: np.random.Generator) -> Planted:
    """Classes that overlap, one of which has next to no samples."""
    name = pick(rng, ("xor", "rings", "blobs"))
    case = sensible(rng, sources=(name,))
    parts = NOISY[name](rng, 1000)
    kept, rare = rng.uniform(0.02, 0.06), 1
    thinned = []
    for x, t in parts:
        keep = (t != rare) | (rng.random(len(t)) < kept)
        thinned.append((x[keep], t[keep]))
    sick = replace(case, train=thinned[0], validation=thinned[1], test=thinned[2])
    sick = changed(sick, epochs=max(10, case.settings["epochs"] // 4))
    return changed(sick, class_weight="balanced"), sick


def wrong_labels(rng: np.random.Generator) -> Planted:
    """A quarter to two fifths of the labels wrong, or all of them shuffled, or slipped by a row."""
    case = varied(rng, sources=("xor", "rings", "blobs", "digits", "breast_cancer", "parabola"))
    (x, t), kind = case.train, pick(rng, ("some", "some", "slipped", "shuffled"))
    t = t.copy()
    if kind == "shuffled":
        t = t[rng.permutation(len(t))]
    elif kind == "slipped" or not case.classes:
        t = np.roll(t, pick(rng, (1, -1)), axis=0)
    else:
        wrong = rng.permutation(len(t))[: int(rng.uniform(0.25, 0.4) * len(t))]
        t[wrong] = (t[wrong] + rng.integers(1, case.classes, len(wrong))) % case.classes
    return case, replace(case, train=(x, t))


def leaked_rows(rng: np.random.Generator) -> Planted:
    """A tenth to all of the validation samples are among the training samples."""
    case = varied(rng)
    (x, t), (xv, tv) = case.train, case.validation
    count = int(rng.uniform(0.1, 1) * len(xv))
    at, to = rng.permutation(len(x))[:count], rng.permutation(len(xv))[:count]
    xv, tv = xv.copy(), tv.copy()
    xv[to[: len(at)]], tv[to[: len(at)]] = x[at], t[at]
    return case, replace(case, validation=(xv, tv))


def softmax_twice(rng: np.random.Generator) -> Planted:
    """A Softmax layer before a loss that has its own."""
    case = sensible(rng, sources=[name for name, source in SOURCES.items() if source.classes])
    return case, replace(case, layers=(*case.layers, cr.Softmax()))


def batch_too_large(rng: np.random.Generator) -> Planted:
    """All samples, or half of them, in each step, and too few steps for that."""
    case = sensible(rng, sources=("rings", "blobs", "digits", "xor", "parabola", "breast_cancer"))
    size = pick(rng, (None, len(case.train[0]) // 2 + 1))
    return case, changed(case, batch_size=size)


def batch_too_small(rng: np.random.Generator) -> Planted:
    """One or two samples in each step, at a rate that suits larger batches."""
    case = sensible(rng)
    optimizer = pick(rng, (cr.SGD, cr.Momentum, cr.Adam))
    rate = between(rng, *{cr.SGD: (0.3, 0.8), cr.Momentum: (0.03, 0.08), cr.Adam: (0.015, 0.04)}[optimizer])
    case = changed(case, optimizer=optimizer(rate), batch_size=32)
    return case, changed(case, batch_size=pick(rng, (1, 1, 2)))


def too_little_training(rng: np.random.Generator) -> Planted:
    """A few epochs where many are needed."""
    case = by_steps(rng)
    return case, changed(case, epochs=max(1, round(case.settings["epochs"] * rng.uniform(0.02, 0.08))))


TROUBLES: dict[str, Callable[[np.random.Generator], Planted]] = {
    "learning rate too high": rate_too_high,
    "learning rate too low": rate_too_low,
    "batch too large": batch_too_large,
    "batch too small": batch_too_small,
    "too little training": too_little_training,
    "outlying values": outlying_values,
    "values not finite": values_not_finite,
    "dead ReLUs": dead_relus,
    "saturated units": saturated_units,
    "vanishing gradients": vanishing_gradients,
    "exploding gradients": exploding_gradients,
    "unscaled inputs": unscaled_inputs,
    "penalty too strong": penalty_too_strong,
    "overfitting": overfitting,
    "underfitting": underfitting,
    "class imbalance": class_imbalance,
    "wrong labels": wrong_labels,
    "leaked rows": leaked_rows,
    "softmax twice": softmax_twice,
}


@dataclass(frozen=True)
class Outcome:
    """What became of a training."""

    loss: float  # on the test samples, classes counting alike where the trouble is that they do not; inf: diverged
    score: float  # accuracy or R² there
    validation: tuple[float, ...] = ()


def outcome(case: Case, balanced: bool = False) -> Outcome:
    """Train a case."""
    network = case.network()
    try:
        history = cr.train(network, case.train, validation=case.validation, progress=False, **case.settings)
        weights = "balanced" if balanced else None
        figures = network.evaluate(*case.test, class_weight=weights)
        score = figures.get("accuracy")
        if score is None:
            residual = case.test[1] - network.predict(case.test[0])
            score = float(1 - (residual**2).mean() / case.test[1].var())
        return Outcome(figures["loss"], score, tuple(history["validation_loss"]))
    except (DivergenceError, DataError):  # a value was not finite in a step, or in what the weights answer
        return Outcome(float("inf"), 0.0)


def is_healthy(case: Case, seen: Outcome) -> bool:
    """Whether it reaches par and does not overfit."""
    if not seen.validation or seen.score < case.par:
        return False
    return seen.validation[-1] <= 1.25 * min(seen.validation) + 0.02


def healthy_cases(seed: int, count: int) -> list[Case]:
    """So many healthy trainings."""
    found, at = [], 0
    while len(found) < count:
        case = varied(stream(seed + at, "ward: healthy"))
        at += 1
        if is_healthy(case, outcome(case)):
            found.append(case)
    return found


def sick_cases(seed: int, count: int, troubles: Any = TROUBLES) -> list[Case]:
    """So many sick trainings of each trouble."""
    found = []
    for trouble in troubles:
        at = kept = 0
        while kept < count:
            well, sick = TROUBLES[trouble](stream(seed + at, f"ward: {trouble}"))
            at += 1
            if harms(trouble, well, sick):
                found.append(replace(sick, trouble=trouble))
                kept += 1
    return found


def harms(trouble: str, well: Case, sick: Case) -> bool:
    """Whether what was planted made the training worse than its twin; a leak makes only the validation wrong."""
    balanced = trouble == "class imbalance"
    before = outcome(well, balanced)
    if trouble not in ("overfitting", "class imbalance") and not is_healthy(well, before):
        return False
    return trouble == "leaked rows" or outcome(sick, balanced).loss > WORSE * before.loss + 0.02


@dataclass(frozen=True)
class Chart:
    """What the doctor said of one training, and what its change did to the losses on validation and test samples."""

    case: Case
    names: tuple[str, ...]  # of the findings
    spoke: bool  # while the training went on
    validation: tuple[float, float] | None = None  # before and after
    test: tuple[float, float] | None = None

    @property
    def right(self) -> bool:
        """Whether the first name is that of the trouble that was planted, or none where there was none."""
        return self.names[:1] == ((self.case.trouble,) if self.case.trouble else ())


def visit(case: Case) -> Chart:
    """Examine a training, and try the change of the first finding."""
    examination = cr.diagnose(case.network(), case.train, validation=case.validation, **case.settings)
    names = tuple(finding.name for finding in examination.findings)
    doctor = cr.Doctor(case.validation, file=io.StringIO())
    with contextlib.suppress(DivergenceError):
        settings = {**case.settings, "callbacks": [*case.settings.get("callbacks", ()), doctor]}
        cr.train(case.network(), case.train, validation=case.validation, progress=False, **settings)
    if not names or not examination.findings[0].change:
        return Chart(case, names, doctor.spoke)
    change = examination.findings[0].change
    trial = examination.try_remedy()
    balanced = "balanced" if "class_weight" in change else None
    test = test_loss(case, {}, balanced), test_loss(case, change, balanced)
    return Chart(case, names, doctor.spoke, (trial.loss_before, trial.loss_after), test)


def test_loss(case: Case, change: dict[str, Any], class_weight: str | None) -> float:
    """The loss on samples that nobody has seen, after a training with a change; infinite where it failed."""
    network = remedy.fresh(case.network(), change)
    data, validation = remedy.change_data(case.train, case.validation, change)
    _, test = remedy.change_data(case.train, case.test, change)
    settings = remedy.change_settings(case.settings, change)
    try:
        cr.train(network, data, validation=validation, progress=False, **settings)
        return network.evaluate(*test, class_weight=class_weight)["loss"]
    except (DivergenceError, DataError):
        return float("inf")


def improves(pair: tuple[float, float] | None) -> bool:
    """Whether a loss is lower after than before."""
    return pair is not None and pair[1] < pair[0]


def report(healthy: list[Chart], sick: list[Chart]) -> str:
    """The table of docs/doctor.md."""
    lines = [
        "| Trouble | runs | named first | named at all | validation loss lower with the change | test loss lower |"
        " false alarms in healthy runs |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for trouble in TROUBLES:
        charts = [chart for chart in sick if chart.case.trouble == trouble]
        if charts:
            alarms = sum(trouble in chart.names for chart in healthy)
            lines.append(f"| {trouble} | {_counts(charts)} | {alarms} |")
    alarms = sum(bool(chart.names) for chart in healthy)
    lines += [
        f"| **all** | {_counts(sick)} | {alarms} of {len(healthy)} |",
        "",
        f"Named first: {_share(chart.right for chart in sick)}. "
        f"Improved by the change: {_share(improves(chart.validation) for chart in sick)}; "
        f"on the test samples {_share(improves(chart.test) for chart in sick)}. "
        f"False alarms: {_share(bool(chart.names) for chart in healthy)}; "
        f"while training went on {_share(chart.spoke for chart in healthy)}.",
        "",
        *(
            f"* {c.case.trouble or 'healthy'} ({c.case.name}): {', '.join(c.names) or 'nothing'}"
            for c in (*healthy, *sick)
            if not c.right
        ),
    ]
    return "\n".join(lines)


def _counts(charts: list[Chart]) -> str:
    named = sum(chart.case.trouble in chart.names for chart in charts)
    better = sum(improves(chart.validation) for chart in charts)
    on_test = sum(improves(chart.test) for chart in charts)
    return f"{len(charts)} | {sum(chart.right for chart in charts)} | {named} | {better} | {on_test}"


def _share(some: Any) -> str:
    found = list(some)
    return f"{sum(found)} of {len(found)} ({sum(found) / max(1, len(found)):.1%})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--healthy", type=int, default=200, help="how many healthy trainings")
    parser.add_argument("--sick", type=int, default=10, help="how many sick ones of each trouble")
    parser.add_argument("--trouble", choices=TROUBLES, help="only this one")
    asked = parser.parse_args()
    start = time.perf_counter()
    healthy = [visit(case) for case in healthy_cases(asked.seed, asked.healthy)]
    troubles = [asked.trouble] if asked.trouble else list(TROUBLES)
    sick = [visit(case) for case in sick_cases(asked.seed, asked.sick, troubles)]
    print(report(healthy, sick))
    print(f"\nSeed {asked.seed}, {time.perf_counter() - start:.0f} s.")


if __name__ == "__main__":
    main()
