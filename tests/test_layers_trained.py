"""Every layer in a training: by tape or by Python, on every machine, the same bytes."""

import itertools

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.operations import OPERATIONS
from chainrule.operations.operation import runs_natively
from chainrule.testing import all_layers
from chainrule.testing.layers import built
from chainrule.training.steps import Steps
from test_kernels_bits import machine

pytestmark = pytest.mark.skipif(
    not runs_natively(), reason="operations run by their formulas here: nothing is recorded"
)

EXAMPLES = [(layer, shape) for cls in all_layers(within="chainrule.") for layer, shape in cls.examples()]
MACHINES = list(itertools.product((1, 3), kernels.instruction_sets()))
SAMPLES, BATCH = 11, 4  # the last batch is smaller


def has_formulas_of_its_own(layer):
    """Whether its file defines operations that have no kernel: no tape can hold them."""
    return any(f.kernel is None for f in OPERATIONS.values() if f.__module__ == type(layer).__module__)


def content(layer, shape, first):
    """All arrays after a training, where `layer` is the first with parameters or is not."""
    layer, _ = built(layer, shape)
    before = [cr.Tanh() if first else cr.LayerNorm()] if layer.inputs_below is None else []
    network = cr.Network([*before, layer, cr.Flatten(), cr.Linear(3)], loss=cr.CrossEntropy())
    x = np.random.default_rng(0).integers(0, layer.inputs_below or 9, (SAMPLES, *shape))
    settings = {"optimizer": cr.Momentum(0.05), "epochs": 3, "batch_size": BATCH, "progress": False}
    cr.train(network, (x, np.arange(SAMPLES) % 3), **settings)
    return {name: array.tobytes() for name, array in network.arrays.items()}


@pytest.mark.parametrize("first", [True, False], ids=["first", "behind another"])
@pytest.mark.parametrize(("layer", "shape"), EXAMPLES, ids=lambda item: str(item).replace(" ", ""))
def test_tape_threads_and_instruction_sets_change_no_byte(layer, shape, first, recorded, monkeypatch):
    by_tape = []
    for threads, instruction_set in MACHINES:
        with machine(threads, instruction_set):
            by_tape.append(content(layer, shape, first))
    assert recorded == [not has_formulas_of_its_own(layer)] * len(MACHINES)
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    assert by_tape == [content(layer, shape, first)] * len(MACHINES)
