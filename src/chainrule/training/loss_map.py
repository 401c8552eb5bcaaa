"""The loss around a solution, on a plane through the space of all weights, with the path that a training took to it.

Source: Li, Xu, Taylor, Studer & Goldstein 2018, "Visualizing the loss landscape of neural nets".
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import positive_number, whole_number
from chainrule.errors import SettingError, ShapeError
from chainrule.network import Network
from chainrule.operations.penalties import is_weight
from chainrule.training.callbacks import Callback
from chainrule.training.run import Run

Weights = dict[str, Array]  # every parameter, by name


class WeightPath(Callback):
    """Keeps a copy of all parameters before the first step and after each epoch: `map_loss` shows the way they went.

    `weights` holds one dictionary per moment, named as `network.parameters`. A checkpoint keeps them.
    """

    def __init__(self) -> None:
        self.weights: list[Weights] = []

    def on_train_start(self, run: Run) -> None:
        self.weights = []
        self._keep(run)

    def on_epoch_end(self, run: Run) -> None:
        self._keep(run)

    def _keep(self, run: Run) -> None:
        self.weights.append({name: W.copy() for name, W in run.network.parameters.items()})

    def state(self) -> dict[str, Any]:
        names = self.weights[0] if self.weights else {}
        return {f"path of {name}": np.array([moment[name] for moment in self.weights]) for name in names}

    def restore(self, state: dict[str, Any]) -> None:
        paths = {name.removeprefix("path of "): path for name, path in state.items()}
        moments = len(next(iter(paths.values()), ()))
        self.weights = [{name: path[moment] for name, path in paths.items()} for moment in range(moments)]


@dataclass(frozen=True)
class LossMap:
    """What `map_loss` has measured; `plots.loss_contours` and `plots.loss_surface` draw it.

    The weights at (a, b) are those of the network + a · the first direction + b · the second.
    """

    first: Array  # (A,) the values of a
    second: Array  # (B,) the values of b
    losses: Array  # (B, A) the mean loss; not finite where a score was not
    path: Array  # (T, 2) where the weights of the path lie, as seen from straight above; (1, 2) zeros without one
    explained: tuple[float, float] | None = None  # the share of the path's variation that each direction holds


def map_loss(
    network: Network,
    data: tuple[Any, Any],
    path: WeightPath | None = None,
    *,
    points: int = 25,
    reach: float = 1.0,
    seed: int = 0,
) -> LossMap:
    """The mean loss on a plane of weights around those that the network has, which keeps them.

    With a path, the plane is the one that holds most of its variation: the two principal components of its weights,
    seen from the last ones. Without, its two directions are drawn from N(0, 1) and scaled filter by filter: what leads
    into a unit gets the norm of the unit's own weights, biases stay (Li et al. 2018), so that maps of different
    networks can be compared.

    Args:
        network: a trained network.
        data: (x, targets) on which the loss is measured.
        path: a callback that was given to `train`; the plane then covers the whole path.
        points: along each direction; the loss is measured at points² places.
        reach: without a path: how far the plane goes either way, in norms of the filters.
        seed: without a path: of the directions.

    Raises:
        SettingError: the path has fewer than three moments, or a setting is out of range.
        ShapeError: the path is that of another network.
        DataError, DataTypeError: see `Network.evaluate`.

    """
    count = whole_number(points, "points", at_least=2)
    x, t = network.check_data(*data)
    center = {name: W.astype(np.float64) for name, W in network.parameters.items()}
    if path is None:
        rng = np.random.default_rng(whole_number(seed, "seed", at_least=0))
        directions = [_filter_normalised(center, rng) for _ in range(2)]
        half = positive_number(reach, "reach")
        first = second = np.linspace(-half, half, count)
        seen, explained = np.zeros((1, 2)), None
    else:
        directions, seen, explained = _principal(center, path.weights)
        low, high = seen.min(axis=0), seen.max(axis=0)
        room = 0.25 * max(float((high - low).max()), 1e-9)
        first, second = (np.linspace(low[i] - room, high[i] + room, count) for i in range(2))
    walker = copy.deepcopy(network)
    losses = np.empty((count, count))
    for row, b in enumerate(second):
        for column, a in enumerate(first):
            for name, W in walker.parameters.items():
                W[...] = center[name] + a * directions[0][name] + b * directions[1][name]
            losses[row, column] = walker.measure(x, t)["loss"]
    return LossMap(first, second, losses, seen, explained)


def _filter_normalised(center: Weights, rng: np.random.Generator) -> Weights:
    """A random direction, with the norm that the weights have, filter by filter; 0 for what is no weight."""
    direction = {}
    for name, W in center.items():
        drawn = np.asarray(rng.standard_normal(W.shape))
        direction[name] = drawn * (_filter_norms(W) / _filter_norms(drawn)) if is_weight(W) else np.zeros_like(W)
    return direction


def _filter_norms(W: Array) -> Array:
    """The norm of what leads into each unit: a column of W (I, O), or W[o] of (O, C, …)."""
    axes = 0 if W.ndim == 2 else tuple(range(1, W.ndim))
    return np.asarray(np.sqrt((W * W).sum(axis=axes, keepdims=True)))


def _principal(center: Weights, moments: list[Weights]) -> tuple[list[Weights], Array, tuple[float, float]]:
    """The path's two principal directions, each of length 1, its points in their plane, and what they explain."""
    if len(moments) < 3:
        raise SettingError(f"path: expected the start and two epochs at least, got {len(moments)} moments of weights")
    if {name: W.shape for name, W in moments[0].items()} != {name: W.shape for name, W in center.items()}:
        raise ShapeError("path: its weights are not those of this network")
    home = _joined(center)
    offsets = np.array([_joined(moment) for moment in moments]) - home  # (T, P)
    _, lengths, axes = np.linalg.svd(offsets, full_matrices=False)
    shares = lengths[:2] ** 2 / max(float((lengths**2).sum()), 1e-300)
    directions = [_apart(axis, center) for axis in axes[:2]]
    return directions, offsets @ axes[:2].T, (float(shares[0]), float(shares[1]))


def _joined(weights: Weights) -> Array:
    return np.concatenate([W.ravel() for W in weights.values()]).astype(np.float64)


def _apart(vector: Array, like: Weights) -> Weights:
    """A long vector cut into arrays of the shapes in `like`."""
    ends = np.cumsum([W.size for W in like.values()])
    parts = np.split(vector, ends[:-1])
    return {name: part.reshape(W.shape) for part, (name, W) in zip(parts, like.items(), strict=True)}
