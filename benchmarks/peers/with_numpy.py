"""NumPy by hand: batches as matrices, everything that can be in place is. What one gets without any library.

python -m benchmarks.peers.with_numpy W1
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.common import StepByStep, Workload, load, main, mnist

BETA1, BETA2, EPSILON = np.float32(0.9), np.float32(0.999), np.float32(1e-8)


class Network(StepByStep):
    """A fully connected network of a workload; one flat array holds all parameters, so that one call updates them."""

    def __init__(self, workload: Workload, x: Any, y: Any) -> None:
        super().__init__(workload, x, y, lambda array, rows: array[rows])
        rng = np.random.default_rng(0)
        shapes = [shape for i, o in zip(workload.sizes, workload.sizes[1:], strict=False) for shape in ((i, o), (o,))]
        self.flat, self.W, self.b = _parts(shapes)
        self.gradient, self.dW, self.db = _parts(shapes)
        for W in self.W:
            W[...] = rng.uniform(-1, 1, W.shape) / np.sqrt(len(W))
        self.mean, self.square, self.spare = (np.zeros_like(self.flat) for _ in range(3))
        self.taken = 0
        self.random = np.random.Generator(np.random.SFC64(0))

    def step(self, x: Any, y: Any) -> None:
        outputs, slopes = self.forward(x, training=True)
        delta = self.answer(outputs.pop())
        if self.workload.data == "disc":
            delta[:, 0] -= y
        else:
            delta[np.arange(len(y)), y] -= 1
        delta *= np.float32(1 / len(y))
        for i in reversed(range(len(self.W))):
            np.matmul(outputs[i].T, delta, out=self.dW[i])
            np.sum(delta, axis=0, out=self.db[i])
            if i:
                delta = delta @ self.W[i].T
                delta *= slopes[i - 1]
        self.update()

    def forward(self, x: Any, *, training: bool) -> tuple[list[Any], list[Any]]:
        """The output of each layer after x, and the slopes of the hidden ones, dropout included."""
        outputs, slopes = [x], []
        for W, b in zip(self.W[:-1], self.b[:-1], strict=True):
            h = outputs[-1] @ W
            h += b
            slopes.append(self.activate(h, training=training))
            if training and self.workload.dropout:
                kept = self.random.random(h.shape, dtype=np.float32) >= self.workload.dropout
                kept = kept * np.float32(1 / (1 - self.workload.dropout))
                h *= kept
                slopes[-1] = slopes[-1] * kept
            outputs.append(h)
        return [*outputs, outputs[-1] @ self.W[-1] + self.b[-1]], slopes

    def activate(self, h: Any, *, training: bool) -> Any:
        """The activation in the place of h; its slope."""
        if self.workload.activation == "relu":
            np.maximum(h, 0, out=h)
            return h > 0 if training else None
        if self.workload.activation == "tanh":
            np.tanh(h, out=h)
            return 1 - h * h if training else None
        np.negative(h, out=h)
        np.exp(h, out=h)
        h += 1
        np.reciprocal(h, out=h)
        return h * (1 - h) if training else None

    def answer(self, f: Any) -> Any:
        """Probabilities in the place of the scores f."""
        if self.workload.data == "disc":
            return np.reciprocal(1 + np.exp(-f))
        f -= f.max(axis=1, keepdims=True)
        np.exp(f, out=f)
        f /= f.sum(axis=1, keepdims=True)
        return f

    def update(self) -> None:
        g, m, s, spare = self.gradient, self.mean, self.square, self.spare
        if self.workload.optimizer == "sgd":
            g *= np.float32(self.workload.rate)
            self.flat -= g
            return
        self.taken += 1
        m *= BETA1
        np.multiply(g, 1 - BETA1, out=spare)
        m += spare
        s *= BETA2
        g *= g
        g *= 1 - BETA2
        s += g
        root = np.sqrt(1 - float(BETA2) ** self.taken)
        np.sqrt(s, out=spare)
        spare += EPSILON * np.float32(root)
        np.divide(m, spare, out=spare)
        spare *= np.float32(self.workload.rate * root / (1 - float(BETA1) ** self.taken))
        self.flat -= spare

    def cost(self, x: Any, y: Any) -> float:
        p = self.answer(self.forward(x, training=False)[0][-1])
        if self.workload.data == "disc":
            return float(-np.log(np.where(y, p[:, 0], 1 - p[:, 0])).mean())
        return float(-np.log(p[np.arange(len(y)), y]).mean())


def _parts(shapes: list[tuple[int, ...]]) -> tuple[Any, list[Any], list[Any]]:
    """One array of zeros, and views of it in these shapes: weights, biases."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    flat = np.zeros(ends[-1], np.float32)
    views = [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]
    return flat, views[::2], views[1::2]


def training(name: str, workload: Workload, variant: str) -> tuple[Network, int]:
    x, y = load(workload)
    return Network(workload, x, y), len(x)


def prediction(name: str, variant: str) -> Callable[[int], Any]:
    from benchmarks.common import WORKLOADS

    x, y = mnist("t10k")
    made = Network(WORKLOADS[name], x[:512], y[:512])
    return lambda i: made.answer(made.forward(x[i : i + 1], training=False)[0][-1])


if __name__ == "__main__":
    main("NumPy", ("by hand",), training, prediction)
