"""The loss as a surface over two directions in the space of all weights, and the way of the training on it.

The directions are those in which the weights have moved most (principal components of the path, Li et al. 2018); before
the first steps, two random ones, scaled like the weights. Source: mission item B5.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.playground.frames import pack
from chainrule.playground.pictures import Viewer
from chainrule.playground.trainer import Trainer
from chainrule.randomness import stream

CELLS = 33  # along each side, at most
LEAST = 13
WORK = 4e8  # multiplications for one surface, about
MOST_POINTS = 200  # of the path
ROOM = 0.35  # of its extent, around it


def loss_surface(viewer: Viewer, trainer: Trainer) -> bytes:
    """The training loss around the path of the weights: "surface" (cells, cells) from below, "path" (T, 2)."""
    names = list(viewer.network.parameters)
    trail = trainer.trail()
    moment = trainer.moment
    if trail[-1] is not moment.weights:
        trail.append(moment.weights)
    rows = np.unique(np.linspace(0, len(trail) - 1, MOST_POINTS).astype(int))
    path = np.stack([_flat(trail[row], names) for row in rows])  # (T, P)
    centre, directions, explained = _directions(path)
    places = (path - centre) @ directions.T  # (T, 2)
    low, high = places.min(axis=0), places.max(axis=0)
    half = np.maximum((high - low) / 2, 0.05 * max(1.0, float(np.abs(path[-1]).max()))) * (1 + ROOM)
    middle = (low + high) / 2
    cells = _cells(viewer)
    axes = [np.linspace(middle[i] - half[i], middle[i] + half[i], cells) for i in range(2)]
    losses = np.array(
        [[_loss(viewer, names, centre + a * directions[0] + b * directions[1]) for a in axes[0]] for b in axes[1]]
    )
    on_path = np.array([_loss(viewer, names, weights) for weights in path])
    viewer.put(moment.weights)
    header = {
        "is": "surface",
        "extent": [float(axes[0][0]), float(axes[0][-1]), float(axes[1][0]), float(axes[1][-1])],
        "explained": explained,
        "steps": moment.steps,
    }
    arrays = {
        "surface": np.nan_to_num(losses, posinf=1e30).astype(np.float32),
        "path": places.astype(np.float32),
        "losses": np.nan_to_num(on_path, posinf=1e30).astype(np.float32),
    }
    return pack(header, arrays)


def _cells(viewer: Viewer) -> int:
    """As many as the work allows."""
    weights = sum(W.size for W in viewer.network.parameters.values())
    samples = len(viewer.measured_on()[1])
    return int(np.clip(np.sqrt(WORK / (weights * samples)), LEAST, CELLS))


def _directions(path: Array) -> tuple[Array, Array, float]:
    """A point of the plane, two directions in it (2, P), and the share of the path's variance that it shows."""
    centre = path[-1]
    moved = path - centre
    if len(path) >= 3 and np.abs(moved).max() > 0:
        _, sizes, components = np.linalg.svd(moved - moved.mean(axis=0), full_matrices=False)
        total = float((sizes**2).sum())
        if len(components) >= 2 and total > 0 and sizes[1] > 1e-9 * sizes[0]:
            return centre, components[:2], float((sizes[:2] ** 2).sum() / total)
    drawn = stream(0, "surface").standard_normal((2, path.shape[1])) * (np.abs(centre) + 0.1)
    first = drawn[0] / np.linalg.norm(drawn[0])
    second = drawn[1] - (drawn[1] @ first) * first
    return centre, np.stack([first, second / np.linalg.norm(second)]), 1.0


def _flat(weights: dict[str, Array], names: list[str]) -> Array:
    return np.concatenate([weights[name].ravel().astype(np.float64) for name in names])


def _loss(viewer: Viewer, names: list[str], flat: Array) -> float:
    """The loss of the training samples with these weights."""
    start = 0
    for name in names:
        W = viewer.network.parameters[name]
        W[...] = flat[start : start + W.size].reshape(W.shape)
        start += W.size
    return viewer.network.measure(*viewer.measured_on())["loss"]
