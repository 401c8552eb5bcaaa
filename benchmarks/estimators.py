"""The estimators against scikit-learn's networks, with default settings: 5 repeats of 5 folds, on the same splits.

python -m benchmarks.estimators
python -m benchmarks.estimators --only iris digits --rounds 1 --threads 1

Every fold is fitted `--rounds` times by each, by turns, with the number of the fold for a seed. The scores are those of
the folds, the milliseconds the median of all fits. Prints a table in Markdown. As the estimators standardise by
themselves, scikit-learn's networks stand there twice: as they are, and behind a StandardScaler.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

if "--threads" in sys.argv:  # read when the libraries are imported
    for _name in ("CHAINRULE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[_name] = sys.argv[sys.argv.index("--threads") + 1]

import numpy as np
import sklearn
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule.estimators import NetworkClassifier, NetworkRegressor

DATA = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
    "digits": datasets.load_digits,
}

Make = Callable[[int], Any]  # from a seed to an estimator


class Side(NamedTuple):
    """The scores of one on the folds, and the milliseconds of its fits."""

    scores: list[float]
    milliseconds: list[float]

    def cells(self) -> str:
        """Its part of a row: mean ± deviation of the scores, median of the milliseconds."""
        return f"{np.mean(self.scores):.4f} ± {np.std(self.scores):.3f} | {statistics.median(self.milliseconds):.1f}"


def contenders(regression: bool) -> tuple[Make, ...]:
    """Ours, scikit-learn's, and scikit-learn's behind a StandardScaler."""
    ours, theirs = (NetworkRegressor, MLPRegressor) if regression else (NetworkClassifier, MLPClassifier)
    return (
        lambda seed: ours(random_state=seed),
        lambda seed: theirs(random_state=seed),
        lambda seed: make_pipeline(StandardScaler(), theirs(random_state=seed)),
    )


def race(makes: tuple[Make, ...], folds: Any, x: Any, y: Any, rounds: int) -> list[Side]:
    """All of them on all folds, by turns."""
    sides = [Side([], []) for _ in makes]
    for seed, (learn, test) in enumerate(folds.split(x, y)):
        for turn in range(rounds):
            for make, side in zip(makes, sides, strict=True):
                estimator = make(seed)
                start = time.perf_counter()
                estimator.fit(x[learn], y[learn])
                side.milliseconds.append((time.perf_counter() - start) * 1e3)
                if turn == 0:
                    side.scores.append(estimator.score(x[test], y[test]))
    return sides


def main() -> None:
    parser = argparse.ArgumentParser(description="Race the estimators against scikit-learn's networks.")
    parser.add_argument("--only", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of each; otherwise as many as it takes by itself")
    asked = parser.parse_args()
    threads = f"{asked.threads} threads each" if asked.threads else "threads as they are by default"
    print(f"scikit-learn {sklearn.__version__}, {os.cpu_count()} cores, {threads}, load {os.getloadavg()[0]:.1f}\n")
    print("| Data | Chainrule | ms | MLP | ms | MLP, standardised | ms |\n|---|---|---|---|---|---|---|")
    for name in asked.only:
        x, y = DATA[name](return_X_y=True)
        regression = name == "diabetes"
        folds = RepeatedKFold if regression else RepeatedStratifiedKFold
        sides = race(contenders(regression), folds(n_splits=5, n_repeats=5, random_state=0), x, y, asked.rounds)
        row = [f"{name} ({'R²' if regression else 'accuracy'})", *(side.cells() for side in sides)]
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main()
