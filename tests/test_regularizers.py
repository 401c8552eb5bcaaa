"""Penalties: what they cost, what they add to gradients, by what they are divided, and what others call them."""

import json

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.testing.gradient import numerical_gradient, relative_error

ALL = [
    cr.L2(0.3),
    cr.L2(0.3, per="sample"),
    cr.L2(0.3, per="none", biases=True),
    cr.L1(0.2),
    cr.L1(0.2, per="sample", biases=True),
    cr.ElasticNet(0.4, l1_ratio=0.25),
    cr.ElasticNet(0.4, per="none"),
]
X = np.random.default_rng(0).normal(size=(20, 3))
LABELS = np.arange(20) % 2
WEIGHTS = {"layers.0.W": np.array([[1.0, -2.0], [3.0, 0.0]]), "layers.0.b": np.array([10.0, -10.0])}


def network(dtype="float64", seed=0):
    return cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype=dtype, seed=seed)


def trained(penalty, **settings):
    net = network()
    settings = {"epochs": 3, "batch_size": 8, "optimizer": cr.SGD(0.1), "progress": False} | settings
    return net, cr.train(net, (X, LABELS), penalty=penalty, **settings)


# --- worked by hand ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        (cr.L2(0.5, per="none"), 0.5 * 14 / 2),  # 1 + 4 + 9 = 14
        (cr.L2(0.5), 0.5 * 14 / 2 / 4),
        (cr.L2(0.5, per="sample"), 0.5 * 14 / 2 / 10),
        (cr.L2(0.5, per="none", biases=True), 0.5 * 214 / 2),
        (cr.L2(0.5, biases=True), 0.5 * 214 / 2 / 6),
        (cr.L1(0.5, per="none"), 0.5 * 6),
        (cr.L1(0.5), 0.5 * 6 / 4),
        (cr.L1(0.5, per="none", biases=True), 0.5 * 26),
        (cr.ElasticNet(0.5, l1_ratio=0.25, per="none"), 0.5 * (0.25 * 6 + 0.75 * 14 / 2)),
    ],
    ids=repr,
)
def test_its_value_for_four_weights_two_biases_and_ten_samples(penalty, expected):
    assert penalty.value(WEIGHTS, samples=10) == pytest.approx(expected, rel=1e-15)


def test_its_slope_at_zero_is_zero():
    J, gradients = np.zeros(()), {name: np.zeros_like(W) for name, W in WEIGHTS.items()}
    found = cr.L1(0.5, per="none").add_to(J, gradients, WEIGHTS, 10, np.ones(()))
    assert found.gradients["layers.0.W"].tolist() == [[0.5, -0.5], [0.5, 0.0]]
    assert found.gradients["layers.0.b"].tolist() == [0.0, 0.0]


# --- the number reported is the number differentiated -----------------------------------------------------------------


@pytest.mark.parametrize("penalty", ALL, ids=repr)
def test_the_gradients_of_a_network_are_those_of_the_loss_it_reports(penalty):
    net = network().build((3,))
    gradients = net.gradients(X, LABELS, penalty=penalty)
    for name, W in net.parameters.items():
        start = W.copy()

        def reported(value, W=W):
            W[...] = value
            return net.evaluate(X, LABELS, penalty=penalty)["loss"]

        assert relative_error(gradients[name], numerical_gradient(reported, start)) <= 1e-7
        W[...] = start


def test_loss_and_penalty_are_reported_apart_and_together():
    net, penalty = network().build((3,)), cr.L2(0.3)
    found, plain = net.evaluate(X, LABELS, penalty=penalty), net.evaluate(X, LABELS)
    assert list(found) == ["loss", "accuracy", "data_loss", "penalty"]
    assert found["data_loss"] == plain["loss"]
    assert found["penalty"] == float(penalty.value(net.parameters, len(X)))
    assert found["loss"] == found["data_loss"] + found["penalty"]


