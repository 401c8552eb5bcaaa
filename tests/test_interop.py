"""`twin`: what it compares, what it reports, and that PyTorch and Keras take the same steps."""

import copy
import importlib.util

import numpy as np
import pytest

import chainrule as cr
from chainrule.export.carried import carried
from chainrule.export.words import places
from chainrule.interop import twin as compare
from chainrule.interop.twin import FRAMEWORKS, Difference

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch, not installed")
needs_keras = pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs Keras, not installed")
LAYERS = {
    "MLP": lambda: [cr.Linear(20), cr.Sigmoid(), cr.Linear(10)],
    "CNN": lambda: [
        cr.Reshape((1, 8, 8)),
        cr.Conv2D(4, 3),
        cr.ReLU(),
        cr.MaxPool2D(),
        cr.Conv2D(5, 2),
        cr.Tanh(),
        cr.Flatten(),
        cr.Linear(10),
    ],
    "RNN": lambda: [cr.Reshape((8, 8)), cr.RNN(12), cr.Linear(10)],
}


def digits():
    x, t = cr.data.load_digits().train
    return x[:100], t[:100]


def a_network(name="MLP"):
    return cr.Network(LAYERS[name](), loss=cr.CrossEntropy(), dtype="float64")


class Ourselves:
    """Another framework that is this library again, its steps taken by hand, its weights transposed."""

    name = "ourselves"
    fault = None  # step, place in our array, by how much

    def __init__(self, network, optimizer, penalty, samples):
        self.network, self.optimizer, self.penalty = copy.deepcopy(network), optimizer, penalty
        self.carried = [
            carried(f"{place.name}:{name}", place, name, np.transpose)
            for place in places(network)
            for name in place.arrays
        ]
        self.count = 0

    def step(self, x, t):
        self.count += 1
        slopes = self.network.gradients(x, t, penalty=self.penalty)
        for name, W in self.network.parameters.items():
            W -= self.optimizer.learning_rate * slopes[name]
        if self.fault and self.count == self.fault[0]:
            self.network.parameters["layers.0.W"][self.fault[1]] += self.fault[2]

    def arrays(self):
        return {one.theirs: self.network.arrays[one.ours].T for one in self.carried}

    def close(self):
        pass


@pytest.fixture
def ourselves(monkeypatch):
    monkeypatch.setitem(FRAMEWORKS, "pytorch", Ourselves)
    monkeypatch.setattr(Ourselves, "fault", None)
    return Ourselves


def test_the_same_steps_agree(ourselves):
    network = a_network()
    report = compare(network, digits(), steps=10, penalty=cr.L2(0.1))
    assert report.agrees
    assert report.first is None
    assert report.largest.size < 1e-13
    assert (report.steps, report.numbers, report.framework) == (10, 64 * 20 + 20 + 20 * 10 + 10, "ourselves")
    assert str(report).startswith("10 steps beside ourselves, 1,510 numbers compared after each: all within 1e-10.")


def test_the_first_number_that_differs_is_named_by_its_place_in_our_array(ourselves, monkeypatch):
    monkeypatch.setattr(ourselves, "fault", (3, (40, 7), 1e-4))
    report = compare(a_network(), digits(), steps=5)
    first = report.first
    assert (first.step, first.parameter, first.index) == (3, "layers.0.W", (40, 7))
    assert first.theirs - first.ours == pytest.approx(1e-4)
    assert not report.agrees
    assert "The first that differs: layers.0.W[40, 7] after step 3" in str(report)


def test_a_number_that_is_none_is_the_largest_difference():
    assert Difference(1, "layers.0.b", (0,), 1.0, float("nan")).size == float("inf")


def test_the_network_is_as_before(ourselves):
    network = a_network().build((64,))
    before = {name: array.copy() for name, array in network.arrays.items()}
    compare(network, digits(), steps=3)
    assert all(np.array_equal(array, before[name]) for name, array in network.arrays.items())


def test_a_last_smaller_batch_and_several_epochs_are_the_same(ourselves):
    assert compare(a_network(), digits(), steps=9, batch_size=33, optimizer=cr.SGD(0.3)).agrees


@pytest.mark.parametrize("layer", [cr.Dropout(), cr.Sequential((cr.GaussianNoise(),)), cr.DropConnect(3)], ids=str)
def test_layers_that_draw_are_refused(ourselves, layer):
    network = cr.Network([layer, cr.Linear(10)], loss=cr.CrossEntropy(), dtype="float64")
    with pytest.raises(cr.errors.SettingError, match=r"layers\.0: \w+ draws random numbers"):
        compare(network, digits())


def test_frozen_parameters_are_refused(ourselves):
    with pytest.raises(cr.errors.SettingError, match=r"layers\.0\.W.* frozen"):
        compare(a_network().build((64,)).freeze("layers.0"), digits())


def test_another_framework_is_refused():
    with pytest.raises(cr.errors.SettingError, match="expected one of pytorch, keras, got 'theano'"):
        compare(a_network(), digits(), "theano")


@pytest.mark.parametrize(("framework", "library"), [("pytorch", "torch"), ("keras", "keras")])
def test_a_missing_framework_is_named_with_its_extra(framework, library, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(cr.errors.MissingExtraError, match=rf"chainrule\[{framework}\]"):
        compare(a_network(), digits(), framework)


@needs_torch
@pytest.mark.parametrize("name", LAYERS)
def test_pytorch_takes_the_same_hundred_steps(name):
    report = compare(a_network(name), digits(), penalty=cr.L2(0.1))
    assert report.largest.size <= 1e-10, report


@needs_torch
@pytest.mark.parametrize(
    "optimizer",
    [
        cr.Momentum(0.01),
        cr.Nesterov(0.01),
        cr.Adam(0.01),
        cr.AdamW(0.01, weight_decay=0.1),
        cr.Adagrad(),
        cr.RMSprop(),
        cr.RMSprop(centered=True),
        cr.Adadelta(),
    ],
    ids=str,
)
def test_pytorch_has_the_same_optimizer(optimizer):
    report = compare(a_network(), digits(), optimizer=optimizer, penalty=cr.ElasticNet(0.1))
    assert report.largest.size <= 1e-10, report


@needs_torch
@pytest.mark.parametrize(
    "make", [cr.LSTM, cr.GRU, lambda H: cr.Bidirectional(cr.GRU(H)), lambda H: cr.RNN(H, "sigmoid")]
)
def test_pytorch_trains_every_kind_of_cell_alike(make):
    layers = [cr.Reshape((8, 8)), make(6), cr.Linear(10)]
    report = compare(cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64"), digits(), steps=20)
    assert report.largest.size <= 1e-10, report


@needs_keras
@pytest.mark.parametrize("name", LAYERS)
def test_keras_takes_the_same_hundred_steps(name):
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("needs Keras on tensorflow: the other backends round float64 to float32")
    report = compare(a_network(name), digits(), "keras", penalty=cr.L2(0.1))
    assert report.largest.size <= 1e-10, report
    assert keras.config.floatx() == "float32"


def test_what_keras_trains_otherwise_is_refused():
    pytest.importorskip("keras", reason="needs Keras, not installed")
    layers = [cr.Reshape((8, 8)), cr.GRU(6), cr.Linear(10)]
    network = cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64")
    with pytest.raises(cr.errors.SettingError, match="two biases"):
        compare(network, digits(), "keras")
