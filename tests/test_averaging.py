"""The exponential moving average of the weights: what it is, where it stands in, and that it changes no step."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DivergenceError, SettingError
from chainrule.operations.operation import runs_natively
from chainrule.training.steps import Steps

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 4))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


def network(dtype="float64"):
    layers = [cr.Linear(8), cr.Tanh(), cr.Dropout(0.1), cr.Linear(2)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype=dtype).build((4,))


def trained(net=None, **settings):
    net = net or network()
    given = {"epochs": 5, "batch_size": 16, "optimizer": cr.Adam(0.01), "average": 0.9, "progress": False}
    return net, cr.train(net, (X, LABELS), **{**given, **settings})


def copied(net):
    return {name: W.copy() for name, W in net.parameters.items()}


def same(net, weights):
    return all(W.tobytes() == weights[name].tobytes() for name, W in net.parameters.items())


class Watch(cr.Callback):
    """Keeps the weights after each step, and those that the network has at the end of each epoch."""

    def __init__(self):
        self.steps, self.epochs = [], []

    def on_step_end(self, run):
        self.steps.append(copied(run.network))

    def on_epoch_end(self, run):
        self.epochs.append(copied(run.network))


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_weights_of_k_steps_ago_count_decay_to_the_k(backend):
    watch = Watch()
    with cr.backend(backend):
        net, _ = trained(callbacks=[watch])
    shares = 0.9 ** np.arange(len(watch.steps))[::-1]
    for name, W in net.parameters.items():
        expected = np.average([step[name] for step in watch.steps], axis=0, weights=shares)
        np.testing.assert_allclose(W, expected, rtol=1e-12, atol=1e-14)


def test_the_steps_are_those_without_an_average():
    watches = Watch(), Watch()
    trained(callbacks=[watches[0]])
    trained(callbacks=[watches[1]], average=None)
    for one, other in zip(watches[0].steps, watches[1].steps, strict=True):
        for name, W in one.items():
            assert W.tobytes() == other[name].tobytes()


def test_validation_and_callbacks_at_the_end_of_an_epoch_see_the_averages(tmp_path):
    watch, path = Watch(), tmp_path / "best.safetensors"
    net, history = trained(validation=(X, LABELS), callbacks=[watch, cr.SaveBest(path)])
    losses = []
    for weights in watch.epochs:
        for name, W in net.parameters.items():
            W[...] = weights[name]
        losses.append(net.evaluate(X, LABELS)["loss"])
    assert losses == history["validation_loss"]
    assert cr.load(path).evaluate(X, LABELS)["loss"] == min(losses)


def test_early_stopping_puts_the_best_averages_back():
    watch = Watch()
    net, history = trained(
        epochs=60, optimizer=cr.Adam(0.1), validation=0.3, callbacks=[watch, cr.EarlyStopping(patience=3)]
    )
    assert len(history) < 60
    assert same(net, watch.epochs[int(np.argmin(history["validation_loss"]))])


def test_frozen_weights_stay_as_they_are():
    net = network().freeze("layers.0")
    before = copied(net)
    trained(net)
    assert net.parameters["layers.0.W"].tobytes() == before["layers.0.W"].tobytes()
    assert net.parameters["layers.3.W"].tobytes() != before["layers.3.W"].tobytes()


@pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here: nothing is recorded")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [cr.SGD(0.1), cr.Nadam(0.01)], ids=["SGD", "Nadam"])
def test_it_is_recorded_and_gives_the_bytes_of_python(monkeypatch, dtype, optimizer):
    programs, record = [], Steps._recorded
    monkeypatch.setattr(Steps, "_recorded", lambda steps: programs.append(record(steps)) or programs[-1])
    by_tape, _ = trained(network(dtype), optimizer=optimizer)
    assert programs[0] is not None
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    by_python, _ = trained(network(dtype), optimizer=optimizer)
    assert same(by_tape, by_python.parameters)


def test_after_a_checkpoint_it_is_the_same(tmp_path):
    path = tmp_path / "run.safetensors"
    whole, history = trained(epochs=7, validation=0.2)
    trained(epochs=3, validation=0.2, checkpoint=path)
    again, resumed = trained(epochs=7, validation=0.2, checkpoint=path, resume=True)
    assert same(again, whole.parameters)
    assert resumed["validation_loss"] == history["validation_loss"]


def test_where_the_training_is_broken_off_the_weights_are_those_of_the_last_step():
    class Fail(Watch):
        def on_epoch_end(self, run):
            super().on_epoch_end(run)
            raise KeyError

    net, watch = network(), Fail()
    with pytest.raises(KeyError):
        trained(net, callbacks=[watch])
    assert same(net, watch.steps[-1])
    assert not same(net, watch.epochs[-1])


def test_where_it_diverges_the_last_finite_weights_are_kept():
    net = network("float32")
    with pytest.raises(DivergenceError):
        trained(net, optimizer=cr.SGD(3e38), epochs=50)
    assert all(np.isfinite(W).all() for W in net.parameters.values())


def test_what_a_callback_makes_of_the_averages_stays_in_them():
    class Halve(cr.Callback):
        def on_epoch_end(self, run):
            if run.epoch == run.epochs:
                run.network.parameters["layers.0.W"][...] /= 2

    whole, _ = trained()
    halved, _ = trained(callbacks=[Halve()])
    assert halved.parameters["layers.0.W"].tobytes() == (whole.parameters["layers.0.W"] / 2).tobytes()


@pytest.mark.parametrize("average", [1.0, -0.1, "0.9"])
def test_a_decay_that_is_none_is_refused(average):
    with pytest.raises(SettingError, match="average: expected a finite number of at least 0 and below 1"):
        trained(average=average)


def test_l_bfgs_has_no_averages():
    with pytest.raises(SettingError, match="average: LBFGS goes straight to a minimum"):
        trained(optimizer=cr.LBFGS(), batch_size=None)
