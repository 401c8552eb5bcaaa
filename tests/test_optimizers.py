"""Update rules: numbers worked by hand, and a loop over single numbers. Source: mission items B3, B5, E5."""

import json
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.optimizers import Optimizer

ALL = [cr.SGD(0.1), cr.Momentum(0.1, 0.8), cr.Nesterov(0.1, 0.8), cr.Adam(0.1, 0.8, 0.95, 1e-6)]


def sgd(w, gradients, rate):
    for g in gradients:
        w -= rate * g
    return w


def momentum(w, gradients, rate, mu):
    v = 0.0
    for g in gradients:
        v = mu * v + g
        w -= rate * v
    return w


def nesterov(w, gradients, rate, mu):
    v = 0.0
    for g in gradients:
        v = mu * v + g
        w -= rate * (g + mu * v)
    return w


def adam(w, gradients, rate, beta1, beta2, epsilon):
    m = s = 0.0
    for step, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g**2
        w -= rate * (m / (1 - beta1**step)) / (math.sqrt(s / (1 - beta2**step)) + epsilon)
    return w


SCALAR = [
    (ALL[0], sgd, (0.1,)),
    (ALL[1], momentum, (0.1, 0.8)),
    (ALL[2], nesterov, (0.1, 0.8)),
    (ALL[3], adam, (0.1, 0.8, 0.95, 1e-6)),
]


def descend(optimizer, W, gradients):
    slots = tuple(np.zeros_like(W) for _ in range(optimizer.slots))
    for step, dW in enumerate(gradients, start=1):
        W, slots = optimizer.update(W, dW, slots, step, optimizer.learning_rate)
    return W


@pytest.mark.parametrize(("optimizer", "loop", "settings"), SCALAR, ids=lambda item: type(item).__name__)
def test_agrees_with_a_loop_over_single_numbers(optimizer, loop, settings):
    rng = np.random.default_rng(0)
    W, gradients = rng.standard_normal((3, 2)), rng.standard_normal((7, 3, 2))
    found = descend(optimizer, W, gradients)
    for place in np.ndindex(W.shape):
        expected = loop(float(W[place]), [float(g[place]) for g in gradients], *settings)
        assert found[place] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (cr.SGD(0.5), [0.0, -0.5]),  # 1 − 0.5·2, then − 0.5·1
        (cr.Momentum(0.5, 0.5), [0.0, -1.0]),  # v = 2, then v = 0.5·2 + 1 = 2
        (cr.Nesterov(0.5, 0.5), [-0.5, -1.5]),  # 2 + 0.5·2 = 3, then 1 + 0.5·2 = 2
    ],
)
def test_two_steps_worked_by_hand(optimizer, expected):
    """The weight is 1; the gradients are 2, then 1."""
    found = [float(descend(optimizer, np.array([1.0]), [np.array([g]) for g in (2.0, 1.0)[:n]])[0]) for n in (1, 2)]
    assert found == expected


@pytest.mark.parametrize("gradient", [1e-6, 1.0, 1e6])
def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient(gradient):
    W = descend(cr.Adam(0.25), np.array([0.0]), [np.array([gradient])])
    assert W[0] == pytest.approx(-0.25, rel=0.011)  # ε = 1e-8 is 1% of 1e-6


@pytest.mark.parametrize("optimizer", ALL, ids=lambda optimizer: type(optimizer).__name__)
def test_changes_nothing_in_place(optimizer):
    W, dW = np.ones((2, 2)), np.full((2, 2), 3.0)
    slots = tuple(np.full((2, 2), 0.5) for _ in range(optimizer.slots))
    for array in (W, dW, *slots):
        array.flags.writeable = False
    new, remembered = optimizer.update(W, dW, slots, 1, optimizer.learning_rate)
    assert new.shape == W.shape
    assert len(remembered) == optimizer.slots
    assert not np.shares_memory(new, W)


@pytest.mark.parametrize("optimizer", ALL, ids=lambda optimizer: type(optimizer).__name__)
def test_float32_stays_float32(optimizer):
    W = np.ones(2, np.float32)
    new, slots = optimizer.update(
        W, W, tuple(np.zeros_like(W) for _ in range(optimizer.slots)), 1, optimizer.learning_rate
    )
    assert {array.dtype for array in (new, *slots)} == {np.dtype("float32")}


@pytest.mark.parametrize("optimizer", ALL, ids=lambda optimizer: type(optimizer).__name__)
def test_goes_down_into_a_bowl(optimizer):
    """C = ½ (w₁² + 10 w₂²)."""
    W, slots = np.array([1.0, 1.0]), tuple(np.zeros(2) for _ in range(optimizer.slots))
    for step in range(1, 301):
        W, slots = optimizer.update(W, W * [1, 10], slots, step, optimizer.learning_rate)
        if step == 1:
            assert (W < 1).all()
    assert np.abs(W).max() < 0.05


@pytest.mark.parametrize("optimizer", ALL, ids=lambda optimizer: type(optimizer).__name__)
def test_can_be_written_down_and_built_again(optimizer):
    copy = Optimizer.from_configuration(json.loads(json.dumps(optimizer.configuration())))
    assert type(copy) is type(optimizer)
    assert copy.configuration() == optimizer.configuration()


@pytest.mark.parametrize("cls", [cr.SGD, cr.Momentum, cr.Nesterov, cr.Adam])
@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf"), "fast", None, True])
def test_a_learning_rate_that_is_none_is_refused(cls, rate):
    with pytest.raises(cr.errors.SettingError, match=f"{cls.__name__}: learning_rate: expected a"):
        cls(rate)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: cr.Momentum(0.1, 1.0),
            "Momentum: momentum: expected a finite number of at least 0 and below 1, got 1.0",
        ),
        (lambda: cr.Nesterov(0.1, -0.5), "Nesterov: momentum"),
        (lambda: cr.Adam(beta1=1), "Adam: beta1"),
        (lambda: cr.Adam(beta2=1.5), "Adam: beta2"),
        (lambda: cr.Adam(epsilon=0), "Adam: epsilon: expected a number above 0"),
    ],
)
def test_another_setting_out_of_range_is_refused(make, message):
    with pytest.raises(cr.errors.SettingError, match=message):
        make()


def test_the_base_class_leaves_the_mathematics_to_its_subclasses():
    with pytest.raises(NotImplementedError):
        Optimizer().update(np.ones(1), np.ones(1), (), 1, 0.1)
