"""The state of one training: what callbacks may look at, and the step that changes the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from chainrule import kernels
from chainrule.arrays import Array, Samples, aligned_copy
from chainrule.layers import Context, Gradients
from chainrule.network import Network
from chainrule.optimizers import Clip, Optimizer, Slots
from chainrule.regularizers import Penalty
from chainrule.schedules import Schedule
from chainrule.training.divergence import diverged
from chainrule.training.history import History

Updated = dict[str, tuple[Array, Slots]]  # name → new value, and what the optimizer remembers; nothing of the state
Figures = dict[str, Array]  # name in the history → the figure of one step ()
Data = tuple[Samples, Array, Array | None]  # samples, prepared targets, weights of the samples where they differ


class Evaluated(NamedTuple):
    """A batch at the weights of now: its cost (), how many samples are right, gradients, figures, next state."""

    cost: Array
    right: Array | None
    gradients: Gradients
    figures: Figures
    state: dict[str, Array]


class Worked(NamedTuple):
    """A step that has been worked out: cost and decisions before it, new weights, slots and state, further figures."""

    cost: Array
    right: Array | None
    updated: Updated
    figures: Figures


@dataclass
class Run:
    """A training in progress. `epoch` and `step` count from 1; `step` goes on from epoch to epoch."""

    network: Network
    optimizer: Optimizer
    epochs: int
    steps_per_epoch: int
    samples: int
    data: Data  # what it learns from
    seed: int = 0  # of what layers draw in training
    schedule: Schedule | None = None  # of the learning rate
    penalty: Penalty | None = None  # on large weights
    clip: Clip | None = None  # of large gradients
    rate_factor: float = 1.0  # by which a callback has the learning rate multiplied
    history: History = field(default_factory=History)
    epoch: int = 0
    step: int = 0  # whole steps taken so far
    loss: float = float("nan")  # mean loss over the batches of this epoch so far
    accuracy: float | None = None  # likewise, for classes
    figures: dict[str, float] = field(default_factory=dict)  # likewise, of what else is measured: "penalty", …
    seen: int = 0  # samples of this epoch so far
    seconds: float = 0.0  # spent in the steps of this epoch so far
    sums: dict[str, float] = field(default_factory=dict)  # over those steps, see `Taken`

    def __post_init__(self) -> None:
        parameters = self.network.parameters
        self._slots: dict[str, Slots] = {
            name: tuple(aligned_copy(slot) for slot in self.optimizer.first_slots(W)) for name, W in parameters.items()
        }
        self._due: tuple[dict[str, Array], int] | None = None
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
        rate = self.optimizer.learning_rate * self.rate_factor
        if self.schedule is None:
            return rate
        return rate * self.schedule.factor((step - 1) / self.steps_per_epoch, self.epochs)

    def cost_and_gradients(self, x: Array, t: Array, w: Array | None, step: int | kernels.Cell) -> Evaluated:
        """The cost of a batch, penalty and all, and its gradients, as the layers see it in `step`; changes nothing."""
        network, figures = self.network, {}
        context = Context(training=True, seed=self.seed, step=step)
        cost, f, gradients, state = network.cost_and_gradients(x, t, w, context=context)
        if self.penalty is not None:
            figures["data_loss"] = cost
            cost, figures["penalty"], gradients = self.penalty.add_to(
                cost, gradients, network.parameters, self.samples, network.dJ
            )
        return Evaluated(cost, network.loss.count_right(f, t), gradients, figures, state)

    def work_out(
        self, x: Array, t: Array, w: Array | None, step: int | kernels.Cell, rate: float | kernels.Cell
    ) -> Worked:
        """One step on a batch; changes nothing."""
        cost, right, gradients, figures, state = self.cost_and_gradients(x, t, w, step)
        if self.clip is not None:
            gradients, measured = self.clip.apply(gradients)
            figures |= measured
        parameters = self.network.parameters
        updated = {
            name: self.optimizer.update(parameters[name], dW, self._slots[name], step, rate)
            for name, dW in gradients.items()
        }
        return Worked(cost, right, updated | unremembered(state), figures)

    def take_step(self, x: Array, t: Array, w: Array | None = None) -> Worked:
        """One step of descent on one batch, weighted by w (N,) where given, as `work_out` and `put` do it."""
        worked = self.work_out(x, t, w, self.step + 1, self.rate_at(self.step + 1))
        self.put(worked, x)
        return worked

    def put(self, worked: Worked, x: Array) -> None:
        """Put new weights and slots in place together, so that an error leaves the last whole step.

        Raises DivergenceError when the cost on the batch x or a new weight is not finite.
        """
        if not np.isfinite(worked.cost):
            raise diverged(self, x)
        for name, (W, _) in worked.updated.items():
            if not np.isfinite(W).all():
                raise diverged(self, x, parameter=name)
        self.promise(self.named(worked.updated), self.step + 1)
        self.complete_step()

    def promise(self, values: dict[str, Array], step: int) -> None:
        """From now on these are the weights and slots, after `step` whole steps: `complete_step` puts them in place."""
        self._due = values, step

    def complete_step(self) -> None:
        """Put in place what is promised. Called again after an interruption, it ends what was begun."""
        if self._due is None:
            return
        values, step = self._due
        live = {**self.network.arrays, **self.slot_arrays}
        for name, array in values.items():
            live[name][...] = array
        self.step, self._due = step, None

    def named(self, updated: Updated) -> dict[str, Array]:
        """New weights, slots and state under the names of `network.arrays` and `slot_arrays`."""
        new: dict[str, Array] = {}
        for name, (W, slots) in updated.items():
            new |= {name: W} | {f"slot {i} of {name}": slot for i, slot in enumerate(slots)}
        return new

    def count(self, samples: int, sums: dict[str, float]) -> None:
        """Take steps on so many samples into the running figures of the epoch; `sums` are those of the epoch so far."""
        self.seen += samples
        self.sums = sums
        means = {name: total / self.seen for name, total in sums.items()}
        self.loss, right = means.pop("cost"), means.pop("right")
        if right == right:  # not NaN: there is something to decide
            self.accuracy = right
        self.figures = means

    def begin_epoch(self) -> None:
        """Start the running figures of the next epoch from nothing."""
        self.epoch += 1
        self.seen, self.seconds, self.sums, self.figures = 0, 0.0, {}, {}


def unremembered(state: dict[str, Array]) -> Updated:
    """New state among new weights: the optimizer has nothing to do with it."""
    return {name: (array, ()) for name, array in state.items()}
