"""The state of one training: what callbacks may look at, and the step that changes the weights."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

import numpy as np

from chainrule import kernels
from chainrule.arrays import Array, Samples, aligned_copy
from chainrule.layers import Context, Gradients
from chainrule.network import Network
from chainrule.operations.updates import average_update
from chainrule.operations.vectors import add
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
    at_a_time: int | None = None  # samples that go through the network together; None: all of a batch
    average: float | None = None  # how much the averages of the weights keep of what they were, in each step
    rate_factor: float = 1.0  # by which a callback has the learning rate multiplied
    history: History = field(default_factory=History)
    epoch: int = 0
    step: int = 0  # whole steps taken so far
    seen: int = 0  # samples of this epoch so far
    seconds: float = 0.0  # spent in the steps of this epoch so far
    sums: dict[str, float] = field(default_factory=dict)  # over those steps, see `Taken`

    def __post_init__(self) -> None:
        parameters = self.network.parameters
        self._slots: dict[str, Slots] = {
            name: tuple(aligned_copy(slot) for slot in self.optimizer.first_slots(W)) for name, W in parameters.items()
        }
        averaged = {} if self.average is None else parameters
        self._averages = {name: aligned_copy(W) for name, W in averaged.items()}
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
        """What the optimizer remembers, by name: "slot 0 of layers.0.W", …; "average of layers.0.W", …. Live."""
        slots = {f"slot {i} of {name}": slot for name, slots in self._slots.items() for i, slot in enumerate(slots)}
        return slots | {f"average of {name}": a for name, a in self._averages.items()}

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
        size = self.at_a_time or len(x)
        found = self._at_once(x, t, w, step) if size >= len(x) else self._in_parts(x, t, w, step, size)
        cost, gradients = found.cost, found.gradients
        if self.penalty is not None:
            figures["data_loss"] = cost
            cost, figures["penalty"], gradients = self.penalty.add_to(
                cost, gradients, network.parameters, self.samples, network.dJ
            )
        return found._replace(cost=cost, gradients=gradients, figures=figures)

    def _at_once(self, x: Array, t: Array, w: Array | None, step: int | kernels.Cell, place: str = "") -> Evaluated:
        """The same without the penalty, of samples that go through the network together."""
        context = Context(training=True, seed=self.seed, step=step, place=place)
        cost, f, gradients, state = self.network.cost_and_gradients(x, t, w, context=context)
        return Evaluated(cost, self.network.loss.count_right(f, t), gradients, {}, state)

    def _in_parts(self, x: Array, t: Array, w: Array | None, step: int | kernels.Cell, size: int) -> Evaluated:
        """The same of N samples, `size` at a time: (1/N) Σ w_n L_n is the sum of what each part has of it."""
        ends = range(size, len(x) + size, size)
        weights = np.ones(len(x), self.network.dtype) if w is None else w  # (N,)
        parts = (self._part(x, t, weights, step, slice(end - size, min(end, len(x)))) for end in ends)
        return reduce(_together, parts)

    def _part(self, x: Array, t: Array, w: Array, step: int | kernels.Cell, part: slice) -> Evaluated:
        """What the n samples of a part give. They work out a mean of their own, so they weigh w_n n/N in it.

        The new state is the mean of what the parts make of it, weighted likewise. The place keeps the layers from
        drawing the same bits in two parts.
        """
        share = (part.stop - part.start) / len(x)
        found = self._at_once(x[part], t[part], w[part] * share, step, f"from {part.start}.")
        return found._replace(state={name: array * share for name, array in found.state.items()})

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
        return Worked(cost, right, updated | self._averaged(updated, step) | unremembered(state), figures)

    def _averaged(self, updated: Updated, step: int | kernels.Cell) -> Updated:
        """The averages of the weights with those after this step, where averages are kept."""
        if self.average is None:
            return {}
        now = self.network.parameters | {name: W for name, (W, _) in updated.items()}
        return {
            f"average of {name}": (average_update(a, now[name], step, self.average), ())
            for name, a in self._averages.items()
        }

    @contextlib.contextmanager
    def with_averages(self) -> Iterator[None]:
        """Within the block the network has the averages of its weights."""
        weights = {name: self.network.parameters[name].copy() for name in self._averages}
        try:
            self.put_averages()
            yield
        finally:
            changed = {f"average of {name}": self.network.parameters[name].copy() for name in self._averages}
            self.promise(weights | changed, self.step)
            self.complete_step()

    def put_averages(self) -> None:
        """Let the network have the averages of its weights, where those are kept."""
        self.promise({name: a.copy() for name, a in self._averages.items()}, self.step)
        self.complete_step()

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

    @property
    def loss(self) -> float:
        """Mean loss over the batches of this epoch so far; NaN before the first."""
        return self.sums["cost"] / self.seen if self.seen else math.nan

    @property
    def accuracy(self) -> float | None:
        """Likewise of the share of samples decided right; None where there is nothing to decide."""
        right = self.sums["right"] if self.seen else math.nan
        return None if math.isnan(right) else right / self.seen

    @property
    def figures(self) -> dict[str, float]:
        """Likewise of what else is measured: "penalty", …."""
        return {name: total / self.seen for name, total in self.sums.items() if name not in ("cost", "right")}

    def begin_epoch(self) -> None:
        """Start the running figures of the next epoch from nothing."""
        self.epoch += 1
        self.seen, self.seconds, self.sums = 0, 0.0, {}


def _together(one: Evaluated, other: Evaluated) -> Evaluated:
    """The sums of what two parts of a batch give."""
    right = None if one.right is None or other.right is None else one.right + other.right
    gradients = {name: add(dW, other.gradients[name]) for name, dW in one.gradients.items()}
    state = {name: add(array, other.state[name]) for name, array in one.state.items()}
    return Evaluated(add(one.cost, other.cost), right, gradients, {}, state)


def unremembered(state: dict[str, Array]) -> Updated:
    """New state among new weights: the optimizer has nothing to do with it."""
    return {name: (array, ()) for name, array in state.items()}
