"""The state of one training: what callbacks may look at, and the step that changes the weights."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from chainrule import kernels
from chainrule.arrays import Array, aligned_copy
from chainrule.layers import Context
from chainrule.network import Network
from chainrule.optimizers import Optimizer, Slots
from chainrule.schedules import Schedule
from chainrule.training.divergence import diverged
from chainrule.training.history import History

Updated = dict[str, tuple[Array, Slots]]  # parameter name → its new value, and what the optimizer remembers of it


@dataclass
class Run:
    """A training in progress. `epoch` and `step` count from 1; `step` goes on from epoch to epoch."""

    network: Network
    optimizer: Optimizer
    epochs: int
    steps_per_epoch: int
    samples: int
    seed: int = 0  # of what layers draw in training
    schedule: Schedule | None = None  # of the learning rate
    history: History = field(default_factory=History)
    epoch: int = 0
    step: int = 0  # whole steps taken so far
    loss: float = float("nan")  # mean loss over the batches of this epoch so far
    accuracy: float | None = None  # likewise, for classes
    seen: int = 0  # samples of this epoch so far
    seconds: float = 0.0  # spent in the steps of this epoch so far
    cost_sum: float = 0.0  # over those steps: cost of the batch · its samples
    right_sum: float = 0.0  # over those steps: samples decided right

    def __post_init__(self) -> None:
        parameters = self.network.parameters
        self._slots: dict[str, Slots] = {
            name: tuple(aligned_copy(np.zeros_like(W)) for _ in range(self.optimizer.slots))
            for name, W in parameters.items()
        }
        self._updated: Updated = {}
        self._stop = ""

    def stop(self, reason: str) -> None:
        """End the training after this step; `reason` is kept as `history.stopped`."""
        self._stop = self._stop or reason

    @property
    def stopping(self) -> str:
        """Why the training is about to end, or ""."""
        return self._stop

    @property
    def slot_arrays(self) -> dict[str, Array]:
        """What the optimizer remembers, by name: "slot 0 of layers.0.W", …. Live."""
        return {f"slot {i} of {name}": slot for name, slots in self._slots.items() for i, slot in enumerate(slots)}

    @property
    def context(self) -> Context:
        """What the layers may know in the step after `step`."""
        return Context(training=True, seed=self.seed, step=self.step + 1)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 1."""
        if self.schedule is None:
            return self.optimizer.learning_rate
        progress = (step - 1) / (self.epochs * self.steps_per_epoch)
        return self.optimizer.learning_rate * self.schedule.factor(progress)

    def work_out(
        self, x: Array, t: Array, w: Array | None, step: int | kernels.Cell, rate: float | kernels.Cell
    ) -> tuple[Array, Array | None, Updated]:
        """The cost of a batch, how many samples are decided right, and the new weights and slots; changes nothing."""
        context = Context(training=True, seed=self.seed, step=step)
        cost, f, gradients = self.network.cost_and_gradients(x, t, w, context=context)
        parameters = self.network.parameters
        updated = {
            name: self.optimizer.update(parameters[name], dW, self._slots[name], step, rate)
            for name, dW in gradients.items()
        }
        return cost, self.network.loss.count_right(f, t), updated

    def take_step(self, x: Array, t: Array, w: Array | None = None) -> tuple[float, float]:
        """One step of descent on one batch, its samples weighted by w (N,) where given.

        Returns the cost before it, and how many samples were decided right.

        The new weights are worked out aside and put in place together, so that an error leaves the last whole step.
        Raises DivergenceError when the cost or a new weight is not finite.
        """
        cost, right, updated = self.work_out(x, t, w, self.step + 1, self.rate_at(self.step + 1))
        if not np.isfinite(cost):
            raise diverged(self, x)
        for name, (W, _) in updated.items():
            if not np.isfinite(W).all():
                raise diverged(self, x, parameter=name)
        self._updated = updated
        self.complete_step()
        return float(cost), np.nan if right is None else float(right)

    def complete_step(self) -> None:
        """Put the new weights in place. Called again after an interruption, it ends what was begun."""
        if not self._updated:
            return
        live = {**self.network.parameters, **self.slot_arrays}
        for name, array in self.named(self._updated).items():
            live[name][...] = array
        self.step, self._updated = self.step + 1, {}

    def named(self, updated: Updated) -> dict[str, Array]:
        """New weights and slots under the names of `network.parameters` and `slot_arrays`."""
        new: dict[str, Array] = {}
        for name, (W, slots) in updated.items():
            new |= {name: W} | {f"slot {i} of {name}": slot for i, slot in enumerate(slots)}
        return new

    def count(self, samples: int, cost_sum: float, right_sum: float) -> None:
        """Take steps on `samples` samples into the running figures; the sums are those of the epoch with them."""
        self.seen += samples
        self.cost_sum, self.right_sum = cost_sum, right_sum
        self.loss = cost_sum / self.seen
        if right_sum == right_sum:  # not NaN: there is something to decide
            self.accuracy = right_sum / self.seen

    def begin_epoch(self) -> None:
        """Start the running figures of the next epoch from nothing."""
        self.epoch += 1
        self.seen, self.seconds, self.cost_sum, self.right_sum = 0, 0.0, 0.0, 0.0
