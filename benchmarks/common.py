"""What every benchmark shares: the workloads, their data, and how a training is timed.

Imports NumPy alone, so that the peers can run under another interpreter, where Chainrule is not installed.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

THREADS = int(os.environ.get("CHAINRULE_THREADS") or 2)
for _name in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
):  # read when NumPy and its like are imported
    os.environ[_name] = str(THREADS)

import numpy as np  # noqa: E402

WARM_UP = 1.0  # seconds of training before the clock starts
CHUNK = 0.6  # seconds, at least, of each measurement
CHUNKS = 5  # measurements, of which the median counts


@dataclass(frozen=True)
class Workload:
    """A network, its data and how it is trained. All arithmetic is float32; no padding, all strides 1."""

    what: str
    data: str  # "mnist", "flowers" or "disc"
    batch: int
    optimizer: str  # "sgd", "momentum" or "adam", each with its usual other settings
    rate: float
    sizes: tuple[int, ...] = ()  # of a fully connected network; the two convolutional ones are written out by each peer
    activation: str = ""  # of the hidden layers
    dropout: float = 0.0  # after each hidden layer
    epochs: int = 0  # small workloads are timed over so many epochs at once

    recurrent: bool = False  # the rows of an image are read one after the other; sizes are those of a step

    @property
    def convolutional(self) -> bool:
        """Whether images go in rather than rows."""
        return not self.sizes


MLP = (784, 512, 512, 10)
WORKLOADS = {
    "W1": Workload("784-30-10, sigmoid, SGD 0.5, batch 10", "mnist", 10, "sgd", 0.5, (784, 30, 10), "sigmoid"),
    "W1b": Workload("784-15-10, sigmoid, SGD 0.5, batch 10", "mnist", 10, "sgd", 0.5, (784, 15, 10), "sigmoid"),
    "W2": Workload(
        "784-512-512-10, ReLU, dropout 0.2, Adam 0.001, batch 128", "mnist", 128, "adam", 1e-3, MLP, "relu", dropout=0.2
    ),
    "W2nd": Workload("784-512-512-10, ReLU, Adam 0.001, batch 128", "mnist", 128, "adam", 1e-3, MLP, "relu"),
    "W3": Workload(
        "conv 3×3 1→32, ReLU, conv 3×3 32→64, ReLU, max-pool 2, dropout 0.25, 9216-128-10 with dropout 0.5, "
        "Adam 0.001, batch 64",
        "mnist",
        64,
        "adam",
        1e-3,
    ),
    "W4": Workload(
        "LeNet: conv 5×5 1→6, ReLU, max-pool 2, conv 5×5 6→16, ReLU, max-pool 2, 256-120-84-10, "
        "momentum 0.9 with 0.01, batch 64",
        "mnist",
        64,
        "momentum",
        0.01,
    ),
    "W5": Workload(
        "4-10-3, tanh, Adam 0.01, batch 32, 150 samples", "flowers", 32, "adam", 0.01, (4, 10, 3), "tanh", epochs=200
    ),
    "W6": Workload(
        "2-8-1, tanh, full batch of 1,000 points, SGD 0.5", "disc", 1000, "sgd", 0.5, (2, 8, 1), "tanh", epochs=5000
    ),
    "W8": Workload(
        "tanh RNN 28→128 over the 28 rows of an image, its last state to 10, Adam 0.001, batch 128",
        "mnist",
        128,
        "adam",
        1e-3,
        (28, 128, 10),
        "tanh",
        recurrent=True,
    ),
}


class Trainer(Protocol):
    """A network in training, as one library does it."""

    def steps(self, count: int) -> float:
        """Take `count` steps on batches that lie ready or in the order of the data; the seconds they took."""

    def epochs(self, count: int) -> float:
        """Take whole epochs, shuffled where the batch is not the whole; the seconds they took."""

    def rehearse(self) -> None:
        """Whatever has to be compiled before an epoch can be timed."""

    def cost(self, x: Any, y: Any) -> float:
        """The mean loss on x (N, …) and y (N,): a training that does not learn is no measurement."""


def load(workload: Workload) -> tuple[Any, Any]:
    """x, one row of float32 per sample, and y, labels (N,) int64."""
    if workload.data == "mnist":
        return mnist("train")
    rng = np.random.default_rng(0)
    if workload.data == "flowers":  # three clouds of fifty points in four dimensions
        y = np.repeat(np.arange(3), 50)
        centres = np.array([[0, 0, 0, 0], [1, 2, 1, 0], [2, 1, 0, 2]])
        x = centres[y] + rng.normal(0, 0.5, (150, 4))
    else:  # points of a square, inside or outside of a disc
        x = rng.uniform(-1, 1, (1000, 2))
        y = (np.square(x).sum(axis=1) < 0.5).astype(np.int64)
    return x.astype(np.float32), y.astype(np.int64)


def mnist(part: str) -> tuple[Any, Any]:
    """The images of "train" or "t10k" as float32 rows in 0…1, and their labels, from the folder CHAINRULE_DATA."""
    folder = Path(os.environ.get("CHAINRULE_DATA") or ".")
    x = np.frombuffer(_unpacked(folder, f"{part}-images-idx3-ubyte"), np.uint8, offset=16).reshape(-1, 784)
    y = np.frombuffer(_unpacked(folder, f"{part}-labels-idx1-ubyte"), np.uint8, offset=8)
    return np.divide(x, 255, dtype=np.float32), y.astype(np.int64)


def _unpacked(folder: Path, name: str) -> bytes:
    for path in (folder / f"{name}.gz", folder / "mnist" / f"{name}.gz"):
        if path.exists():
            return gzip.decompress(path.read_bytes())
    sys.exit(f"{name}.gz is not in {folder}: set CHAINRULE_DATA to the folder with the four files of MNIST")


def batches(x: Any, y: Any, size: int, count: int = 300) -> list[tuple[Any, Any]]:
    """The first `count` whole batches."""
    return [(x[i * size : (i + 1) * size], y[i * size : (i + 1) * size]) for i in range(min(count, len(x) // size))]


class StepByStep:
    """A Trainer for libraries whose user writes the loop: `step(x, y)` on one batch, `finish()` until all is done."""

    def __init__(self, workload: Workload, x: Any, y: Any, pick: Callable[[Any, Any], Any]) -> None:
        self.workload, self.x, self.y, self.pick = workload, x, y, pick
        self.ready = batches(x, y, workload.batch)

    def step(self, x: Any, y: Any) -> None:
        """One step on one batch."""
        raise NotImplementedError

    def finish(self) -> None:
        """Wait for what runs in the background."""

    def order(self) -> Any:
        """A new order of the rows."""
        return np.random.default_rng().permutation(len(self.x))

    def rehearse(self) -> None:
        rest = len(self.x) % self.workload.batch
        if rest:
            self.step(self.pick(self.x, np.arange(rest)), self.pick(self.y, np.arange(rest)))
        self.finish()

    def steps(self, count: int) -> float:
        start = time.perf_counter()
        for i in range(count):
            self.step(*self.ready[i % len(self.ready)])
        self.finish()
        return time.perf_counter() - start

    def epochs(self, count: int) -> float:
        size, samples = self.workload.batch, len(self.x)
        start = time.perf_counter()
        for _ in range(count):
            if size == samples:
                self.step(self.x, self.y)
                continue
            order = self.order()
            for begin in range(0, samples, size):
                rows = order[begin : begin + size]
                self.step(self.pick(self.x, rows), self.pick(self.y, rows))
        self.finish()
        return time.perf_counter() - start


def measure(workload: Workload, trainer: Trainer, samples: int, *, whole_epoch: bool) -> dict[str, float]:
    """Samples per second of steady training, and the seconds of a whole epoch where it is asked for."""
    if workload.epochs:
        trainer.epochs(workload.epochs)
        seconds = statistics.median(trainer.epochs(workload.epochs) for _ in range(CHUNKS)) / workload.epochs
        return {"samples_per_second": samples / seconds, "epoch_seconds": seconds}
    trainer.steps(2)
    count, seconds, begun = 1, 0.0, time.perf_counter()
    while seconds < CHUNK or time.perf_counter() - begun < WARM_UP:  # find out how many steps fill a chunk
        count = 2 * count if seconds < CHUNK / 2 else count + count // 2 + 1 if seconds < CHUNK else count
        seconds = trainer.steps(count)
    rates = [count * workload.batch / trainer.steps(count) for _ in range(CHUNKS)]
    figures = {"samples_per_second": statistics.median(rates)}
    if whole_epoch:
        trainer.rehearse()
        figures["epoch_seconds"] = statistics.median(trainer.epochs(1) for _ in range(3 if count > 100 else 1))
    return figures


def latencies(predict: Callable[[int], Any], seconds: float = 1.5) -> dict[str, float]:
    """Microseconds of predict(i), i < 512: one sample at a time, one call after the other."""
    begun, i = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds or i < 20:
        predict(i % 512)
        i += 1
    taken = []
    for i in range(4000):
        start = time.perf_counter()
        predict(i % 512)
        taken.append((time.perf_counter() - start) * 1e6)
    taken.sort()
    return {"median_us": taken[2000], "p99_us": taken[3960]}


def main(
    peer: str,
    variants: tuple[str, ...],
    trainer: Callable[[str, Workload, str], tuple[Trainer, int]] | None,
    predictor: Callable[[str, str], Callable[[int], Any]],
) -> None:
    """The command line of every peer: one measurement in this fresh process, printed as one line of JSON."""
    parser = argparse.ArgumentParser(description=f"One measurement of {peer}, as one line of JSON.")
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--variant", choices=variants, default=variants[0])
    parser.add_argument("--epoch", action="store_true", help="measure a whole epoch too, shuffling included")
    parser.add_argument("--latency", action="store_true", help="time the prediction of one sample instead")
    asked = parser.parse_args()
    said = {"peer": peer, "workload": asked.workload, "variant": asked.variant, "threads": THREADS}
    if asked.latency:
        figures = latencies(predictor(asked.workload, asked.variant))
    elif trainer is None:
        sys.exit(f"{peer} does not train")
    else:
        workload = WORKLOADS[asked.workload]
        made, samples = trainer(asked.workload, workload, asked.variant)
        figures = measure(workload, made, samples, whole_epoch=asked.epoch)
        figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        x, y = load(workload)
        figures["cost"] = made.cost(x[:1000], y[:1000])
    print(json.dumps(said | {name: float(f"{value:.5g}") for name, value in figures.items()}), flush=True)


def installed(*packages: str) -> bool:
    """Whether all of these can be imported."""
    return all(importlib.util.find_spec(package) for package in packages)
