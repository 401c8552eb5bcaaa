"""The network as a graph: units as circles, weights as lines, and the numbers of one sample in them.

Source: mission items D2, D11, E4.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import whole_number
from chainrule.network import Network
from chainrule.plots.figures import BLACK, BLUE, INK, VERMILION, axes_or_new, number, signed_colours
from chainrule.plots.stages import Stage, outputs_of, stages

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 40  # so many lines can bear their weights in numbers
ACROSS, DOWN = 2.2, 0.72  # inches from column to column, where few numbers stand between them, and from unit to unit
WIDER = 0.05  # inches for each number beyond twelve
RADIUS = 0.23  # of a unit, in inches
SHEET, BEHIND = 0.5, 0.16  # half the side of a map, and how far the next one behind it is shifted


@dataclass
class Column:
    """One stage as it is drawn: where it stands, the units shown, by number, and where each stands; no units: a box."""

    stage: Stage
    x: float
    units: list[int]
    y: list[float]
    values: Array | None  # of one sample

    @property
    def sheets(self) -> int:
        """How many maps are drawn where no units are."""
        return min(4, self.stage.shape[0]) if len(self.stage.shape) == 3 else 1

    @property
    def half(self) -> float:
        """Half the width of what is drawn."""
        return RADIUS if self.units else SHEET + BEHIND * (self.sheets - 1) / 2


def network_graph(network: Network, x: Any = None, *, most: int = 10, ax: Axes | None = None) -> Axes:
    """The network from left to right; for one sample x also what each unit gives, and the answer.

    A line is a weight: solid blue adds, dashed vermilion takes away, the wider the larger; where there are few, each
    bears its number, and b below a unit is its bias. A circle is a unit, with its number for x in it: light orange
    above 0, dark blue below. Layers of images, sequences and the like are drawn as boxes with their shape, or as the
    maps of x.

    Args:
        network: a built network.
        x: one sample of the network's input shape; None draws the weights alone.
        most: how many units of a layer are drawn at most; the dots stand for the others.
        ax: where to draw; new axes of a fitting size when there are none.

    Raises:
        NotBuiltError: the network has no parameters yet.
        DataError, ShapeError: see `Network.predict`.

    """
    most = whole_number(most, "most", at_least=3)
    columns = _columns(network, x, most)
    reach = max([0.75, *(column.y[0] + RADIUS for column in columns if column.units)])  # of what is drawn, up and down
    width, height = columns[-1].x + 2.0, 2 * reach + 0.95
    ax = axes_or_new(ax, (width, height))
    ax.set_axis_off()
    for before, after in pairwise(columns):
        _draw_weights(ax, before, after)
    for column in columns:
        _draw_column(ax, column, top=reach + 0.58)
    ax.set(xlim=(-1.0, width - 1.0), ylim=(-reach - 0.3, reach + 0.65), aspect="equal")  # maps have moved them
    return ax


def _columns(network: Network, sample: Any, most: int) -> list[Column]:
    found = stages(network)
    values: list[Array | None] = [None] * len(found)
    if sample is not None:
        batch = np.asarray(sample)[None]
        outputs = outputs_of(network, batch)
        values = [outputs[stage.last + 1][0] for stage in found]
        answer = network.predict(batch)[0]
        if answer.shape == found[-1].shape:
            values[-1] = answer
            found[-1].name += f", {_link_name(network)}"
    columns: list[Column] = []
    for stage, value in zip(found, values, strict=True):
        units = _shown(stage.shape[0], most) if len(stage.shape) == 1 else []
        slots = len(units) + (len(units) < stage.shape[0] if units else 0)  # one for the dots
        y = [DOWN * ((slots - 1) / 2 - slot) for slot in range(slots)]
        if units and slots > len(units):
            del y[-2]  # where the dots stand
        x = columns[-1].x + _distance(columns[-1], units) if columns else 0.0
        columns.append(Column(stage, x, units, y, value))
    return columns


def _distance(before: Column, units: list[int]) -> float:
    """From a column to the next one: more room where more numbers stand between them."""
    lines = len(before.units) * len(units)
    return ACROSS + WIDER * max(0, lines - 12) if lines <= FEW else ACROSS


def _link_name(network: Network) -> str:
    """What the loss makes of the scores, in a word or two."""
    return {"CrossEntropy": "softmax", "BinaryCrossEntropy": "σ"}.get(type(network.loss).__name__, "answer")


def _shown(count: int, most: int) -> list[int]:
    """The first units, and the last one where not all can be shown."""
    return list(range(count)) if count <= most else [*range(most - 2), count - 1]


def _draw_weights(ax: Axes, before: Column, after: Column) -> None:
    W = after.stage.weights
    if W is None or not before.units or not after.units or W.shape[0] != before.stage.shape[0]:
        start, end = before.x + before.half + 0.06, after.x - after.half - 0.06
        ax.annotate("", (end, 0), (start, 0), arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.4})
        return
    drawn = W[np.ix_(before.units, after.units)]  # (units before, units after)
    largest = max(float(np.abs(drawn).max()), 1e-12)
    written: list[Array] = []  # where numbers stand already
    for i, y0 in enumerate(before.y):
        for j, y1 in enumerate(after.y):
            w = float(drawn[i, j])
            share = abs(w) / largest
            ax.plot(
                [before.x, after.x], [y0, y1], linestyle="-" if w >= 0 else (0, (4, 2)),
                color=BLUE if w >= 0 else VERMILION, linewidth=0.3 + 2.4 * share, alpha=0.25 + 0.65 * share, zorder=1,
            )  # fmt: skip
            if drawn.size <= FEW:
                _write_weight(ax, w, np.array([before.x, y0]), np.array([after.x, y1]), written)


def _write_weight(ax: Axes, w: float, start: Array, end: Array, written: list[Array]) -> None:
    """The number on its line, where it is farthest from those that are written already."""
    places = [start + at * (end - start) for at in (0.3, 0.7, 0.24, 0.76, 0.5, 0.4, 0.6)]
    place = max(places, key=lambda here: min((_apart(here, there) for there in written), default=0.0))
    written.append(place)
    (x, y), (across, up) = place, end - start
    ax.text(
        x, y, number(w, ".2f"), fontsize=7, color=BLACK, rotation=float(np.degrees(np.arctan2(up, across))),
        ha="center", va="center", zorder=2,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.9},
    )  # fmt: skip


def _apart(here: Array, there: Array) -> float:
    """How far two numbers are from each other, in their own widths and heights; beyond 2 it does not matter."""
    return min(2.0, float(np.hypot(*((here - there) / (0.38, 0.16)))))


def _draw_column(ax: Axes, column: Column, top: float) -> None:
    stage = column.stage
    size = " × ".join(map(str, stage.shape)) or "1"
    ax.text(column.x, top, f"{stage.name}\n{size}", ha="center", va="top", fontsize=8.5, color=INK, linespacing=1.25)
    if column.units:
        _draw_units(ax, column)
    else:
        _draw_sheets(ax, column)


def _draw_units(ax: Axes, column: Column) -> None:
    from matplotlib.patches import Circle

    values = column.values
    limit = 1.0 if values is None else max(float(np.abs(values).max()), 1e-12)
    biases = getattr(column.stage.first, "b", None) if column.stage.weights is not None else None
    for unit, y in zip(column.units, column.y, strict=True):
        value = None if values is None else float(values[unit])
        share = 0.0 if value is None else value / limit
        ground = "white" if value is None else signed_colours()(0.5 + share / 2)
        ax.add_patch(Circle((column.x, y), RADIUS, facecolor=ground, edgecolor=INK, linewidth=1.1, zorder=3))
        text = str(unit) if value is None else _short(value)
        colour = "white" if value is not None and share < -0.35 else BLACK
        ax.text(column.x, y, text, ha="center", va="center", fontsize=7.5, color=colour, zorder=4)
        if biases is not None and len(column.units) == len(biases):
            ax.text(
                column.x, y - RADIUS - 0.03, f"b {number(biases[unit], '.2f')}", ha="center", va="top", fontsize=6.5,
                color=BLACK, zorder=4, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.85},
            )  # fmt: skip
    if len(column.units) < column.stage.shape[0]:
        ax.text(column.x, (column.y[-2] + column.y[-1]) / 2, "⋮", ha="center", va="center", fontsize=14, color=INK)


def _short(value: float) -> str:
    """Three digits or so, for the inside of a circle."""
    return number(value, ".3f" if abs(value) < 9.9995 else ".3g")


def _draw_sheets(ax: Axes, column: Column) -> None:
    """The first maps of an image's channels, or the one of a sequence, one behind the other; empty without a sample."""
    from matplotlib.patches import Rectangle

    maps = None if column.values is None else _as_maps(column.values)
    limit = 1.0 if maps is None else max(float(np.abs(maps).max()), 1e-12)
    signed = maps is not None and bool(maps.min() < 0)
    for place in reversed(range(column.sheets)):  # those at the back first
        shift = BEHIND * (place - (column.sheets - 1) / 2)
        left, bottom = column.x + shift - SHEET, shift - SHEET
        if maps is not None:
            ax.imshow(
                maps[place], cmap=signed_colours() if signed else "Greys", vmin=-limit if signed else 0, vmax=limit,
                extent=(left, left + 2 * SHEET, bottom, bottom + 2 * SHEET), interpolation="none", zorder=9 - 2 * place,
            )  # fmt: skip
        ground = "none" if maps is not None else "white"
        frame: Any = {"facecolor": ground, "edgecolor": INK, "linewidth": 0.8, "zorder": 10 - 2 * place}
        ax.add_patch(Rectangle((left, bottom), 2 * SHEET, 2 * SHEET, **frame))


def _as_maps(values: Array) -> Array:
    """(C, H, W): images as they are; of a sequence (T, F), or whatever else, a single map."""
    return values if values.ndim == 3 else values.reshape(1, *values.shape[:1], -1)
