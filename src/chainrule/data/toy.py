"""Small data made from a formula, to watch a network at work on. Source: mission items B6, D6, E1.

The same seed gives the same samples; each function has a random stream of its own. The samples come in random order,
the classes as equal in number as can be. Every function raises SettingError for a setting out of its range.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array, Labels
from chainrule.configuration import real_number, whole_number
from chainrule.randomness import stream

XOR_GAP = 0.1  # no point is nearer to an axis than this, before noise
INNER_RADIUS, OUTER_RADIUS = 0.5, 1.0
SPIRAL_TURNS = 1.5
SPIRAL_START = 0.1  # the distance from the centre at which the arms begin; they end at 1
PARABOLA = (2.0, -1.0, 0.5)  # w₂, w₁, w₀
SINE_WAVES = 1.5  # over −1…1
HILL_WIDTH = 0.35  # the standard deviation of the bell
HILL, HOLLOW = (0.5, 0.5), (-0.5, -0.5)  # their middles

Pair = tuple[Array, Labels]


def make_xor(samples: int = 400, noise: float = 0.0, seed: int | None = 0) -> Pair:
    """Exclusive or: class 1 where just one of the two coordinates is positive, else 0 (D6).

    Args:
        samples: how many, N.
        noise: standard deviation of what is added to both coordinates, after the class is settled.
        seed: see `chainrule.randomness`.

    Returns:
        x (N, 2) float32 in the four quadrants of −1…1, y (N,) int64 0 or 1.

    """
    rng, count, deviation = _settings("xor", samples, noise, seed)
    quadrant = np.arange(count) % 4  # counter-clockwise: ++ −+ −− +−
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])[quadrant]  # (N, 2)
    x = signs * rng.uniform(XOR_GAP, 1, (count, 2))
    return _shuffled(_noisy(x, deviation, rng), quadrant % 2, rng)


def make_rings(samples: int = 400, noise: float = 0.05, seed: int | None = 0) -> Pair:
    """The donut: class 0 on a ring of radius ½, class 1 on a ring of radius 1 around it (D6).

    Args:
        samples: how many, N.
        noise: standard deviation of what is added to both coordinates.
        seed: see `chainrule.randomness`.

    Returns:
        x (N, 2) float32, y (N,) int64 0 or 1.

    """
    rng, count, deviation = _settings("rings", samples, noise, seed)
    y = np.arange(count) % 2
    radius = np.where(y == 0, INNER_RADIUS, OUTER_RADIUS)
    x = _polar(radius, rng.uniform(0, 2 * np.pi, count))
    return _shuffled(_noisy(x, deviation, rng), y, rng)


def make_spirals(samples: int = 400, noise: float = 0.02, seed: int | None = 0) -> Pair:
    """Two spiral arms around each other, one class each: the hardest of these for a small network.

    Args:
        samples: how many, N.
        noise: standard deviation of what is added to both coordinates.
        seed: see `chainrule.randomness`.

    Returns:
        x (N, 2) float32, y (N,) int64 0 or 1.

    """
    rng, count, deviation = _settings("spirals", samples, noise, seed)
    y = np.arange(count) % 2
    radius = rng.uniform(SPIRAL_START, 1, count)
    x = _polar(radius, 2 * np.pi * SPIRAL_TURNS * radius + np.pi * y)  # the second arm is the first, turned by half
    return _shuffled(_noisy(x, deviation, rng), y, rng)


def make_blobs(samples: int = 400, classes: int = 3, spread: float = 0.2, seed: int | None = 0) -> Pair:
    """One round cloud per class, their centres at equal distances on the circle of radius 1.

    Args:
        samples: how many, N.
        classes: how many clouds, K, at least 2.
        spread: standard deviation of a cloud in each coordinate.
        seed: see `chainrule.randomness`.

    Returns:
        x (N, 2) float32, y (N,) int64 0 … K−1.

    """
    clouds = whole_number(classes, "make_blobs: classes", at_least=2)
    deviation = real_number(spread, "make_blobs: spread")
    rng, count, _ = _settings("blobs", samples, 0.0, seed)
    y = np.arange(count) % clouds
    x = _polar(np.ones(count), 2 * np.pi * y / clouds)
    return _shuffled(_noisy(x, deviation, rng), y, rng)


def make_parabola(samples: int = 400, noise: float = 0.1, seed: int | None = 0) -> tuple[Array, Array]:
    """Points near y = 2x² − x + ½, for polynomial regression (E1).

    Args:
        samples: how many, N.
        noise: standard deviation of what is added to y.
        seed: see `chainrule.randomness`.

    Returns:
        x (N, 1) float32 spread evenly at random over −1…1, y (N, 1) float32.

    """
    rng, count, deviation = _settings("parabola", samples, noise, seed)
    w2, w1, w0 = PARABOLA
    x = rng.uniform(-1, 1, (count, 1))
    y = _noisy(w2 * x**2 + w1 * x + w0, deviation, rng)
    return x.astype(np.float32), y.astype(np.float32)


def make_sine(samples: int = 400, noise: float = 0.1, seed: int | None = 0) -> tuple[Array, Array]:
    """Points near a sine of one and a half waves: a curve that no polynomial of low degree follows.

    Args:
        samples: how many, N.
        noise: standard deviation of what is added to y.
        seed: see `chainrule.randomness`.

    Returns:
        x (N, 1) float32 spread evenly at random over −1…1, y (N, 1) float32.

    """
    rng, count, deviation = _settings("sine", samples, noise, seed)
    x = rng.uniform(-1, 1, (count, 1))
    y = _noisy(np.sin(np.pi * SINE_WAVES * x), deviation, rng)
    return x.astype(np.float32), y.astype(np.float32)


def make_hills(samples: int = 400, noise: float = 0.05, seed: int | None = 0) -> tuple[Array, Array]:
    """Heights over a plane with a hill of height 1 and a hollow of depth 1, both bell-shaped.

    Args:
        samples: how many, N.
        noise: standard deviation of what is added to y.
        seed: see `chainrule.randomness`.

    Returns:
        x (N, 2) float32 spread evenly at random over the square −1…1, y (N, 1) float32.

    """
    rng, count, deviation = _settings("hills", samples, noise, seed)
    x = rng.uniform(-1, 1, (count, 2))
    y = _noisy(_bell(x, HILL) - _bell(x, HOLLOW), deviation, rng)
    return x.astype(np.float32), y.astype(np.float32)


def _bell(x: Array, middle: tuple[float, float]) -> Array:  # x (N, 2)
    """exp(−½ d²/σ²) of the distance d to `middle`."""
    squares = ((x - middle) ** 2).sum(axis=1, keepdims=True)  # (N, 1)
    return np.exp(-squares / (2 * HILL_WIDTH**2))  # (N, 1)


def _settings(name: str, samples: int, noise: float, seed: int | None) -> tuple[np.random.Generator, int, float]:
    """The random stream of data set `name`, and the checked settings."""
    count = whole_number(samples, f"make_{name}: samples")
    return stream(seed, f"data: {name}"), count, real_number(noise, f"make_{name}: noise")


def _polar(radius: Array, angle: Array) -> Array:  # radius (N,), angle (N,) in radians
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (N, 2)


def _noisy(values: Array, deviation: float, rng: np.random.Generator) -> Array:
    return values + deviation * rng.standard_normal(values.shape)


def _shuffled(x: Array, y: Labels, rng: np.random.Generator) -> Pair:
    order = rng.permutation(len(x))
    return x[order].astype(np.float32), y[order].astype(np.int64)
