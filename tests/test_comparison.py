"""Is A better than B? The t-tests against SciPy and published figures, and the verdicts."""

import numpy as np
import pytest
from scipy import stats

import chainrule as cr
from chainrule.errors import DataError, SettingError
from chainrule.selection import Comparison, CrossValidation, corrected_t_test, paired_t_test

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)).astype(np.float32)
VALUES = (X @ [1.0, -2.0, 0.5] + 1 + RNG.normal(size=200)).astype(np.float32)

# The hours of sleep that ten patients gained by one drug over another: Student 1908, "The probable error of a mean".
SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]


def line():
    return cr.Network([cr.Linear(1)], loss=cr.SquaredError())


def compared(a, b, *, score="accuracy", folds=5):
    """The comparison of these scores, (R, K) each, of 100 samples."""
    a, b = np.atleast_2d(a).astype(float), np.atleast_2d(b).astype(float)
    tested = np.full(a.shape, 100 // folds)
    one, other = (CrossValidation(score, tuple(range(len(a))), scores, tested) for scores in (a, b))
    return Comparison(one, other, ("A", "B"), 0.05)


# The tests


def test_the_paired_test_is_that_of_student():
    found = paired_t_test(SLEEP)
    assert (found.mean, found.degrees) == (pytest.approx(1.58, rel=1e-12), 9)
    assert found.statistic == pytest.approx(4.0621, abs=5e-5)
    assert found.p_value == pytest.approx(0.002833, abs=5e-7)
    assert found.interval() == pytest.approx((0.7001142, 2.4598858), abs=5e-8)


@pytest.mark.parametrize("count", [2, 5, 50])
def test_the_paired_test_is_that_of_scipy(count):
    rng = np.random.default_rng(count)
    a, b = rng.normal(0.9, 0.02, (2, count))
    ours, theirs = paired_t_test(a - b), stats.ttest_rel(a, b)
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-12)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-12)
    assert ours.interval(0.9) == pytest.approx(theirs.confidence_interval(0.9), rel=1e-10)


def test_the_corrected_test_worked_by_hand():
    """d̄ = 2 and s² = 2.5 of 0, 1, 2, 3, 4. With n₂/n₁ = 1/4: t = 2 / √((1/5 + 1/4) · 2.5) = 2 / √1.125.

    With 4 degrees of freedom p is elementary: 1 − t (t² + 6) / (t² + 4)^(3/2).
    """
    found = corrected_t_test([0, 1, 2, 3, 4], 1 / 4)
    assert found.error == pytest.approx(np.sqrt(1.125), rel=1e-15)
    t = 2 / np.sqrt(1.125)
    assert found.statistic == pytest.approx(t, rel=1e-15)
    assert found.p_value == pytest.approx(1 - t * (t**2 + 6) / (t**2 + 4) ** 1.5, rel=1e-12)


def test_the_corrected_test_gives_the_figures_of_scikit_learn_s_example():
    """Its page "Statistical comparison of models using grid search": ten times ten folds of 100 points, two kernels.

    Printed there, one-sided: corrected t 0.750, p 0.227; uncorrected t 2.611, p 0.005.
    """
    from sklearn.datasets import make_moons
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    scores = [cross_val_score(svc, x, y, scoring="roc_auc", cv=folds) for svc in (
        SVC(kernel="rbf", random_state=0), SVC(kernel="linear", random_state=0)
    )]  # fmt: skip
    corrected, paired = corrected_t_test(scores[0] - scores[1], 1 / 9), paired_t_test(scores[0] - scores[1])
    assert corrected.statistic == pytest.approx(0.750, abs=5e-4)
    assert corrected.p_value / 2 == pytest.approx(0.227, abs=5e-4)
    assert paired.statistic == pytest.approx(2.611, abs=5e-4)
    assert paired.p_value / 2 == pytest.approx(0.005, abs=5e-4)


def test_where_nothing_differs_nothing_is_shown():
    found = paired_t_test([0, 0, 0])
    assert (found.statistic, found.p_value) == (0, 1)


def test_a_difference_that_is_always_the_same_is_no_chance():
    found = corrected_t_test([-0.1, -0.1], 0.25)
    assert (found.statistic, found.p_value) == (-np.inf, 0)


@pytest.mark.parametrize(
    ("differences", "share", "error", "message"),
    [
        ([1.0], 0.25, DataError, "expected at least 2, got 1"),
        ([1.0, np.nan], 0.25, DataError, "must be finite"),
        ([1.0, 2.0], 0, SettingError, "test_to_train: expected a number above 0"),
    ],
)
def test_tests_of_nothing_are_refused(differences, share, error, message):
    with pytest.raises(error, match=message):
        corrected_t_test(differences, share)


