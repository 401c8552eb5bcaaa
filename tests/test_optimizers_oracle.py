"""100 steps of every optimizer, penalty, clipping and schedule against PyTorch: ≤ 1e-12 relative, in float64.

What PyTorch found is in oracle/optimizers.json, written by oracle/optimizers.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

ORACLE = json.loads((Path(__file__).parent / "oracle" / "optimizers.json").read_text())
LIMIT = 1e-12
X, LABELS = np.reshape(ORACLE["x"], (12, 3)), np.array(ORACLE["labels"])

TRAININGS = {
    "sgd": {"optimizer": cr.SGD(0.1)},
    "momentum": {"optimizer": cr.Momentum(0.05, 0.8)},
    "nesterov": {"optimizer": cr.Nesterov(0.05, 0.8)},
    "adam": {"optimizer": cr.Adam(0.01, 0.8, 0.95, 1e-6)},
    "adagrad": {"optimizer": cr.Adagrad(0.1, 1e-8)},
    "rmsprop": {"optimizer": cr.RMSprop(0.01, 0.9, 1e-6)},
    "rmsprop centered": {"optimizer": cr.RMSprop(0.01, 0.9, 1e-6, centered=True)},
    "adadelta": {"optimizer": cr.Adadelta(0.7, 0.9, 1e-5)},
    "adamw": {"optimizer": cr.AdamW(0.01, 0.8, 0.95, 1e-6, 0.1, biases=True)},
    "adamw of weights": {"optimizer": cr.AdamW(0.01, 0.8, 0.95, 1e-6, 0.1)},
    "nadam": {"optimizer": cr.Nadam(0.01, 0.8, 0.95, 1e-6, 0.02)},
    "weight decay": {"penalty": cr.L2(0.03, per="none")},
    "weight decay in adam": {"optimizer": cr.Adam(0.01), "penalty": cr.L2(0.03, per="none")},
    "l1": {"penalty": cr.L1(0.02, per="none")},
    "elastic": {"penalty": cr.ElasticNet(0.04, l1_ratio=0.25, per="none")},
    "clip norm": {"clip": cr.ClipNorm(0.1)},
    "clip value": {"clip": cr.ClipValue(0.02)},
    "step decay": {"schedule": cr.StepDecay(10, 0.3)},
    "exponential decay": {"schedule": cr.ExponentialDecay(0.9)},
    "cosine decay": {"schedule": cr.CosineDecay(0.05)},
    "warm-up and cosine": {"schedule": cr.WarmUp(5, 0.1, then=cr.CosineDecay(0.05))},
}


def network():
    layers = [cr.Linear(5), cr.Tanh(), cr.Linear(2)]
    net = cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64").build((3,))
    for name, W in net.parameters.items():
        W[...] = np.reshape(ORACLE["start"][name], W.shape)
    return net


def test_nothing_is_left_out():
    assert set(TRAININGS) == set(ORACLE["trainings"])


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("name", TRAININGS)
def test_100_steps_end_where_those_of_pytorch_do(name, backend):
    net, settings = network(), {"optimizer": cr.SGD(0.1)} | TRAININGS[name]
    with cr.backend(backend):
        cr.train(net, (X, LABELS), epochs=25, batch_size=3, shuffle=False, progress=False, **settings)
    for parameter, W in net.parameters.items():
        expected = np.reshape(ORACLE["trainings"][name][parameter], W.shape)
        assert np.abs(W - expected).max() <= LIMIT * np.abs(expected).max(), parameter


def test_lbfgs_takes_the_same_first_steps_to_the_same_minimum():
    """Later steps differ: the line searches choose among the lengths that the Wolfe conditions allow."""
    settings = {"optimizer": cr.LBFGS(history=5, tolerance=1e-11), "penalty": cr.L2(0.01, per="none")}
    history = cr.train(network(), (X, LABELS), epochs=500, batch_size=None, progress=False, **settings)
    first = ORACLE["lbfgs"]["first steps"]
    np.testing.assert_allclose(history["loss"][: len(first)], first, rtol=LIMIT)
    np.testing.assert_allclose(history["loss"][-1], ORACLE["lbfgs"]["minimum"], rtol=LIMIT)


def test_reduce_on_plateau_lowers_the_rate_after_the_same_epochs():
    """PyTorch lowers after more than `patience` bad epochs, we after as many: its 1 is our 2."""
    net = network()

    class Measured(cr.Callback):
        def on_epoch_end(self, run):
            run.history.records[-1]["figure"] = ORACLE["plateau"]["figures"][run.epoch - 1]

    plateau = cr.ReduceOnPlateau("figure", patience=2, factor=0.5, least=0.1)
    epochs = len(ORACLE["plateau"]["figures"])
    settings = {"optimizer": cr.SGD(1.0), "callbacks": [Measured(), plateau], "progress": False}
    history = cr.train(net, (X, LABELS), epochs=epochs, **settings)
    assert history["learning_rate"] == pytest.approx(ORACLE["plateau"]["rates"], rel=LIMIT)
