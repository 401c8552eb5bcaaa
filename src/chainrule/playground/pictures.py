"""What is to be seen of a network: every unit's own picture, decision regions, figures. All of it asked of the engine.

* Two features: the picture of a unit is its output over the plane.
* One feature: its output over the line.
* Images: of a unit that sees the pixels, its weights as an image; of a filter, what it makes of the chosen sample.
* Else: its output for the chosen sample.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.arrays import Array, Labels
from chainrule.layers import Context, HardSigmoid, Sigmoid, Tanh
from chainrule.playground.building import Column, make_network, make_penalty
from chainrule.playground.data import Problem, rows_of
from chainrule.playground.frames import pack
from chainrule.playground.settings import Settings
from chainrule.playground.trainer import Moment

FINE, COARSE = 160, 64  # cells of the plane along each side: at rest, and while it changes
TILE = 32  # cells of a unit's picture along each side
LINE = 96  # points of a curve
MOST_MEASURED = 1000  # samples of which losses are shown
GALLERY = 60  # images to choose from
MOST_WEIGHTS = 4096  # numbers of an array, beyond which it is not sent
DRAWN = (-1.2, 1.2, -1.2, 1.2)  # the part of the plane for points drawn by hand
ROOM = 0.15  # of the range of the data, around them


class Viewer:
    """Looks at a network of its own, into which the weights of a moment are put."""

    def __init__(self, settings: Settings, problem: Problem) -> None:
        self.settings, self.problem = settings, problem
        self.network, self.columns = make_network(settings, problem)
        self._penalty = make_penalty(settings)
        self._measured = {
            name: self._chosen(*pair) for name, pair in (("train", problem.train), ("test", problem.test))
        }
        self.extent = DRAWN if settings.data == "drawn" else _extent(problem)

    @property
    def kind(self) -> str:
        """What pictures there are: "plane", "line", "image" or "table"."""
        if self.problem.image_shape:
            return "image"
        return {1: "line", 2: "plane"}.get(self.problem.features, "table")

    def put(self, weights: dict[str, Array]) -> None:
        """Let the network have these weights."""
        for name, W in self.network.arrays.items():
            W[...] = weights[name]

    def change(self, settings: Settings) -> None:
        """Settings of the training that have changed: the penalty is among them."""
        self.settings, self._penalty = settings, make_penalty(settings)

    def first(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """What does not change while the network learns: its form, the data."""
        problem = self.problem
        header = {
            "kind": self.kind,
            "columns": [self._described(column) for column in self.columns],
            "classes": list(problem.class_names),
            "features": list(problem.feature_names) or [f"{problem.features} pixels"],
            "image": list(problem.image_shape or ()),
            "extent": list(self.extent),
            "samples": [len(problem.train[0]), len(problem.test[0])],
            "parameters": sum(W.size for W in self.network.parameters.values()),
            "lossName": type(self.network.loss).__name__,
        }
        arrays: dict[str, Array] = {}
        for name, (x, t) in self._measured.items():
            arrays[f"{name} targets"] = _numbers(t)
            if self.kind == "image":
                count = min(GALLERY, len(x))
                arrays[f"{name} images"] = np.round(x[:count] * 255).astype(np.uint8)
            else:
                arrays[f"{name} points"] = x.astype(np.float32)
        return header, arrays | self._inputs()

    def frame(self, moment: Moment, sample: int) -> bytes:
        """Everything that the page shows of a moment; `sample` is the chosen one, a row of the training data."""
        self.put(moment.weights)
        header = {
            "is": "frame",
            "steps": moment.steps,
            "epochs": moment.epochs,
            "running": moment.running,
            "trouble": moment.trouble,
            "figures": {name: self._figures(*pair, name) for name, pair in self._measured.items()},
        }
        arrays = self._weights()
        for name, (x, t) in self._measured.items():
            if (wrong := self._wrong(x, t)) is not None:
                arrays[f"{name} wrong"] = wrong
        if self.kind == "table":
            arrays["train answers"] = self._answers(self._measured["train"][0])
        arrays |= self._pictures(self.outputs_for(self._one(sample)), FINE if not moment.running else COARSE)
        return pack(header, arrays)

    def measured_on(self) -> tuple[Array, Array]:
        """The training samples whose loss is shown, and their prepared targets."""
        return self._measured["train"]

    def outputs_for(self, x: Array) -> list[Array]:
        """What every column gives for samples x (N, …); of the last one the answer, not the scores."""
        found = []
        wanted = {column.outputs for column in self.columns}
        for position, layer in enumerate(self.network.layers):
            x, _ = layer.forward(x, Context())
            if position in wanted:
                found.append(x)
        return [*found[:-1], self.network.loss.link(found[-1])]

    def _one(self, sample: int) -> Array:
        x = self.problem.train[0]
        row = min(max(sample, 0), len(x) - 1)
        return rows_of(x, np.array([row]))

    def _chosen(self, x: Any, y: Array) -> tuple[Array, Array]:
        """The samples whose loss is shown, as the network takes them, and prepared targets."""
        rows = np.arange(min(len(y), MOST_MEASURED))
        inputs, t = self.network.check_data(rows_of(x, rows), y[rows])
        return np.asarray(inputs), t

    def _figures(self, x: Array, t: Array, name: str) -> dict[str, float]:
        measured = self.network.measure(x, t)
        if self._penalty is not None and name == "train":
            samples = len(self.problem.train[0])
            measured["penalty"] = float(self._penalty.value(self.network.parameters, samples))
        return {key: value for key, value in measured.items() if math.isfinite(value)}

    def _wrong(self, x: Array, t: Array) -> Array | None:
        """1 for each sample that is taken for another class; None where there is nothing to decide."""
        truth = self.network.loss.classes_of(t)
        if truth is None or not self.problem.classes:
            return None
        return (self._decided(self.network.predict(x)) != truth).astype(np.uint8)

    def _answers(self, x: Array) -> Array:
        """For each sample the class that it is taken for, or the number that is predicted (N,)."""
        p = self.network.predict(x)
        return (self._decided(p) if self.problem.classes else p[:, 0]).astype(np.float32)

    def _decided(self, p: Array) -> Labels:
        """The class of each answer: p (N, K), or (N, 1) for two classes, where scores above the middle mean yes."""
        if p.shape[1] > 1:
            return p.argmax(axis=1)
        return (p[:, 0] > self._middle).astype(np.intp)

    @property
    def _middle(self) -> float:
        """Between no and yes: ½ for a probability, 0 for a score."""
        return 0.5 if type(self.network.loss).__name__ == "BinaryCrossEntropy" else 0.0

    def _weights(self) -> dict[str, Array]:
        """The parameters, but for arrays that are too large to be drawn number by number."""
        parameters = self.network.parameters
        return {name: W.astype(np.float32) for name, W in parameters.items() if W.size <= MOST_WEIGHTS}

    def _inputs(self) -> dict[str, Array]:
        """What the inputs themselves look like over the plane or the line."""
        if self.kind == "plane":
            units = grid(self.extent, TILE).T.reshape(-1, TILE, TILE)
            size = max(abs(edge) for edge in self.extent)
            return {"input tile": _as_bytes(units, -size, size)}
        return {"input curve": _grid_1d(self.extent).T} if self.kind == "line" else {}

    def _described(self, column: Column) -> dict[str, Any]:
        layer = self.network.layers[column.outputs]
        weights = None if column.weights is None else f"layers.{column.weights}"
        shape = self.network.body.shapes[column.outputs + 1]
        return {
            "kind": column.kind,
            "units": column.units,
            "weights": weights,
            "activation": type(layer).__name__ if column.weights != column.outputs else "",
            "shape": list(shape),
        }

    def _pictures(self, of_sample: list[Array], cells: int) -> dict[str, Array]:
        arrays = {
            f"activation {i}": y[0].ravel().astype(np.float32) for i, y in enumerate(of_sample) if y[0].size < 4096
        }
        if self.kind == "plane":
            return arrays | self._over_plane(cells)
        if self.kind == "line":
            over_line = self.outputs_for(_grid_1d(self.extent))
            return arrays | {f"curve {i}": y.T.astype(np.float32) for i, y in enumerate(over_line)}
        if self.kind == "image":
            return arrays | self.images_of(of_sample)
        return arrays

    def _over_plane(self, cells: int) -> dict[str, Array]:
        arrays: dict[str, Array] = {}
        outputs = self.outputs_for(grid(self.extent, cells))
        stride = cells // TILE
        for i, y in enumerate(outputs):
            units = y.T.reshape(-1, cells, cells)  # (units, rows, columns), the upper row first
            low, high = self._range(i, y)
            arrays[f"tile {i}"] = _as_bytes(units[:, ::stride, ::stride], low, high)
        low, high = self._range(len(outputs) - 1, outputs[-1])
        arrays["plane"] = _as_bytes(outputs[-1].T.reshape(-1, cells, cells), low, high)
        return arrays

    def images_of(self, of_sample: list[Array]) -> dict[str, Array]:
        """The pictures of the units for one image: its feature maps, the filters, the weights of plain units."""
        arrays: dict[str, Array] = {}
        for i, (column, y) in enumerate(zip(self.columns, of_sample, strict=True)):
            if column.kind == "dense":
                W = None if column.weights is None else self.network.layers[column.weights].parameters["W"]
                if i == 0 and W is not None and self.problem.image_shape:
                    units = W.T.reshape(-1, *self.problem.image_shape)
                    arrays[f"tile {i}"] = _each_as_bytes(units)
                continue
            arrays[f"tile {i}"] = _each_as_bytes(y[0])  # feature maps (units, height, width)
            if column.kind == "conv" and column.weights is not None:
                filters = self.network.layers[column.weights].parameters["W"]  # (units, channels, height, width)
                arrays[f"filter {i}"] = _each_as_bytes(filters.mean(axis=1))
        return arrays

    def _range(self, column: int, y: Array) -> tuple[float, float]:
        """The values that get the strongest colours: the ends of the activation's range, or of the picture."""
        if column == len(self.columns) - 1:
            if (self.problem.classes and self._middle == 0.5) or y.shape[1] > 1:
                return 0.0, 1.0
            if not self.problem.classes:
                size = float(np.abs(self._measured["train"][1]).max()) or 1.0
                return -size, size
        layer = self.network.layers[self.columns[column].outputs]
        if isinstance(layer, Sigmoid | HardSigmoid):
            return 0.0, 1.0
        if isinstance(layer, Tanh):
            return -1.0, 1.0
        size = float(np.abs(y).max()) or 1.0
        return -size, size


