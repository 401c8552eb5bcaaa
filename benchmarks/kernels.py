"""How near the kernels come to what the machine can do, measured in the same run.

    python -m benchmarks.kernels

Products and convolutions in GFLOP/s, against the fused multiply-adds that peak.cpp gets out of the registers;
operations bound by memory in GB/s, against its triad on as many bytes; and what a call costs beyond its arithmetic. A
kernel is timed as the tape runs it: on buffers that stay where they are. Each figure is the best of several, as the
peak's is: what disturbs a measurement only ever makes it slower. Needs g++.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.run import print_table

from chainrule import kernels
from chainrule.operations.activations import relu_backward, relu_forward
from chainrule.operations.batches import gather_bytes, gather_rows
from chainrule.operations.convolution import convolution_backward, convolution_backward_parameters, convolution_forward
from chainrule.operations.dropout import dropout_backward, dropout_forward
from chainrule.operations.linear import linear_backward, linear_backward_parameters, linear_forward
from chainrule.operations.losses import mean_forward
from chainrule.operations.pooling import max_pool_backward, max_pool_forward
from chainrule.operations.updates import adam_update, momentum_update, sgd_update

THREADS = (1, 2)
VECTOR_BYTES = {"x86-64-v4": "64", "x86-64-v3": "32"}
REPEATS = 9
SLICE = 0.03  # seconds of one repeat

rng = np.random.default_rng(0)


def floats(*shape: int) -> Any:
    """Random numbers, none of them zero."""
    return rng.uniform(0.5, 1.5, shape).astype(np.float32)


def images(samples: int, channels: int, height: int, width: int) -> Any:
    """(N, C, H, W), pixel by pixel in memory, as the kernels hold images."""
    return floats(samples, height, width, channels).transpose(0, 3, 1, 2)


class Replay:
    """Calls of operations, recorded once and replayed natively, over and over."""

    def __init__(self, work: Callable[[], Any], arrays: list[Any], *, in_place: bool = False) -> None:
        loss, index = floats(1), np.zeros(1, np.int64)
        self.tape, self.counter, self.rate = kernels.Tape(), kernels.Cell(), kernels.Cell()
        for array in (*arrays, loss, index):
            self.tape.know(array)
        self.tape.start()
        try:
            guarded = mean_forward(loss)  # every tape looks at one number before it goes on
            made = work()
        finally:
            self.tape.stop()
        if self.tape.failure or not self.tape.guard(guarded):
            sys.exit(f"cannot be recorded: {self.tape.failure}")
        if in_place:  # an update writes over what it read, as it does in training
            for target, source in zip(
                (arrays[0], *arrays[2:]), made if isinstance(made, tuple) else (made,), strict=True
            ):
                self.tape.assign(target, source)
        self.program = kernels.Program(1, 1, False, 0, 0)
        self.program.use(self.tape, index)
        self.program.rates(np.zeros(1))  # nothing here has a learning rate that changes
        self.kept = (arrays, made)

    def seconds(self) -> float:
        """One replay, at best."""
        count, taken = 1, 0.0
        while taken < SLICE / 2:
            count, taken = 2 * count, self._run(2 * count)
        return min(self._run(count) for _ in range(REPEATS)) / count

    def _run(self, count: int) -> float:
        start = time.perf_counter()
        self.program.play(1, 0, count, 60.0, self.counter, self.rate)
        return time.perf_counter() - start


def peaks(sizes: set[int]) -> dict[int, Any]:
    """What the machine can do on one thread and on two: {"gflops": {"64": …, "32": …}, "triad": {bytes: GB/s}}."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        source = Path(__file__).with_name("peak.cpp")
        flags = ["-std=gnu++20", "-O3", "-march=native", "-pthread"]
        subprocess.run(["g++", *flags, str(source), "-o", str(program)], check=True)
        return {
            count: json.loads(subprocess.check_output([program, str(count), *map(str, sorted(sizes))], text=True))
            for count in THREADS
        }


