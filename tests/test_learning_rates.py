"""The learning-rate range finder."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import plots
from chainrule.errors import SettingError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
LABELS = (X[:, 0] + X[:, 1] > 0).astype(int)


def network():
    return cr.Network([cr.Linear(8), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype="float64")


def found(net=None, **settings):
    return cr.find_learning_rate(net or network(), (X, LABELS), **settings)


def weights(net):
    return b"".join(W.tobytes() for W in net.parameters.values())


def test_rates_grow_by_the_same_factor_from_the_lowest_to_the_highest():
    rates = found(lowest=1e-4, highest=1e-2, steps=21).rates
    assert len(rates) == 21
    np.testing.assert_allclose(rates, np.geomspace(1e-4, 1e-2, 21), rtol=1e-12)


def test_each_loss_is_that_of_its_batch_before_the_step():
    net = network().build((4,))
    expected = [net.evaluate(X[i : i + 100], LABELS[i : i + 100])["loss"] for i in (0, 100, 200, 0)]
    rates = found(net, lowest=1e-14, highest=1e-13, steps=4, batch_size=100, shuffle=False)
    np.testing.assert_allclose(rates.losses, expected, rtol=1e-9)
    np.testing.assert_allclose(rates.smoothed[1], (0.9 * expected[0] + expected[1]) / 1.9, rtol=1e-9)


@pytest.mark.parametrize("optimizer", [cr.SGD(3.0), cr.Adam()], ids=repr)
def test_a_training_with_the_suggested_rate_learns_and_one_with_a_hundredth_of_it_less(optimizer):
    rate = found(optimizer=optimizer).suggestion
    losses = []
    for factor in (1, 0.01):
        made = type(optimizer)(rate * factor)
        losses.append(cr.train(network(), (X, LABELS), epochs=5, optimizer=made, progress=False)["loss"][-1])
    assert losses[0] < 0.2
    assert losses[1] > 2 * losses[0]


@pytest.mark.parametrize("built", [True, False])
def test_the_network_keeps_the_weights_it_had(built):
    net = network().build((4,)) if built else network()
    found(net)
    assert weights(net) == weights(network().build((4,)))


def test_the_optimizer_keeps_its_rate():
    optimizer = cr.SGD(0.3)
    found(optimizer=optimizer)
    assert optimizer.learning_rate == 0.3


def test_it_ends_when_the_loss_grows():
    rates = found(optimizer=cr.SGD(), highest=1e6, steps=200)
    assert len(rates.rates) < 200
    assert rates.suggestion < rates.rates[-1] / 10


def test_it_ends_when_the_loss_is_no_longer_finite():
    net = cr.Network([cr.Linear(1)], loss=cr.SquaredError())
    rates = cr.find_learning_rate(net, (X, X[:, 0]), lowest=0.1, highest=1e38, steps=3, optimizer=cr.SGD())
    assert len(rates.rates) < 3
    assert np.isfinite(net.parameters["layers.0.W"]).all()


def test_the_picture_shows_the_losses_and_the_suggestion():
    rates = found()
    ax = plots.learning_rates(rates)
    assert ax.get_xscale() == "log"
    assert tuple(ax.lines[0].get_ydata()) == rates.losses
    assert ax.lines[2].get_label() == f"suggested: {rates.suggestion:.2g}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lowest": 0}, "lowest: expected a number above 0"),
        ({"lowest": 1, "highest": 1}, "lowest: expected a rate below highest"),
        ({"steps": 1}, "steps: expected a whole number of at least 2"),
        ({"optimizer": cr.LBFGS()}, "LBFGS finds the length of its steps by itself"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        found(**settings)
