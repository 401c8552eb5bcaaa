"""Histograms: how activations and gradients are spread while a network learns."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.layers import Context

DATA = cr.data.make_xor(samples=60)


def network():
    return cr.Network([cr.Linear(5), cr.ReLU(), cr.Linear(1)], loss=cr.BinaryCrossEntropy())


def trained(*callbacks, epochs=3, net=None, **settings):
    net = net or network()
    cr.train(net, DATA, epochs=epochs, callbacks=callbacks, progress=False, **settings)
    return net


def test_every_number_of_a_layer_and_of_a_gradient_is_counted():
    histograms = cr.Histograms(samples=40)
    trained(histograms)
    assert histograms.epochs == [0, 1, 2, 3]
    assert histograms.kinds == {"layers.0": "Linear", "layers.1": "ReLU", "layers.2": "Linear"}
    assert [found.counts.sum() for found in histograms.activations["layers.1"]] == [40 * 5] * 4
    for name, size in (("layers.0.W", 10), ("layers.0.b", 5), ("layers.2.W", 5), ("layers.2.b", 1)):
        assert [found.counts.sum() + found.zeros for found in histograms.gradients[name]] == [size] * 4


def test_the_counts_are_those_of_what_the_layers_give():
    histograms = cr.Histograms(samples=60, bins=20)
    net = trained(histograms)
    y, _ = net.layers[0].forward(net.floats(DATA[0]), Context())
    counts, edges = np.histogram(y.astype(float), bins=20)
    last = histograms.activations["layers.0"][-1]
    np.testing.assert_array_equal(last.counts, counts)
    np.testing.assert_allclose(last.edges, edges, rtol=1e-12)


def test_gradients_are_counted_by_the_logarithm_of_their_size_and_zeros_apart():
    net = network().build((2,))
    net.parameters["layers.0.W"][...] = 0
    net.parameters["layers.0.b"][...] = -1  # all dead: no gradient reaches them
    histograms = cr.Histograms(samples=60)
    trained(histograms, net=net)
    assert histograms.gradients["layers.0.W"][0].zeros == 10
    slope = np.abs(net.gradients(*DATA)["layers.2.b"][0])
    edges = histograms.gradients["layers.2.b"][-1].edges
    assert edges[0] <= np.log10(slope) <= edges[-1]


def test_the_weights_are_the_same_bytes_with_and_without_looking():
    one, other = trained(), trained(cr.Histograms())
    for name, W in one.parameters.items():
        assert W.tobytes() == other.parameters[name].tobytes()


def test_a_second_training_begins_anew():
    histograms = cr.Histograms()
    trained(histograms)
    trained(histograms, epochs=1)
    assert histograms.epochs == [0, 1]


def test_frozen_parameters_have_no_histogram():
    histograms = cr.Histograms()
    trained(histograms, net=network().build((2,)).freeze("layers.0"))
    assert list(histograms.gradients) == ["layers.2.W", "layers.2.b"]


@pytest.mark.parametrize("callback", [cr.Histograms, cr.WeightPath])
def test_a_resumed_training_has_gathered_the_same(callback, tmp_path):
    class Stop(cr.Callback):
        def on_epoch_end(self, run):
            if run.epoch == 2:
                raise KeyboardInterrupt

    whole, resumed = callback(), callback()
    settings = {"epochs": 4, "checkpoint": cr.Checkpoint(tmp_path / "run.safetensors", steps=1)}
    trained(whole, epochs=4)
    with pytest.raises(KeyboardInterrupt):
        trained(callback(), Stop(), **settings)
    cr.train(network(), DATA, callbacks=[resumed, cr.Callback()], resume=True, progress=False, **settings)
    assert flat(resumed.state()) == flat(whole.state())


def flat(state):
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in state.items()}


@pytest.mark.parametrize("setting", ["samples", "bins"])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(SettingError, match=f"Histograms: {setting}"):
        cr.Histograms(**{setting: 0})
