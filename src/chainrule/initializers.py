"""Where weights start. Source: mission item B2 for N(0, 1); the papers named for the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import Configurable, real_number
from chainrule.errors import SettingError


class Initializer(Configurable):
    """Draws the first values of a weight. A subclass writes `draw`."""

    def __call__(self, rng: np.random.Generator | None, shape: Shape) -> Array:
        """Values of `shape`, float64. Without a generator, a stand-in of that shape that takes no memory."""
        if rng is None:
            return np.broadcast_to(0.0, shape)
        return self.draw(rng, shape)

    def draw(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Values of `shape`, float64, from `rng` alone."""
        raise NotImplementedError


def check_initializer(value: object, name: str) -> None:
    """Raise a SettingError that names the setting unless `value` is an initializer."""
    if not isinstance(value, Initializer):
        hint = f"; write {value.__name__}()" if isinstance(value, type) else ", such as Glorot()"
        raise SettingError(f"{name}: expected an Initializer, got {value!r}{hint}")


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (I, O), or of a filter (O, I, height, width): terms per output, and per input."""
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) > 2:
        window = int(np.prod(shape[2:]))
        return shape[1] * window, shape[0] * window
    return shape[0], shape[0]


@dataclass(eq=False)
class Normal(Initializer):
    """N(mean, deviation²); the notes' choice N(0, 1) is the default (B2)."""

    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        self.mean = real_number(self.mean, "Normal: mean", at_least=float("-inf"))
        self.deviation = real_number(self.deviation, "Normal: deviation")

    def draw(self, rng: np.random.Generator, shape: Shape) -> Array:
        return self.mean + self.deviation * rng.standard_normal(shape)


@dataclass(eq=False)
class Glorot(Initializer):
    """Uniform with variance 2 / (fan_in + fan_out), for sigmoid, tanh and softmax (Glorot & Bengio 2010, eq. 16)."""

    def draw(self, rng: np.random.Generator, shape: Shape) -> Array:
        limit = np.sqrt(6 / max(1, sum(fans(shape))))
        return rng.uniform(-limit, limit, shape)


@dataclass(eq=False)
class He(Initializer):
    """Normal with variance 2 / fan_in, for ReLU and its kin (He et al. 2015, eq. 10)."""

    def draw(self, rng: np.random.Generator, shape: Shape) -> Array:
        return np.sqrt(2 / max(1, fans(shape)[0])) * rng.standard_normal(shape)


@dataclass(eq=False)
class LeCun(Initializer):
    """Normal with variance 1 / fan_in: what SELU needs before it (LeCun et al. 1998; Klambauer et al. 2017)."""

    def draw(self, rng: np.random.Generator, shape: Shape) -> Array:
        return np.sqrt(1 / max(1, fans(shape)[0])) * rng.standard_normal(shape)


@dataclass(eq=False)
class Orthogonal(Initializer):
    """A random rotation: what is multiplied by it keeps its length, however often (Saxe et al. 2014).

    All rotations and reflections are equally likely. They are made of one reflection for each axis (Stewart 1980), by
    sums that come out alike on every machine. Where the shape is not square, rows or columns are left out.
    """

    def draw(self, rng: np.random.Generator, shape: Shape) -> Array:
        rows, columns = shape[0], int(np.prod(shape[1:]))
        n = max(rows, columns)
        Q = np.eye(n)
        for k in range(n):
            v = rng.standard_normal(n - k)
            length = np.sqrt((v * v).sum())
            Q[:, k] *= -np.copysign(1, v[0])
            v[0] += np.copysign(length, v[0])  # away from 0: nothing cancels
            Q[:, k:] -= 2 / (v * v).sum() * (Q[:, k:] * v).sum(axis=1)[:, None] * v
        return Q[:rows, :columns].reshape(shape)


@dataclass(eq=False)
class Zeros(Initializer):
    """All zero: the usual start of a bias. Weights that start equal stay equal, so not for hidden weights."""

    def draw(self, rng: np.random.Generator, shape: Shape) -> Array:
        return np.zeros(shape)


@dataclass(eq=False)
class Ones(Initializer):
    """All one: the usual start of a factor, such as γ of BatchNorm."""

    def draw(self, rng: np.random.Generator, shape: Shape) -> Array:
        return np.ones(shape)
