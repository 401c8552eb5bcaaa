"""One forward and one backward pass of a network, layer by layer, with every operation that was called on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from chainrule.arrays import Array
from chainrule.layers import Context, Gradients, Layer, Saved, Sequential
from chainrule.network import Network
from chainrule.operations import Call, recorded_calls
from chainrule.operations.losses import mean_backward, mean_forward
from chainrule.optimizers import Optimizer


class Part(NamedTuple):
    """One layer of the chain that the network is."""

    place: str  # "layers.2"
    layer: Layer
    context: Context

    @property
    def kind(self) -> str:
        """The name of its class."""
        return type(self.layer).__name__


class Stretch(NamedTuple):
    """What one layer, the loss or the optimizer did in one direction: the operations that it called."""

    phase: str  # "forward", "loss", "backward" or "update"
    place: str
    kind: str
    calls: list[Call]


@dataclass
class Pass:
    """A pass, and all that was worked out in it. Arrays have the batch axis first."""

    parts: list[Part]
    x: list[Array]  # what went into each part; x[-1] are the scores f, behind the last one
    saved: list[Saved]
    t: Array
    loss: Array  # (N,)
    dloss: Array  # (N,) ∂J/∂loss
    J: Array  # ()
    at: dict[int, Array]  # position k → ∂J/∂x[k], as far as it was worked out
    gradients: Gradients  # parameter name → ∂J/∂parameter
    stretches: list[Stretch] = field(default_factory=list)

    def backward(self, position: int, dy: Array) -> tuple[Array, Gradients]:
        """∂/∂x and ∂/∂parameter of Σ dy ⊙ y, for the part at `position`: its own backward, on any dy."""
        return self.parts[position].layer.backward(dy, self.saved[position])


def chain(body: Sequential, context: Context, place: str = "") -> Iterator[Part]:
    """The layers one after the other; a Sequential within is opened, as it is nothing but its layers."""
    for position, layer in enumerate(body.layers):
        inner = body.context_at(position, context)
        if type(layer) is Sequential:
            yield from chain(layer, inner, f"{place}layers.{position}.")
        else:
            yield Part(f"{place}layers.{position}", layer, inner)


def take_pass(network: Network, x: Array, t: Array, context: Context, lowest: int) -> Pass:
    """The pass that `network.cost_and_gradients` makes, written down; it goes back to the part `lowest`.

    Where `lowest` is −1, it goes back to x itself. Else the lowest part is asked for its parameters only.
    """
    parts = list(chain(network.body, context))
    xs, saved, stretches = [x], list[Saved](), list[Stretch]()
    for part in parts:
        with recorded_calls() as calls:
            y, kept = part.layer.forward(xs[-1], part.context)
        xs.append(y)
        saved.append(kept)
        stretches.append(Stretch("forward", part.place, part.kind, calls))
    kind, f = type(network.loss).__name__, xs[-1]
    with recorded_calls() as calls:
        loss = network.loss.forward(f, t)
        J = mean_forward(loss)
    stretches.append(Stretch("loss", "loss", kind, calls))
    with recorded_calls() as calls:
        dloss = mean_backward(network.dJ, loss)
        df = network.loss.backward(dloss, f, t)
    stretches.append(Stretch("backward", "loss", kind, calls))
    taken = Pass(parts, xs, saved, t, loss, dloss, J, {len(parts): df}, {}, stretches)
    for position in reversed(range(max(lowest, 0), len(parts))):
        _go_back(taken, position, with_input=position > lowest)
    return taken


def _go_back(taken: Pass, position: int, *, with_input: bool) -> None:
    part, dy = taken.parts[position], taken.at[position + 1]
    with recorded_calls() as calls:
        if with_input:
            taken.at[position], found = taken.backward(position, dy)
        else:
            found = part.layer.backward_parameters(dy, taken.saved[position])
    taken.gradients |= {f"{part.place}.{name}": dW for name, dW in found.items()}
    taken.stretches.append(Stretch("backward", part.place, part.kind, calls))


def take_update(network: Network, gradients: Gradients, optimizer: Optimizer) -> list[Stretch]:
    """The optimizer's first step for each of these parameters; changes nothing."""
    stretches = []
    for name, dW in gradients.items():
        W = network.parameters[name]
        with recorded_calls() as calls:
            optimizer.update(W, dW, optimizer.first_slots(W), 1, optimizer.learning_rate)
        stretches.append(Stretch("update", name, type(optimizer).__name__, calls))
    return stretches


def cost(network: Network, x: Array, t: Array, context: Context) -> float:
    """J of checked inputs x and prepared targets t, in the dtype of the network."""
    f, _ = network.forward(x, context=context)
    return float(mean_forward(network.loss.forward(f, t)))
