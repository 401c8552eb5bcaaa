"""What a convolutional network looks for, and what it finds in one image. Source: mission items E2, E3.

Zeiler & Fergus 2014 look at networks in this way.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array, as_floats
from chainrule.configuration import whole_number
from chainrule.errors import SettingError, ShapeError
from chainrule.network import Network
from chainrule.plots.figures import INK, bare, new_figure, number, signed_colours
from chainrule.plots.stages import outputs_of, stages

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def filters(W: Any, *, most: int = 32, most_inputs: int = 8) -> Figure:
    """The filters of a convolution: a column for each output channel, in it a row for each input channel.

    Light orange adds to the output where the image has ink, dark blue takes away, grey does nothing; one scale for
    all. With one input channel the filters fill rows of eight.

    Args:
        W: (O, C, P, Q), such as `network.parameters["layers.0.W"]`.
        most: how many output channels are drawn at most.
        most_inputs: how many input channels are drawn at most.

    Raises:
        ShapeError: no filters of this form.

    """
    weights = as_floats(W, "W", np.float64)
    if weights.ndim != 4 or 0 in weights.shape:
        raise ShapeError(f"W: expected filters (O, C, P, Q), got an array {weights.shape}")
    shown = weights[: whole_number(most, "most"), : whole_number(most_inputs, "most_inputs")]
    count, C = shown.shape[:2]
    columns = min(count, 8) if C == 1 else count
    rows = ceil(count / columns) if C == 1 else C
    figure = new_figure((0.8 * columns + 1.6, 0.8 * rows + 0.5 + 0.2 * (rows if C == 1 else 1)))
    limit = max(float(np.abs(shown).max()), 1e-12)
    for place in range(count * C):
        o, c = (place, 0) if C == 1 else (place % count, place // count)
        ax = bare(figure.add_subplot(rows, columns, place + 1))
        ax.imshow(shown[o, c], cmap=signed_colours(), vmin=-limit, vmax=limit, interpolation="none")
        if c == 0:
            ax.set_title(f"filter {o}", fontsize=8, color=INK, pad=3)
        if o == 0 and C > 1:
            ax.set_ylabel(f"input {c}", fontsize=8, color=INK)
    bar = figure.colorbar(figure.axes[0].images[0], ax=figure.axes[:], shrink=0.8, pad=0.02)
    bar.set_label("weight", color=INK)
    bar.ax.tick_params(colors=INK)
    bar.outline.set_edgecolor(INK)
    return figure


def feature_maps(network: Network, x: Any, *, most: int = 20, columns: int = 10) -> Figure:
    """One image and what each stage of a convolutional network makes of it, channel by channel, until it is flat.

    Each stage has a scale of its own, which is written beside it: white is nothing, black its largest number; where
    there are negative numbers too, dark blue is the most negative, grey nothing, light orange the most positive.

    Args:
        network: a network with layers that give (C, H, W).
        x: one sample, of the shape the network takes.
        most: how many channels of a stage are drawn at most.
        columns: how many stand in a row at most.

    Raises:
        SettingError: no layer gives channels of images.
        DataError, ShapeError: see `Network.check_inputs`.

    """
    outputs = outputs_of(network, np.asarray(x)[None])
    drawn = [stage for stage in stages(network) if len(stage.shape) == 3]
    if len(drawn) < 2:
        raise SettingError("network: expected layers that give channels of images (C, H, W); this one has none")
    most, columns = whole_number(most, "most"), whole_number(columns, "columns")
    blocks = [ceil(min(stage.shape[0], most) / columns) for stage in drawn]  # rows of each stage
    figure = new_figure((0.85 * columns + 0.4, sum(0.85 * rows + 0.42 for rows in blocks)))
    parts = figure.subfigures(len(drawn), 1, squeeze=False, height_ratios=[0.85 * rows + 0.42 for rows in blocks])[:, 0]
    for part, stage, rows in zip(parts, drawn, blocks, strict=True):
        maps = outputs[stage.last + 1][0]  # (C, H, W)
        _draw_maps(part, maps[:most], rows, columns)
        some = f"the first {most} of " if len(maps) > most else ""
        channels = "1 channel" if len(maps) == 1 else f"{some}{len(maps)} channels"
        size = f"{maps.shape[1]} × {maps.shape[2]}"
        scale = f"from {number(maps.min())} to {number(maps.max())}"
        part.suptitle(
            f"{stage.name}: {channels} of {size}, {scale}", fontsize=9, color=INK, x=0.01, horizontalalignment="left"
        )
    return figure


def _draw_maps(part: Any, maps: Array, rows: int, columns: int) -> None:
    limit = max(float(np.abs(maps).max()), 1e-12)
    signed = bool(maps.min() < 0)
    for place, picture in enumerate(maps):
        ax = bare(part.add_subplot(rows, columns, place + 1))
        colours = signed_colours() if signed else "Greys"
        ax.imshow(picture, cmap=colours, vmin=-limit if signed else 0, vmax=limit, interpolation="none")
