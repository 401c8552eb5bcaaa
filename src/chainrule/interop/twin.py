"""`twin`: one network, trained here and in another framework at the same time. Source: mission item D10."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import JSON, real_number, whole_number
from chainrule.errors import SettingError
from chainrule.export.carried import Carried
from chainrule.interop.keras_model import KerasModel
from chainrule.interop.pytorch_model import PyTorchModel
from chainrule.network import Network
from chainrule.optimizers import SGD, Optimizer
from chainrule.regularizers import Penalty
from chainrule.training import Callback, train
from chainrule.training.run import Run

DRAWING = ("Augment", "DropConnect", "Dropout", "GaussianNoise")  # layers that draw random numbers in training


class OtherModel(Protocol):
    """The network in another framework, and its optimizer."""

    name: str  # of the framework, with its version
    carried: list[Carried]  # where its arrays come from

    def step(self, x: Array, t: Array) -> None:
        """One step of its optimizer on one batch."""

    def arrays(self) -> dict[str, Array]:
        """Its arrays now, by their names there."""

    def close(self) -> None:
        """Leave the framework's settings as they were."""


FRAMEWORKS: dict[str, Callable[..., OtherModel]] = {"pytorch": PyTorchModel, "keras": KerasModel}


@dataclass(frozen=True)
class Difference:
    """One number, after one step, here and there. `index` is its place in our array."""

    step: int
    parameter: str
    index: Shape
    ours: float
    theirs: float

    @property
    def size(self) -> float:
        """|ours − theirs|; infinite where either is not a number."""
        gap = abs(self.ours - self.theirs)
        return float("inf") if np.isnan(gap) else gap

    def __str__(self) -> str:
        place = f"{self.parameter}[{', '.join(map(str, self.index))}]"
        return f"{place} after step {self.step}: {self.ours!r} here, {self.theirs!r} there, {self.size:.1e} apart"


@dataclass(frozen=True)
class Twin:
    """What came of a training in lock-step.

    Attributes:
        framework: the other one, with its version.
        steps: how many were taken.
        numbers: how many were compared after each of them.
        tolerance: how far apart two numbers may be.
        first: the first number that differed by more, the worst of its step; None where none did.
        largest: the largest difference of all.

    """

    framework: str
    steps: int
    numbers: int
    tolerance: float
    first: Difference | None
    largest: Difference

    @property
    def agrees(self) -> bool:
        """Whether no number differed by more than the tolerance."""
        return self.first is None

    def __str__(self) -> str:
        head = f"{self.steps} steps beside {self.framework}, {self.numbers:,} numbers compared after each"
        if self.first is None:
            return f"{head}: all within {self.tolerance:g}. The largest difference: {self.largest}."
        return f"{head}. The first that differs: {self.first}. The largest difference: {self.largest}."


