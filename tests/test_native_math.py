"""The elementary functions as the kernels compute them in float32, against float64 rounded correctly.

A sample; of exp, log, tanh, sigmoid and softplus benchmarks/math_accuracy.py tries all 2³² inputs.
"""

import math

import numpy as np
import pytest

from chainrule import kernels
from chainrule.operations.operation import runs_natively

pytestmark = [
    pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here"),
    pytest.mark.usefixtures("instruction_set"),
]

EXP = [88.722839, -87.336545, -103.97208, 104]  # to infinity, to denormal numbers, to 0; where it is cut off
EXP += [n * np.log(2) / 2 for n in range(1, 301, 2)]  # where it is put together from another power of 2
LOG = [np.sqrt(2) - 1, np.sqrt(0.5), np.log(np.sqrt(2) - 1)]  # likewise, and where softplus comes to it
THRESHOLDS = [*EXP, *LOG, 0.5, 1, 5, 9.0109, 10]  # tanh is 1 from 9.0109 on and cut off at 10


@pytest.fixture(params=kernels.instruction_sets())
def instruction_set(request):
    before = kernels.info().instruction_set
    kernels.set_instruction_set(request.param)
    yield
    kernels.set_instruction_set(before)


def around(values, steps=4):
    """The float32 numbers nearest to `values` and their neighbours, `steps` to either side, of both signs."""
    bits = np.abs(np.asarray(values)).astype(np.float32).view(np.uint32)
    near = (bits[:, None] + np.arange(-steps, steps + 1)).astype(np.uint32).view(np.float32).ravel()
    return np.concatenate([near, -near])


def sample():
    """200,000 finite float32 numbers: all signs and exponents alike, denormal ones, and where something changes."""
    every = np.arange(0, 2**32, 22_943, dtype=np.uint64).astype(np.uint32).view(np.float32)
    denormal = np.linspace(1, 2**23 - 1, 500).astype(np.uint32).view(np.float32)
    whole = np.arange(-150, 151, dtype=np.float32)
    ends = np.array([0, 1, 2, 2**23 - 1, 2**23, 2**23 + 1, 0x7F7FFFFE, 0x7F7FFFFF], np.uint32).view(np.float32)
    between = np.random.default_rng(0).uniform(-110, 110, 10_000).astype(np.float32)
    x = np.concatenate([every, denormal, -denormal, whole, ends, -ends, between, around(THRESHOLDS)])
    return x[np.isfinite(x)]


X = sample()
WIDE = X.astype(np.float64)


def worst(y, truth):
    """The largest error of y (float32) in units in the last place of the correctly rounded `truth` (float64)."""
    rounded = np.minimum(np.abs(truth), 2.0**127).astype(np.float32)
    value, truth = (np.clip(np.float64(number), -(2.0**128), 2.0**128) for number in (y, truth))  # ∞ counts as 2¹²⁸
    return (np.abs(value - truth) / np.spacing(rounded)).max()


def exp(x):
    """e^x by a kernel that adds nothing to it: 0 − e^x · (0 − 1) is the first column of this gradient."""
    dy = np.tile(np.float32([0, -1]), (len(x), 1))
    return kernels.log_softmax_backward(dy, np.stack([x, np.zeros_like(x)], axis=1))[:, 0]


def wide_sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def test_the_sample_has_all_exponents_of_both_signs():
    assert len(X) > 190_000
    assert len(np.unique(X.view(np.uint32) >> 23)) == 2 * 255


def test_exp():
    with np.errstate(over="ignore"):
        assert worst(exp(X), np.exp(WIDE)) <= 1


@pytest.mark.parametrize(
    ("kernel", "truth"),
    [
        (kernels.tanh_forward, np.tanh),
        (kernels.sigmoid_forward, wide_sigmoid),
        (kernels.softplus_forward, lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))),
    ]
    if kernels.available
    else [],
    ids=["tanh", "sigmoid", "softplus"],
)
def test_an_activation(kernel, truth):
    y = kernel(X)
    assert worst(y, truth(WIDE)) <= 1
    assert np.array_equal(np.signbit(y), np.signbit(truth(WIDE)))


def test_expm1_of_negative_numbers_as_elu_has_it():
    assert worst(kernels.elu_forward(X, 1.0, 1.0), np.where(X > 0, WIDE, np.expm1(np.minimum(WIDE, 0)))) <= 1


def test_the_normal_distribution_as_gelu_has_it():
    """x Φ(x) is e^(−x²/2) times other factors, each of which is rounded: some units more than one."""
    share = np.vectorize(math.erfc, otypes=[float])(-WIDE * math.sqrt(0.5)) / 2
    assert worst(kernels.gelu_forward(X), WIDE * share) <= 8


def test_log_as_far_as_kernels_ask_for_it():
    """Of Σ e^(f − max f), from 1 to the number of classes; with e^0 alone beside the largest, Σ is known to the bit."""
    f = X[X <= 0]
    for classes in (2, 3, 10, 1000):
        rows = f if classes < 1000 else f[::100]
        scores = np.zeros((len(rows), classes), np.float32)
        scores[:, 0] = rows
        total = exp(rows)
        for _ in range(classes - 1):
            total += 1  # in the order of the classes, rounded to float32 each time
        assert worst(-kernels.log_softmax_forward(scores)[:, 1], np.log(total.astype(np.float64))) <= 1


def test_what_is_not_a_finite_number():
    special = np.array([np.inf, -np.inf, np.nan], np.float32)
    assert np.array_equal(kernels.tanh_forward(special), [1, -1, np.nan], equal_nan=True)
    assert np.array_equal(kernels.sigmoid_forward(special), [1, 0, np.nan], equal_nan=True)
    assert np.array_equal(kernels.softplus_forward(special), [np.inf, 0, np.nan], equal_nan=True)
    assert np.array_equal(exp(special), [np.inf, 0, np.nan], equal_nan=True)