def arithmetic() -> list[tuple[str, float, Callable[[], float]]]:
    """The products of W2 and the convolution 32→64 of W3: (name, multiply-adds, seconds)."""
    rows: list[tuple[str, float, Callable[[], float]]] = []
    for N, i, o in ((128, 784, 512), (128, 512, 512)):
        x, W, b, dy = floats(N, i), floats(i, o), floats(o), floats(N, o)
        forward = Replay(lambda x=x, W=W, b=b: linear_forward(x, W, b), [x, W, b])
        parameters = Replay(lambda dy=dy, x=x: linear_backward_parameters(dy, x), [dy, x])
        both = Replay(lambda dy=dy, x=x, W=W: linear_backward(dy, x, W), [dy, x, W])
        rows += _three_ways(f"linear {N} × {i} × {o}", N * i * o, forward, parameters, both)
    x, W, b, dy = images(64, 32, 26, 26), floats(64, 32, 3, 3), floats(64), images(64, 64, 24, 24)
    once = ((1, 1), (0, 0))
    forward = Replay(lambda: convolution_forward(x, W, b, *once), [x, W, b])
    parameters = Replay(lambda: convolution_backward_parameters(dy, x, (3, 3), *once), [dy, x])
    both = Replay(lambda: convolution_backward(dy, x, W, *once), [dy, x, W])
    rows += _three_ways("convolution 3×3 32→64, 64 × 26×26", 64 * 24 * 24 * 64 * 32 * 9, forward, parameters, both)
    return rows


def _three_ways(name: str, terms: int, forward: Replay, parameters: Replay, both: Replay) -> list[Any]:
    return [
        (f"{name}, forward", terms, forward.seconds),
        (f"{name}, dW and db", terms, parameters.seconds),
        (f"{name}, dx (both less dW)", terms, lambda: both.seconds() - parameters.seconds()),
    ]


def traffic() -> list[tuple[str, int, Replay]]:
    """Operations bound by memory at the sizes of W2 and W3: (name, bytes read and written, replay)."""
    rows = []
    for shape in ((128, 512), (64, 64, 24, 24)):
        label = " × ".join(map(str, shape))
        x = images(*shape) if len(shape) == 4 else floats(*shape)
        dy = images(*shape) if len(shape) == 4 else floats(*shape)
        rows.append((f"relu_forward {label}", 2 * x.nbytes, Replay(lambda x=x: relu_forward(x), [x])))
        rows.append((f"relu_backward {label}", 3 * x.nbytes, Replay(lambda dy=dy, x=x: relu_backward(dy, x), [dy, x])))
    for shape in ((128, 512), (64, 9216)):
        x, dy, mask = floats(*shape), floats(*shape), rng.integers(0, 2, shape, dtype=np.uint8)
        label = " × ".join(map(str, shape))
        rows.append((f"dropout_forward {label}", 9 * x.size, Replay(lambda x=x: dropout_forward(x, 0.5, 1, 2, 3), [x])))
        work = Replay(lambda dy=dy, mask=mask: dropout_backward(dy, mask, 0.5), [dy, mask])
        rows.append((f"dropout_backward {label}", 9 * x.size, work))
    x, dy = images(64, 64, 24, 24), images(64, 64, 12, 12)
    pool = ((2, 2), (2, 2))
    rows.append(
        ("max_pool_forward 64 × 64 × 24 × 24", x.nbytes + dy.nbytes, Replay(lambda: max_pool_forward(x, *pool), [x]))
    )
    work = Replay(lambda: max_pool_backward(dy, x, *pool), [dy, x])
    rows.append(("max_pool_backward 64 × 64 × 24 × 24", 2 * x.nbytes + dy.nbytes, work))
    for shape in ((784, 512), (9216, 128)):
        label = " × ".join(map(str, shape))
        W, dW, m, s = (floats(*shape) for _ in range(4))
        work = Replay(lambda W=W, dW=dW: sgd_update(W, dW, 1e-9), [W, dW], in_place=True)
        rows.append((f"sgd_update {label}", 3 * W.nbytes, work))
        work = Replay(lambda W=W, dW=dW, m=m: momentum_update(W, dW, m, 1e-9, 0.9), [W, dW, m], in_place=True)
        rows.append((f"momentum_update {label}", 5 * W.nbytes, work))
        step = [W, dW, m, s]
        work = Replay(lambda step=step: adam_update(*step, 9, 1e-9, 0.9, 0.999, 1e-8), step, in_place=True)
        rows.append((f"adam_update {label}", 7 * W.nbytes, work))
    rows_of, index = floats(60000, 784), rng.integers(0, 60000, 128)
    work = Replay(lambda: gather_rows(rows_of, index), [rows_of, index])
    rows.append(("gather_rows 128 of 60000 × 784", 2 * 128 * 784 * 4, work))
    bytes_of, one = rng.integers(0, 256, (60000, 784), dtype=np.uint8), np.ones((), np.float32)
    work = Replay(lambda: gather_bytes(bytes_of, index, one), [bytes_of, index, one])
    rows.append(("gather_bytes 128 of 60000 × 784", 128 * 784 * (1 + 4), work))
    return rows


