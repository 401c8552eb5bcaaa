"""Shape errors: each names the layer, its position, the expected and the actual shape."""

from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError


def network(*layers, loss=None):
    return cr.Network(layers, loss=loss or cr.SquaredError())


@pytest.mark.parametrize(
    ("made", "input_shape", "message"),
    [
        (
            network(cr.Linear(3)),
            (28, 28),
            r"layer 0 \(Linear\): expected a row of features \(I,\) per sample, got shape \(28, 28\); put Flatten\(\)",
        ),
        (network(cr.Tanh(), cr.Reshape((2, 2)), cr.Linear(3)), (4,), r"layer 2 \(Linear\): .* got shape \(2, 2\)"),
        (network(cr.Softmax()), (2, 3), r"layer 0 \(Softmax\): .* got shape \(2, 3\)"),
        (network(cr.LogSoftmax()), (2, 3), r"layer 0 \(LogSoftmax\): .* got shape \(2, 3\)"),
        (
            network(cr.Linear(5), cr.Reshape((2, 3))),
            (4,),
            r"layer 1 \(Reshape\): 5 numbers of shape \(5,\) do not fit the shape \(2, 3\)",
        ),
        (
            network(cr.Reshape((4, -1))),
            (6,),
            r"layer 0 \(Reshape\): 6 numbers of shape \(6,\) do not fit the shape \(4, -1\)",
        ),
        (
            network(cr.Tanh(), cr.Sequential((cr.Tanh(), cr.Linear(2)))),
            (2, 2),
            r"layer 1 \(Sequential\): layer 1 \(Linear\): expected a row",
        ),
        (network(cr.Linear(1), loss=cr.CrossEntropy()), (4,), "CrossEntropy: expected at least 2 scores"),
        (
            network(cr.Tanh(), loss=cr.BinaryCrossEntropy()),
            (2, 2),
            r"BinaryCrossEntropy: expected a row of scores \(K,\)",
        ),
    ],
)
def test_a_mismatch_is_found_at_build(made, input_shape, message):
    with pytest.raises(ShapeError, match=message):
        made.build(input_shape)


def test_after_a_mismatch_the_network_may_be_built_with_a_shape_that_fits():
    made = network(cr.Linear(3))
    with pytest.raises(ShapeError):
        made.build((2, 2))
    assert made.build((4,)).output_shape == (3,)


def test_a_built_network_refuses_samples_of_another_shape():
    made = network(cr.Linear(3)).build((4,))
    with pytest.raises(ShapeError, match=r"x: expected samples of shape \(4,\), got \(5,\)"):
        made.predict(np.zeros((2, 5)))


def test_a_built_network_refuses_to_be_built_otherwise():
    with pytest.raises(ShapeError, match=r"the network is built for samples of shape \(4,\), not \(5,\)"):
        network(cr.Linear(3)).build((4,)).build((5,))


def test_a_single_sample_gets_a_hint():
    made = network(cr.Linear(3)).build((4,))
    with pytest.raises(ShapeError, match=r"expected samples along the first axis, got an array \(4,\); pass x\[None\]"):
        made.predict(np.zeros(4))


def test_a_single_feature_gets_a_hint():
    with pytest.raises(ShapeError, match=r"got an array \(7,\); pass x\[:, None\] if it has one feature"):
        network(cr.Linear(3)).predict(np.zeros(7))


def test_a_single_number_is_no_data():
    with pytest.raises(ShapeError, match=r"got an array \(\)"):
        network(cr.Linear(3)).predict(1.0)


def test_as_many_targets_as_samples():
    with pytest.raises(ShapeError, match="x has 3 samples, targets 2; they must be as many"):
        network(cr.Linear(1)).evaluate(np.zeros((3, 2)), [1, 2])


def test_no_samples_cannot_be_evaluated():
    for ask in (cr.Network.evaluate, cr.Network.gradients):
        with pytest.raises(cr.errors.DataError, match="x: expected at least one sample, got none"):
            ask(network(cr.Linear(1)), np.zeros((0, 2)), np.zeros((0, 1)))


def test_samples_without_features_are_refused():
    with pytest.raises(SettingError, match="input_shape: expected a whole number of at least 1, got 0"):
        network(cr.Linear(1)).predict(np.zeros((3, 0)))


@pytest.mark.usefixtures("registers")
def test_a_layer_that_breaks_its_promise_is_named():
    """A silent broadcast is a defect."""

    @dataclass(eq=False)
    class Liar(cr.Layer):
        def forward(self, x, context):
            return x.sum(axis=1, keepdims=True), ()

    with pytest.raises(ShapeError, match=r"layer 1 \(Liar\): promised output \(3,\) per sample, gave \(1,\)"):
        network(cr.Linear(3), Liar()).predict(np.zeros((2, 4)))
