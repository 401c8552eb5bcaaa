"""Gradient descent on a cost of two variables, seen as a path. Source: mission item B5."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array, as_floats
from chainrule.errors import ShapeError
from chainrule.plots.figures import BLACK, INK, VERMILION, axes_or_new, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cost = Callable[[Array, Array], Array]  # C(v₁, v₂), element by element on arrays
POINTS = 121  # of the grid, along each axis


def descent_path(
    cost: Cost, path: Any, *, limits: tuple[float, float, float, float] | None = None, ax: Axes | None = None
) -> Axes:
    """The points of a descent on the contours of its cost, as seen from above.

    Args:
        cost: C(v₁, v₂) on arrays of any shape.
        path: the points (T, 2) in the order they were reached.
        limits: (v₁ from, to, v₂ from, to); the path with some room around it when there are none.
        ax: where to draw; new axes when there are none.

    """
    points = _points(path)
    v1, v2, C = _grid(cost, points, limits)
    ax = tidy(axes_or_new(ax, (5.2, 4.4)))
    ax.grid(visible=False)
    filled = ax.contourf(v1, v2, C, levels=24, cmap="viridis", alpha=0.9)
    ax.contour(v1, v2, C, levels=24, colors="white", linewidths=0.5, alpha=0.6)
    ax.plot(*points.T, "o-", color="white", markeredgecolor=BLACK, markersize=4.5, linewidth=1.6)
    ax.plot(*points[0], "s", color="white", markeredgecolor=BLACK, markersize=9, label="start", linestyle="none")
    ax.plot(*points[-1], "*", color=VERMILION, markeredgecolor="white", markersize=16, label="end", linestyle="none")
    ax.set(xlabel="v₁", ylabel="v₂", xlim=(v1.min(), v1.max()), ylim=(v2.min(), v2.max()))
    ax.legend(labelcolor=INK)
    bar = ax.figure.colorbar(filled, ax=ax, label="cost C(v₁, v₂)")
    bar.ax.tick_params(colors=INK)
    return ax


def descent_surface(
    cost: Cost, path: Any, *, limits: tuple[float, float, float, float] | None = None, ax: Any = None
) -> Any:
    """The points of a descent on its cost as a surface; arguments as for `descent_path`.

    `ax`, where given, must be three-dimensional: `figure.add_subplot(projection="3d")`.
    """
    points = _points(path)
    v1, v2, C = _grid(cost, points, limits)
    ax = axes_or_new(ax, (5.6, 4.8), projection="3d")
    if not hasattr(ax, "plot_surface"):
        raise ShapeError('ax: expected three-dimensional axes, made with figure.add_subplot(projection="3d")')
    ax.computed_zorder = False  # else parts of the path vanish behind the surface they lie on
    height = np.asarray(cost(*points.T), float)
    lift = 0.01 * np.ptp(C)
    ax.plot_surface(v1, v2, C, cmap="viridis", alpha=0.85, linewidth=0, rcount=60, ccount=60, zorder=1)
    ax.plot(*points.T, height + lift, "o-", color="white", markeredgecolor=BLACK, markersize=4, zorder=2)
    ax.plot(*points[-1:].T, height[-1:] + lift, "*", color=VERMILION, markeredgecolor="white", markersize=14, zorder=3)
    ax.set(xlabel="v₁", ylabel="v₂", zlabel="cost C(v₁, v₂)")
    ax.tick_params(colors=INK)
    return ax


def _points(path: Any) -> Array:
    points = as_floats(path, "path", np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ShapeError(f"path: expected at least one point (T, 2), got an array {points.shape}")
    return points


def _grid(cost: Cost, points: Array, limits: tuple[float, float, float, float] | None) -> tuple[Array, Array, Array]:
    """v₁, v₂ and the cost on a grid that holds the path."""
    if limits is None:
        low, high = points.min(axis=0), points.max(axis=0)
        room = 0.25 * max(float((high - low).max()), 1e-3)
        limits = (low[0] - room, high[0] + room, low[1] - room, high[1] + room)
    v1, v2 = np.meshgrid(np.linspace(*limits[:2], POINTS), np.linspace(*limits[2:], POINTS))
    return v1, v2, np.asarray(cost(v1, v2), float)
