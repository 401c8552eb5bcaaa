"""What a network decides everywhere in the plane. Source: mission items D6, D11."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array, as_floats
from chainrule.errors import DataError, ShapeError
from chainrule.plots.figures import BLACK, INK, PALETTE, axes_or_new, plain, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "os^Dv<>P"
POINTS = 161  # of the grid, along each axis


def decision_regions(
    predict: Callable[[Array], Any], x: Any, labels: Any, *, names: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """The plane in the colours of the classes, mixed by their probabilities, with the samples on it.

    Args:
        predict: such as `network.predict`; takes points (M, 2), gives (M, K) probabilities or (M, 1) for class 1.
        x: samples (N, 2).
        labels: their classes (N,), whole numbers.
        names: of the classes, for the legend.
        ax: where to draw; new axes when there are none.

    """
    samples, classes = as_floats(x, "x", np.float64), np.asarray(labels).reshape(-1).astype(int)
    if samples.ndim != 2 or samples.shape[1] != 2 or not 0 < len(samples) == len(classes):
        raise ShapeError(
            f"x, labels: expected (N, 2) and (N,), N at least 1, got arrays {samples.shape} and {classes.shape}"
        )
    v1, v2 = plane_around(samples)
    p = _probabilities(predict(np.stack([v1.ravel(), v2.ravel()], axis=1)))  # (M, K)
    K = p.shape[1]
    if classes.min() < 0 or classes.max() >= K:
        raise DataError(f"labels: expected classes from 0 to {K - 1}, got {classes.min()} to {classes.max()}")
    colours = np.array([_red_green_blue(PALETTE[k % len(PALETTE)]) for k in range(K)])  # (K, 3)
    strengths = np.linspace(0.62, 0.26, K)[:, None]  # of each class another, so that a print in grey tells them apart
    mixed = p @ (1 - strengths * (1 - colours))  # (M, 3)

    ax = tidy(axes_or_new(ax, (4.8, 4.4)))
    ax.grid(visible=False)
    ax.imshow(
        mixed.reshape(*v1.shape, 3).clip(0, 1),
        extent=(v1.min(), v1.max(), v2.min(), v2.max()),
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
    )
    for k in range(K if K > 2 else 1):
        lead = (p[:, k] - np.delete(p, k, axis=1).max(axis=1)).reshape(v1.shape)  # of class k over the next best
        if lead.min() < 0 < lead.max():
            ax.contour(v1, v2, lead, levels=[0], colors=BLACK, linewidths=1)
    for k in range(K):
        here = samples[classes == k]
        label = plain(names[k]) if names is not None else f"class {k}"
        ax.scatter(
            here[:, 0], here[:, 1], s=22, marker=MARKERS[k % len(MARKERS)], color=PALETTE[k % len(PALETTE)],
            edgecolors="white", linewidths=0.6, label=label,
        )  # fmt: skip
    ax.set(xlabel="x₁", ylabel="x₂")
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=min(K, 3), frameon=False, labelcolor=INK, borderaxespad=0.2,
        handletextpad=0.2, columnspacing=1.2,
    )  # fmt: skip
    return ax


def plane_around(samples: Array) -> tuple[Array, Array]:
    """x₁ and x₂ (POINTS, POINTS) of a grid that holds samples (N, 2) with some room around them."""
    room = 0.12 * np.ptp(samples, axis=0) + 1e-9
    (left, bottom), (right, top) = samples.min(axis=0) - room, samples.max(axis=0) + room
    v1, v2 = np.meshgrid(np.linspace(left, right, POINTS), np.linspace(bottom, top, POINTS))
    return v1, v2


def _red_green_blue(colour: str) -> list[float]:
    """The three parts of "#rrggbb", each in 0…1."""
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def _probabilities(answers: Any) -> Array:
    """Answers as one column per class; a single column is the probability of class 1."""
    p = as_floats(answers, "the answers of predict", np.float64)
    if p.ndim == 1:
        p = p[:, None]
    return np.hstack([1 - p, p]) if p.shape[1] == 1 else p
