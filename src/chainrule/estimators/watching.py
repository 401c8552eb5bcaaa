"""Callbacks of the estimators: a score on the samples held back, and what an optimizer remembers from call to call."""

from __future__ import annotations

from copy import copy
from typing import Any

from sklearn.metrics import check_scoring

from chainrule.arrays import Array
from chainrule.training import Callback, Run


class Scored(Callback):
    """After each epoch the history gets "validation_score", by any metric of scikit-learn's or of the user's.

    Args:
        estimator: that is being fitted; its `network_` is in training.
        scoring: the name of a scorer, or `scorer(estimator, X, y)`, which gives more for better.
        X: the samples held back, checked.
        y: their targets.

    """

    def __init__(self, estimator: Any, scoring: Any, X: Array, y: Array) -> None:
        self._scorer = check_scoring(estimator, scoring)
        self._estimator = copy(estimator)
        self._estimator.__dict__.pop("feature_names_in_", None)  # checked samples have no names any more
        self._X, self._y = X, y

    def on_epoch_end(self, run: Run) -> None:
        run.history.records[-1]["validation_score"] = float(self._scorer(self._estimator, self._X, self._y))


class Memory(Callback):
    """Lets an optimizer go on where it was: what it remembers of every weight, and how many steps it has taken.

    The steps count on, so that Adam's correction for its first steps is not made again.
    """

    def __init__(self) -> None:
        self._steps = 0
        self._arrays: dict[str, Array] = {}

    def on_train_start(self, run: Run) -> None:
        for name, array in self._arrays.items():
            run.slot_arrays[name][...] = array
        run.step = self._steps

    def on_train_end(self, run: Run) -> None:
        self._steps = run.step
        self._arrays = {name: array.copy() for name, array in run.slot_arrays.items()}
