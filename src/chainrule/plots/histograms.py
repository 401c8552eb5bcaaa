"""How activations and gradients are spread while a network learns. Source: Glorot & Bengio 2010."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.plots.figures import BLUE, axes_or_new, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 10  # moments in one picture
OVERLAP = 1.9  # how high the highest hill is, in distances of rows


def histogram(gathered: Any, name: str, *, ax: Axes | None = None) -> Axes:
    """One layer's activations, or one parameter's gradients, through a training: a hill for each of its moments.

    The first stands at the back, in light blue, the last in front, in dark blue; the rows are epochs, 0 being before
    the first step. Gradients are drawn by log₁₀ of their size; those that are exactly 0 cannot be, and what share
    they had last stands in the title.

    Args:
        gathered: the callback `Histograms`, after a training.
        name: a layer, "layers.1", or a parameter, "layers.0.W".
        ax: where to draw; new axes when there are none.

    Raises:
        SettingError: nothing of that name was gathered.

    """
    found = gathered.activations.get(name) or gathered.gradients.get(name)
    if not found:
        known = ", ".join([*gathered.activations, *gathered.gradients]) or "nothing: train with it first"
        raise SettingError(f"name: nothing was gathered of {name!r}, only {known}")
    is_gradient = name in gathered.gradients
    rows = np.unique(np.linspace(0, len(found) - 1, min(len(found), MOST_ROWS)).astype(int))
    densities = [found[row].counts / np.maximum(np.diff(found[row].edges), 1e-300) for row in rows]
    densities = [density / max(density.max(initial=0.0), 1e-300) for density in densities]
    ax = tidy(axes_or_new(ax, (4.6, 3.8)))
    for place, (row, density) in enumerate(zip(rows, densities, strict=True)):
        heights = np.concatenate([density, density[-1:]]) * OVERLAP
        age = place / max(1, len(rows) - 1)
        ax.fill_between(
            found[row].edges, place, place - heights, step="post", facecolor=_shade(age), edgecolor="white",
            linewidth=0.7, zorder=2 + place,
        )  # fmt: skip
    ax.set_yticks(range(len(rows)), [str(gathered.epochs[row]) for row in rows])
    ax.set_ylim(len(rows) - 0.6, -OVERLAP - 0.1)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel("epoch")
    ax.set_xlabel("log₁₀ |∂J/∂w|" if is_gradient else "what the layer gives")
    ax.set_title(_title(gathered, name), fontsize=10)
    return ax


def histograms(gathered: Any, *, columns: int = 3) -> Figure:
    """`histogram` of every layer's activations, and then of every parameter's gradients, in rows of `columns`."""
    names = [*gathered.activations, *gathered.gradients]
    if not names:
        raise SettingError("gathered: nothing was gathered; give the Histograms to train as a callback first")
    columns = max(1, min(columns, len(names)))
    rows = [ceil(len(part) / columns) for part in (gathered.activations, gathered.gradients)]
    figure = new_figure((3.4 * columns, 2.9 * sum(rows)))
    for place, name in enumerate(gathered.activations):
        histogram(gathered, name, ax=figure.add_subplot(sum(rows), columns, place + 1))
    for place, name in enumerate(gathered.gradients):
        histogram(gathered, name, ax=figure.add_subplot(sum(rows), columns, rows[0] * columns + place + 1))
    return figure


def _title(gathered: Any, name: str) -> str:
    if name in gathered.kinds:
        return f"{name}: {gathered.kinds[name]}"
    last = gathered.gradients[name][-1]
    share = last.zeros / (last.zeros + int(last.counts.sum()))
    return f"{name} ({share:.0%} are 0)" if last.zeros else name


def _shade(age: float) -> tuple[float, float, float]:
    """From a light blue (age 0) to BLUE made a little darker (age 1)."""
    light, dark = np.array([0.80, 0.89, 0.96]), np.array([int(BLUE[at : at + 2], 16) / 255 for at in (1, 3, 5)]) * 0.8
    red, green, blue = light + age * (dark - light)
    return float(red), float(green), float(blue)