@pytest.mark.parametrize("penalty", ALL, ids=repr)
def test_the_history_has_both_and_their_sum(penalty):
    net = network().build((3,))
    before = net.evaluate(X, LABELS, penalty=penalty)
    history = cr.train(
        net, (X, LABELS), validation=(X, LABELS), epochs=3, batch_size=None, penalty=penalty, progress=False
    )
    for name in ("loss", "data_loss", "penalty"):
        assert history[name][0] == pytest.approx(before[name], rel=1e-13)
    assert history["loss"] == pytest.approx(np.add(history["data_loss"], history["penalty"]).tolist(), rel=1e-13)
    assert history["validation_loss"][-1] == net.evaluate(X, LABELS)["loss"]


def test_the_figures_of_an_epoch_are_means_over_its_samples():
    net, penalty = network().build((3,)), cr.L2(5.0)
    before = float(penalty.value(net.parameters, 20))
    history = cr.train(
        net, (X, LABELS), epochs=1, batch_size=8, penalty=penalty, optimizer=cr.SGD(1e-12), progress=False
    )
    assert history["penalty"][0] == pytest.approx(before, rel=1e-9)
    assert history["data_loss"][0] == pytest.approx(net.evaluate(X, LABELS)["loss"], rel=1e-9)


def test_a_step_follows_the_gradient_of_both():
    net, penalty = network().build((3,)), cr.ElasticNet(0.4, per="sample")
    before = {name: W.copy() for name, W in net.parameters.items()}
    gradients = net.gradients(X, LABELS, penalty=penalty)
    cr.train(net, (X, LABELS), epochs=1, batch_size=None, penalty=penalty, optimizer=cr.SGD(0.25), progress=False)
    for name, W in net.parameters.items():
        np.testing.assert_allclose(W, before[name] - 0.25 * gradients[name], rtol=1e-12)


def test_per_sample_counts_the_samples_of_the_training_whatever_the_batch():
    small = trained(cr.L2(0.3, per="sample"), epochs=1, batch_size=1, optimizer=cr.SGD(1e-12))[1]
    whole = trained(cr.L2(0.3, per="sample"), epochs=1, batch_size=None, optimizer=cr.SGD(1e-12))[1]
    assert small["penalty"][0] == pytest.approx(whole["penalty"][0], rel=1e-9)


def test_a_strong_penalty_leaves_small_weights_and_l1_leaves_zeros():
    weights = {
        name: trained(penalty, epochs=300, batch_size=None)[0].parameters["layers.0.W"]
        for name, penalty in (("none", None), ("l2", cr.L2(0.1, per="none")), ("l1", cr.L1(0.5, per="none")))
    }
    assert np.abs(weights["l2"]).max() < 0.5 * np.abs(weights["none"]).max()
    assert np.abs(weights["l1"]).max() <= 0.05  # within a step, of rate times strength, around 0


# --- what others call it ----------------------------------------------------------------------------------------------


def slopes(penalty, net, samples):
    """∂R/∂W, as a training of so many samples has it."""
    zeros = {name: np.zeros_like(W) for name, W in net.parameters.items()}
    return penalty.add_to(np.zeros(()), zeros, net.parameters, samples, np.ones(())).gradients


@pytest.mark.parametrize("penalty", ALL, ids=repr)
@pytest.mark.parametrize("batch_size", [None, 5])
def test_the_equivalents_cost_the_same_by_the_formulas_of_the_others(penalty, batch_size):
    net, samples = network().build((3,)), 40
    others = penalty.equivalents(net.parameters, samples, batch_size)
    W = np.concatenate([W.ravel() for W in net.parameters.values() if penalty.biases or W.ndim > 1])
    R = float(penalty.value(net.parameters, samples))
    size_l1, size_l2 = np.abs(W).sum(), (W * W).sum()
    assert others.keras_l1 * size_l1 + others.keras_l2 * size_l2 == pytest.approx(R, rel=1e-13)
    elastic = others.sgd_l1_ratio * size_l1 + (1 - others.sgd_l1_ratio) * size_l2 / 2
    assert others.sgd_alpha * elastic == pytest.approx(R, rel=1e-13)
    if isinstance(penalty, cr.L2):
        assert others.mlp_alpha / 2 * size_l2 / (batch_size or samples) == pytest.approx(R, rel=1e-13)
        dR = slopes(penalty, net, samples)["layers.0.W"]
        np.testing.assert_allclose(others.weight_decay * net.parameters["layers.0.W"], dR, rtol=1e-13)
    else:
        assert others.mlp_alpha is None
        assert others.weight_decay is None


