"""No finite input makes an activation, softmax or loss warn or give NaN. Warnings are errors in these tests."""

import itertools

import numpy as np
import pytest

from chainrule import operations
from chainrule.operations.signatures import read_signature
from chainrule.testing import all_operations

FAMILIES = ("activations", "softmax", "losses", "regression", "margins")
STABLE = [operation for family in FAMILIES for operation in all_operations(within=f"chainrule.operations.{family}")]
DTYPES = ("float32", "float64")
# (y − t)² and e^f of numbers near the largest are infinite: the bare formula says so, the operation is silent.
BEYOND = ("squared_error", "poisson", "exponential")
WITHIN_RANGE = [operation for operation in STABLE if not operation.name.startswith(BEYOND)]
ACTIVATIONS = ("identity", "step", "relu", "leaky_relu", "softplus", "sigmoid", "tanh")
ACTIVATIONS += ("gelu", "gelu_tanh", "silu", "elu", "hard_sigmoid")
# So are sums and differences of several: these are tried with one score.
SINGLE = {f"{name}_forward" for name in ("binary_cross_entropy", "weighted_binary_cross_entropy", "binary_focal")}
SINGLE |= {f"{name}_forward" for name in ("perceptron", "hinge", "absolute_error", "huber")}
SINGLE |= {f"{name}_{way}" for name in ("crammer_singer", "weston_watkins") for way in ("forward", "backward")}


def extremes(dtype):
    limits = np.finfo(dtype)
    magnitudes = (limits.max, 1e30, 745, 88.8, 1, limits.tiny, limits.smallest_subnormal, 0)
    return np.array([sign * np.array(m, dtype) for m in magnitudes for sign in (1, -1)], dtype)


def rows(dtype, width):
    """Every row of `width` extreme numbers."""
    return np.array(list(itertools.product(extremes(dtype), repeat=width)), dtype)


def arguments(operation, dtype, width=2):
    """Extreme scores; ordinary gradients; targets, labels and probabilities as they should be."""
    x = rows(dtype, width)
    n = len(x)
    ordinary = np.where(np.arange(x.size) % 2, 1, -0.5).reshape(x.shape).astype(dtype)
    targets = np.eye(width, dtype=dtype)[np.arange(n) % width]
    settings = {"slope": 0.01, "depth": 1.5, "classes": width, "labels": np.arange(n) % width, "t": targets}
    settings |= {"dloss": ordinary[:, 0], "dJ": np.array(1, dtype), "loss": np.abs(x[:, 0]) / n}
    settings |= {"p": operations.softmax_forward(x), "w": np.ones(n, dtype), "smoothing": 0.1}
    settings |= {"margin": 1.0, "power": 1, "delta": 1.0, "gamma": 2.0, "yes": 0.25, "no": 0.75}
    settings |= dict.fromkeys(("alpha", "pos_weight"), np.ones(width, dtype))
    names = [argument.name for argument in read_signature(operation).arguments]
    if "y" in names and "t" not in names:  # a derivative written with the output
        settings["y"] = operations.OPERATIONS[operation.name.replace("backward", "forward")](x)
    return [settings.get(name, ordinary if name.startswith("d") else x) for name in names]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", STABLE, ids=lambda operation: operation.name)
def test_no_warning_and_no_nan(operation, dtype):
    result = operation(*arguments(operation, dtype))
    assert not np.isnan(result).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", WITHIN_RANGE, ids=lambda operation: operation.name)
def test_the_bare_formula_does_not_warn_either(operation, dtype):
    operation.reference(*arguments(operation, dtype, 1 if operation.name in SINGLE else 2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_derivatives_stay_finite(name, dtype):
    for direction in ("forward", "backward"):
        operation = operations.OPERATIONS[f"{name}_{direction}"]
        assert np.isfinite(operation(*arguments(operation, dtype))).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_rows_sum_to_1_for_any_scores(dtype):
    p = operations.softmax_forward(rows(dtype, 3))
    assert np.abs(p.sum(axis=1) - 1).max() <= 2 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_softmax_is_finite_for_any_scores(dtype):
    assert np.isfinite(operations.log_softmax_forward(rows(dtype, 3))).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("label", range(3))
def test_cross_entropy_is_finite_for_any_scores(dtype, label):
    f = rows(dtype, 3)
    labels = np.full(len(f), label)
    t = np.eye(3, dtype=dtype)[labels]
    dloss = np.ones(len(f), dtype)
    assert np.isfinite(operations.cross_entropy_forward(f, labels)).all()
    assert np.isfinite(operations.soft_cross_entropy_forward(f, t)).all()
    assert np.isfinite(operations.cross_entropy_backward(dloss, f, labels)).all()
    assert np.isfinite(operations.soft_cross_entropy_backward(dloss, f, t)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_against_uncertain_targets_is_finite_for_any_scores(dtype):
    f = rows(dtype, 3)
    t = np.tile(np.array([0.7, 0.2, 0.1], dtype), (len(f), 1))
    assert np.isfinite(operations.soft_cross_entropy_forward(f, t)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_binary_cross_entropy_is_finite_for_any_score(dtype):
    f, once = rows(dtype, 1), np.ones(1, dtype)
    for target in (0, 0.5, 1):
        t = np.full_like(f, target)
        assert np.isfinite(operations.binary_cross_entropy_forward(f, t)).all()
        assert np.isfinite(operations.weighted_binary_cross_entropy_forward(f, t, once)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0, 5.0])
def test_focal_losses_and_their_derivatives_are_finite_for_any_scores(dtype, gamma):
    """Where 1 − p is 0 in floating point, a power of it below 1 would have an infinite slope."""
    f, labels = rows(dtype, 2), np.arange(len(rows(dtype, 2))) % 2
    t, dloss, alpha = np.eye(2, dtype=dtype)[labels], np.ones(len(f), dtype), np.ones(2, dtype)
    assert np.isfinite(operations.focal_forward(f, labels, alpha, gamma)).all()
    assert np.isfinite(operations.focal_backward(dloss, f, labels, alpha, gamma)).all()
    one, yes = rows(dtype, 1), np.ones((len(rows(dtype, 1)), 1), dtype)
    assert np.isfinite(operations.binary_focal_forward(one, yes, gamma, 1.0, 1.0)).all()
    assert np.isfinite(operations.binary_focal_backward(dloss, f, t, gamma, 1.0, 1.0)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_target_of_0_adds_nothing_to_the_divergence(dtype):
    f = rows(dtype, 3)
    t = np.tile(np.array([0.75, 0, 0.25], dtype), (len(f), 1))
    assert np.isfinite(operations.kullback_leibler_forward(f, t)).all()


def test_cross_entropy_keeps_its_accuracy_where_exp_would_overflow():
    """L = f_max − f_label when the gap is large."""
    f = np.array([[1000.0, 0.0], [1e30, -1e30]])
    assert operations.cross_entropy_forward(f, np.array([1, 1])).tolist() == [1000.0, 2e30]
