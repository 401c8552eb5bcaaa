"""Gradient accumulation: several batches for one step are the step of the batch that they make together."""

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.layers import Layer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


def network(*layers):
    layers = [cr.Linear(8), cr.Tanh(), *layers, cr.Linear(2)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64")


def trained(*layers, **settings):
    net = network(*layers)
    history = cr.train(net, (X, LABELS), **{"epochs": 3, "batch_size": 16, "progress": False, **settings})
    return net, history


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"sample_weight": np.linspace(0, 2, 150), "class_weight": "balanced"},
        {"penalty": cr.L2(0.1), "clip": cr.ClipNorm(0.1, record=True)},
        {"optimizer": cr.SGD(0.1), "schedule": cr.CosineDecay(), "shuffle": False},
    ],
    ids=["plain", "weights", "penalty and clipping", "schedule"],
)
def test_batches_of_16_by_four_take_the_steps_of_batches_of_64(backend, settings):
    with cr.backend(backend):
        net, history = trained(accumulate=4, **settings)
        other, expected = trained(batch_size=64, **settings)
    for name, W in net.parameters.items():
        np.testing.assert_allclose(W, other.parameters[name], rtol=1e-12, atol=1e-14)
    for name in set(history.records[0]) - {"seconds", "samples_per_second"}:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-12)


def test_l_bfgs_looks_at_all_samples_some_at_a_time():
    settings = {"optimizer": cr.LBFGS(), "penalty": cr.L2(0.01), "epochs": 10}
    net, _ = trained(accumulate=10, **settings)
    other, _ = trained(**{**settings, "batch_size": None})
    for name, W in net.parameters.items():
        np.testing.assert_allclose(W, other.parameters[name], rtol=1e-9, atol=1e-11)


@dataclass(eq=False)
class Sizes(Layer):
    """Notes how many samples come through in training."""

    def __post_init__(self):
        self.seen = []

    def forward(self, x, context):
        self.seen += [len(x)] if context.training else []
        return x, ()

    def backward(self, dy, saved):
        return dy, {}


def test_no_more_than_a_batch_goes_through_the_network_at_a_time():
    sizes = Sizes()
    trained(sizes, accumulate=4, epochs=1)
    assert sizes.seen == [16] * 9 + [6]


def test_it_takes_the_memory_of_the_small_batch():
    x = np.zeros((1024, 8), np.float32)

    def peak(**settings):
        net = cr.Network([cr.Linear(512), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy()).build((8,))
        tracemalloc.start()
        cr.train(net, (x, np.zeros(1024, int)), epochs=1, optimizer=cr.SGD(), progress=False, **settings)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    activations = 1024 * 512 * 4
    assert peak(batch_size=32, accumulate=32) < activations
    assert peak(batch_size=1024) > 2 * activations


def test_no_two_batches_of_a_step_draw_the_same_bits():
    @dataclass(eq=False)
    class Dropped(cr.Dropout):
        def forward(self, x, context):
            y, saved = super().forward(x, context)
            masks.append((y == 0).tobytes())
            return y, saved

    masks = []
    trained(Dropped(0.5), accumulate=3, batch_size=50, epochs=2)
    assert len(set(masks)) == 6


def test_it_is_the_same_after_a_checkpoint(tmp_path):
    settings = {"accumulate": 3, "epochs": 6}
    path = tmp_path / "run.safetensors"
    whole, _ = trained(cr.Dropout(0.3), **settings)
    trained(cr.Dropout(0.3), checkpoint=path, accumulate=3, epochs=2)
    again, _ = trained(cr.Dropout(0.3), checkpoint=path, resume=True, **settings)
    for name, W in again.parameters.items():
        assert W.tobytes() == whole.parameters[name].tobytes()


def test_running_statistics_are_the_mean_of_what_the_batches_of_a_step_make_of_them():
    first, second = (np.float64(X[:20]), LABELS[:20]), (np.float64(X[20:30]), LABELS[20:30])

    def state(*parts, **settings):
        net = cr.Network([cr.BatchNorm(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype="float64")
        data = tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        cr.train(net, data, epochs=1, batch_size=20, shuffle=False, progress=False, **settings)
        return net.state

    together = state(first, second, accumulate=2)
    for name, array in state(first).items():
        expected = (20 * array + 10 * state(second)[name]) / 30
        np.testing.assert_allclose(together[name], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"accumulate": 0}, "accumulate: expected a whole number of at least 1, got 0"),
        ({"accumulate": 2, "batch_size": None}, "accumulate: the full batch is one step already"),
        ({"accumulate": 2, "optimizer": cr.LBFGS()}, "LBFGS compares costs of all samples"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        trained(**settings)
