"""Where training fails: learning rate against strength of the penalty. Source: mission item D9."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array
from chainrule.plots.figures import BLACK, INK, VERMILION, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY = "#b4b4b4"  # the ground of what has failed


def divergence_map(found: Any, *, ax: Axes | None = None) -> Axes:
    """The loss after each training of `map_divergence`: the lighter the lower; the best in a frame.

    Hatched fields have failed: crossed ones met a value that is not finite, striped ones ended with a higher loss than
    they had begun with.

    Args:
        found: what `map_divergence` returned.
        ax: where to draw; new axes when there are none.

    """
    losses, failed = np.asarray(found.losses), np.asarray(found.failed)
    S, R = losses.shape
    ax = axes_or_new(ax, (max(4.8, 2.6 + 0.62 * R), max(3, 1.9 + 0.42 * S)))
    learned = np.ma.masked_where(failed, losses)
    low, high = losses[~failed].min(initial=0.0), found.start + 0.1 * abs(found.start)
    shades = ax.pcolormesh(learned, cmap="Blues", vmin=low, vmax=high, edgecolors="white", linewidth=1)
    failures = {"facecolor": GREY, "edgecolor": "white", "linewidth": 1}
    fields(ax, failed & np.isfinite(losses), hatch="//", label="loss above start", **failures)
    fields(ax, ~np.isfinite(losses), hatch="xxx", label="not finite", **failures)
    for row, column in np.argwhere(~failed):
        loss = losses[row, column]
        colour = "white" if loss - low > 0.6 * (high - low) else BLACK
        ax.text(column + 0.5, row + 0.5, f"{loss:.2g}", ha="center", va="center", fontsize=8, color=colour)
    if not failed.all():
        rate, strength = found.best
        best = np.outer(np.equal(found.strengths, strength), np.equal(found.rates, rate))
        fields(ax, best, facecolor="none", edgecolor=VERMILION, linewidth=2.5, clip_on=False, label="best")
    ax.set_xticks(np.arange(R) + 0.5, [f"{rate:g}" for rate in found.rates])
    ax.set_yticks(np.arange(S) + 0.5, [f"{strength:g}" for strength in found.strengths])
    ax.set_xlabel("learning rate", color=INK)
    ax.set_ylabel("strength of the penalty", color=INK)
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, labelcolor=INK)
    bar = ax.figure.colorbar(shades, ax=ax, label=f"loss after training ({found.start:.3g} before)")
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=INK)
    return ax


def fields(ax: Axes, where: Array, *, label: str, **style: Any) -> None:
    """Draw a rectangle over each field of (S, R) where it is true; one of them stands in the legend."""
    from matplotlib.patches import Rectangle

    for count, (row, column) in enumerate(np.argwhere(where)):
        ax.add_patch(Rectangle((column, row), 1, 1, label="" if count else label, **style))
