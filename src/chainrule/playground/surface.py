"""The loss as a surface over two directions in the space of all weights, and the way of the training on it (B5)."""

from __future__ import annotations

import numpy as np

from chainrule.playground.frames import pack
from chainrule.playground.pictures import Viewer
from chainrule.playground.trainer import Trainer
from chainrule.training import WeightPath, map_loss

MOST, LEAST = 33, 13  # cells along each side
WORK = 4e8  # multiplications for one surface, about
MOST_MOMENTS = 200  # of the path


def loss_surface(viewer: Viewer, trainer: Trainer) -> bytes:
    """The training loss around the path of the weights: "surface" (cells, cells) from below, "path" (T, 2)."""
    moment = trainer.moment
    viewer.put(moment.weights)
    trail = [*trainer.trail(), moment.weights]
    path = WeightPath()
    path.weights = [trail[row] for row in np.unique(np.linspace(0, len(trail) - 1, MOST_MOMENTS).astype(int))]
    found = map_loss(
        viewer.network,
        viewer.measured_on(),
        path if moment.steps > 1 and len(path.weights) >= 3 else None,
        points=_cells(viewer),
    )
    header = {
        "is": "surface",
        "extent": [float(found.first[0]), float(found.first[-1]), float(found.second[0]), float(found.second[-1])],
        "explained": None if found.explained is None else sum(found.explained),
        "steps": moment.steps,
    }
    heights = np.nan_to_num(found.losses, nan=1e30, posinf=1e30).astype(np.float32)
    return pack(header, {"surface": heights, "path": found.path.astype(np.float32)})


def _cells(viewer: Viewer) -> int:
    """As many as the work allows."""
    weights = sum(W.size for W in viewer.network.parameters.values())
    samples = len(viewer.measured_on()[1])
    return int(np.clip(np.sqrt(WORK / (weights * samples)), LEAST, MOST))
