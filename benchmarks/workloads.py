"""Chainrule's side of the workloads.

python -m benchmarks.workloads W2            samples per second, peak memory, the loss reached: one line of JSON
python -m benchmarks.workloads W2 --epoch    a whole epoch too
python -m benchmarks.workloads W2 --latency  one sample predicted
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.common import THREADS, WORKLOADS, Workload, load, main

import chainrule as cr

ACTIVATIONS = {"sigmoid": cr.Sigmoid, "relu": cr.ReLU, "tanh": cr.Tanh}


def network(name: str, seed: int = 0) -> cr.Network:
    """The network of a workload."""
    workload = WORKLOADS[name]
    if name == "W3":
        layers = [cr.Reshape((1, 28, 28)), cr.Conv2D(32, 3), cr.ReLU(), cr.Conv2D(64, 3), cr.ReLU(), cr.MaxPool2D(2)]
        layers += [cr.Dropout(0.25), cr.Flatten(), cr.Linear(128), cr.ReLU(), cr.Dropout(0.5), cr.Linear(10)]
    elif name == "W4":
        layers = [cr.Reshape((1, 28, 28))]
        for channels in (6, 16):
            layers += [cr.Conv2D(channels, 5), cr.ReLU(), cr.MaxPool2D(2)]
        layers += [cr.Flatten(), cr.Linear(120), cr.ReLU(), cr.Linear(84), cr.ReLU(), cr.Linear(10)]
    elif workload.recurrent:
        features, hidden, classes = workload.sizes
        layers = [cr.Reshape((-1, features)), cr.RNN(hidden, workload.activation), cr.Linear(classes)]
    else:
        layers = []
        for size in workload.sizes[1:-1]:
            layers += [cr.Linear(size), ACTIVATIONS[workload.activation]()]
            layers += [cr.Dropout(workload.dropout)] if workload.dropout else []
        layers += [cr.Linear(workload.sizes[-1])]
    return cr.Network(layers, cr.BinaryCrossEntropy() if workload.data == "disc" else cr.CrossEntropy(), seed=seed)


def optimizer(workload: Workload) -> cr.Optimizer:
    """The optimizer of a workload."""
    made = {"sgd": cr.SGD, "momentum": cr.Momentum, "adam": cr.Adam}[workload.optimizer]
    return made(learning_rate=workload.rate)


class Clock(cr.Callback):
    """From the first step to the last: checking data and recording the tape come before, as compiling does in peers."""

    def on_train_start(self, run: Any) -> None:
        self.start = time.perf_counter()

    def on_train_end(self, run: Any) -> None:
        self.seconds = time.perf_counter() - self.start


class Training:
    """A workload in training by `cr.train`."""

    def __init__(self, name: str, workload: Workload) -> None:
        self.workload, self.network, self.optimizer = workload, network(name), optimizer(workload)
        self.x, self.y = cr.data.load_mnist().train if workload.data == "mnist" else load(workload)

    def rehearse(self) -> None:
        """Nothing: a tape is recorded before the clock starts."""

    def steps(self, count: int) -> float:
        """In the order of the data: nothing is shuffled, but batches are gathered all the same."""
        batch = self.workload.batch
        rows = min(count, len(self.x) // batch, 300) * batch
        return (
            self._train(rows, -(-count * batch // rows), shuffle=False)
            * count
            * batch
            / (rows * -(-count * batch // rows))
        )

    def epochs(self, count: int) -> float:
        return self._train(len(self.x), count, shuffle=True)

    def _train(self, rows: int, epochs: int, *, shuffle: bool) -> float:
        clock = Clock()
        cr.train(
            self.network,
            (self.x[:rows], self.y[:rows]),
            epochs=epochs,
            batch_size=self.workload.batch,
            optimizer=self.optimizer,
            shuffle=shuffle,
            callbacks=[clock],
            progress=False,
        )
        return clock.seconds

    def cost(self, x: Any, y: Any) -> float:
        return self.network.evaluate(x, y)["loss"]


def training(name: str, workload: Workload, variant: str) -> tuple[Training, int]:
    cr.kernels.set_threads(THREADS)
    made = Training(name, workload)
    return made, len(made.x)


def prediction(name: str, variant: str) -> Callable[[int], Any]:
    cr.kernels.set_threads(THREADS)
    x = cr.data.load_mnist().test[0][:512]
    made = network(name)
    made.build(x.shape[1:])
    return lambda i: made.predict(x[i : i + 1])


if __name__ == "__main__":
    main("chainrule", ("train",), training, prediction)