def test_the_alpha_of_scikit_learn_is_a_strength_per_sample():
    others = cr.L2(1e-4, per="sample").equivalents(WEIGHTS, samples=1000)
    assert others.mlp_alpha == pytest.approx(1e-4, rel=1e-15)


def test_the_weight_decay_of_pytorch_is_a_strength_per_none():
    assert cr.L2(1e-4, per="none").equivalents(WEIGHTS, samples=1000).weight_decay == 1e-4


def test_scikit_learn_itself_reports_the_same_loss():
    neural = pytest.importorskip("sklearn.neural_network")
    settings = {"activation": "tanh", "solver": "sgd", "batch_size": len(X), "random_state": 0}
    model = neural.MLPClassifier((4,), alpha=0.5, learning_rate_init=1e-300, **settings)  # its step changes nothing
    model.partial_fit(X, LABELS, classes=[0, 1])
    layers = [cr.Linear(4), cr.Tanh(), cr.Linear(1)]
    net = cr.Network(layers, loss=cr.BinaryCrossEntropy(), dtype="float64").build((3,))
    for layer, W, b in zip((layers[0], layers[2]), model.coefs_, model.intercepts_, strict=True):
        layer.W[...], layer.b[...] = W, b
    found = net.evaluate(X, LABELS, penalty=cr.L2(0.5, per="sample"))
    assert found["loss"] == pytest.approx(model.loss_, rel=1e-12)


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("penalty", "text"),
    [
        (cr.L2(0.001), "0.001 · ½ Σ w² / 4 parameters"),
        (cr.L2(0.001, biases=True), "0.001 · ½ Σ w² / 6 parameters"),
        (cr.L1(2.0, per="sample"), "2 · Σ|w| / 50 samples"),
        (cr.ElasticNet(0.1, l1_ratio=0.25, per="none"), "0.1 · (0.25 · Σ|w| + 0.75 · ½ Σ w²)"),
    ],
)
def test_its_formula_is_shown_with_its_numbers(penalty, text):
    assert penalty.describe(WEIGHTS, samples=50) == text


def test_a_training_shows_the_formula_and_the_share_of_the_penalty(capsys):
    trained(cr.L2(0.3), progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "penalty 0.3 · ½ Σ w² / 20 parameters"
    assert "(penalty 0.0" in lines[1]


@pytest.mark.parametrize("penalty", ALL, ids=repr)
def test_it_can_be_written_down_and_built_again(penalty):
    copy = cr.Penalty.from_configuration(json.loads(json.dumps(penalty.configuration())))
    assert type(copy) is type(penalty)
    assert copy.configuration() == penalty.configuration()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.L2(0), "L2: strength: expected a number above 0"),
        (lambda: cr.L1(-1), "L1: strength"),
        (lambda: cr.L2(0.1, per="batch"), "L2: per: expected one of parameter, sample, none, got 'batch'"),
        (lambda: cr.L2(0.1, biases=1), "L2: biases: expected True or False"),
        (lambda: cr.ElasticNet(0.1, l1_ratio=1.5), "ElasticNet: l1_ratio: expected a share from 0 to 1, got 1.5"),
        (lambda: cr.ElasticNet(0.1, l1_ratio=-0.5), "ElasticNet: l1_ratio"),
        (lambda: trained(0.1), r"penalty: expected a Penalty such as L2\(0.001\), got 0.1"),
        (lambda: cr.L2(0.1).value({"b": np.ones(3)}, 10), "no weights that L2 could be taken of"),
    ],
)
def test_wrong_settings_are_refused(make, message):
    with pytest.raises(SettingError, match=message):
        make()


def test_a_penalty_too_strong_for_the_rate_is_named_as_the_cause():
    with pytest.raises(cr.errors.DivergenceError, match="lower its strength or the learning rate"):
        trained(cr.L2(30.0, per="none"), epochs=10_000)
