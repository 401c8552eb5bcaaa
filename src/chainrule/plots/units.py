"""What each hidden unit says everywhere in the plane. Source: mission items D6, D11."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import whole_number
from chainrule.errors import ShapeError
from chainrule.network import Network
from chainrule.plots.decisions import decision_regions, plane_around
from chainrule.plots.figures import BLACK, INK, bare, new_figure, number, signed_colours
from chainrule.plots.stages import outputs_of, stages

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def hidden_units(
    network: Network, x: Any, labels: Any, *, names: Sequence[str] | None = None, most: int = 12
) -> Figure:
    """What the network decides in the plane, and beside it what each of its hidden units makes of the plane.

    A unit's picture is dark blue where its number is most negative, light orange where it is most positive, and grey
    at 0; each has a scale of its own, written above it. A line stands halfway between its smallest and its largest
    number: there it turns from the one to the other.

    Args:
        network: a trained network for samples of two features, that decides between classes.
        x: samples (N, 2).
        labels: their classes (N,), whole numbers.
        names: of the classes, for the legend.
        most: how many units of a layer are drawn at most.

    Raises:
        ShapeError: the samples do not lie in a plane, or the network has no hidden layer of units.
        DataError: see `decision_regions`.

    """
    hidden = [stage for stage in stages(network)[1:-1] if len(stage.shape) == 1]
    if network.input_shape != (2,) or not hidden:
        raise ShapeError(
            f"network: expected one for samples of shape (2,) with a hidden layer of units, got {network!r} for "
            f"{network.input_shape}"
        )
    most = whole_number(most, "most")
    columns = 4 if len(hidden) > 1 else max(2, ceil(min(hidden[0].shape[0], most) ** 0.5))
    rows = [ceil(min(stage.shape[0], most) / columns) for stage in hidden]
    side = min(2.0, max(1.1, (4.6 - 0.4 * len(hidden)) / sum(rows) - 0.2))  # of a unit's picture, in inches
    heights = [(side + 0.2) * count + 0.4 for count in rows]
    figure = new_figure((4.9 + (side + 0.1) * columns, max(4.6, sum(heights))))
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(4.9, (side + 0.1) * columns))[0]
    decision_regions(network.predict, x, labels, names=names, ax=left.add_subplot())
    v1, v2 = plane_around(np.asarray(x, np.float64))
    outputs = outputs_of(network, np.stack([v1.ravel(), v2.ravel()], axis=1))
    parts = right.subfigures(len(hidden), 1, squeeze=False, height_ratios=heights)[:, 0]
    for depth, (part, stage, count) in enumerate(zip(parts, hidden, rows, strict=True)):
        some = f"the first {most} of " if stage.shape[0] > most else ""
        title = f"Hidden layer {depth + 1} ({stage.name}): {some}{stage.shape[0]} units"
        part.suptitle(title, fontsize=10, color=INK)
        _draw_units(part, outputs[stage.last + 1].reshape(*v1.shape, -1)[..., :most], count, columns)
    return figure


def _draw_units(part: Any, values: Array, rows: int, columns: int) -> None:
    """A picture of each unit; values (rows of the plane, columns of the plane, units)."""
    for unit in range(values.shape[-1]):
        seen = values[..., unit]
        low, high = float(seen.min()), float(seen.max())
        limit = max(abs(low), abs(high), 1e-12)
        ax = bare(part.add_subplot(rows, columns, unit + 1))
        ax.imshow(seen, cmap=signed_colours(), vmin=-limit, vmax=limit, origin="lower", interpolation="bilinear")
        if high - low > 0.05 * limit:
            ax.contour(seen, levels=[(low + high) / 2], colors=BLACK, linewidths=0.8, linestyles="solid")
        ax.set_title(f"{number(low)} … {number(high)}", fontsize=7.5, color=INK, pad=2)
