"""Callbacks: code of the user's that runs at the events of a training."""

from chainrule.arrays import Array
from chainrule.configuration import positive_number, real_number, whole_number
from chainrule.errors import SettingError
from chainrule.training.run import Run


class Callback:
    """Override what you need. An exception raised here ends the training and leaves the last whole step."""

    def on_train_start(self, run: Run) -> None:
        """Before the first step."""

    def on_step_end(self, run: Run) -> None:
        """After each step."""

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch, when its record stands at the end of `run.history.records`."""

    def on_train_end(self, run: Run) -> None:
        """After the last epoch, also when a callback asked to stop."""


class Watcher(Callback):
    """Base of callbacks that act when a figure of the history improves, and when it has not for some epochs."""

    def __init__(self, monitor: str = "validation_loss", *, patience: int = 5, minimum_change: float = 0.0) -> None:
        name = type(self).__name__
        self.monitor = monitor
        self.patience = whole_number(patience, f"{name}: patience")
        self.minimum_change = real_number(minimum_change, f"{name}: minimum_change")
        self.best_epoch = 0
        self._sign = -1 if monitor.endswith("accuracy") else 1

    def on_improvement(self, run: Run) -> None:
        """After an epoch in which the figure was better than ever."""

    def on_plateau(self, run: Run) -> None:
        """After `patience` epochs without an improvement, and again after as many more."""

    def on_train_start(self, run: Run) -> None:
        self.best_epoch, self._waits_since = 0, 0
        self._best = float("inf")

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
        monitor: a name in the history; figures that end in "accuracy" should grow, all others shrink.
        patience: how many epochs to wait for an improvement.
        minimum_change: what counts as one.

    Raises:
        SettingError: the figure is not measured in this training.

    """

    def on_train_start(self, run: Run) -> None:
        super().on_train_start(run)
        self._weights: dict[str, Array] = {}

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
        monitor: a name in the history; figures that end in "accuracy" should grow, all others shrink.
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
