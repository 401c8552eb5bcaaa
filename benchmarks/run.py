"""Chainrule and its peers side by side, in one run, in turns: `make bench`.

    python -m benchmarks.run                          everything: well over an hour
    python -m benchmarks.run W1 W2 --rounds 1         some of it
    python -m benchmarks.run W7 threads import        one prediction at a time; one thread and two; import time and size
    python -m benchmarks.run accuracy kernels         time to an accuracy; how near the kernels come to the peak

Each measurement is a fresh process. Within a round the contenders take turns (A B C, A B C, …), so that what else the
machine does hits all of them alike; only ratios within one run mean anything. Peers that are not installed are left
out, and it says so. They may live in another environment: PEER_PYTHON names its interpreter.
"""

from __future__ import annotations

import argparse
import ctypes.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import WORKLOADS
from benchmarks.quiet import DISTURBED, undisturbed

ROOT = Path(__file__).parents[1]
PEER_PYTHON = os.environ.get("PEER_PYTHON") or sys.executable
TCMALLOC = ctypes.util.find_library("tcmalloc_minimal")


@dataclass(frozen=True)
class Contender:
    """One way to do a workload."""

    library: str
    module: str
    variant: str = ""
    packages: tuple[str, ...] = ()
    tcmalloc: bool = False  # with a quicker malloc than the system's

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.library, self.variant, "tcmalloc" if self.tcmalloc else "")))


OURS = Contender("Chainrule", "benchmarks.workloads")
NUMPY = Contender("NumPy", "benchmarks.peers.with_numpy", "by hand", ("numpy",))
SKLEARN = Contender("scikit-learn", "benchmarks.peers.with_sklearn", "partial_fit", ("sklearn",))
ONNX = Contender("onnxruntime", "benchmarks.peers.with_onnxruntime", "session", ("onnx", "onnxruntime"))


def pytorch(variant: str, *, tcmalloc: bool = False) -> Contender:
    return Contender("PyTorch", "benchmarks.peers.with_pytorch", variant, ("torch",), tcmalloc)


def jax(variant: str) -> Contender:
    return Contender("JAX", "benchmarks.peers.with_jax", variant, ("jax",))


SMALL = [pytorch("eager"), pytorch("fused"), pytorch("compiled step"), jax("jit"), jax("scan"), NUMPY, SKLEARN]
WIDE = [pytorch("eager"), pytorch("fused"), pytorch("compiled"), jax("jit"), jax("scan"), NUMPY]
IMAGES = [pytorch("eager"), pytorch("fused"), pytorch("channels-last"), pytorch("compiled"), jax("jit")]
if TCMALLOC:
    WIDE.append(pytorch("fused", tcmalloc=True))
    IMAGES.append(pytorch("channels-last", tcmalloc=True))
PEERS = {"W1": SMALL, "W1b": SMALL, "W2": WIDE, "W2nd": [*WIDE, SKLEARN], "W3": IMAGES, "W4": IMAGES}
PEERS |= {"W5": SMALL, "W6": SMALL}
PEERS |= {"W8": [one for one in WIDE if one is not NUMPY]}
PREDICTORS = {
    "W2": [pytorch("eager"), pytorch("compiled"), jax("jit"), ONNX, NUMPY],
    "W3": [pytorch("eager"), pytorch("compiled"), jax("jit"), ONNX],
}
PARTS = (*WORKLOADS, "W7", "threads", "import", "accuracy", "kernels")


Found = dict[Contender, list[dict[str, Any]]]  # the figures of each contender, one per round