def test_the_corrected_test_rarely_finds_what_is_not_there():
    """Differences of runs that share training samples, as correlated as the correction takes them to be: ρ = 1/K.

    Of 2,000 comparisons of equals about 5% shall come out significant; by the paired test it is far more.
    """
    rng = np.random.default_rng(0)
    J, rho = 25, 1 / 5
    runs = np.sqrt(rho) * rng.normal(size=(2000, 1)) + np.sqrt(1 - rho) * rng.normal(size=(2000, J))
    tests = (lambda d: corrected_t_test(d, 1 / 4)), paired_t_test
    share = [np.mean([test(d).p_value < 0.05 for d in runs]) for test in tests]
    assert 0.03 < share[0] < 0.07
    assert share[1] > 0.3


# The comparison


def test_both_are_measured_on_the_same_folds_and_seeds():
    found = cr.compare((line(), {"epochs": 1}), (line(), {"epochs": 9}), (X, VALUES), repeats=2, learning_rate=0.03)
    for one, epochs in ((found.a, 1), (found.b, 9)):
        alone = cr.cross_validate(line(), (X, VALUES), repeats=2, learning_rate=0.03, epochs=epochs)
        assert np.array_equal(one.scores, alone.scores)
    assert found.paired.p_value == pytest.approx(stats.ttest_rel(found.a.scores, found.b.scores, axis=None).pvalue)


def test_the_better_one_is_named():
    short, long = (line(), {"epochs": 1}), (line(), {"epochs": 100})
    found = cr.compare(short, long, (X, VALUES), repeats=2, names=("short", "long"), learning_rate=0.03)
    assert found.better == "long"
    assert found.verdict.startswith("long is better than short: mean R² 0.")


def test_a_network_can_be_compared_with_an_estimator():
    from sklearn.linear_model import Ridge

    ours = line(), {"epochs": 500, "learning_rate": 0.05, "batch_size": None}
    found = cr.compare(ours, Ridge(1e-6), (X, VALUES), repeats=1)
    assert abs(found.differences).max() < 1e-4
    assert found.better is None


def test_of_losses_the_lower_is_the_better():
    low, high = [0.10, 0.11, 0.12, 0.10, 0.11], [0.30, 0.29, 0.33, 0.31, 0.28]
    assert compared(low, high, score="loss").better == "A"
    assert compared(low, high).better == "B"
    assert compared(high, low, score="loss").better == "B"


def test_the_tests_of_a_comparison_know_the_sizes_of_its_folds():
    a, b = np.random.default_rng(1).normal(0.9, 0.01, (2, 3, 5))
    found = compared(a, b)
    assert found.corrected == corrected_t_test(a - b, 20 / 80)
    assert found.paired == paired_t_test(a - b)


def test_what_only_the_paired_test_finds_is_said_to_be_doubtful():
    d = np.array([0.01, 0.02, 0.03, 0.015, 0.004])
    found = compared(0.9 + d, np.full(5, 0.9))
    assert found.paired.p_value < 0.05 < found.corrected.p_value
    assert found.verdict == (
        "No difference between A and B is shown: mean accuracy 0.9158 against 0.9000, p = 0.076 by the corrected "
        "resampled t-test. The paired t-test would claim one (p = 0.023), but takes runs that share training samples "
        "for independent."
    )


def test_equal_scores_are_said_to_be_equal():
    found = cr.compare(line, line, (X, VALUES), repeats=1, epochs=1)
    assert found.verdict == "A and B have the same R² in every run."
    assert found.better is None


def test_the_table_holds_the_spread_the_tests_and_the_verdict():
    found = compared([[0.90, 0.91], [0.92, 0.95]], [[0.70, 0.72], [0.71, 0.74]], folds=2)
    assert str(found).splitlines() == [
        "            mean accuracy  deviation  over seeds",
        "────────────────────────────────────────────────",
        "A                  0.9200     0.0216      0.0212",
        "B                  0.7175     0.0171      0.0106",
        "difference         0.2025     0.0096      0.0106",
        "────────────────────────────────────────────────",
        "paired t-test:                  t = 42.301 with 3 degrees of freedom, p = 2.91e-05",
        "corrected resampled t-test:     t = 18.918 with 3 degrees of freedom, p = 0.000322",
        "95% interval of the difference: 0.1684 … 0.2366",
        "A is better than B: mean accuracy 0.9200 against 0.7175, p = 0.00032 by the corrected resampled t-test.",
    ]


def test_the_frame_has_a_row_for_each_run():
    frame = compared([[0.5, 0.75]], [[0.25, 1.0]], folds=2).to_frame()
    assert frame.columns.tolist() == ["seed", "fold", "tested", "A", "B", "difference"]
    assert frame.to_numpy().tolist() == [[0, 1, 50, 0.5, 0.25, 0.25], [0, 2, 50, 0.75, 1.0, -0.25]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": ("A", "A")}, "names: expected two that differ"),
        ({"level": 1.5}, "level: expected a finite number of at least 0 and below 1"),
        ({"units": 3}, "there is no setting 'units'"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        cr.compare(line(), line(), (X, VALUES), **settings)


def test_one_that_decides_is_not_compared_with_one_that_does_not():
    deciding = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy())
    with pytest.raises(SettingError, match="no score fits both"):
        cr.compare(line(), deciding, (X, VALUES))
