"""What every optimizer is: settings, and one call of an update formula. Its memory is given and returned."""

from typing import ClassVar

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import Configurable

Slots = tuple[Array, ...]  # what an optimizer remembers of one parameter


class Optimizer(Configurable):
    """Base of the optimizers. A subclass is a dataclass of its settings and writes `update`."""

    learning_rate: float
    slots: ClassVar[int] = 0  # how many arrays of the parameter's shape it remembers

    def first_slots(self, W: Array) -> Slots:
        """What it remembers of the parameter W before the first step: zeros."""
        return tuple(np.zeros_like(W) for _ in range(self.slots))

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        """New values of one parameter and its slots; `step` counts from 1, `rate` is the learning rate of this step.

        Changes nothing in place.
        """
        raise NotImplementedError
