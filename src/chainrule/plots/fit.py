"""A function of one variable, fitted to samples. Source: mission item E1."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array, as_floats
from chainrule.errors import ShapeError
from chainrule.plots.figures import BLUE, INK, VERMILION, axes_or_new, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 401


def fit(predict: Callable[[Array], Any], x: Any, y: Any, *, ax: Axes | None = None) -> Axes:
    """The samples as points, and what is predicted between them as a line.

    Args:
        predict: such as `network.predict`; takes (M, 1), gives (M,) or (M, 1).
        x: samples (N,) or (N, 1).
        y: their values (N,) or (N, 1).
        ax: where to draw; new axes when there are none.

    """
    samples, values = as_floats(x, "x", np.float64).reshape(-1), as_floats(y, "y", np.float64).reshape(-1)
    if len(samples) != len(values) or len(samples) == 0:
        raise ShapeError(f"x, y: expected as many values as samples of one feature, got {len(values)}, {len(samples)}")
    line = np.linspace(samples.min(), samples.max(), POINTS)
    ax = tidy(axes_or_new(ax, (5.2, 3.8)))
    ax.plot(samples, values, "o", color=BLUE, markersize=3.5, alpha=0.55, label="samples")
    ax.plot(line, np.asarray(predict(line[:, None])).reshape(-1), color=VERMILION, linewidth=2.2, label="prediction")
    ax.set(xlabel="x", ylabel="y")
    ax.legend(frameon=False, labelcolor=INK)
    return ax
