"""One sample forward and its gradient backward, as the engine explains itself, and all paths from one weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import DataError, SettingError
from chainrule.playground.building import make_optimizer
from chainrule.playground.data import rows_of
from chainrule.playground.pictures import Viewer
from chainrule.playground.trainer import Trainer

MOST_PARAMETERS = 20_000  # of a network whose numbers can still be read
TERMS = 6  # of a sum, that are shown one by one


def explain(viewer: Viewer, trainer: Trainer, asked: dict[str, Any]) -> dict[str, Any]:
    """`network.explain` for a training sample, as `to_dict` gives it.

    Raises SettingError, DataError: there is no such sample or weight.
    """
    x, y = viewer.problem.train
    row = asked.get("sample")
    if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < len(y):
        raise SettingError(f"sample: expected a whole number from 0 to {len(y) - 1}, got {row!r:.40}")
    parameter, index = asked.get("parameter"), asked.get("index")
    if parameter is not None and (not isinstance(parameter, str) or not isinstance(index, list)):
        raise SettingError("parameter and index: expected a name and whole numbers")
    if sum(W.size for W in viewer.network.parameters.values()) > MOST_PARAMETERS:
        raise DataError("this network has too many numbers to read them one by one; take fewer units")
    moment = trainer.moment
    viewer.put(moment.weights)
    rows = np.array([row])
    derivation = viewer.network.explain(
        rows_of(x, rows),
        y[rows],
        parameter=parameter,
        index=None if parameter is None or index is None else tuple(index),
        optimizer=make_optimizer(viewer.settings),
        terms=TERMS,
    )
    return {"is": "explained", "sample": row, "moment": moment.steps, **derivation.to_dict()}
