"""Frozen parameters stay as they are, and training goes on with the others."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import NotBuiltError, SettingError
from chainrule.layers import Context

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
LABELS = (X[:, 0] > 0).astype(int)


def network():
    layers = [cr.Linear(5), cr.Tanh(), cr.Sequential([cr.Linear(4), cr.Tanh()]), cr.Linear(2)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64").build((4,))


def changed(net, **settings):
    """The names of the parameters that a training changes."""
    before = {name: W.tobytes() for name, W in net.parameters.items()}
    cr.train(net, (X, LABELS), epochs=3, progress=False, **settings)
    return {name for name, W in net.parameters.items() if W.tobytes() != before[name]}


NAMES = set(network().parameters)


@pytest.mark.parametrize(
    ("frozen", "expected"),
    [
        ([], NAMES),
        (["layers.0"], {name for name in NAMES if not name.startswith("layers.0")}),
        (["layers.0.b", "layers.3"], {name for name in NAMES if name != "layers.0.b" and name[7] != "3"}),
        (["layers.0", "layers.2.layers.0.W"], {"layers.2.layers.0.b", "layers.3.W", "layers.3.b"}),
        (["layers.0", "layers.2"], {"layers.3.W", "layers.3.b"}),
    ],
)
@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize(
    "settings",
    [
        {"penalty": cr.L2(0.1), "clip": cr.ClipNorm(1.0), "optimizer": cr.AdamW()},
        {"optimizer": cr.LBFGS(), "batch_size": None},
    ],
    ids=["AdamW", "L-BFGS"],
)
def test_training_changes_all_but_the_frozen_ones(frozen, expected, backend, settings):
    with cr.backend(backend):
        assert changed(network().freeze(*frozen), **settings) == expected


def test_the_others_get_the_gradients_they_always_had():
    whole, partly = network().gradients(X, LABELS), network().freeze("layers.0", "layers.3.b").gradients(X, LABELS)
    assert set(partly) == NAMES - {"layers.0.W", "layers.0.b", "layers.3.b"}
    for name, dW in partly.items():
        assert dW.tobytes() == whole[name].tobytes()


def test_nothing_is_worked_out_below_the_first_layer_that_is_trained(monkeypatch):
    """Without its `backward` a layer can give gradients of its parameters only, and hand nothing down."""
    net = network().freeze("layers.0", "layers.2")
    monkeypatch.setattr(cr.Linear, "backward", None)
    monkeypatch.setattr(cr.Tanh, "backward", None)
    assert set(net.gradients(X, LABELS)) == {"layers.3.W", "layers.3.b"}


def test_what_was_frozen_can_be_trained_again():
    net = network().freeze("layers.0", "layers.2")
    assert net.frozen == ("layers.0.W", "layers.0.b", "layers.2.layers.0.W", "layers.2.layers.0.b")
    assert changed(net.unfreeze("layers.2")) == NAMES - {"layers.0.W", "layers.0.b"}
    assert changed(net.unfreeze()) == NAMES


def test_a_callback_may_thaw_layers_in_the_middle_of_a_training():
    class Thaw(cr.Callback):
        def on_epoch_end(self, run):
            if run.epoch == 2:
                run.network.unfreeze()

    digests = set()
    for backend in ("native", "reference"):
        with cr.backend(backend):
            net = network().freeze("layers.0")
            assert changed(net, callbacks=[Thaw()]) == NAMES
            digests.add(net.predict(X).round(9).tobytes())
    assert len(digests) == 1


def test_a_saved_model_is_trained_on_with_a_new_head(tmp_path):
    net = network()
    cr.train(net, (X, LABELS), epochs=3, progress=False)
    net.save(tmp_path / "model.safetensors")
    old = cr.load(tmp_path / "model.safetensors")
    layers = [cr.Linear(5), cr.Tanh(), cr.Sequential([cr.Linear(4), cr.Tanh()]), cr.Linear(3)]
    new = cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64").build((4,))
    for name, W in new.parameters.items():
        if not name.startswith("layers.3"):
            W[...] = old.parameters[name]
    new.freeze("layers.0", "layers.2")
    cr.train(new, (X, RNG.integers(0, 3, 60)), epochs=3, progress=False)
    for name in new.frozen:
        assert new.parameters[name].tobytes() == old.parameters[name].tobytes()


def test_a_checkpoint_is_of_a_training_with_the_same_parameters_frozen(tmp_path):
    settings = {"checkpoint": tmp_path / "run.safetensors", "resume": True}
    changed(network().freeze("layers.0"), **settings)
    with pytest.raises(SettingError, match=r"frozen was \['layers.0.W', 'layers.0.b'\], is \[\]"):
        changed(network(), **settings)


def test_all_frozen_is_refused():
    with pytest.raises(SettingError, match="all parameters are frozen"):
        changed(network().freeze("layers"))


@pytest.mark.parametrize("name", ["layers.1", "layers.9", "layers.0.", "W", ""])
def test_a_name_of_nothing_is_refused(name):
    with pytest.raises(SettingError, match="names no layer with parameters; there are layers.0.W, "):
        network().freeze(name)


def test_without_parameters_nothing_can_be_frozen():
    with pytest.raises(NotBuiltError):
        cr.Network([cr.Linear(1)], loss=cr.SquaredError()).freeze("layers.0")


def normalized():
    inner = cr.Sequential([cr.Linear(5), cr.BatchNorm(), cr.Dropout(0.5)])
    layers = [cr.Linear(5), cr.BatchNorm(), inner, cr.Tanh(), cr.Linear(2)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64").build((4,))


def test_frozen_layers_with_running_statistics_work_as_in_prediction():
    net = normalized()
    cr.train(net, (X, LABELS), epochs=1, progress=False)
    before = {name: array.copy() for name, array in net.arrays.items()}
    net.freeze("layers.0", "layers.1", "layers.2")
    history = cr.train(
        net, (X, LABELS), epochs=1, batch_size=len(X), optimizer=cr.SGD(0.1), validation=(X, LABELS), progress=False
    )
    changed = {name for name, array in net.arrays.items() if array.tobytes() != before[name].tobytes()}
    assert changed == {"layers.4.W", "layers.4.b"}
    for name, array in net.arrays.items():
        array[...] = before[name]
    np.testing.assert_allclose(history["loss"], net.evaluate(X, LABELS)["loss"], rtol=1e-12)


def test_with_a_part_of_the_layer_trained_the_statistics_go_on():
    net = normalized().freeze("layers.1.beta")
    before = net.state["layers.1.running_mean"].copy()
    cr.train(net, (X, LABELS), epochs=1, progress=False)
    assert net.state["layers.1.running_mean"].tobytes() != before.tobytes()


def test_a_diagnosis_looks_at_frozen_layers_as_training_does():
    net = normalized().freeze("layers.0", "layers.1")
    net.state["layers.1.running_mean"][...] = 5
    history = cr.train(net, (X, LABELS), epochs=1, callbacks=[cr.Diagnosis()], progress=False)
    y, _ = net.layers[0].forward(X, Context())
    y, _ = net.layers[1].forward(y, Context())
    assert history["layers.1.mean"] == [pytest.approx(y.mean(), rel=1e-12)]
