"""Schedules: how the learning rate changes in the course of a training."""

import math
from dataclasses import dataclass

from chainrule.configuration import Configurable, positive_number, real_number, whole_number
from chainrule.errors import SettingError


class Schedule(Configurable):
    """Base of the schedules. A subclass is a dataclass of its settings and writes `factor`."""

    def factor(self, epoch: float, epochs: float) -> float:
        """What the optimizer's learning rate is multiplied by, when `epoch` of `epochs` epochs are done.

        It is asked before each step: half-way through the first epoch, `epoch` is 0.5.
        """
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

    def factor(self, epoch: float, epochs: float) -> float:
        progress = epoch / epochs
        if progress < self.warm_up:
            return self.start + (1 - self.start) * progress / self.warm_up
        return 1 + (self.end - 1) * (progress - self.warm_up) / (1 - self.warm_up)


@dataclass(eq=False)
class StepDecay(Schedule):
    """Times `gamma` after every `every` epochs."""

    every: int = 10
    gamma: float = 0.1

    def __post_init__(self) -> None:
        self.every = whole_number(self.every, "StepDecay: every")
        self.gamma = positive_number(self.gamma, "StepDecay: gamma")

    def factor(self, epoch: float, epochs: float) -> float:
        return self.gamma ** (epoch // self.every)


@dataclass(eq=False)
class ExponentialDecay(Schedule):
    """Times `gamma` in the course of each epoch, a little with every step."""

    gamma: float = 0.9

    def __post_init__(self) -> None:
        self.gamma = positive_number(self.gamma, "ExponentialDecay: gamma")

    def factor(self, epoch: float, epochs: float) -> float:
        return self.gamma**epoch


@dataclass(eq=False)
class CosineDecay(Schedule):
    """Down to `end` along half a wave of the cosine: slowly, quickly, slowly (Loshchilov & Hutter 2017, equation 5)."""

    end: float = 0.0

    def __post_init__(self) -> None:
        self.end = real_number(self.end, "CosineDecay: end")

    def factor(self, epoch: float, epochs: float) -> float:
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * epoch / epochs)) / 2


@dataclass(eq=False)
class WarmUp(Schedule):
    """Up from `start` to the full rate in a straight line, in the first `epochs` epochs; then as `then` says.

    `then` is another schedule, which takes the epochs that are left for all there are; None keeps the full rate.
    (Goyal et al. 2017, section 2.2.)
    """

    epochs: float = 1.0
    start: float = 0.1
    then: Schedule | None = None

    def __post_init__(self) -> None:
        self.epochs = positive_number(self.epochs, "WarmUp: epochs")
        self.start = real_number(self.start, "WarmUp: start")
        if self.then is not None and not isinstance(self.then, Schedule):
            raise SettingError(f"WarmUp: then: expected a Schedule such as CosineDecay(), got {self.then!r}")

    def factor(self, epoch: float, epochs: float) -> float:
        if epoch < self.epochs:
            return self.start + (1 - self.start) * epoch / self.epochs
        return 1.0 if self.then is None else self.then.factor(epoch - self.epochs, epochs - self.epochs)
