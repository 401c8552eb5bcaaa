"""Activation functions with their derivatives. Source: mission items A4, D7."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from chainrule.arrays import Array
from chainrule.layers import Context, Layer
from chainrule.plots.figures import BLUE, INK, VERMILION, axes_or_new, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 1601


def activation_graph(layer: Layer, *, low: float = -4.0, high: float = 4.0, ax: Axes | None = None) -> Axes:
    """An element-wise layer's value and derivative over x from `low` to `high`, as its own code computes them."""
    layer.build((1,), None)
    x = np.linspace(low, high, POINTS)[:, None]  # (POINTS, 1)
    y, saved = layer.forward(x, Context())
    dx, _ = layer.backward(np.ones_like(y), saved)
    ax = tidy(axes_or_new(ax, (4.2, 3.2)))
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.plot(x, _broken(y), color=BLUE, linewidth=2, label="value")
    ax.plot(x, _broken(dx), "--", color=VERMILION, linewidth=2, label="derivative")
    ax.set(xlabel="x", ylabel="y, dy/dx", title=type(layer).__name__, xlim=(low, high))
    ax.legend(frameon=False, labelcolor=INK)
    return ax


def activation_graphs(layers: Sequence[Layer], *, columns: int = 3) -> Figure:
    """`activation_graph` of each layer, in rows of `columns`."""
    columns = max(1, min(columns, len(layers)))
    rows = max(1, ceil(len(layers) / columns))
    figure = new_figure((3.4 * columns, 2.7 * rows))
    for position, layer in enumerate(layers):
        activation_graph(layer, ax=figure.add_subplot(rows, columns, position + 1))
    return figure


def _broken(y: Array) -> Array:
    """`y` with a gap where it jumps, so that no line is drawn that is not part of the function."""
    jumps = np.abs(np.diff(y, axis=0)) > 0.2  # one step of x is 0.005
    return np.where(np.vstack([jumps, [[False]]]), np.nan, y)