class Runner:
    """Starts measurements and keeps what they say."""

    def __init__(self, threads: int, output: Path | None, *, tries: int = 1) -> None:
        self.threads, self.output, self.tries = threads, output, tries
        self.disturbed = 0
        peers = {one for contenders in (*PEERS.values(), *PREDICTORS.values()) for one in contenders}
        self.missing = missing({package for one in peers for package in one.packages})

    def present(self, contenders: Iterable[Contender]) -> list[Contender]:
        """Those whose packages are installed."""
        return [one for one in contenders if not self.missing & set(one.packages)]

    def measure(self, one: Contender, workload: str, *options: str, threads: int = 0) -> dict[str, Any] | None:
        """One measurement in a fresh process, or None where it fails."""
        command = [sys.executable if one is OURS else PEER_PYTHON, "-W", "ignore", "-m", one.module, workload, *options]
        command += ["--variant", one.variant] if one.variant else []
        environment = os.environ | {"CHAINRULE_THREADS": str(threads or self.threads)}
        if one.tcmalloc:
            environment["LD_PRELOAD"] = str(TCMALLOC)

        def run() -> subprocess.CompletedProcess[str]:
            return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)

        try:
            done, others = undisturbed(run, self.tries)
        except subprocess.TimeoutExpired:
            print(f"  {one}: no answer within 15 minutes", file=sys.stderr)
            return None
        if done.returncode or not done.stdout.strip():
            print(f"  {one}: failed\n{done.stderr[-1000:]}", file=sys.stderr)
            return None
        figures = json.loads(done.stdout.splitlines()[-1]) | {"tcmalloc": one.tcmalloc, "others": round(others, 2)}
        print(f"  {one}: {figures}", file=sys.stderr, flush=True)
        self.disturbed += others > DISTURBED
        if self.output:
            with self.output.open("a") as file:
                file.write(json.dumps(figures) + "\n")
        return figures

    def rounds(
        self, rounds: int, contenders: list[Contender], workload: str, *options: str, epoch: bool = False
    ) -> Found:
        """The figures of each contender, round by round; those of a whole `epoch` in the first round alone."""
        found: Found = {}
        for number in range(rounds):
            print(f"{time.strftime('%H:%M:%S')} {workload}, round {number + 1} of {rounds}", file=sys.stderr)
            for one in contenders:
                figures = self.measure(one, workload, *options, *(["--epoch"] if epoch and number == 0 else []))
                if figures is not None:
                    found.setdefault(one, []).append(figures)
        return {one: figures for one, figures in found.items() if len(figures) == rounds}


def training(runner: Runner, names: list[str], rounds: int, *, epochs: bool) -> None:
    """The tables of the workloads, and one that sums them up."""
    summary = []
    for name in names:
        found = runner.rounds(rounds, [OURS, *runner.present(PEERS[name])], name, epoch=epochs)
        if OURS not in found:
            continue
        rate = {one: [f["samples_per_second"] for f in figures] for one, figures in found.items()}
        epoch = {one: figures[0].get("epoch_seconds") for one, figures in found.items()}
        memory = {one: max(f["peak_mb"] for f in figures) for one, figures in found.items()}
        print_table(
            f"{name}: {WORKLOADS[name].what}",
            ["", "samples/s, median", "lowest … highest", "whole epoch", "peak memory", "Chainrule is … × as fast"],
            [
                [
                    str(one),
                    _short(statistics.median(rate[one])),
                    f"{_short(min(rate[one]))} … {_short(max(rate[one]))}",
                    _seconds(epoch[one]),
                    f"{memory[one]:.0f} MB",
                    "" if one is OURS else _spread(rate[OURS], rate[one]),
                ]
                for one in sorted(found, key=lambda one: -statistics.median(rate[one]))
            ],
        )
        rivals = [one for one in found if one is not OURS]
        if rivals:
            summary.append([name, *_against_best(rivals, rate, epoch, memory)])
    print_table(
        "In short",
        ["", "Chainrule", "best peer", "ratio to each round's best", "of whole epochs", "peak memory", "PyTorch's"],
        summary,
    )


def _against_best(
    rivals: list[Contender],
    rate: dict[Contender, list[float]],
    epoch: dict[Contender, float | None],
    memory: dict[Contender, float],
) -> list[str]:
    """A row of the summary."""
    best = max(rivals, key=lambda one: statistics.median(rate[one]))
    quickest = min((seconds for one in rivals if (seconds := epoch[one])), default=None)
    ours = epoch[OURS]
    torch = [memory[one] for one in rivals if one.library == "PyTorch"]
    return [
        _short(statistics.median(rate[OURS])),
        f"{_short(statistics.median(rate[best]))} ({best})",
        _spread(rate[OURS], [max(rates) for rates in zip(*(rate[one] for one in rivals), strict=True)]),
        f"{quickest / ours:.2f}" if quickest and ours else "",
        f"{memory[OURS]:.0f} MB",
        f"{min(torch):.0f} MB" if torch else "",
    ]


def prediction(runner: Runner, rounds: int) -> None:
    """One sample at a time."""
    for name, predictors in PREDICTORS.items():
        found = runner.rounds(rounds, [OURS, *runner.present(predictors)], name, "--latency")
        median, p99 = (
            {one: [f[key] for f in figures] for one, figures in found.items()} for key in ("median_us", "p99_us")
        )
        print_table(
            f"W7: one sample predicted by the network of {name}",
            ["", "median", "p99", "Chainrule takes … × as long", "its p99"],
            [
                [
                    str(one),
                    f"{statistics.median(median[one]):.1f} µs",
                    f"{statistics.median(p99[one]):.1f} µs",
                    "" if one is OURS or OURS not in found else _spread(median[OURS], median[one]),
                    "" if one is OURS or OURS not in found else _spread(p99[OURS], p99[one]),
                ]
                for one in sorted(found, key=lambda one: statistics.median(median[one]))
            ],
        )


