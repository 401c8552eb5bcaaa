"""The loss around a solution, and the path that led there. Source: Li et al. 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import DataError, ShapeError
from chainrule.plots.figures import BLACK, INK, VERMILION, axes_or_new, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = 16


def loss_contours(found: Any, *, ax: Axes | None = None) -> Axes:
    """The loss on the plane of weights that `map_loss` has measured: lines of equal loss, the lighter the higher.

    The path, where there is one, leads from the square to the star; each point is an epoch. Lines of equal loss are
    crowded where it is steep, and stand on a logarithmic scale.

    Args:
        found: what `map_loss` returned.
        ax: where to draw; new axes when there are none.

    Raises:
        DataError: the loss is not finite anywhere.

    """
    losses, levels = _levels(found)
    ax = tidy(axes_or_new(ax, (5.6, 4.6)))
    from matplotlib.colors import LogNorm

    ax.grid(visible=False)
    norm = LogNorm(levels[0], levels[-1])
    filled = ax.contourf(found.first, found.second, losses, levels=levels, cmap="viridis", norm=norm, extend="both")
    drawn = ax.contour(found.first, found.second, losses, levels=levels, colors="white", linewidths=0.5, alpha=0.7)
    ax.clabel(drawn, levels[2::3], fmt="%.2g", fontsize=7.5, colors=BLACK)
    for text in drawn.labelTexts:
        text.set_bbox({"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6})
    _draw_path(ax, found.path)
    first, second = _axis_names(found)
    ax.set(xlabel=first, ylabel=second)
    ax.locator_params(nbins=6)
    bar = ax.figure.colorbar(filled, ax=ax, label="mean loss", format="%.2g")
    bar.ax.minorticks_off()
    bar.ax.tick_params(colors=INK)
    return ax


def loss_surface(found: Any, *, ax: Any = None) -> Any:
    """The same as a surface, in the logarithm of the loss; the path lies on it.

    Args:
        found: what `map_loss` returned.
        ax: three-dimensional axes, `figure.add_subplot(projection="3d")`; new ones when there are none.

    Raises:
        DataError: the loss is not finite anywhere.
        ShapeError: the axes are flat.

    """
    losses, _ = _levels(found)
    ax = axes_or_new(ax, (5.8, 4.8), projection="3d")
    if not hasattr(ax, "plot_surface"):
        raise ShapeError('ax: expected three-dimensional axes, made with figure.add_subplot(projection="3d")')
    ax.computed_zorder = False  # else parts of the path vanish behind the surface they lie on
    height = np.log10(losses.filled(losses.max()))
    a, b = np.meshgrid(found.first, found.second)
    ax.plot_surface(a, b, height, cmap="viridis", alpha=0.9, linewidth=0, rcount=60, ccount=60, zorder=1)
    lift = 0.015 * np.ptp(height)
    z = _height_at(found, height) + lift
    ax.plot(*found.path.T, z, "o-", color="white", markeredgecolor=BLACK, markersize=4, zorder=2)
    ax.plot(*found.path[-1:].T, z[-1:], "*", color=VERMILION, markeredgecolor="white", markersize=14, zorder=3)
    first, second = _axis_names(found)
    ax.set_xlabel(first, labelpad=9)
    ax.set_ylabel(second, labelpad=9)
    ax.set_zlabel("log₁₀ of the mean loss")
    ax.set_box_aspect(None, zoom=0.85)  # else the names are cut off
    ax.locator_params(nbins=5)
    ax.tick_params(colors=INK)
    return ax


def _levels(found: Any) -> tuple[Any, Array]:
    """The losses, masked where they are not finite, and levels that grow by equal factors. Raises DataError."""
    losses = np.ma.masked_invalid(np.asarray(found.losses, np.float64))
    if losses.count() == 0:
        raise DataError("found: the loss is not finite anywhere; map a smaller reach")
    high = max(float(losses.max()), 1e-300)
    low = max(float(losses.min()), 1e-6 * high)
    return np.ma.maximum(losses, low), np.geomspace(low, max(high, low * 1.01), LEVELS)


def _draw_path(ax: Axes, path: Array) -> None:
    """White with a black rim, which is seen on every ground; the solution is a star."""
    from matplotlib.patheffects import withStroke

    if len(path) > 1:
        rim = [withStroke(linewidth=3, foreground=BLACK)]
        ax.plot(*path.T, "o-", color="white", markeredgecolor=BLACK, markersize=4, linewidth=1.4, path_effects=rim)
        ax.plot(*path[0], "s", color="white", markeredgecolor=BLACK, markersize=8, label="start", linestyle="none")
    ax.plot(*path[-1], "*", color=VERMILION, markeredgecolor="white", markersize=15, label="solution", linestyle="none")
    ax.legend(labelcolor=BLACK, framealpha=0.9)


def _axis_names(found: Any) -> list[str]:
    if found.explained is None:
        return ["first random direction", "second random direction"]
    shares = zip(("first", "second"), found.explained, strict=True)
    return [f"{which} principal direction\n({share:.0%} of the path)" for which, share in shares]


def _height_at(found: Any, height: Array) -> Array:
    """How high the surface is above each point of the path (T,), linearly between the points of the grid."""
    column = np.interp(found.path[:, 0], found.first, np.arange(len(found.first)))
    row = np.interp(found.path[:, 1], found.second, np.arange(len(found.second)))
    i, j = np.minimum(row.astype(int), height.shape[0] - 2), np.minimum(column.astype(int), height.shape[1] - 2)
    v, u = row - i, column - j
    below, above = ((1 - u) * height[k, j] + u * height[k, j + 1] for k in (i, i + 1))
    return np.asarray((1 - v) * below + v * above)