def overheads() -> list[list[str]]:
    """Of one call on four numbers, whose arithmetic is next to nothing."""
    x = floats(4)
    calls = 200

    def many() -> None:
        for _ in range(calls):
            relu_forward(x)

    def eager() -> float:
        start = time.perf_counter()
        many()
        return (time.perf_counter() - start) / calls

    replayed = (Replay(many, [x]).seconds() - Replay(lambda: None, []).seconds()) / calls
    called = min(eager() for _ in range(500))
    return [
        ["an operation replayed by the tape", f"{replayed * 1e6:.3f} µs", "0.3 µs"],
        ["an operation called from Python", f"{called * 1e6:.3f} µs", "1 µs"],
    ]


def main() -> None:
    moved = traffic()
    peak = peaks({size for _, size, _ in moved})
    sets = [name for name in kernels.instruction_sets() if name in VECTOR_BYTES]
    print("Peak of fused multiply-adds, GFLOP/s on one thread and on two:")
    for name in sets:
        print(name, *(round(peak[count]["gflops"][VECTOR_BYTES[name]]) for count in THREADS))

    table: dict[str, list[str]] = {}
    for isa in sets:
        kernels.set_instruction_set(isa)
        for (name, terms, seconds), count in itertools.product(arithmetic(), THREADS):
            kernels.set_threads(count)
            rate = 2 * terms / seconds() / 1e9
            share = rate / peak[count]["gflops"][VECTOR_BYTES[isa]]
            table.setdefault(name, [name]).append(f"{rate:.0f}, {share:.0%}")
    heads = [f"{isa}, {count} thread{'s' * (count > 1)}" for isa in sets for count in THREADS]
    print_table("Arithmetic: GFLOP/s, and share of the peak", ["", *heads], list(table.values()))

    kernels.set_instruction_set(sets[0])
    lines = {name: [name, f"{size / 1e6:.2f} MB"] for name, size, _ in moved}
    for (name, size, replay), count in itertools.product(moved, THREADS):
        kernels.set_threads(count)
        rate, triad = size / replay.seconds() / 1e9, peak[count]["triad"][str(size)]
        lines[name].append(f"{rate:.0f} of {triad:.0f}, {rate / triad:.0%}")
    heads = ["", "moved", "1 thread", "2 threads"]
    print_table("Memory: GB/s, and share of a triad on as many bytes", heads, list(lines.values()))
    print_table("A call beyond its arithmetic", ["", "measured", "aim"], overheads())


if __name__ == "__main__":
    main()
