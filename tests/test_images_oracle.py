"""The operations on images against PyTorch. What it finds stands in oracle/images.json, made beside it."""

import json
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers import Context
from chainrule.operations import OPERATIONS
from chainrule.testing import relative_error

CASES = json.loads(Path(__file__).with_name("oracle").joinpath("images.json").read_text())["cases"]


def by_layer(layer, x, parameters, dy):
    """The layer's output and its gradients at x and the parameters, from these numbers."""
    layer.build(x.shape[1:], np.random.default_rng(0))
    layer.replace_parameters(lambda name, _: parameters["Wb".index(name)])
    y, saved = layer.forward(x, Context())
    dx, gradients = layer.backward(dy, saved)
    return y, [dx, *gradients.values()]


def layer_of(function, given, settings):
    if function == "transposed":
        return cr.ConvTranspose2D(given[1].shape[1], given[1].shape[2:], **settings)
    if function == "depthwise":
        return cr.DepthwiseConv2D(given[1].shape[2:], len(given[1]) // given[0].shape[1], **settings)
    if function == "conv1d":
        return cr.Conv1D(len(given[1]), given[1].shape[2], **settings)
    return cr.Upsample2D(settings["factor"], function)


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['function']} {case['settings']}")
def test_outputs_and_gradients_are_those_of_pytorch(case, backend):
    given, dy = [np.array(array) for array in case["given"]], np.array(case["dy"])
    with cr.backend(backend):
        if case["function"] == "warp":
            places = np.array(case["places"])
            y = OPERATIONS["warp_forward"](given[0], places, 0.0)
            gradients = [OPERATIONS["warp_backward"](dy, places)]
        else:
            y, gradients = by_layer(layer_of(case["function"], given, case["settings"]), given[0], given[1:], dy)
    assert relative_error(y, np.array(case["y"])) <= 1e-12
    for found, expected in zip(gradients, case["gradients"], strict=True):
        assert relative_error(found, np.array(expected)) <= 1e-12
