"""The state of one training: what callbacks may look at, and the step that changes the weights."""

from dataclasses import dataclass, field

import numpy as np

from chainrule.arrays import Array
from chainrule.layers import Context
from chainrule.network import Network
from chainrule.optimizers import Optimizer, Slots
from chainrule.training.divergence import diverged
from chainrule.training.history import History


@dataclass
class Run:
    """A training in progress. `epoch` and `step` count from 1; `step` goes on from epoch to epoch."""

    network: Network
    optimizer: Optimizer
    epochs: int
    steps_per_epoch: int
    samples: int
    seed: int = 0  # of what layers draw in training
    history: History = field(default_factory=History)
    epoch: int = 0
    step: int = 0  # whole steps taken so far
    loss: float = float("nan")  # mean loss over the batches of this epoch so far
    accuracy: float | None = None  # likewise, for classes
    seconds: float = 0.0  # spent in the steps of this epoch so far

    def __post_init__(self) -> None:
        parameters = self.network.parameters
        self._slots: dict[str, Slots] = {
            name: tuple(np.zeros_like(W) for _ in range(self.optimizer.slots)) for name, W in parameters.items()
        }
        self._updated: dict[str, tuple[Array, Slots]] = {}
        self._stop = ""

    def stop(self, reason: str) -> None:
        """End the training after this step; `reason` is kept as `history.stopped`."""
        self._stop = self._stop or reason

    @property
    def stopping(self) -> str:
        """Why the training is about to end, or ""."""
        return self._stop

    @property
    def context(self) -> Context:
        """What the layers may know in the step after `step`."""
        return Context(training=True, seed=self.seed, step=self.step + 1)

    def take_step(self, x: Array, t: Array) -> tuple[float, Array]:
        """One step of descent on one batch; returns the cost before it, and the scores.

        The new weights are worked out aside and put in place together, so that an error leaves the last whole step.
        Raises DivergenceError when the cost or a new weight is not finite.
        """
        cost, f, gradients = self.network.cost_and_gradients(x, t, context=self.context)
        if not np.isfinite(cost):
            raise diverged(self, x)
        parameters = self.network.parameters
        updated = {
            name: self.optimizer.update(parameters[name], dW, self._slots[name], self.step + 1)
            for name, dW in gradients.items()
        }
        for name, (W, _) in updated.items():
            if not np.isfinite(W).all():
                raise diverged(self, x, parameter=name)
        self._updated = updated
        self.complete_step()
        return cost, f

    def complete_step(self) -> None:
        """Put the new weights in place. Called again after an interruption, it ends what was begun."""
        if not self._updated:
            return
        parameters = self.network.parameters
        for name, (W, slots) in self._updated.items():
            parameters[name][...] = W
            self._slots[name] = slots
        self.step, self._updated = self.step + 1, {}
