"""scikit-learn's own checks, all of them, with no failure expected; many seeds: benchmarks/estimator_checks.py."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import estimator_checks_generator

from chainrule import estimators

ARRAY_API = """
import sys
from sklearn.utils.estimator_checks import check_array_api_input
from chainrule import estimators
for name in estimators.__all__:
    check_array_api_input(name, getattr(estimators, name)(), array_namespace="numpy", expect_only_array_outputs=False)
    print(name)
"""


def checks():
    """Every check of every estimator but one, which needs SciPy to be imported with a setting of its own."""
    for name in estimators.__all__:
        for estimator, check in estimator_checks_generator(getattr(estimators, name)()):
            title = f"{check.func.__name__}{check.keywords or ''}"
            if "array_api" not in title:
                yield pytest.param(estimator, check, id=f"{name}-{title}")


@pytest.mark.parametrize(("estimator", "check"), [*checks()])
def test_it_passes(estimator, check):
    check(estimator)


def test_arrays_of_the_array_api_are_understood():
    asked = [sys.executable, "-W", "ignore", "-c", ARRAY_API]
    done = subprocess.run(asked, env={**os.environ, "SCIPY_ARRAY_API": "1"}, capture_output=True, text=True)
    assert done.stdout.split() == estimators.__all__, done.stderr
