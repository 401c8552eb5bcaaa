"""The layers against PyTorch. What PyTorch finds stands in oracle/layers.json, made beside it."""

import json
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers import Context
from chainrule.testing import all_layers

ORACLE = json.loads(Path(__file__).with_name("oracle").joinpath("layers.json").read_text())
CASES = ORACLE["cases"]
DRAWING = {"Dropout", "GaussianNoise", "DropConnect"}  # PyTorch draws other numbers, or has no such layer
PLAIN = {"Flatten", "Reshape", "Identity", "Step"}  # nothing is computed, or nothing has a derivative


def the_same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def made(case):
    """The layer of a case with the parameters and state of PyTorch's, and the input."""
    layer, x = cr.Layer.from_configuration(case["layer"]), np.array(case["x"], np.float64)
    layer.build(x.shape[1:], np.random.default_rng(0))
    given = case["parameters"] | case.get("state", {})
    layer.replace_parameters(lambda name, start: np.array(given[name]).reshape(start.shape))
    return layer, x


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["layer"]["class"])
def test_a_layer_and_its_gradients_are_those_of_pytorch(case, backend):
    layer, x = made(case)
    dy = np.array(case["dy"])
    with cr.backend(backend):
        y, saved = layer.forward(x, Context(training=case.get("training", False)))
        dx, gradients = layer.backward(dy, saved)
        new_state = layer.next_state(saved)
    the_same(y, case["y"])
    the_same(dx, case["dx"])
    assert gradients.keys() == case["gradients"].keys()
    for name, expected in case["gradients"].items():
        the_same(gradients[name], expected)
    if case.get("training"):
        for name, expected in case["next state"].items():
            the_same(new_state[name], expected)


def test_the_oracle_has_every_layer_that_it_can_have():
    there = {case["layer"]["class"] for case in CASES} | DRAWING | PLAIN
    assert there >= {
        cls.__name__ for cls in all_layers("chainrule.layers.") if cls.__module__.split(".")[-1] in FAMILIES
    }


FAMILIES = {"activations", "convolution", "embedding", "linear", "maxout", "normalization", "pooling", "parallel"}


def in_residual():
    return cr.Residual([cr.Conv2D(3, 3, padding="same"), cr.BatchNorm(0.3), cr.SiLU()])


NETWORKS = {
    "features": lambda: [cr.Linear(5), cr.BatchNorm(), cr.GELU(), cr.Linear(4)],
    "images": lambda: [cr.Conv2D(3, 2), in_residual(), cr.ELU(0.5), cr.GlobalAvgPool2D(), cr.Linear(4)],
    "words": lambda: [
        *(cr.Embedding(6, 4), cr.LayerNorm(), cr.Flatten(), cr.Linear(8), cr.Maxout(), cr.SELU()),
        cr.Linear(4),
    ],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_hundred_steps_end_where_those_of_pytorch_do(name):
    given = ORACLE["descents"][name]
    x = np.array(given["x"], np.float64)
    network = cr.Network(NETWORKS[name](), loss=cr.CrossEntropy(), dtype="float64").build(x.shape[1:])
    assert network.arrays.keys() == given["start"].keys()
    for key, start in given["start"].items():
        network.arrays[key][...] = start
    settings = {"batch_size": None, "optimizer": cr.SGD(given["rate"]), "epochs": len(given["costs"])}
    history = cr.train(network, (x, given["labels"]), progress=False, **settings)
    the_same(history["loss"], given["costs"])
    for key, end in given["end"].items():
        assert np.abs(network.arrays[key] - end).max() <= 1e-12 * np.abs(end).max(), key
    the_same(network.predict(x), given["answers"])
