"""The divergence map: which pairs of rate and strength fail, as data and as a picture."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import plots
from chainrule.errors import DataError, SettingError
from chainrule.training import DivergenceMap

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype(np.float32)
T = X @ [1.0, -2.0, 0.5] + 1


def line():
    return cr.Network([cr.Linear(1)], loss=cr.SquaredError())


def weights(net):
    return b"".join(W.tobytes() for W in net.parameters.values())


def test_each_field_is_the_loss_of_a_training_from_the_same_weights():
    found = cr.map_divergence(line(), (X, T), rates=[0.1, 0.01], strengths=[0.3, 0], epochs=2, batch_size=10)
    assert (found.rates, found.strengths) == ((0.01, 0.1), (0.0, 0.3))
    for row, strength in enumerate(found.strengths):
        for column, rate in enumerate(found.rates):
            net, penalty = line(), cr.L2(strength) if strength else None
            cr.train(net, (X, T), epochs=2, batch_size=10, optimizer=cr.SGD(rate), penalty=penalty, progress=False)
            assert found.losses[row, column] == net.evaluate(X, T)["loss"]
    assert found.start == line().build((3,)).evaluate(X, T)["loss"]


def test_training_fails_just_where_descent_on_a_parabola_must_diverge():
    """J = ½ (w + b − t)² + ½ s (w² + b²) has the curvature 2 + s, and steps by more than 2 / (2 + s) lead away."""
    rates, strengths = (0.1, 0.3, 0.35, 0.45, 0.6, 0.9, 1.1, 4.0), (0.0, 1.0, 3.0)
    net = cr.Network([cr.Linear(1, weights=cr.Zeros())], loss=cr.SquaredError(), dtype="float64")
    found = cr.map_divergence(
        net, (np.ones((8, 1)), np.full(8, 3.0)), rates=rates, strengths=strengths, epochs=60, batch_size=None,
        penalty=lambda strength: cr.L2(strength, per="none", biases=True),
    )  # fmt: skip
    assert np.array_equal(found.failed, np.multiply.outer(2 + np.array(strengths), rates) > 2)


def test_a_value_that_is_not_finite_and_a_loss_above_the_start_have_failed():
    found = DivergenceMap((0.1, 1.0, 10.0), (0.0,), 2.0, np.array([[2.0, 2.1, np.nan]]))
    assert found.failed.tolist() == [[False, True, True]]
    assert found.best == (0.1, 0.0)


def test_the_best_pair_has_the_lowest_loss():
    found = DivergenceMap((0.1, 1.0), (0.0, 0.5), 2.0, np.array([[1.0, np.nan], [0.3, 0.2]]))
    assert found.best == (1.0, 0.5)


def test_where_everything_has_failed_there_is_no_best_pair():
    found = DivergenceMap((0.1,), (0.0,), 2.0, np.array([[np.nan]]))
    with pytest.raises(SettingError, match="map lower rates"):
        _ = found.best


@pytest.mark.parametrize("built", [True, False])
def test_the_network_has_its_old_weights_again(built):
    net = line().build((3,)) if built else line()
    cr.map_divergence(net, (X, T), rates=[0.1, 1e9], strengths=[0], epochs=1)
    assert weights(net) == weights(line().build((3,)))


def test_running_statistics_are_the_old_ones_too():
    net = cr.Network([cr.BatchNorm(), cr.Linear(1)], loss=cr.SquaredError()).build((3,))
    before = {name: array.copy() for name, array in net.arrays.items()}
    cr.map_divergence(net, (X, T), rates=[0.1], strengths=[0], epochs=1)
    for name, array in net.arrays.items():
        assert array.tobytes() == before[name].tobytes(), name


def test_scores_that_overflow_after_finite_steps_have_failed():
    net = cr.Network([cr.Linear(1)], loss=cr.SquaredError())
    found = cr.map_divergence(net, (X, T), rates=[1e30], strengths=[0], epochs=1, batch_size=None)
    assert np.isnan(found.losses[0, 0])


def test_optimizer_and_penalty_are_made_of_the_numbers():
    asked = []

    def optimizer(rate):
        asked.append(rate)
        return cr.Momentum(rate)

    def penalty(strength):
        asked.append(-strength)
        return cr.L1(strength)

    cr.map_divergence(line(), (X, T), rates=[0.1], strengths=[0, 2], optimizer=optimizer, penalty=penalty, epochs=1)
    assert {0.1, -2.0} == set(asked)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rates": [0.0]}, "rates: expected a number above 0"),
        ({"strengths": [-1]}, "strengths: expected a finite number of at least 0"),
        ({"rates": []}, "expected at least one number, got none"),
        ({"optimizer": cr.LBFGS}, "LBFGS finds the length of its steps by itself"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        cr.map_divergence(line(), (X, T), **settings)


def test_bad_data_are_refused_before_anything_is_trained():
    with pytest.raises(DataError, match="row 0"):
        cr.map_divergence(line(), (np.full((2, 3), np.nan), [0, 1]))


FOUND = DivergenceMap((0.01, 0.1, 1.0), (0.0, 1.0), 2.0, np.array([[1.5, 0.4, 9.0], [1.8, 0.5, np.nan]]))


def test_the_picture_says_the_loss_of_what_learned_and_hatches_what_failed():
    ax = plots.divergence_map(FOUND)
    assert [text.get_text() for text in ax.texts] == ["1.5", "0.4", "1.8", "0.5"]
    hatches = {patch.get_xy(): patch.get_hatch() for patch in ax.patches if patch.get_hatch()}
    assert hatches == {(2, 0): "//", (2, 1): "xxx"}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["loss above start", "not finite", "best"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.01", "0.1", "1"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1"]


def test_the_best_pair_has_a_frame():
    (frame,) = [patch for patch in plots.divergence_map(FOUND).patches if patch.get_label() == "best"]
    assert frame.get_xy() == (1, 0)


@pytest.mark.parametrize("losses", [[[np.nan, 9.0]], [[-3.0, -2.0]]], ids=["all failed", "below 0"])
def test_a_picture_of_nothing_but_failures_or_negative_losses_can_be_drawn(losses):
    found = DivergenceMap((0.1, 1.0), (0.0,), -1.0, np.array(losses))
    assert plots.to_png(plots.divergence_map(found), dots_per_inch=30)
