"""scikit-learn's callbacks (1.9 and newer) hear of a training; older versions have none."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from chainrule.training import Callback, Run

__all__ = ["CallbackSupportMixin", "Tasks", "with_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing: this scikit-learn has no callbacks."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """The method as it is."""
        return method


class Tasks(Callback):
    """Tells the callbacks of an estimator of its `fit` as a task, and of each epoch as a task within it.

    A callback may stop the training. It sees the estimator as it would be, had `fit` ended with that epoch; there the
    network is a copy, so that it stays as it is.

    Args:
        estimator: that is being fitted; its `network_` is in training.
        epochs: how many there will be, at most.
        X: the samples, as the user gave them.
        y: the targets, likewise.
        sample_weight: likewise.

    """

    def __init__(self, estimator: Any, epochs: int, X: Any, y: Any, sample_weight: Any) -> None:
        self._estimator = estimator
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        self._given = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._fit = estimator._init_callback_context(max_subtasks=epochs)
        self._fit.call_on_fit_task_begin(**self._given)

    def on_train_start(self, run: Run) -> None:
        self._begin()

    def on_epoch_end(self, run: Run) -> None:
        if self._epoch.call_on_fit_task_end(**self._given, reconstruction_attributes=self._as_it_is):
            run.stop("a callback of scikit-learn's asked to stop")
        if not run.stopping and run.epoch < run.epochs:
            self._begin()

    def on_train_end(self, run: Run) -> None:
        self._fit.call_on_fit_task_end(**self._given, reconstruction_attributes=self._as_it_is)

    def _begin(self) -> None:
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._given)

    def _as_it_is(self) -> dict[str, Any]:
        return {"network_": deepcopy(self._estimator.network_)}
