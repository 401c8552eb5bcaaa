"""What the rules look at: one training, as far as it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from chainrule.arrays import Array
from chainrule.doctor.facts import Facts
from chainrule.doctor.failure import Failure
from chainrule.layers import Layer
from chainrule.losses import Loss
from chainrule.optimizers import Momentum, Nesterov, Optimizer
from chainrule.regularizers import Penalty


@dataclass(frozen=True)
class Settings:
    """How the network was trained."""

    optimizer: Optimizer
    learning_rate: float  # before a schedule changes it
    batch_size: int
    steps_per_epoch: int
    epochs: int  # that were planned
    penalty: Penalty | None = None
    penalty_scale: float = 0.0  # by how much its weight w adds to the gradient: l2 w, and l1 for those of size 1
    class_weights: bool = False


@dataclass(frozen=True)
class Evidence:
    """A training: what is not known is empty or None, and the rules that need it keep silent.

    Args:
        history: the figures of each epoch, {"loss": […], "layers.0.W.update_ratio": […], …}; without a last one that
            was not finite.
        start: the same figures before the first step.
        chance: the loss of the best answer that does not look at the samples.
        layers: the network's, first to last.
        loss: the network's.
        settings: of the training.
        facts: of the data.
        recall: the share of each class that the network finds (K,), in the validation data where there are any.
        failure: where a value first was not finite.
        over: whether the training is over; else an epoch of it has just ended.

    """

    history: Mapping[str, list[float]]
    start: Mapping[str, float] = field(default_factory=dict)
    chance: float | None = None
    layers: tuple[Layer, ...] = ()
    loss: Loss | None = None
    settings: Settings | None = None
    facts: Facts | None = None
    recall: Array | None = None
    failure: Failure | None = None
    over: bool = True

    @property
    def losses(self) -> list[float]:
        """The training loss of each epoch, without a penalty."""
        return self.history.get("data_loss") or self.history.get("loss", [])

    @property
    def validation(self) -> list[float]:
        """The validation loss of each epoch."""
        return self.history.get("validation_loss", [])

    @property
    def last(self) -> float:
        """The training loss of the last epoch; infinite where there is none."""
        return self.losses[-1] if self.losses else float("inf")

    @property
    def learned(self) -> float:
        """How much of the way from chance to 0 the training loss has come: 0 at chance, below 0 where it is worse."""
        if not self.chance or not self.losses:
            return float("nan")
        return 1 - self.last / self.chance

    @property
    def right(self) -> float:
        """The share of validation samples decided right, of training samples where there are none; R² of numbers."""
        for name in ("validation_accuracy", "accuracy"):
            if self.history.get(name):
                return self.history[name][-1]
        return self.learned

    @property
    def missed(self) -> float:
        """How much more the nearest neighbours alone can tell than the network; NaN where that is not known."""
        near = self.facts and self.facts.neighbours
        return near.agreement - self.right if near else float("nan")

    @property
    def falling(self) -> float:
        """By which share the training loss fell over the last quarter of the epochs, at least two."""
        if len(self.losses) < 2:
            return float("nan")
        before = self.losses[-1 - max(1, len(self.losses) // 4)]
        return (before - self.last) / max(abs(before), 1e-12)

    def figures(self, name: str) -> dict[str, list[float]]:
        """{"layers.1": [one for each epoch], …} of a figure such as "dead", first layers first."""
        return {key.removesuffix(f".{name}"): v for key, v in self.history.items() if key.endswith(f".{name}")}

    def at_start(self, name: str) -> dict[str, float]:
        """{"layers.1": …} of a figure before the first step."""
        return {key.removesuffix(f".{name}"): v for key, v in self.start.items() if key.endswith(f".{name}")}

    @property
    def weight_gradients(self) -> dict[str, float]:
        """‖∂J/∂W‖ of the weights before the first step, first layers first."""
        return {name: g for name, g in self.at_start("gradient_norm").items() if name in self.at_start("update_ratio")}

    @property
    def first_step(self) -> float:
        """How far the first steps move the layer they move farthest, by the length of its weights; NaN if not known.

        With momentum, steps in the same direction add up to 1 / (1 − μ) of the first.
        """
        ratio = max(self.at_start("update_ratio").values(), default=float("nan"))
        optimizer = self.settings and self.settings.optimizer
        return ratio / (1 - optimizer.momentum) if isinstance(optimizer, Momentum | Nesterov) else ratio

    @property
    def longest_step(self) -> float:
        """How far a step at the end of an epoch moved the layer it moved farthest, by the length of its weights."""
        return max((max(of_layer) for of_layer in self.figures("update_ratio").values()), default=0.0)

    @property
    def travel(self) -> float:
        """The lengths of all steps together, by that of the weights, of the layer that moved farthest; 0 if unknown."""
        if self.settings is None:
            return 0.0
        ratios = self.figures("update_ratio").values()
        return max((sum(of_layer) for of_layer in ratios), default=0.0) * self.settings.steps_per_epoch

    @property
    def bounces(self) -> float:
        """How much the training loss went up from epoch to epoch, by how much it went down: 0 where it only fell."""
        steps = [after - before for before, after in pairwise(self.losses)]
        up, down = sum(s for s in steps if s > 0), -sum(s for s in steps if s < 0)
        return up / down if down else float("inf") if up else 0.0
