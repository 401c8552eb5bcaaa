"""Callbacks: code of the user's that runs at the events of a training."""

import os
from typing import Any

from chainrule.arrays import Array
from chainrule.configuration import positive_number, real_number, whole_number
from chainrule.errors import SettingError
from chainrule.files import Pathlike
from chainrule.training.run import Run


class Callback:
    """Override what you need. An exception raised here ends the training and leaves the last whole step."""

    def on_train_start(self, run: Run) -> None:
        """Before the first step."""

    def on_step_end(self, run: Run) -> None:
        """After each step. A tape then stops after every one; where `on_pause` will do, training is faster."""

    def on_pause(self, run: Run) -> None:
        """Between two steps, about fifty times a second; after each step or epoch where another event is due then."""

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch, when its record stands at the end of `run.history.records`."""

    def on_train_end(self, run: Run) -> None:
        """After the last epoch, also when a callback asked to stop."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold, so that this goes on as if nothing had happened: JSON values or arrays, by name.

        Whoever writes `state` writes `restore` too.
        """
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave, after `on_train_start`. The arrays are read-only."""


class Watcher(Callback):
    """Base of callbacks that act when a figure of the history improves, and when it has not for some epochs."""

    def __init__(self, monitor: str = "validation_loss", *, patience: int = 5, minimum_change: float = 0.0) -> None:
        name = type(self).__name__
        self.monitor = monitor
        self.patience = whole_number(patience, f"{name}: patience")
        self.minimum_change = real_number(minimum_change, f"{name}: minimum_change")
        self.best_epoch = 0
        self._sign = -1 if monitor.endswith(("accuracy", "score")) else 1

    def on_improvement(self, run: Run) -> None:
        """After an epoch in which the figure was better than ever."""

    def on_plateau(self, run: Run) -> None:
        """After `patience` epochs without an improvement, and again after as many more."""

    def on_train_start(self, run: Run) -> None:
        self.best_epoch, self._waits_since = 0, 0
        self._best = float("inf")

    def state(self) -> dict[str, Any]:
        return {"best": self._best, "best_epoch": self.best_epoch, "waits_since": self._waits_since}

    def restore(self, state: dict[str, Any]) -> None:
        self._best, self.best_epoch, self._waits_since = state["best"], state["best_epoch"], state["waits_since"]

    def on_epoch_end(self, run: Run) -> None:
        value = self._sign * self._figure(run)
        if value < self._best - (self.minimum_change if self.best_epoch else 0):
            self._best, self.best_epoch, self._waits_since = value, run.epoch, run.epoch
            self.on_improvement(run)
        elif run.epoch - self._waits_since >= self.patience:
            self._waits_since = run.epoch
            self.on_plateau(run)

    def _figure(self, run: Run) -> float:
        record = run.history.records[-1]
        if self.monitor not in record:
            need = "; pass validation=..." if self.monitor.startswith("validation") else ""
            known = ", ".join(record)
            raise SettingError(f"{type(self).__name__}: {self.monitor!r} is not measured, only {known}{need}")
        return record[self.monitor]


class EarlyStopping(Watcher):
    """Stops when a figure has not improved for some epochs, and puts the best weights back. Source: mission item B6.

    Args:
        monitor: a name in the history; figures that end in "accuracy" or "score" should grow, all others shrink.
        patience: how many epochs to wait for an improvement.
        minimum_change: what counts as one.

    Raises:
        SettingError: the figure is not measured in this training.

    """

    def on_train_start(self, run: Run) -> None:
        super().on_train_start(run)
        self._weights: dict[str, Array] = {}

    def state(self) -> dict[str, Any]:
        return super().state() | {f"weights of {name}": W for name, W in self._weights.items()}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        before = "weights of "
        self._weights = {name.removeprefix(before): W for name, W in state.items() if name.startswith(before)}

    def on_improvement(self, run: Run) -> None:
        self._weights = {name: W.copy() for name, W in run.network.arrays.items()}

    def on_plateau(self, run: Run) -> None:
        run.stop(f"{self.monitor} has not improved for {self.patience} epochs; best at epoch {self.best_epoch}")

    def on_train_end(self, run: Run) -> None:
        arrays = run.network.arrays
        for name, W in self._weights.items():
            arrays[name][...] = W


class ReduceOnPlateau(Watcher):
    """Lowers the learning rate whenever a figure has not improved for some epochs.

    The optimizer's own setting stays as it is: `run.rate_factor` is lowered, by which every rate is multiplied. The
    history gets "learning_rate", that of the epoch's last step.

    Args:
        monitor: a name in the history; figures that end in "accuracy" or "score" should grow, all others shrink.
        patience: how many epochs to wait for an improvement.
        minimum_change: what counts as one.
        factor: what the rate is multiplied by.
        least: `run.rate_factor` does not get smaller than this.

    Raises:
        SettingError: the figure is not measured in this training.

    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        patience: int = 5,
        minimum_change: float = 0.0,
        factor: float = 0.5,
        least: float = 0.001,
    ) -> None:
        super().__init__(monitor, patience=patience, minimum_change=minimum_change)
        self.factor = positive_number(factor, "ReduceOnPlateau: factor")
        if self.factor >= 1:
            raise SettingError(f"ReduceOnPlateau: factor: expected a number below 1, got {factor!r}")
        self.least = real_number(least, "ReduceOnPlateau: least")

    def on_epoch_end(self, run: Run) -> None:
        run.history.records[-1]["learning_rate"] = run.rate_at(run.step)
        super().on_epoch_end(run)

    def on_plateau(self, run: Run) -> None:
        run.rate_factor = max(run.rate_factor * self.factor, self.least)


class SaveBest(Watcher):
    """Saves the network as a model after each epoch in which a figure was better than ever.

    Args:
        path: of the model file; it is replaced each time.
        monitor: a name in the history; figures that end in "accuracy" or "score" should grow, all others shrink.
        minimum_change: what counts as better.

    Raises:
        SettingError: the figure is not measured in this training.
        OSError: the file cannot be written; the one before is intact.

    """

    def __init__(self, path: Pathlike, monitor: str = "validation_loss", *, minimum_change: float = 0.0) -> None:
        super().__init__(monitor, minimum_change=minimum_change)
        self.path = path

    def on_improvement(self, run: Run) -> None:
        run.network.save(self.path)


class SaveEvery(Callback):
    """Saves the network as a model of its own after every so many epochs.

    Args:
        path: such as "digits-{epoch}.safetensors"; "{epoch}" becomes the number of the epoch, "{epoch:03}" with zeros.
        epochs: how many epochs lie between two of them.

    Raises:
        SettingError: the path does not change with the epoch, or `epochs` is below 1.
        OSError: a file cannot be written.

    """

    def __init__(self, path: Pathlike, *, epochs: int = 1) -> None:
        self.path = os.fspath(path)
        self.epochs = whole_number(epochs, "SaveEvery: epochs")
        try:
            changes = self.path.format(epoch=1) != self.path.format(epoch=2)
        except (LookupError, ValueError):
            changes = False
        if not changes:
            raise SettingError(f"SaveEvery: path: expected one such as 'digits-{{epoch}}.safetensors', got {path!r}")

    def on_epoch_end(self, run: Run) -> None:
        if run.epoch % self.epochs == 0:
            run.network.save(self.path.format(epoch=run.epoch))
