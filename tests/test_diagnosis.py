"""Diagnosis: figures of every layer in the history, and a training that does not notice them."""

import json
from itertools import pairwise

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError

RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(90, 4)).astype(np.float32), np.arange(90) % 3


def network(*layers):
    body = layers or (cr.Linear(8), cr.ReLU(), cr.Dropout(0.3), cr.Linear(6), cr.Tanh(), cr.Linear(3))
    return cr.Network(body, loss=cr.CrossEntropy())


def trained(net, *callbacks, epochs=3, **settings):
    history = cr.train(net, (X, LABELS), epochs=epochs, callbacks=callbacks, progress=False, **settings)
    return history, b"".join(array.tobytes() for array in net.arrays.values())


def last(net, *, samples=256, **settings):
    return trained(net, cr.Diagnosis(samples), **settings)[0].records[-1]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": cr.SGD(0.1), "penalty": cr.L2(0.1), "clip": cr.ClipNorm(0.5), "schedule": cr.CosineDecay()},
        {"class_weight": {0: 3.0}, "batch_size": 7, "validation": 0.2},
        {"optimizer": cr.LBFGS(), "batch_size": None},
    ],
    ids=["adam", "penalty and clip", "weights", "lbfgs"],
)
def test_a_training_gives_the_same_bytes_and_figures_with_and_without_a_diagnosis(settings):
    plain, plain_weights = trained(network(), **settings)
    seen, seen_weights = trained(network(), cr.Diagnosis(), **settings)
    assert seen_weights == plain_weights
    for name in set(plain.records[-1]) - {"seconds", "samples_per_second"}:
        assert seen[name] == plain[name]


def test_running_statistics_do_not_notice_either():
    def final(*callbacks):
        layers = [cr.Linear(8), cr.BatchNorm(), cr.GaussianNoise(0.1), cr.ReLU(), cr.Linear(3)]
        return trained(network(*layers), *callbacks)[1]

    assert final(cr.Diagnosis()) == final()


def test_every_layer_has_figures_in_every_epoch_and_they_are_plain_numbers():
    history, _ = trained(network(), cr.Diagnosis())
    names = {name for name in history.records[0] if name.startswith("layers.")}
    of_outputs = {f"layers.{i}.{figure}" for i in range(6) for figure in ("mean", "deviation")}
    of_parameters = {f"layers.{i}.{name}.gradient_norm" for i in (0, 3, 5) for name in "Wb"}
    of_weights = {f"layers.{i}.W.update_ratio" for i in (0, 3, 5)}
    assert names == of_outputs | of_parameters | of_weights | {"layers.1.dead", "layers.4.saturated"}
    assert all(len(history[name]) == 3 for name in names)
    assert all(type(value) is float for name in names for value in history[name])
    assert json.loads(json.dumps(history.records, allow_nan=False)) == history.records


def test_mean_and_deviation_are_those_of_what_the_layer_gives():
    net = network(cr.Linear(3))
    record = last(net)
    scores = X @ net.parameters["layers.0.W"] + net.parameters["layers.0.b"]
    assert record["layers.0.mean"] == pytest.approx(scores.mean(), rel=1e-5)
    assert record["layers.0.deviation"] == pytest.approx(scores.std(), rel=1e-5)


def test_units_of_a_relu_that_are_0_for_all_samples_are_dead():
    net = network(cr.Linear(8), cr.ReLU(), cr.Linear(3)).build((4,))
    net.parameters["layers.0.b"][:3] = -100
    assert last(net)["layers.1.dead"] == 3 / 8


def test_a_dead_unit_of_an_image_is_a_channel():
    layers = [cr.Reshape((1, 2, 2)), cr.Conv2D(4, 1), cr.ReLU(), cr.Flatten(), cr.Linear(3)]
    net = network(*layers).build((4,))
    net.parameters["layers.1.b"][0] = -100
    net.parameters["layers.1.b"][1:] = 1
    assert last(net)["layers.2.dead"] == 1 / 4


@pytest.mark.parametrize(("layer", "edge"), [(cr.Sigmoid(), np.log(99)), (cr.Tanh(), np.log(99) / 2)], ids=repr)
def test_outputs_within_a_hundredth_of_the_ends_of_their_range_are_saturated(layer, edge):
    net = network(cr.Linear(4), layer, cr.Linear(3)).build((4,))
    net.parameters["layers.0.W"][...] = 0
    net.parameters["layers.0.b"][...] = [1.01 * edge, -1.01 * edge, 0.99 * edge, 0]
    assert last(net, optimizer=cr.SGD(1e-9))["layers.1.saturated"] == 0.5


def test_the_gradient_norm_is_that_of_the_penalised_loss():
    net, penalty = network(cr.Linear(3)), cr.L2(0.5)
    record = last(net, penalty=penalty, clip=cr.ClipNorm(1e-3))
    for name, dW in net.gradients(X, LABELS, penalty=penalty).items():
        assert record[f"{name}.gradient_norm"] == pytest.approx(np.linalg.norm(dW), rel=1e-5)