def twin(
    network: Network,
    data: tuple[Any, Any],
    framework: str = "pytorch",
    *,
    steps: int = 100,
    batch_size: int = 32,
    optimizer: Optimizer = SGD(0.1),  # noqa: B008   is never changed
    penalty: Penalty | None = None,
    tolerance: float = 1e-10,
) -> Twin:
    """Train `network` here and in another framework, in lock-step, and compare all numbers after each step.

    Both start from the weights that the network has, and see the same batches: the data in their order, again and
    again. The other model is that of `chainrule.export`'s script. Neither `network` nor its weights are changed.

    Args:
        network: best of dtype "float64": in float32 rounding alone soon makes differences of 1e-6.
        data: (x, targets), as for `train`.
        framework: "pytorch" or "keras".
        steps: of the optimizer.
        batch_size: samples per step.
        optimizer: one that the other framework has too, with the same formula.
        penalty: on large weights.
        tolerance: how far apart two numbers may be before they count as different.

    Returns:
        The first number that differs by more, and the largest difference.

    Raises:
        MissingExtraError: the framework is not installed.
        SettingError: it has no words for a layer, the loss or the optimizer, a layer draws random numbers (dropout), or
            parameters are frozen.
        DataError, DataTypeError: see `train`.

    """
    if framework not in FRAMEWORKS:
        raise SettingError(f"framework: expected one of {', '.join(FRAMEWORKS)}, got {framework!r}")
    if not isinstance(network, Network):
        raise SettingError(f"network: expected a Network, got {network!r}")
    whole_number(steps, "steps")
    size = whole_number(batch_size, "batch_size")
    x, t = network.check_data(*data, "training")
    _check(network)
    ours = copy.deepcopy(network)
    theirs = FRAMEWORKS[framework](ours, optimizer, penalty, len(x))
    try:
        lock_step = LockStep(theirs, network.floats(x), t, size, steps, real_number(tolerance, "tolerance"))
        train(
            ours,
            data,
            epochs=-(-steps // -(-len(x) // size)),
            batch_size=size,
            optimizer=optimizer,
            penalty=penalty,
            shuffle=False,
            callbacks=[lock_step],
            progress=False,
        )
    finally:
        theirs.close()
    return lock_step.result()


class LockStep(Callback):
    """After each step of ours the other model takes one on the same batch, and all numbers are compared."""

    def __init__(self, theirs: OtherModel, x: Array, t: Array, batch_size: int, steps: int, tolerance: float) -> None:
        self._theirs, self._x, self._t, self._size = theirs, x, t, batch_size
        self._steps, self._tolerance = steps, tolerance
        self._first: Difference | None = None
        self._largest: Difference | None = None

    def on_step_end(self, run: Run) -> None:
        start = (run.step - 1) % run.steps_per_epoch * self._size
        self._theirs.step(self._x[start : start + self._size], self._t[start : start + self._size])
        worst = self._worst(run.step, run.network.arrays)
        if self._largest is None or worst.size > self._largest.size:
            self._largest = worst
        if self._first is None and worst.size > self._tolerance:
            self._first = worst
        if run.step == self._steps:
            run.stop(f"took {self._steps} steps")

    def _worst(self, step: int, ours: dict[str, Array]) -> Difference:
        """The number that is furthest apart."""
        theirs = self._theirs.arrays()
        found = [
            self._worst_of(step, one, ours[one.ours], theirs[one.theirs]) for one in self._theirs.carried if one.ours
        ]
        return max(found, key=lambda difference: difference.size)

    def _worst_of(self, step: int, one: Carried, ours: Array, theirs: Array) -> Difference:
        there = one.ours_at >= 0
        places = one.ours_at[there]
        a, b = ours.ravel()[places], theirs[there]
        gaps = np.abs(a - b)
        at = int(np.argmax(np.where(np.isnan(gaps), np.inf, gaps)))
        index = tuple(int(i) for i in np.unravel_index(int(places[at]), ours.shape))
        return Difference(step, one.ours, index, float(a[at]), float(b[at]))

    def result(self) -> Twin:
        """What came of it."""
        assert self._largest is not None
        numbers = sum(int((one.ours_at >= 0).sum()) for one in self._theirs.carried)
        return Twin(self._theirs.name, self._steps, numbers, self._tolerance, self._first, self._largest)


def _check(network: Network) -> None:
    """Raise a SettingError where two trainings could not be the same."""
    if network.frozen:
        raise SettingError(
            f"network: {', '.join(network.frozen)} are frozen, and would be trained in the other framework"
        )
    if not network.parameters:
        raise SettingError("network: has no parameters, so there is nothing to compare")
    for position, layer in enumerate(network.layers):
        for name in _classes(layer.configuration()):
            if name in DRAWING:
                raise SettingError(
                    f"layers.{position}: {name} draws random numbers in training, and every framework draws others; "
                    "leave it out"
                )


def _classes(configuration: JSON) -> list[str]:
    """The names of all classes in a configuration."""
    if isinstance(configuration, list):
        return [name for part in configuration for name in _classes(part)]
    if isinstance(configuration, dict):
        return [str(configuration["class"])] + [name for part in configuration.values() for name in _classes(part)]
    return []
