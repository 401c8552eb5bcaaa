"""What the tests of exports share: a small network of every layer, and samples for it."""

import numpy as np

import chainrule as cr
from chainrule.testing import all_layers

EXAMPLES = [example for kind in all_layers("chainrule.layers.") for example in kind.examples()]


def example_network(layer, shape, dtype="float64"):
    """A network of one layer, its weights off their start, and samples, some steps of which are to be skipped."""
    copy = cr.Layer.from_configuration(layer.configuration())
    network = cr.Network([copy], loss=cr.SquaredError(), dtype=dtype).build(shape)
    rng = np.random.default_rng(0)
    for array in network.arrays.values():
        array += rng.normal(0, 0.1, array.shape).astype(array.dtype)
    x = samples_for(network)
    mask = getattr(getattr(layer, "layer", layer), "mask_value", None)
    if mask is not None:
        x[0, 0] = x[1] = x[2, -1] = mask
    return network, x


def samples_for(network, count=4):
    """Samples that a built network takes."""
    rng, shape = np.random.default_rng(1), (count, *network.input_shape)
    below = network.body.inputs_below
    drawn = rng.normal(0, 1, shape) if below is None else rng.integers(0, below, shape)
    return drawn.astype(network.dtype)


def room_of(path):
    """The names of a script that has been run, not as a program."""
    import runpy

    return runpy.run_path(str(path))
