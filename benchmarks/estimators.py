"""The estimators against scikit-learn's networks, both with default settings: 5 repeats of 5 folds, on the same splits.

python -m benchmarks.estimators
python -m benchmarks.estimators --only iris digits --rounds 1 --threads 1

Every fold is fitted `--rounds` times by either side, by turns, each fit with the number of the fold for a seed. The
scores are those of the folds, the seconds the median of all fits. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import warnings
from typing import Any, NamedTuple

if "--threads" in sys.argv:  # read when the libraries are imported
    for _name in ("CHAINRULE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[_name] = sys.argv[sys.argv.index("--threads") + 1]

import numpy as np
import sklearn
from sklearn import datasets
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor

from chainrule.estimators import NetworkClassifier, NetworkRegressor

DATA = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
    "digits": datasets.load_digits,
}


class Side(NamedTuple):
    """One estimator's scores on the folds, and the seconds of its fits."""

    scores: list[float]
    seconds: list[float]

    def cells(self) -> str:
        """Its part of a row: mean ± deviation of the scores, median of the seconds."""
        return (
            f"{np.mean(self.scores):.4f} ± {np.std(self.scores):.3f} | {statistics.median(self.seconds) * 1e3:.1f} ms"
        )


def fit(kind: Any, seed: int, x: Any, y: Any) -> tuple[Any, float]:
    """A fitted estimator with default settings, and how many seconds it took."""
    estimator = kind(random_state=seed)
    start = time.perf_counter()
    estimator.fit(x, y)
    return estimator, time.perf_counter() - start


def race(kinds: tuple[Any, Any], x: Any, y: Any, rounds: int) -> tuple[Side, Side]:
    """Both estimators on all folds."""
    folds = RepeatedStratifiedKFold if is_classifier(kinds[0]()) else RepeatedKFold
    sides = Side([], []), Side([], [])
    for seed, (learn, test) in enumerate(folds(n_splits=5, n_repeats=5, random_state=0).split(x, y)):
        for turn in range(rounds):
            for place in (0, 1) if (seed + turn) % 2 else (1, 0):
                fitted, seconds = fit(kinds[place], seed, x[learn], y[learn])
                sides[place].seconds.append(seconds)
                if turn == 0:
                    sides[place].scores.append(fitted.score(x[test], y[test]))
    return sides


def main() -> None:
    parser = argparse.ArgumentParser(description="Race the estimators against scikit-learn's networks.")
    parser.add_argument("--only", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of both sides; otherwise as many as either takes by itself")
    asked = parser.parse_args()
    threads = f"{asked.threads} threads each" if asked.threads else "threads as they are by default"
    print(f"scikit-learn {sklearn.__version__}, {os.cpu_count()} cores, {threads}, load {os.getloadavg()[0]:.1f}\n")
    print("| Data | Measure | Chainrule | its fit | MLP | its fit | times as fast |\n|---|---|---|---|---|---|---|")
    for name in asked.only:
        x, y = DATA[name](return_X_y=True)
        regression = name == "diabetes"
        kinds = (NetworkRegressor, MLPRegressor) if regression else (NetworkClassifier, MLPClassifier)
        ours, theirs = race(kinds, x, y, asked.rounds)
        faster = statistics.median(theirs.seconds) / statistics.median(ours.seconds)
        measure = "R²" if regression else "accuracy"
        print(f"| {name} | {measure} | {ours.cells()} | {theirs.cells()} | {faster:.1f} |", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main()
