"""JAX on the CPU: a compiled step called from Python, or a whole epoch in one compiled scan.

python -m benchmarks.peers.with_jax W1 --variant scan

Dropout draws its bits from the quick generator ("unsafe_rbg"), as one does for speed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from benchmarks.common import THREADS, WORKLOADS, StepByStep, Workload, load, main, mnist

os.environ["JAX_PLATFORMS"] = "cpu"
if THREADS == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "tanh": jnp.tanh}
CONVOLUTIONS = {"W3": ((3, 3, 1, 32), (3, 3, 32, 64)), "W4": ((5, 5, 1, 6), (5, 5, 6, 16))}
SIZES = {"W3": (9216, 128, 10), "W4": (256, 120, 84, 10)}


def first_parameters(name: str, workload: Workload) -> Any:
    """Weights and biases, layer by layer."""
    rng = np.random.default_rng(0)
    sizes = workload.sizes or SIZES[name]
    shapes = [*CONVOLUTIONS.get(name, ()), *pairwise(sizes)]
    made = [
        (
            jnp.asarray(rng.uniform(-1, 1, shape) / np.sqrt(np.prod(shape[:-1])), jnp.float32),
            jnp.zeros(shape[-1], jnp.float32),
        )
        for shape in shapes
    ]
    if workload.recurrent:
        made.insert(1, jnp.asarray(np.linalg.qr(rng.normal(size=(sizes[1], sizes[1])))[0], jnp.float32))
    return made


def scores(name: str, parameters: Any, x: Any, key: Any) -> Any:
    """The scores of a batch; with dropout where there is a key."""
    if name == "W3":
        (W0, b0), (W1, b1), (W2, b2), (W3, b3) = parameters
        x = jax.nn.relu(convolve(jax.nn.relu(convolve(x, W0, b0)), W1, b1))
        x = dropout(halved(x), 0.25, key, 0).reshape(len(x), -1)
        return dropout(jax.nn.relu(x @ W2 + b2), 0.5, key, 1) @ W3 + b3
    if WORKLOADS[name].recurrent:
        (W, b), U, (V, c) = parameters
        return last_state(x.reshape(len(x), -1, len(W)) @ W + b, U) @ V + c
    if name == "W4":
        for W, b in parameters[:2]:
            x = halved(jax.nn.relu(convolve(x, W, b)))
        x = x.reshape(len(x), -1)
        activate, rate, dense = jax.nn.relu, 0.0, parameters[2:]
    else:
        activate, rate, dense = ACTIVATIONS[WORKLOADS[name].activation], WORKLOADS[name].dropout, parameters
    for place, (W, b) in enumerate(dense[:-1]):
        x = dropout(activate(x @ W + b), rate, key, place)
    W, b = dense[-1]
    return x @ W + b


def last_state(a: Any, U: Any) -> Any:
    """The last state of a tanh RNN, from x W + b for all steps; unrolled, which is quicker than a scan."""
    h = jnp.zeros_like(a[:, 0])
    for t in range(a.shape[1]):
        h = jnp.tanh(a[:, t] + h @ U)
    return h


def convolve(x: Any, W: Any, b: Any) -> Any:
    """Images (N, H, W, C), the order that is quick on a CPU."""
    return lax.conv_general_dilated(x, W, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b


def halved(x: Any) -> Any:
    """2 × 2 max pooling."""
    N, H, W, C = x.shape
    return x.reshape(N, H // 2, 2, W // 2, 2, C).max(axis=(2, 4))


def dropout(x: Any, rate: float, key: Any, place: int) -> Any:
    """x, or nothing, with probability `rate`."""
    if key is None or not rate:
        return x
    kept = jax.random.bernoulli(jax.random.fold_in(key, place), 1 - rate, x.shape)
    return jnp.where(kept, x / (1 - rate), 0)


def mean_loss(name: str, parameters: Any, x: Any, y: Any, key: Any = None) -> Any:
    """The mean loss of a batch."""
    f = scores(name, parameters, x, key)
    if WORKLOADS[name].data == "disc":
        return (jax.nn.softplus(f[:, 0]) - y * f[:, 0]).mean()
    return -jnp.take_along_axis(jax.nn.log_softmax(f), y[:, None], axis=1).mean()


def step(name: str, state: Any, x: Any, y: Any) -> Any:
    """One step: the state is (parameters, what the optimizer remembers, steps taken, random key)."""
    workload, (W, memory, taken, key) = WORKLOADS[name], state
    key, now = jax.random.split(key) if workload.dropout or name == "W3" else (key, None)
    dW = jax.grad(partial(mean_loss, name))(W, x, y, now)
    taken += 1
    if workload.optimizer == "sgd":
        W = jax.tree.map(lambda W, dW: W - workload.rate * dW, W, dW)
    elif workload.optimizer == "momentum":
        memory = jax.tree.map(lambda v, dW: 0.9 * v + dW, memory, dW)
        W = jax.tree.map(lambda W, v: W - workload.rate * v, W, memory)
    else:
        m, s = memory
        m = jax.tree.map(lambda m, dW: 0.9 * m + 0.1 * dW, m, dW)
        s = jax.tree.map(lambda s, dW: 0.999 * s + 0.001 * dW * dW, s, dW)
        rate, root = workload.rate / (1 - 0.9**taken), jnp.sqrt(1 - 0.999**taken)
        W = jax.tree.map(lambda W, m, s: W - rate * m / (jnp.sqrt(s) / root + 1e-8), W, m, s)
        memory = (m, s)
    return W, memory, taken, key


class Network(StepByStep):
    """A workload in training: the variant "jit" step by step, the variant "scan" below."""

    def __init__(self, name: str, workload: Workload, x: Any, y: Any) -> None:
        super().__init__(workload, x, y, lambda array, rows: array[rows])  # NumPy holds the data and picks the rows
        self.ready = [(jnp.asarray(x), jnp.asarray(y)) for x, y in self.ready]
        self.name = name
        W = first_parameters(name, workload)
        zeros = jax.tree.map(jnp.zeros_like, W)
        copies = jax.tree.map(jnp.zeros_like, W)
        memory = {"sgd": (), "momentum": zeros, "adam": (zeros, copies)}[workload.optimizer]
        self.state = (W, memory, jnp.zeros(()), jax.random.key(0, impl="unsafe_rbg"))
        self.compiled = jax.jit(partial(step, name), donate_argnums=0)

    def step(self, x: Any, y: Any) -> None:
        self.state = self.compiled(self.state, x, y)

    def finish(self) -> None:
        jax.block_until_ready(self.state)

    def cost(self, x: Any, y: Any) -> float:
        return float(mean_loss(self.name, self.state[0], _shaped(x, self.workload), y))


class Scan(Network):
    """Many steps in one call."""

    def __init__(self, name: str, workload: Workload, x: Any, y: Any) -> None:
        super().__init__(name, workload, x, y)
        self.ready = []
        self.x, self.y = jnp.asarray(x), jnp.asarray(y)
        whole = min(len(x) // workload.batch, 300)
        self.xs, self.ys = (a[: whole * workload.batch].reshape(whole, -1, *a.shape[1:]) for a in (self.x, self.y))
        self.in_order = jax.jit(self._in_order, donate_argnums=0)
        self.shuffled = jax.jit(self._shuffled, donate_argnums=0, static_argnums=3)

    def rehearse(self) -> None:
        self.epochs(1)

    def steps(self, count: int) -> float:
        start, whole = time.perf_counter(), len(self.xs)
        for begin in range(0, count, whole):
            self.state = self.in_order(self.state, self.xs, self.ys, min(whole, count - begin))
        self.finish()
        return time.perf_counter() - start

    def epochs(self, count: int) -> float:
        start = time.perf_counter()
        self.state = self.shuffled(self.state, self.x, self.y, count)
        self.finish()
        return time.perf_counter() - start

    def _in_order(self, state: Any, xs: Any, ys: Any, count: Any) -> Any:
        return lax.fori_loop(0, count, lambda i, state: step(self.name, state, xs[i], ys[i]), state)

    def _shuffled(self, state: Any, x: Any, y: Any, count: int) -> Any:
        size, samples = self.workload.batch, len(x)
        whole = samples // size

        def epoch(state: Any, key: Any) -> Any:
            if size == samples:
                return step(self.name, state, x, y), None
            order = jax.random.permutation(key, samples)
            batches = order[: whole * size].reshape(whole, size)
            state, _ = lax.scan(lambda state, rows: (step(self.name, state, x[rows], y[rows]), None), state, batches)
            if samples % size:
                state = step(self.name, state, x[order[whole * size :]], y[order[whole * size :]])
            return state, None

        keys = jax.random.split(jax.random.key(1), count)
        return lax.scan(epoch, state, keys)[0]


def _shaped(x: Any, workload: Workload) -> Any:
    return x.reshape(-1, 28, 28, 1) if workload.convolutional else x


def training(name: str, workload: Workload, variant: str) -> tuple[Network, int]:
    x, y = load(workload)
    made = Scan if variant == "scan" else Network
    return made(name, workload, _shaped(x, workload), y.astype(np.int32)), len(x)


def prediction(name: str, variant: str) -> Callable[[int], Any]:
    workload = WORKLOADS[name]
    parameters = first_parameters(name, workload)
    x = _shaped(mnist("t10k")[0][:512], workload)
    answer = jax.jit(lambda W, x: jax.nn.softmax(scores(name, W, x, None)))
    return lambda i: np.asarray(answer(parameters, x[i : i + 1]))


if __name__ == "__main__":
    main("JAX", ("jit", "scan"), training, prediction)
