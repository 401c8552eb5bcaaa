"""The ward: trainings that are healthy, and trainings with one planted trouble each, from a seeded generator.

    python -m benchmarks.doctor_ward --seed 2000 --healthy 200 --sick 10

A healthy training is drawn from sensible settings and kept if it reaches the par of its data and does not overfit. A
sick one is a healthy one with one thing changed; it is kept if that made its test loss worse. Neither looks at what the
doctor says. Every training is examined once, and the change of the first finding is tried. Needs scikit-learn, for its
data sets.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.errors import ChainruleError, DivergenceError
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
    seed: int = 0

    def network(self) -> cr.Network:
        """With first weights."""
        layers = [cr.Layer.from_configuration(layer.configuration()) for layer in self.layers]
        return cr.Network(layers, loss=cr.CrossEntropy() if self.classes else cr.SquaredError(), seed=self.seed)


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


def rate_too_high(rng: np.random.Generator) -> Planted:
    """20 to 500 times a good rate."""
    case = sensible(rng)
    return case, with_rate(case, rate_of(case) * between(rng, 20, 500))


def rate_too_low(rng: np.random.Generator) -> Planted:
    """A hundredth to a thirty-thousandth of a good rate."""
    case = sensible(rng)
    return case, with_rate(case, rate_of(case) / between(rng, 100, 30000))


@operation
def root_forward(x):  # x (N, …)
    """√x."""
    return np.sqrt(x)


@operation
def root_backward(dy, y):  # dy, y (N, …)
    """∂L/∂x from ∂L/∂y and y = √x."""
    return dy / (2 * y)


@operation
def logarithm_forward(x):  # x (N, …)
    """log x."""
    return np.log(x)


@operation
def logarithm_backward(dy, x):  # dy, x (N, …)
    """∂L/∂x from ∂L/∂y and y = log x."""
    return dy / x


@dataclass(eq=False)
class Root(cr.Layer):
    """y = √x: a layer of a user's own whose slope at 0 is infinite."""

    def forward(self, x, context):
        y = root_forward(x)
        return y, (y,)

    def backward(self, dy, saved):
        (y,) = saved
        return root_backward(dy, y), {}


@dataclass(eq=False)
class Logarithm(cr.Layer):
    """y = log x: one that is infinite at 0."""

    def forward(self, x, context):
        return logarithm_forward(x), (x,)

    def backward(self, dy, saved):
        (x,) = saved
        return logarithm_backward(dy, x), {}


def values_not_finite(rng: np.random.Generator) -> Planted:
    """A layer of a user's own that has no finite value, or slope, where a ReLU is 0."""
    while True:
        case = sensible(rng, activations=(cr.ReLU,))
        place = pick(rng, [at + 1 for at, layer in enumerate(case.layers) if isinstance(layer, cr.ReLU)])
        layers = (*case.layers[:place], pick(rng, (Root, Logarithm))(), *case.layers[place:])
        sick = replace(case, layers=layers)
        if outcome(sick).loss == float("inf"):
            return case, sick


def outlying_values(rng: np.random.Generator) -> Planted:
    """One to three rows with a value far beyond all others."""
    case = sensible(rng)
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
    case = sensible(rng, sources=("xor", "rings", "blobs", "digits", "breast_cancer", "parabola"))
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
    case = sensible(rng)
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
    case = sensible(rng)
    return case, changed(case, epochs=max(1, round(case.settings["epochs"] * rng.uniform(0.02, 0.08))))


TROUBLES: dict[str, tuple[Callable[[np.random.Generator], Planted], str]] = {
    "learning rate too high": (rate_too_high, ""),
    "learning rate too low": (rate_too_low, ""),
    "outlying values": (outlying_values, ""),
    "values not finite": (values_not_finite, ""),
    "dead ReLUs": (dead_relus, ""),
    "saturated units": (saturated_units, ""),
    "vanishing gradients": (vanishing_gradients, ""),
    "exploding gradients": (exploding_gradients, ""),
    "unscaled inputs": (unscaled_inputs, ""),
    "penalty too strong": (penalty_too_strong, ""),
    "overfitting": (overfitting, ""),
    "underfitting": (underfitting, ""),
    "class imbalance": (class_imbalance, "balanced"),
    "wrong labels": (wrong_labels, ""),
    "leaked rows": (leaked_rows, ""),
    "softmax twice": (softmax_twice, ""),
    "batch too large": (batch_too_large, ""),
    "batch too small": (batch_too_small, ""),
    "too little training": (too_little_training, ""),
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
    except (DivergenceError, ChainruleError):
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
        case = sensible(stream(seed + at, "ward: healthy"))
        at += 1
        if is_healthy(case, outcome(case)):
            found.append(case)
    return found


def sick_cases(seed: int, count: int, troubles: Any = TROUBLES) -> list[Case]:
    """So many sick trainings of each trouble."""
    found = []
    for trouble in troubles:
        plant, measure = TROUBLES[trouble]
        at = kept = 0
        while kept < count:
            well, sick = plant(stream(seed + at, f"ward: {trouble}"))
            at += 1
            if harms(trouble, well, sick, measure == "balanced"):
                found.append(replace(sick, trouble=trouble))
                kept += 1
    return found


def harms(trouble: str, well: Case, sick: Case, balanced: bool) -> bool:
    """Whether what was planted made the training worse than its twin."""
    if trouble == "leaked rows":
        return is_healthy(well, outcome(well))
    before, after = outcome(well, balanced), outcome(sick, balanced)
    if trouble not in ("overfitting", "class imbalance") and not is_healthy(well, before):
        return False
    return after.loss > WORSE * before.loss + 0.02
