"""Many small images in one figure: samples, mistakes, what the first layer learned. Source: mission items B6, D11."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array, Shape, as_floats
from chainrule.errors import ShapeError
from chainrule.plots.figures import INK, bare, new_figure, plain, signed_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONG = 6  # letters of two names that stand beside each other above an image


def gallery(images: Any, titles: Sequence[str] | None = None, *, columns: int = 10) -> Figure:
    """Grey images in rows of `columns`, dark ink on light ground, each on the same scale.

    Args:
        images: (N, H, W); the smallest value of all is drawn white, the largest black.
        titles: N lines of text, above the images.
        columns: how many stand in a row at most.

    """
    pictures = as_floats(images, "images", np.float64)
    if pictures.ndim != 3:
        raise ShapeError(f"images: expected (N, H, W), got an array {pictures.shape}")
    low, high = (pictures.min(), pictures.max()) if pictures.size else (0.0, 1.0)
    return _grid(pictures, titles, columns, "Greys", low, max(high, low + 1e-12))[0]


def misclassified(
    images: Any,
    mistakes: Sequence[Any],
    class_names: Sequence[str] | None = None,
    *,
    probabilities: bool = True,
    most: int = 30,
    columns: int = 10,
) -> Figure:
    """The images that were read wrong, each with what it is, what it was read as, and how sure the network was.

    Args:
        images: all that were read (N, H, W).
        mistakes: what `evaluation.misclassified` found, those first that shall stand first.
        class_names: K names; the numbers 0 … K−1 when there are none.
        probabilities: whether the network's answers are such; else they are called answers.
        most: how many are drawn at most.
        columns: how many stand in a row at most.

    """
    shown = mistakes[:most]
    pictures = np.asarray(images)[[mistake.index for mistake in shown]]
    return gallery(pictures, [_reading(mistake, class_names, probabilities) for mistake in shown], columns=columns)


def _reading(mistake: Any, names: Sequence[str] | None, probabilities: bool) -> str:
    true, predicted = (str(k) if names is None else names[k] for k in (mistake.true, mistake.predicted))
    answer = f"{mistake.confidence:.0%} sure" if probabilities else f"answer {mistake.confidence:.2f}"
    gap = "\n" if len(true) + len(predicted) > LONG else " "
    return f"{true} read{gap}as {predicted}\n{answer}"


def first_layer_weights(
    W: Any, image_shape: Shape, *, most: int = 60, columns: int = 10, titles: Sequence[str] | None = None
) -> Figure:
    """What each unit of the first layer looks for: its incoming weights, laid out as the image they are applied to.

    Light orange adds to the unit where the image has ink, dark blue takes away, grey does nothing; one scale for all,
    symmetric around 0.

    Args:
        W: (I, O), with I = H·W.
        image_shape: (H, W).
        most: how many units are drawn at most, from the first on.
        columns: how many stand in a row at most.
        titles: one for each unit drawn; "unit 0", … when there are none.

    """
    weights = as_floats(W, "W", np.float64)
    if weights.ndim != 2 or len(image_shape) != 2 or len(weights) != prod(image_shape):
        raise ShapeError(f"W: expected (H·W, units) for images {tuple(image_shape)}, got an array {weights.shape}")
    pictures = weights.T[:most].reshape(-1, *image_shape)  # (units, H, W)
    limit = max(float(np.quantile(np.abs(pictures), 0.998)) if pictures.size else 0.0, 1e-12)  # the few beyond saturate
    titles = [f"unit {unit}" for unit in range(len(pictures))] if titles is None else titles
    figure, drawn = _grid(pictures, titles, columns, signed_colours(), -limit, limit)
    if drawn:
        bar = figure.colorbar(drawn[-1].images[0], ax=drawn, shrink=0.7, pad=0.02, extend="both")
        bar.set_label("weight", color=INK)
        bar.ax.tick_params(colors=INK)
        bar.outline.set_edgecolor(INK)
    return figure


def _grid(
    pictures: Array, titles: Sequence[str] | None, columns: int, colours: Any, low: float, high: float
) -> tuple[Figure, list[Axes]]:
    """A figure of small images on one scale from `low` to `high`, and their axes."""
    if titles is not None and len(titles) != len(pictures):
        raise ShapeError(f"titles: expected {len(pictures)}, one per image, got {len(titles)}")
    columns = max(1, min(columns, len(pictures)))
    rows = max(1, ceil(len(pictures) / columns))
    lines = max((title.count("\n") + 1 for title in titles), default=0) if titles else 0
    figure = new_figure((0.95 * columns + 0.2, (0.9 + 0.17 * lines) * rows + 0.1))
    drawn = []
    for position, picture in enumerate(pictures):
        ax = bare(figure.add_subplot(rows, columns, position + 1))
        ax.imshow(picture, cmap=colours, vmin=low, vmax=high, interpolation="none")
        if titles:
            ax.set_title(plain(titles[position]), fontsize=8, color=INK, pad=3)
        drawn.append(ax)
    return figure, drawn
