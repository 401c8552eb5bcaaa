"""Which learning rate? A short training in which it grows from step to step. Source: mission item D8; Smith 2017."""

from dataclasses import dataclass
from typing import Any

from chainrule.arrays import Array
from chainrule.configuration import positive_number, whole_number
from chainrule.errors import DivergenceError, SettingError
from chainrule.network import Network
from chainrule.optimizers import LBFGS, Adam, Optimizer
from chainrule.training.callbacks import Callback
from chainrule.training.run import Run
from chainrule.training.train import train

MEMORY = 0.9  # the share of the losses before in the running mean


@dataclass(frozen=True)
class LearningRates:
    """What `find_learning_rate` has measured, one value for each step; `plots.learning_rates` draws it."""

    rates: tuple[float, ...]  # growing
    losses: tuple[float, ...]  # of the batch, before the step
    smoothed: tuple[float, ...]  # their running mean

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at which the smoothed loss is lowest: still fast, and well below where it grows again."""
        return self.rates[self.smoothed.index(min(self.smoothed))] / 10


def find_learning_rate(
    network: Network,
    data: tuple[Any, Any],
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    optimizer: Optimizer = Adam(),
    **settings: Any,
) -> LearningRates:
    """Train for some steps while the learning rate grows by the same factor each time, and see when the loss falls.

    The network has the weights it had before again at the end. Take what `suggestion` says, or look at the picture.

    Args:
        network: is built from the data if it has no parameters yet.
        data: (x, targets), x of shape (N, *input_shape).
        lowest: the rate of the first step.
        highest: that of the last; the loss grows or is no longer finite before that, and then it ends.
        steps: how many.
        optimizer: whose rate is wanted; its own setting does not matter.
        settings: of `train` that the loss depends on: batch_size, penalty, clip, sample_weight, class_weight, seed.

    Raises:
        SettingError: a setting is out of range; or the loss was not finite at the lowest rate.
        DataError, DataTypeError: see `train`.

    """
    first, last = positive_number(lowest, "lowest"), positive_number(highest, "highest")
    count = whole_number(steps, "steps", at_least=2)
    if first >= last:
        raise SettingError(f"lowest: expected a rate below highest = {last:g}, got {first:g}")
    if isinstance(optimizer, LBFGS):
        raise SettingError("optimizer: LBFGS finds the length of its steps by itself")
    climb = _Climb(first, (last / first) ** (1 / (count - 1)), count)
    try:
        train(network, data, epochs=count, optimizer=optimizer, callbacks=[climb], progress=False, **settings)
    except DivergenceError as error:
        if not climb.rates:
            raise SettingError(f"lowest: the loss is not finite at {first:g} already ({error.cause})") from error
    finally:
        for name, W in climb.weights.items():
            network.arrays[name][...] = W
    return LearningRates(tuple(climb.rates), tuple(climb.losses), tuple(climb.smoothed))


class _Climb(Callback):
    """Lets the rate grow and notes the loss of each step; stops when that has grown too much, or the steps are done."""

    def __init__(self, lowest: float, growth: float, steps: int) -> None:
        self._lowest, self._growth, self._steps = lowest, growth, steps
        self.weights: dict[str, Array] = {}
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self._mean, self._before = 0.0, (0, 0.0, 0)  # epoch, and the cost and samples of its steps so far

    def on_train_start(self, run: Run) -> None:
        self.weights = {name: W.copy() for name, W in run.network.arrays.items()}
        run.rate_factor = self._lowest / run.optimizer.learning_rate

    def on_step_end(self, run: Run) -> None:
        _, cost, samples = self._before if self._before[0] == run.epoch else (run.epoch, 0.0, 0)
        self._before = run.epoch, run.sums["cost"], run.seen
        self.rates.append(run.rate_at(run.step))
        self.losses.append((run.sums["cost"] - cost) / (run.seen - samples))
        self._mean = MEMORY * self._mean + (1 - MEMORY) * self.losses[-1]
        self.smoothed.append(self._mean / (1 - MEMORY ** len(self.losses)))
        run.rate_factor *= self._growth
        if len(self.rates) == self._steps:
            run.stop("the highest rate is reached")
        elif self.smoothed[-1] > min(self.smoothed) + abs(self.losses[0]):
            run.stop("the loss grows")