def scaling(runner: Runner, rounds: int) -> None:
    """Chainrule on one thread and on two."""
    rows = []
    for name in ("W2", "W3", "W4", "W5"):
        pairs = [[runner.measure(OURS, name, threads=threads) for threads in (1, 2)] for _ in range(rounds)]
        one, two = ([pair[i]["samples_per_second"] for pair in pairs if all(pair)] for i in (0, 1))
        if one:
            rows.append([name, _short(statistics.median(one)), _short(statistics.median(two)), _spread(two, one)])
    print_table("One thread and two", ["", "1 thread, samples/s", "2 threads", "two are … × as fast"], rows)


def footprint(runner: Runner) -> None:
    """Import time and installed size."""
    here = [(sys.executable, package) for package in ("chainrule", "numpy")]
    there = [(PEER_PYTHON, package) for package in ("sklearn", "torch", "jax", "onnxruntime")]
    rows = []
    for python, package in here + [pair for pair in there if pair[1] not in runner.missing]:
        done = subprocess.run([python, "-m", "benchmarks.installed", package], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            print(f"  {package}: failed\n{done.stderr[-1000:]}", file=sys.stderr)
            continue
        figures = json.loads(done.stdout)
        rows.append([package, f"{figures['import_seconds']:.3f} s", f"{figures['mb']} MB"])
    print_table("Import and installed size", ["", "import", "installed, with all it needs"], rows)


def print_table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """A table in Markdown under its title."""
    print(f"\n### {title}\n")
    for row in [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]:
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()


def missing(packages: set[str]) -> set[str]:
    """Those of `packages` that the peers' interpreter does not have."""
    program = "import importlib.util, sys; print(*(p for p in sys.argv[1:] if not importlib.util.find_spec(p)))"
    found = subprocess.check_output([PEER_PYTHON, "-c", program, *sorted(packages)], text=True)
    return set(found.split())


def _spread(ours: list[float], theirs: list[float]) -> str:
    """ours / theirs: the median of the rounds, and the lowest and highest."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    if len(ratios) == 1:
        return f"**{ratios[0]:.2f}**"
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} … {max(ratios):.2f})"


def _short(rate: float) -> str:
    """Three digits, no more: the fourth is noise."""
    return f"{float(f'{rate:.3g}'):,.0f}"


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g} s" if value >= 0.1 else f"{value * 1e6:.3g} µs" if value < 1e-3 else f"{value * 1e3:.3g} ms"


def _machine() -> str:
    """The processor, as the system names it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all of them unless told")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-epochs", action="store_true", help="leave out whole epochs: much sooner done")
    parser.add_argument(
        "--patient", action="store_true", help="measure again what others disturbed, once they are done"
    )
    parser.add_argument("--output", type=Path, help="append every measurement to this file, one line of JSON each")
    asked = parser.parse_args()
    unknown = set(asked.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    parts = asked.parts or list(PARTS)

    runner = Runner(asked.threads, asked.output, tries=20 if asked.patient else 1)
    print(f"{_machine()}, {os.cpu_count()} cores; {asked.threads} threads; {time.strftime('%d %B %Y %H:%M')}")
    if runner.missing:
        print(f"Left out, because not installed: {', '.join(sorted(runner.missing))}.")
    if not TCMALLOC:
        print("Left out, because not installed: PyTorch with tcmalloc.")
    chosen = [name for name in WORKLOADS if name in parts]
    if chosen:
        training(runner, chosen, asked.rounds, epochs=not asked.no_epochs)
    if "W7" in parts:
        prediction(runner, asked.rounds)
    if "threads" in parts:
        scaling(runner, asked.rounds)
    if "import" in parts:
        footprint(runner)
    if runner.disturbed:
        print(
            f"\n{runner.disturbed} measurements ran while others used more than {DISTURBED} cores: do not trust them."
        )
    for part, module in (("accuracy", "benchmarks.time_to_accuracy"), ("kernels", "benchmarks.kernels")):
        if part in parts:
            options = ["--patient"] if asked.patient and part == "accuracy" else []
            subprocess.run([sys.executable, "-m", module, *options], cwd=ROOT, check=False)


if __name__ == "__main__":
    main()
