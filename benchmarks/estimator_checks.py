"""All of scikit-learn's checks of estimators, on every estimator, with many seeds.

python -m benchmarks.estimator_checks
python -m benchmarks.estimator_checks --seeds 1 --only NetworkClassifier

The checks set the estimators' random states themselves, most of them to 0; here each is higher by the seed, so that
every seed is another network. Expected failures are not declared, and no check is left out.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from typing import Any

os.environ["SCIPY_ARRAY_API"] = "1"  # read when SciPy is imported: without it a check is skipped

import sklearn
from sklearn.utils import estimator_checks

from chainrule import estimators


def shift(seed: int) -> None:
    """From now on the checks set random states that are higher by `seed`."""

    def set_random_state(estimator: Any, random_state: int = 0) -> None:
        if "random_state" in estimator.get_params():
            estimator.set_params(random_state=random_state + seed)

    estimator_checks.set_random_state = set_random_state


def main() -> None:
    parser = argparse.ArgumentParser(description="Run scikit-learn's checks on every estimator.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", nargs="+", default=estimators.__all__)
    asked = parser.parse_args()
    failures = 0
    for name in asked.only:
        start, passed, skipped = time.perf_counter(), 0, set()
        for seed in range(asked.seeds):
            shift(seed)
            for result in estimator_checks.check_estimator(getattr(estimators, name)(), on_fail=None, on_skip=None):
                passed += result["status"] == "passed"
                if result["status"] == "skipped":
                    skipped.add(f"{result['check_name']} ({result['exception']})")
                if result["status"] not in ("passed", "skipped"):
                    failures += 1
                    print(f"  {name}, seed {seed}: {result['check_name']} {result['status']}: {result['exception']!r}")
        print(
            f"scikit-learn {sklearn.__version__}: {name}: {passed} checks passed with {asked.seeds} seeds, "
            f"{time.perf_counter() - start:.0f} s; skipped: {'; '.join(sorted(skipped)) or 'none'}",
            flush=True,
        )
    sys.exit(failures > 0)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
