"""Schedules: their values at chosen moments, and that a training follows them."""

import json
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError

ALL = [
    cr.OneCycle(0.3, 0.2, 0.05),
    cr.StepDecay(2, 0.5),
    cr.ExponentialDecay(0.8),
    cr.CosineDecay(0.1),
    cr.WarmUp(1.5, 0.2),
    cr.WarmUp(1, 0.1, then=cr.WarmUp(1, 0.5, then=cr.StepDecay())),
]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (cr.OneCycle(0.25, 0.1, 0.01), {0: 0.1, 1: 0.55, 2: 1.0, 5: 0.505, 8: 0.01}),
        (cr.StepDecay(3, 0.1), {0: 1.0, 2.99: 1.0, 3: 0.1, 5.5: 0.1, 6: 0.01}),
        (cr.ExponentialDecay(0.81), {0: 1.0, 0.5: 0.9, 1: 0.81, 2: 0.6561}),
        (cr.CosineDecay(), {0: 1.0, 4: 0.5, 8: 0.0, 8 / 3: 0.75}),
        (cr.CosineDecay(0.2), {0: 1.0, 4: 0.6, 8: 0.2}),
        (cr.WarmUp(2, 0.1), {0: 0.1, 1: 0.55, 2: 1.0, 7: 1.0}),
        (cr.WarmUp(2, 0.0, then=cr.CosineDecay()), {0: 0.0, 1: 0.5, 2: 1.0, 5: 0.5, 8: 0.0}),
        (cr.WarmUp(0.5, 0.0, then=cr.StepDecay(2, 0.1)), {0.25: 0.5, 0.5: 1.0, 2.4: 1.0, 2.5: 0.1}),
        (cr.WarmUp(100), {0: 0.1, 8: 0.172}),
    ],
    ids=repr,
)
def test_the_factor_after_so_many_of_eight_epochs(schedule, expected):
    for epoch, factor in expected.items():
        assert schedule.factor(epoch, 8) == pytest.approx(factor, rel=1e-14, abs=1e-15)


def test_a_step_decay_falls_at_the_first_step_of_an_epoch_whatever_their_number():
    """(step − 1) / steps per epoch is a whole number exactly, however it is rounded elsewhere."""
    schedule = cr.StepDecay(1, 0.5)
    for steps in (3, 7, 49, 1875):
        for epoch in range(40):
            first = epoch * steps + 1
            assert schedule.factor((first - 1) / steps, 40) == 0.5**epoch
            if epoch:
                assert schedule.factor((first - 2) / steps, 40) == 0.5 ** (epoch - 1)


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_a_training_takes_each_step_at_its_rate(schedule):
    """The gradient of the mean of y with respect to a bias is 1: the bias sums up the rates."""

    class Sum(cr.SquaredError):
        def forward(self, f, t):
            return f[:, 0]

        def backward(self, dloss, f, t):
            return np.repeat(dloss[:, None], f.shape[1], axis=1)

    net = cr.Network([cr.Linear(1)], loss=Sum(), dtype="float64").build((1,))
    x = np.zeros((12, 1))
    settings = {"optimizer": cr.SGD(0.5), "schedule": schedule, "progress": False}
    cr.train(net, (x, x), epochs=7, batch_size=3, **settings)
    expected = math.fsum(0.5 * schedule.factor(step / 4, 7) for step in range(28))
    assert -net.parameters["layers.0.b"][0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_it_can_be_written_down_and_built_again(schedule):
    copy = cr.Schedule.from_configuration(json.loads(json.dumps(schedule.configuration())))
    assert copy.configuration() == schedule.configuration()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.OneCycle(warm_up=1), "OneCycle: warm_up: expected a share above 0 and below 1"),
        (lambda: cr.StepDecay(0), "StepDecay: every"),
        (lambda: cr.StepDecay(2.5), "StepDecay: every"),
        (lambda: cr.StepDecay(gamma=0), "StepDecay: gamma"),
        (lambda: cr.ExponentialDecay(-1), "ExponentialDecay: gamma"),
        (lambda: cr.CosineDecay(-0.1), "CosineDecay: end"),
        (lambda: cr.WarmUp(0), "WarmUp: epochs"),
        (lambda: cr.WarmUp(start=-1), "WarmUp: start"),
        (lambda: cr.WarmUp(then=0.5), r"WarmUp: then: expected a Schedule such as CosineDecay\(\), got 0.5"),
    ],
)
def test_wrong_settings_are_refused(make, message):
    with pytest.raises(SettingError, match=message):
        make()
