"""From the start of a process to a test accuracy on MNIST: 97% with a fully connected network, 99% with convolutions.

    python -m benchmarks.time_to_accuracy

The clock runs from before the process starts, imports and the reading of the data included, until it has said how
many of the test digits it reads right. The contenders take turns, each with the seeds 0, 1, 2, …. PyTorch runs twice:
by the same recipe (`recipes.py`), and as a usual script would, with the networks of W2 and W3, Adam at 0.001, tested
every quarter epoch. PEER_PYTHON names the interpreter that has it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from functools import partial
from typing import Any

from benchmarks.quiet import DISTURBED, undisturbed
from benchmarks.recipes import RECIPES
from benchmarks.run import PEER_PYTHON, ROOT, missing, print_table

OURS = "Chainrule"
CONTENDERS = {
    OURS: (sys.executable, "benchmarks.accuracy"),
    "PyTorch, the same recipe": (PEER_PYTHON, "benchmarks.peers.accuracy_with_pytorch"),
    "PyTorch, a usual script": (PEER_PYTHON, "benchmarks.peers.accuracy_with_pytorch", "--usual"),
}


def seconds(python: str, module: str, *options: str) -> tuple[float, dict[str, Any]]:
    """From here until the process says how it went; and what it says."""
    environment = os.environ | {"CHAINRULE_THREADS": os.environ.get("CHAINRULE_THREADS") or "2"}
    start = time.perf_counter()
    command = [python, "-m", module, *options]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        taken = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return taken, json.loads(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"any of {', '.join(RECIPES)}")
    parser.add_argument("--rounds", type=int, default=3, help="how many seeds")
    parser.add_argument(
        "--patient", action="store_true", help="measure again what others disturbed, once they are done"
    )
    asked = parser.parse_args()
    disturbed = 0
    contenders = [OURS] if missing({"torch"}) else list(CONTENDERS)
    for name in asked.recipes or RECIPES:
        recipe = RECIPES[name]
        found: dict[str, list[tuple[float, dict[str, Any]]]] = {contender: [] for contender in contenders}
        for seed in range(asked.rounds):
            for contender in contenders:
                python, module, *options = CONTENDERS[contender]
                measure = partial(seconds, python, module, name, "--seed", str(seed), *options)
                measured, others = undisturbed(measure, 20 if asked.patient else 1)
                disturbed += others > DISTURBED
                found[contender].append(measured)
                print(
                    f"  {name}, seed {seed}, {contender}: {measured}, others {others:.2f}", file=sys.stderr, flush=True
                )
        rows = []
        for contender, runs in found.items():
            times = [taken for taken, _ in runs]
            ratios = [taken / ours for taken, (ours, _) in zip(times, found[OURS], strict=True)]
            reached = sum(said["accuracy"] >= recipe.target for _, said in runs)
            rows.append(
                [
                    contender,
                    f"{statistics.median(times):.2f} s",
                    f"{min(times):.2f} … {max(times):.2f} s",
                    ", ".join(f"{said['accuracy']:.2%}" for _, said in runs),
                    f"{reached} of {len(runs)}",
                    f"{statistics.median(said['epochs'] for _, said in runs):.3g}",
                    "" if contender == OURS else f"{statistics.median(ratios):.1f}",
                ]
            )
        heads = ["", "median", "lowest … highest", "test accuracy", "reached", "epochs", "× Chainrule's time"]
        print_table(
            f"{name}: from process start to {recipe.target:.0%}\n\n"
            f"{recipe.what}; Adam, one cycle up to {recipe.rate:g}, batch {recipe.batch}, epochs: {recipe.epochs}.",
            heads,
            rows,
        )
    if disturbed:
        print(f"\n{disturbed} measurements were disturbed by other programs: do not trust them.")


if __name__ == "__main__":
    main()
