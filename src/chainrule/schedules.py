"""Schedules: how the learning rate changes in the course of a training."""

from dataclasses import dataclass

from chainrule.configuration import Configurable, real_number
from chainrule.errors import SettingError


class Schedule(Configurable):
    """Base of the schedules. A subclass is a dataclass of its settings and writes `factor`."""

    def factor(self, progress: float) -> float:
        """What the optimizer's learning rate is multiplied by, when a share `progress` of the steps is done."""
        raise NotImplementedError


@dataclass(eq=False)
class OneCycle(Schedule):
    """Up from `start` to the full rate in the share `warm_up` of the steps, then down to `end`, in straight lines.

    The high rate in the middle explores, the low one at the end settles (Smith & Topin 2018, "Super-convergence").
    """

    warm_up: float = 0.25
    start: float = 0.1
    end: float = 0.01

    def __post_init__(self) -> None:
        self.warm_up = real_number(self.warm_up, "OneCycle: warm_up")
        if not 0 < self.warm_up < 1:
            raise SettingError(f"OneCycle: warm_up: expected a share above 0 and below 1, got {self.warm_up:g}")
        self.start = real_number(self.start, "OneCycle: start")
        self.end = real_number(self.end, "OneCycle: end")

    def factor(self, progress: float) -> float:
        if progress < self.warm_up:
            return self.start + (1 - self.start) * progress / self.warm_up
        return 1 + (self.end - 1) * (progress - self.warm_up) / (1 - self.warm_up)
