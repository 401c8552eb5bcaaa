"""scikit-learn's MLPClassifier: no dropout, no convolution; an epoch is `partial_fit`, shuffling included.

python -m benchmarks.peers.with_sklearn W1
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.common import WORKLOADS, Workload, load, main, mnist
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore")  # that it has not converged yet is no news here


def classifier(workload: Workload, epochs: int) -> MLPClassifier:
    """The workload's network, for `fit` over so many epochs."""
    sgd = {"momentum": 0.0, "nesterovs_momentum": False}
    return MLPClassifier(
        workload.sizes[1:-1],
        {"sigmoid": "logistic"}.get(workload.activation, workload.activation),
        solver=workload.optimizer,
        learning_rate_init=workload.rate,
        batch_size=workload.batch,
        alpha=0.0,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=epochs + 1,
        random_state=0,
        **(sgd if workload.optimizer == "sgd" else {}),
    )


class Classifier:
    """A workload in training. Steps cannot be had one by one: they are counted in whole passes over a part."""

    def __init__(self, workload: Workload, x: Any, y: Any) -> None:
        self.workload, self.x, self.y = workload, x, y
        self.made = classifier(workload, 1)

    def rehearse(self) -> None:
        """Nothing is compiled."""

    def steps(self, count: int) -> float:
        rows = min(count * self.workload.batch, len(self.x))
        seconds = 0.0
        for _ in range(-(-count * self.workload.batch // rows)):
            seconds += self._pass(rows)
        return seconds * count * self.workload.batch / (rows * -(-count * self.workload.batch // rows))

    def epochs(self, count: int) -> float:
        if self.workload.epochs:
            start = time.perf_counter()
            self.made = classifier(self.workload, count).fit(self.x, self.y)
            return time.perf_counter() - start
        return sum(self._pass(len(self.x)) for _ in range(count))

    def _pass(self, rows: int) -> float:
        start = time.perf_counter()
        self.made.partial_fit(self.x[:rows], self.y[:rows], classes=np.arange(10))
        return time.perf_counter() - start

    def cost(self, x: Any, y: Any) -> float:
        p = self.made.predict_proba(x)
        return float(-np.log(p[np.arange(len(y)), y]).mean())


def training(name: str, workload: Workload, variant: str) -> tuple[Classifier, int]:
    x, y = load(workload)
    return Classifier(workload, x, y), len(x)


def prediction(name: str, variant: str) -> Callable[[int], Any]:
    x, _ = mnist("t10k")
    made = classifier(WORKLOADS[name], 1)
    made.partial_fit(x[:512], np.arange(512) % 10, classes=np.arange(10))
    return lambda i: made.predict_proba(x[i : i + 1])


if __name__ == "__main__":
    main("scikit-learn", ("partial_fit",), training, prediction)