def test_the_update_ratio_is_the_length_of_a_step_by_that_of_the_weights():
    net = network(cr.Linear(3))
    record = last(net, optimizer=cr.SGD(0.25))
    dW, W = net.gradients(X, LABELS)["layers.0.W"], net.parameters["layers.0.W"]
    expected = 0.25 * np.linalg.norm(dW) / np.linalg.norm(W)
    assert record["layers.0.W.update_ratio"] == pytest.approx(expected, rel=1e-4)


def test_the_update_ratio_counts_what_the_optimizer_and_the_clipping_make_of_the_gradient():
    net = network(cr.Linear(3))
    record = last(net, optimizer=cr.SGD(0.5), clip=cr.ClipNorm(1e-2))
    whole = np.sqrt(sum((dW**2).sum() for dW in net.gradients(X, LABELS).values()))
    ratio = 0.5 * 1e-2 / whole * record["layers.0.W.gradient_norm"] / np.linalg.norm(net.parameters["layers.0.W"])
    assert record["layers.0.W.update_ratio"] == pytest.approx(ratio, rel=1e-4)


def test_the_rate_is_that_of_the_last_step_where_a_schedule_lets_it_fall_to_0():
    record = last(network(), schedule=cr.CosineDecay())
    assert record["layers.0.W.update_ratio"] > 0


def test_weights_that_are_all_0_have_the_length_of_the_step_for_a_ratio():
    net = cr.Network([cr.Linear(1, weights=cr.Zeros())], loss=cr.SquaredError())
    history = cr.train(net, (X, np.zeros(90)), callbacks=[cr.Diagnosis()], progress=False)
    assert history["layers.0.W.update_ratio"] == [0.0] * 10


def test_layers_within_a_layer_have_figures_of_their_own():
    parts = cr.Parallel((cr.Linear(8), cr.Sequential((cr.Linear(8), cr.ReLU()))), join="concatenate")
    net = network(parts, cr.Residual((cr.Linear(16), cr.Tanh())), cr.Linear(3))
    record = last(net)
    assert {"layers.0.layers.1.layers.1.dead", "layers.1.layers.1.saturated"} < set(record)
    ahead, beside = record["layers.0.layers.0.mean"], record["layers.0.layers.1.mean"]
    assert record["layers.0.mean"] == pytest.approx((ahead + beside) / 2, rel=1e-5)


def test_the_samples_are_spread_over_the_data_and_weighted_as_in_training():
    net = network(cr.Linear(3))
    weights = np.linspace(0, 2, 90)
    record = last(net, samples=3, sample_weight=weights)
    rows = [0, 44, 89]
    f = X[rows] @ net.parameters["layers.0.W"] + net.parameters["layers.0.b"]
    p = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
    df = weights[rows, None] * (p - np.eye(3)[LABELS[rows]]) / 3
    assert record["layers.0.W.gradient_norm"] == pytest.approx(np.linalg.norm(X[rows].T @ df), rel=1e-5)


def test_pixels_are_read_as_in_training():
    pixels = cr.data.Pixels((np.arange(80) % 256).astype(np.uint8).reshape(20, 4))
    net = network(cr.Linear(3))
    labels = np.arange(20) % 3
    history = cr.train(net, (pixels, labels), epochs=1, callbacks=[cr.Diagnosis()], progress=False)
    dW = net.gradients(pixels, labels)["layers.0.W"]
    assert history["layers.0.W.gradient_norm"][0] == pytest.approx(np.linalg.norm(dW), rel=1e-5)


def test_vanishing_gradients_of_a_deep_sigmoid_network_are_seen():
    """What the figures are for: each layer further down learns more slowly."""
    layers = [layer for _ in range(4) for layer in (cr.Linear(16), cr.Sigmoid())]
    record = last(network(*layers, cr.Linear(3)), epochs=1)
    norms = [record[f"layers.{i}.W.gradient_norm"] for i in (0, 2, 4, 6, 8)]
    assert all(below < above / 2 for below, above in pairwise(norms))


def test_a_curve_of_any_figure_can_be_drawn():
    history, _ = trained(network(), cr.Diagnosis())
    ax = cr.plots.curve(history, "layers.1.dead")
    assert ax.lines[0].get_ydata().tolist() == history["layers.1.dead"]


@pytest.mark.parametrize("samples", [0, 1.5, "all"])
def test_a_number_of_samples_that_is_none_is_refused(samples):
    with pytest.raises(SettingError, match="Diagnosis: samples: expected a whole number of at least 1"):
        cr.Diagnosis(samples)


def test_what_is_frozen_has_no_gradient_and_no_update():
    record = last(network().build((4,)).freeze("layers.0", "layers.3.b"))
    assert record["layers.0.W.gradient_norm"] == record["layers.0.W.update_ratio"] == 0
    assert record["layers.3.b.gradient_norm"] == 0
    assert record["layers.3.W.gradient_norm"] > 0
    assert record["layers.3.W.update_ratio"] > 0