def grid(extent: tuple[float, ...], cells: int) -> Array:
    """The middles of the cells of the plane (cells², 2), row by row from the top."""
    left, right, bottom, top = extent
    middles = (np.arange(cells) + 0.5) / cells
    x1, x2 = np.meshgrid(left + (right - left) * middles, top - (top - bottom) * middles)
    return np.stack([x1.ravel(), x2.ravel()], axis=1).astype(np.float32)


def _grid_1d(extent: tuple[float, ...]) -> Array:
    return np.linspace(extent[0], extent[1], LINE, dtype=np.float32)[:, None]


def _extent(problem: Problem) -> tuple[float, float, float, float]:
    """The part of the plane that is shown: x₁ from, to, x₂ from, to; for one feature, x and y."""
    if problem.image_shape or problem.features > 2:
        return 0.0, 1.0, 0.0, 1.0
    x, y = problem.train[0], problem.train[1]
    values = np.asarray(x) if problem.features == 2 else np.concatenate([np.asarray(x), np.asarray(y, np.float32)], 1)
    low, high = values.min(axis=0), values.max(axis=0)
    if problem.features == 2:
        low, high = np.full(2, low.min()), np.full(2, high.max())  # the same scale in both directions
    room = ROOM * np.maximum(high - low, 1e-3)
    return float(low[0] - room[0]), float(high[0] + room[0]), float(low[1] - room[1]), float(high[1] + room[1])


def _as_bytes(values: Array, low: float, high: float) -> Array:
    """Values as 0 … 255, `low` and below as 0; what is not a number counts as the middle."""
    share = (np.nan_to_num(values, nan=(low + high) / 2) - low) / (high - low)
    return np.round(255 * np.clip(share, 0, 1)).astype(np.uint8)


def _each_as_bytes(pictures: Array) -> Array:
    """Pictures (units, height, width), each by its own largest value; 0 is the middle."""
    sizes = np.abs(pictures).max(axis=(1, 2), keepdims=True)
    return _as_bytes(pictures / np.where(sizes > 0, sizes, 1), -1.0, 1.0)


def _numbers(t: Array) -> Array:
    return t.reshape(len(t), -1)[:, 0].astype(np.float32)
