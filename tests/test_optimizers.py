"""Update rules: numbers worked by hand, and a loop over single numbers. Source: mission items B3, B5, E5."""

import json
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.optimizers import Optimizer

ALL = [
    cr.SGD(0.1),
    cr.Momentum(0.1, 0.8),
    cr.Nesterov(0.1, 0.8),
    cr.Adam(0.1, 0.8, 0.95, 1e-6),
    cr.RMSprop(0.05, 0.8, 1e-6),
    cr.RMSprop(0.05, 0.8, 1e-2, centered=True),
    cr.Adagrad(0.3, 1e-6),
    cr.Adadelta(0.2, 0.8, 1e-3),
    cr.AdamW(0.1, 0.8, 0.95, 1e-6, 0.1),
    cr.Nadam(0.1, 0.8, 0.95, 1e-6, 0.01),
    cr.Lion(0.01, 0.8, 0.95, 0.1),
]


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


def rmsprop(w, gradients, rate, decay, epsilon):
    s = 0.0
    for g in gradients:
        s = decay * s + (1 - decay) * g**2
        w -= rate * g / (math.sqrt(s) + epsilon)
    return w


def centered_rmsprop(w, gradients, rate, decay, epsilon):
    """The variance as its definition says it."""
    m = s = 0.0
    for g in gradients:
        m = decay * m + (1 - decay) * g
        s = decay * s + (1 - decay) * g**2
        w -= rate * g / (math.sqrt(s - m**2) + epsilon)
    return w


def adagrad(w, gradients, rate, epsilon):
    s = 0.0
    for g in gradients:
        s += g**2
        w -= rate * g / (math.sqrt(s) + epsilon)
    return w


def adadelta(w, gradients, rate, decay, epsilon):
    s = u = 0.0
    for g in gradients:
        s = decay * s + (1 - decay) * g**2
        step = math.sqrt(u + epsilon) / math.sqrt(s + epsilon) * g
        u = decay * u + (1 - decay) * step**2
        w -= rate * step
    return w


def adamw(w, gradients, rate, beta1, beta2, epsilon, decay):
    m = s = 0.0
    for step, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g**2
        w -= rate * decay * w + rate * (m / (1 - beta1**step)) / (math.sqrt(s / (1 - beta2**step)) + epsilon)
    return w


def nadam(w, gradients, rate, beta1, beta2, epsilon, psi):
    momenta = [beta1 * (1 - 0.5 * 0.96 ** (t * psi)) for t in range(len(gradients) + 2)]
    m = s = 0.0
    for step, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g**2
        mean = (1 - momenta[step]) * g / (1 - math.prod(momenta[1 : step + 1]))
        mean += momenta[step + 1] * m / (1 - math.prod(momenta[1 : step + 2]))
        w -= rate * mean / (math.sqrt(s / (1 - beta2**step)) + epsilon)
    return w


def lion(w, gradients, rate, beta1, beta2, decay):
    """The program of Chen et al. 2023, table 1."""
    m = 0.0
    for g in gradients:
        c = beta1 * m + (1 - beta1) * g
        w -= rate * (math.copysign(1, c) + decay * w)
        m = beta2 * m + (1 - beta2) * g
    return w


SCALAR = [
    (ALL[0], sgd, (0.1,)),
    (ALL[1], momentum, (0.1, 0.8)),
    (ALL[2], nesterov, (0.1, 0.8)),
    (ALL[3], adam, (0.1, 0.8, 0.95, 1e-6)),
    (ALL[4], rmsprop, (0.05, 0.8, 1e-6)),
    (ALL[5], centered_rmsprop, (0.05, 0.8, 1e-2)),
    (ALL[6], adagrad, (0.3, 1e-6)),
    (ALL[7], adadelta, (0.2, 0.8, 1e-3)),
    (ALL[8], adamw, (0.1, 0.8, 0.95, 1e-6, 0.1)),
    (ALL[9], nadam, (0.1, 0.8, 0.95, 1e-6, 0.01)),
    (ALL[10], lion, (0.01, 0.8, 0.95, 0.1)),
]


def descend(optimizer, W, gradients):
    slots = optimizer.first_slots(W)
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
    slots = tuple(np.full(slot.shape, 0.5) for slot in optimizer.first_slots(W))
    for array in (W, dW, *slots):
        array.flags.writeable = False
    new, remembered = optimizer.update(W, dW, slots, 1, optimizer.learning_rate)
    assert new.shape == W.shape
    assert [slot.shape for slot in remembered] == [slot.shape for slot in slots]
    assert not np.shares_memory(new, W)


@pytest.mark.parametrize("optimizer", ALL, ids=lambda optimizer: type(optimizer).__name__)
def test_float32_stays_float32(optimizer):
    W = np.ones(2, np.float32)
    new, slots = optimizer.update(W, W, optimizer.first_slots(W), 1, optimizer.learning_rate)
    assert {array.dtype for array in (new, *slots)} == {np.dtype("float32")}


