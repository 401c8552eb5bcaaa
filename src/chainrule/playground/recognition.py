"""A digit drawn with the mouse: what the network takes it for."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import DataError
from chainrule.playground.frames import pack
from chainrule.playground.pictures import Viewer
from chainrule.playground.trainer import Trainer


def recognise(viewer: Viewer, trainer: Trainer, pixels: Any) -> bytes:
    """The probabilities for an image of 0 … 255, line by line, and what every column of units makes of it.

    Raises DataError unless it has as many pixels as the images that the network learns.
    """
    count = viewer.problem.features
    if viewer.kind != "image":
        raise DataError("pixels: this network does not look at images")
    if not isinstance(pixels, list) or len(pixels) != count:
        raise DataError(f"pixels: expected {count} numbers")
    if not all(type(value) is int and 0 <= value <= 255 for value in pixels):
        raise DataError("pixels: expected whole numbers from 0 to 255")
    viewer.put(trainer.moment.weights)
    x = (np.array(pixels, np.float32) / 255)[None]  # (1, I)
    outputs = viewer.outputs_for(x)
    arrays = viewer.images_of(outputs)
    return pack({"is": "recognised"}, arrays | {"probabilities": outputs[-1][0].astype(np.float32)})
