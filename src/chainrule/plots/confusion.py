"""The confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import as_numbers
from chainrule.errors import ShapeError
from chainrule.plots.figures import BLACK, INK, axes_or_new, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def confusion_matrix(matrix: Any, class_names: Sequence[str] | None = None, *, ax: Axes | None = None) -> Axes:
    """Counts with true classes as rows and predicted ones as columns.

    The shade is the share of the row, on a scale that spreads small shares, so that single mistakes are seen.

    Args:
        matrix: counts (K, K).
        class_names: K names; the numbers 0 … K−1 when there are none.
        ax: where to draw; new axes when there are none.

    """
    counts = as_numbers(matrix, "matrix")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ShapeError(f"matrix: expected as many rows as columns (K, K), got an array {counts.shape}")
    K = len(counts)
    names = _names(class_names, K)
    digits = len(f"{counts.max(initial=0)}")
    side = max(3.2, max(0.45, 0.1 * digits + 0.08) * K + 1.2)
    ax = axes_or_new(ax, (side, side))
    longest = max((len(name) for name in names), default=0)  # letters, about 10 to the inch
    share = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))  # (K, K)
    shade = np.sqrt(share)
    ax.pcolormesh(shade, cmap="Blues", vmin=0, vmax=1.15, edgecolors="white", linewidth=1)
    for i, j in np.argwhere(counts > 0):
        colour = "white" if shade[i, j] > 0.6 else BLACK
        ax.text(j + 0.5, i + 0.5, f"{counts[i, j]}", ha="center", va="center", fontsize=9, color=colour)
    ax.set_xticks(np.arange(K) + 0.5, names, rotation=90 if longest > 8 * (side - 1) / K else 0)
    ax.set_yticks(np.arange(K) + 0.5, names)
    ax.invert_yaxis()
    ax.set_aspect("equal")
    ax.set_xlabel("predicted class", color=INK)
    ax.set_ylabel("true class", color=INK)
    ax.tick_params(length=0, colors=INK)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def _names(class_names: Sequence[str] | None, classes: int) -> list[str]:
    names = [str(k) for k in range(classes)] if class_names is None else [plain(name) for name in class_names]
    if len(names) != classes:
        raise ShapeError(f"class_names: expected {classes}, one per class, got {len(names)}")
    return names
