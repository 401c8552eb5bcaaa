"""A network as a row of stages: a layer with weights, and with it what only changes its numbers one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainrule.arrays import Array, Shape
from chainrule.layers import Context, Flatten, Layer, Linear, Reshape
from chainrule.network import Network
from chainrule.operations.penalties import is_weight


@dataclass
class Stage:
    """Layers that are drawn as one: what they are called, and the output of the last one."""

    name: str
    shape: Shape  # of one sample's output
    last: int  # the place of the last layer that is drawn; -1 for the input
    first: Layer | None = None  # the one with the weights

    @property
    def weights(self) -> Array | None:
        """W (I, O) of a Linear, b left out; None of anything else."""
        return self.first.W if isinstance(self.first, Linear) else None


def stages(network: Network) -> list[Stage]:
    """The input and every stage of a built network. Raises NotBuiltError."""
    shapes = [network.summary().input_shape, *(shape for _, shape, _ in network.summary().rows)]
    found = [Stage("input", shapes[0], -1)]
    for position, layer in enumerate(network.layers):
        shape = shapes[position + 1]
        if isinstance(layer, Flatten | Reshape):
            if len(found) == 1:  # the input itself is drawn as the layers see it
                found = [Stage("input", shape, position)]
        elif _goes_on(layer, shapes[position], shape) and len(found) > 1:
            found[-1].name += f", {type(layer).__name__}"
            found[-1].last = position
        else:
            found.append(Stage(type(layer).__name__, shape, position, layer))
    return found


def _goes_on(layer: Layer, before: Shape, after: Shape) -> bool:
    return before == after and not any(is_weight(W) for W in layer.parameters.values())


def outputs_of(network: Network, x: Any) -> list[Array]:
    """What enters the network, and what each of its layers gives, for samples (N, *input_shape)."""
    y = network.floats(network.check_inputs(x))
    found = [y]
    for layer in network.layers:
        y, _ = layer.forward(y, Context())
        found.append(y)
    return found