@pytest.mark.parametrize("optimizer", ALL, ids=lambda optimizer: type(optimizer).__name__)
def test_goes_down_into_a_bowl(optimizer):
    """C = ½ (w₁² + 10 w₂²)."""
    W = np.array([1.0, 1.0])
    slots = optimizer.first_slots(W)
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


@pytest.mark.parametrize("cls", [*dict.fromkeys(type(optimizer) for optimizer in ALL), cr.LBFGS])
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
        (lambda: cr.RMSprop(decay=1), "RMSprop: decay"),
        (lambda: cr.RMSprop(epsilon=-1), "RMSprop: epsilon"),
        (lambda: cr.RMSprop(centered=1), "RMSprop: centered: expected True or False, got 1"),
        (lambda: cr.Adagrad(epsilon=0), "Adagrad: epsilon"),
        (lambda: cr.Adadelta(decay=-0.1), "Adadelta: decay"),
        (lambda: cr.Adadelta(epsilon=0), "Adadelta: epsilon"),
        (lambda: cr.AdamW(beta1=1), "AdamW: beta1"),
        (lambda: cr.AdamW(beta2=1), "AdamW: beta2"),
        (lambda: cr.AdamW(epsilon=0), "AdamW: epsilon"),
        (lambda: cr.AdamW(weight_decay=-0.1), "AdamW: weight_decay"),
        (lambda: cr.AdamW(biases="no"), "AdamW: biases"),
        (lambda: cr.Nadam(beta1=1), "Nadam: beta1"),
        (lambda: cr.Nadam(beta2=1), "Nadam: beta2"),
        (lambda: cr.Nadam(epsilon=0), "Nadam: epsilon"),
        (lambda: cr.Nadam(momentum_decay=-1), "Nadam: momentum_decay"),
        (lambda: cr.Lion(beta1=1), "Lion: beta1"),
        (lambda: cr.Lion(beta2=1), "Lion: beta2"),
        (lambda: cr.Lion(weight_decay=float("nan")), "Lion: weight_decay"),
        (lambda: cr.Lion(biases=0), "Lion: biases"),
        (lambda: cr.LBFGS(history=0), "LBFGS: history"),
        (lambda: cr.LBFGS(evaluations=0), "LBFGS: evaluations"),
        (lambda: cr.LBFGS(tolerance=-1), "LBFGS: tolerance"),
    ],
)
def test_another_setting_out_of_range_is_refused(make, message):
    with pytest.raises(cr.errors.SettingError, match=message):
        make()


def test_a_gradient_that_stays_the_same_has_no_variance_and_no_root_of_a_negative_number():
    """s − m² would come out a little below 0 after some steps; the variance is worked out in another way."""
    W = descend(cr.RMSprop(0.01, 0.9, 1e-2, centered=True), np.zeros(5), [np.array([1, 0.1, 0.3, 0.7, 1e-3])] * 500)
    assert np.isfinite(W).all()


@pytest.mark.parametrize("make", [cr.AdamW, cr.Lion])
def test_decay_shrinks_weights_and_leaves_biases_alone_unless_told(make):
    weight, bias, nothing = np.ones((2, 2)), np.ones(2), np.zeros
    settings = {"learning_rate": 0.1, "weight_decay": 0.5}
    assert np.allclose(descend(make(**settings), weight, [nothing((2, 2))]), 0.95, rtol=1e-15)
    assert np.array_equal(descend(make(**settings), bias, [nothing(2)]), bias)
    assert np.allclose(descend(make(**settings, biases=True), bias, [nothing(2)]), 0.95, rtol=1e-15)


def test_without_decay_adamw_is_adam():
    rng = np.random.default_rng(0)
    W, gradients = rng.standard_normal((3, 2)), rng.standard_normal((7, 3, 2))
    adam, adamw = cr.Adam(0.1, 0.8, 0.95, 1e-6), cr.AdamW(0.1, 0.8, 0.95, 1e-6, weight_decay=0.0)
    np.testing.assert_allclose(descend(adamw, W, gradients), descend(adam, W, gradients), rtol=1e-14)


def test_the_momentum_of_nadam_grows_to_beta1():
    """After many steps μ = β₁, and the product of all momenta is 0."""
    W, slots = np.zeros(1), (np.zeros(1), np.zeros(1), np.ones(()))
    for step in range(1, 2001):
        W, slots = cr.Nadam(momentum_decay=1).update(W, np.ones(1), slots, step, 0.001)
    assert slots[2] < 1e-80
    assert W[0] == pytest.approx(-2.0, rel=0.01)  # the gradient is 1 all the time: each step is the rate


def test_the_base_class_leaves_the_mathematics_to_its_subclasses():
    with pytest.raises(NotImplementedError):
        Optimizer().update(np.ones(1), np.ones(1), (), 1, 0.1)
