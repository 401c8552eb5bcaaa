"""Callbacks: code of the user's that runs at the events of a training."""

from chainrule.arrays import Array
from chainrule.configuration import real_number, whole_number
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


class EarlyStopping(Callback):
    """Stops when a figure has not improved for some epochs, and puts the best weights back. Source: mission item B6.

    Args:
        monitor: a name in the history; figures that end in "accuracy" should grow, all others shrink.
        patience: how many epochs to wait for an improvement.
        minimum_change: what counts as one.

    Raises:
        SettingError: the figure is not measured in this training.

    """

    def __init__(self, monitor: str = "validation_loss", *, patience: int = 5, minimum_change: float = 0.0) -> None:
        self.monitor = monitor
        self.patience = whole_number(patience, "EarlyStopping: patience")
        self.minimum_change = real_number(minimum_change, "EarlyStopping: minimum_change")
        self.best_epoch = 0
        self._sign = -1 if monitor.endswith("accuracy") else 1

    def on_train_start(self, run: Run) -> None:
        self.best_epoch = 0
        self._best = float("inf")
        self._weights: dict[str, Array] = {}

    def on_epoch_end(self, run: Run) -> None:
        record = run.history.records[-1]
        if self.monitor not in record:
            need = "; pass validation=..." if self.monitor.startswith("validation") else ""
            raise SettingError(f"EarlyStopping: {self.monitor!r} is not measured, only {', '.join(record)}{need}")
        value = self._sign * record[self.monitor]
        if value < self._best - (self.minimum_change if self.best_epoch else 0):
            self._best, self.best_epoch = value, run.epoch
            self._weights = {name: W.copy() for name, W in run.network.parameters.items()}
        elif run.epoch - self.best_epoch >= self.patience:
            run.stop(f"{self.monitor} has not improved for {self.patience} epochs; best at epoch {self.best_epoch}")

    def on_train_end(self, run: Run) -> None:
        parameters = run.network.parameters
        for name, W in self._weights.items():
            parameters[name][...] = W
