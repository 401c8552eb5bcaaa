"""Is a mean difference more than chance? The paired t-test, and its correction for runs that share training data.

Sources: mission item D8; Nadeau & Bengio 2003, "Inference for the Generalization Error", equation 10; Bouckaert & Frank
2004, "Evaluating the Replicability of Significance Tests for Comparing Learning Algorithms", for repeated folds.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import as_floats
from chainrule.configuration import positive_number, real_number
from chainrule.errors import DataError, MissingExtraError


@dataclass(frozen=True)
class TTest:
    """A test of whether J differences have a mean of 0."""

    mean: float  # of the differences
    error: float  # the standard error of that mean
    statistic: float  # t = mean / error
    degrees: int  # of freedom: J − 1
    p_value: float  # the probability of a |t| as large as this where the true mean is 0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """From where to where the true mean lies, at this level of confidence. Raises SettingError."""
        reach = self.error * float(_scipy_stats().t.ppf((1 + real_number(level, "level", below=1.0)) / 2, self.degrees))
        return self.mean - reach, self.mean + reach


def paired_t_test(differences: Any) -> TTest:
    """t = d̄ / √(s²/J) of differences (J,): as if each came from training and test data of its own.

    In cross-validation they do not: the training sets overlap, the true spread of d̄ is larger, and this test finds
    differences where there are none. See `corrected_t_test`.

    Raises:
        DataError, DataTypeError: fewer than two differences, or not finite numbers.

    """
    return _t_test(differences, 0.0)


def corrected_t_test(differences: Any, test_to_train: float) -> TTest:
    """The corrected resampled t-test: t = d̄ / √((1/J + n₂/n₁) s²) of differences (J,).

    Args:
        differences: between two models, one for each run of (repeated) cross-validation or of random splits.
        test_to_train: n₂/n₁, how many samples a run tests on for each that it trains on: 1/(K − 1) for K folds.

    Raises:
        DataError, DataTypeError: fewer than two differences, or not finite numbers.
        SettingError: `test_to_train` is not above 0.

    """
    return _t_test(differences, positive_number(test_to_train, "test_to_train"))


def _t_test(differences: Any, shared: float) -> TTest:
    d = as_floats(differences, "differences", np.float64).ravel()
    if len(d) < 2:
        raise DataError(f"differences: expected at least 2, got {len(d)}")
    mean, variance = float(d.mean()), 0.0 if (d == d[0]).all() else float(d.var(ddof=1))
    error = math.sqrt((1 / len(d) + shared) * variance)
    t = mean / error if error else math.copysign(math.inf, mean) if mean else 0.0
    return TTest(mean, error, t, len(d) - 1, float(2 * _scipy_stats().t.sf(abs(t), len(d) - 1)))


def _scipy_stats() -> Any:
    try:
        from scipy import stats
    except ImportError:
        raise MissingExtraError("SciPy", "sklearn", "a t-test") from None
    return stats
