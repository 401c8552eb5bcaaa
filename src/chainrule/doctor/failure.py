"""Where a value first was not finite: layer, operation, sample; kept in a small file, and seen again from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import Configurable
from chainrule.errors import ModelFileError
from chainrule.files import Pathlike
from chainrule.layers import Context, Layer
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.network.model_file import read_tensors, write_tensors
from chainrule.operations.operation import watching
from chainrule.optimizers import Optimizer
from chainrule.regularizers import Penalty
from chainrule.training import Run


@dataclass(frozen=True)
class Step:
    """One step of a training before it is taken: all that it depends on.

    Args:
        network: with the weights before the step.
        optimizer, penalty: of the training.
        slots: what the optimizer remembers, by the names of `Run.slot_arrays`.
        x, t, w: the batch: samples (B, …), prepared targets, weights (B,) or None.
        rows: where these samples stand in the training data (B,).
        number: of the step, from 1.
        epoch: from 1.
        rate: the learning rate.
        seed: of what layers draw.
        samples: in the training data.

    """

    network: Network
    optimizer: Optimizer
    penalty: Penalty | None
    slots: dict[str, Array]
    x: Array
    t: Array
    w: Array | None
    rows: Array
    number: int
    epoch: int
    rate: float
    seed: int
    samples: int
