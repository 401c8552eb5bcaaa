"""Where a value first was not finite: layer, operation, sample, and the same again from a small file."""

from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule.doctor import load_failed_step, replay
from chainrule.errors import DivergenceError, ModelFileError
from chainrule.operations import operation

X, Y = cr.data.make_rings(200, seed=0)


@pytest.fixture
def logarithm(registers):
    """A layer y = log x, which is infinite at 0."""

    @operation
    def logarithm_forward(x):
        return np.log(x)

    @operation
    def logarithm_backward(dy, x):
        return dy / x

    @dataclass(eq=False)
    class Logarithm(cr.Layer):
        def forward(self, x, context):
            return logarithm_forward(x), (x,)

        def backward(self, dy, saved):
            (x,) = saved
            return logarithm_backward(dy, x), {}

    return Logarithm


def diagnose(layers, data=(X, Y), **settings):
    return cr.diagnose(cr.Network(layers, loss=cr.CrossEntropy()), data, epochs=3, **settings)


def test_the_operation_the_layer_and_the_sample_are_named(logarithm):
    found = diagnose([cr.Linear(8), cr.ReLU(), logarithm(), cr.Linear(2)])
    failure = found.evidence.failure
    assert (failure.layer, failure.operation) == ("layer 2 (Logarithm)", "logarithm_forward")
    assert (failure.epoch, failure.step) == (1, 1)
    step = found.failed_step
    hidden = np.maximum(0, X[failure.sample] @ step.network.parameters["layers.0.W"])
    assert (hidden == 0).any()
    (finding,) = found.findings
    assert finding.name == "values not finite"
    assert f"for training sample {failure.sample}." in finding.evidence
    assert finding.change == {"activation": {"Logarithm": "ReLU"}}
    assert found.try_remedy().improves


@pytest.mark.parametrize("optimizer", [cr.SGD(1e30), cr.Adam(1e38), cr.Momentum(1e30)], ids=repr)
@pytest.mark.parametrize("penalty", [None, cr.L2(0.1)])
def test_the_file_tells_the_same_as_the_training(tmp_path, optimizer, penalty):
    found = diagnose([cr.Linear(8), cr.ReLU(), cr.Linear(2)], optimizer=optimizer, penalty=penalty)
    path = tmp_path / "failure.safetensors"
    found.failed_step.save(path)
    assert replay(path) == found.evidence.failure
    assert found.evidence.failure.operation
    assert path.stat().st_size < 10_000


def test_the_operation_is_the_first_that_makes_something_infinite_of_finite_numbers():
    x = X.copy()
    x[3] = 3e38
    found = diagnose([cr.Linear(8, weights=cr.Ones()), cr.ReLU(), cr.Linear(2)], (x, Y), shuffle=False, batch_size=10)
    failure = found.evidence.failure
    assert (failure.operation, failure.sample, failure.step) == ("linear_forward", 3, 1)
    assert failure.layer == "layer 0 (Linear)"
    assert failure.largest == pytest.approx(3e38)


def test_weights_before_the_step_are_kept_bit_for_bit(tmp_path):
    found = diagnose([cr.Linear(8), cr.ReLU(), cr.Linear(2)], optimizer=cr.SGD(1e30))
    found.failed_step.save(tmp_path / "f")
    again = load_failed_step(tmp_path / "f")
    for name, W in found.failed_step.network.arrays.items():
        assert again.network.arrays[name].tobytes() == W.tobytes()
    assert again.x.tobytes() == found.failed_step.x.tobytes()
    assert again.rows.tolist() == found.failed_step.rows.tolist()


def test_the_rows_of_the_batch_are_on_the_error():
    with pytest.raises(DivergenceError) as caught:
        cr.train(
            cr.Network([cr.Linear(2)], loss=cr.CrossEntropy()),
            (X, Y),
            shuffle=False,
            batch_size=20,
            optimizer=cr.SGD(1e38),
            progress=False,
        )
    step = caught.value.step
    assert caught.value.rows == list(range(20 * (step - 1), 20 * step))


def test_another_file_is_refused(tmp_path):
    cr.Network([cr.Linear(2)], loss=cr.CrossEntropy()).build((2,)).save(tmp_path / "model")
    with pytest.raises(ModelFileError, match="expected the failed step of a training"):
        replay(tmp_path / "model")
