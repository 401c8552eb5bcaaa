"""Random networks of all layers: do the paths add up to the gradient, and does a finite difference agree?

    python benchmarks/explain.py [networks]

Each network is made of one to three layers, drawn from all that there are, with a Linear and a Reshape before each that
bring the numbers into the shape it takes. Parameters, inputs, targets, loss, and whether it works as in training are
drawn too; so is the number that is explained, of a parameter or of the input. Everything is in float64.
"""

from __future__ import annotations

import sys
import time
from math import prod

import numpy as np

import chainrule as cr
from chainrule.testing import all_layers, all_losses

OUTPUTS = 3


def random_network(rng, first, loss):
    """A built network whose first drawn layer is one of the class `first`; and inputs and targets for it."""
    layers, body, inputs = all_layers("chainrule."), [], None
    for k, cls in enumerate([first, *rng.choice(layers, rng.integers(0, 3))]):
        examples = cls.examples()
        layer, shape = examples[rng.integers(len(examples))]
        layer = cr.Layer.from_configuration(layer.configuration())
        samples = int(rng.integers(1, 4))
        if layer.inputs_below is not None:  # takes words, so nothing can stand before it
            if k:
                continue
            body, inputs = [layer], rng.integers(0, layer.inputs_below, (samples, *shape)).astype(float)
        else:
            body += [*([cr.Flatten()] if body else []), cr.Linear(prod(shape)), cr.Reshape(shape), layer]
    body += [cr.Flatten(), cr.Linear(OUTPUTS)]
    network = cr.Network(body, loss=loss(), dtype="float64")
    inputs = rng.normal(size=(samples, 4)) if inputs is None else inputs
    network.build(inputs.shape[1:])
    for W in network.parameters.values():
        W += rng.normal(0, 0.2, W.shape)
    return network, inputs, network.loss.example_targets(rng, len(inputs), OUTPUTS)


def random_number(rng, network, x):
    """The name of a parameter, or "x", and a place in it."""
    names = [*network.parameters, *(["x"] if network.body.inputs_below is None else [])]
    name = names[rng.integers(len(names))]
    array = x if name == "x" else network.parameters[name]
    return name, tuple(int(rng.integers(n)) for n in array.shape)


def explained(seed):
    """One random network, explained: the network, and the chain to a random number of it."""
    rng = np.random.default_rng(seed)
    layers, every_loss = all_layers("chainrule."), all_losses("chainrule.")
    network, x, t = random_network(rng, layers[seed % len(layers)], every_loss[seed % len(every_loss)])
    name, index = random_number(rng, network, x)
    training = bool(rng.integers(2))
    derivation = network.explain(x, t, parameter=name, index=index, training=training, seed=seed, step=1)
    return network, derivation


def errors(chain):
    """How far the path sum and the finite difference are from the gradient, relatively."""
    scale = abs(chain.gradient) or 1.0
    return abs(chain.walk.sum - chain.gradient) / scale, abs(chain.difference.value - chain.gradient) / scale


def main(networks=300):
    """Explain them all, and print what was found."""
    start, found, kinds, steps = time.perf_counter(), [], set(), 0
    for seed in range(networks):
        network, derivation = explained(seed)
        kinds |= {type(layer).__name__ for layer in network.layers}
        steps += len(derivation.steps)
        found.append((*errors(derivation.chain), derivation.chain.gradient != 0, derivation.chain.has_kink))
    paths, differences, moving, kinks = zip(*found, strict=True)
    print(f"{networks} networks, {len(kinds)} kinds of layers, {len(all_losses('chainrule.'))} losses, {steps:,} steps")
    print(f"gradients that are not 0: {sum(moving)}; kinks at the very place: {sum(kinks)}")
    print(f"path sum against the kernels' gradient: largest relative difference {max(paths):.1e}")
    print(f"finite difference against it: largest relative difference {max(differences):.1e}")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
