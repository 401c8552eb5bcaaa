"""Layers around a layer, for sequences (T, I): the same in both directions, and the same for each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import SettingError, ShapeError
from chainrule.layers.activations import Sigmoid
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.layers.linear import Linear
from chainrule.layers.recurrent import GRU, LSTM, RNN, Recurrent, sequence
from chainrule.layers.sequential import Sequential
from chainrule.operations.sequences import (
    both_directions_backward,
    both_directions_forward,
    joined_directions_backward,
    joined_directions_forward,
    merged_steps_backward,
    merged_steps_forward,
)


@dataclass(eq=False)
class Bidirectional(Layer):
    """y = [a, b]: a recurrent layer, and a second one of its kind that reads the steps from the last to the first.

    With `return_sequences` in `layer`, y(t) = [a(t), b(t)] of shape (T, 2 hidden_size): what has been seen of the
    sequence up to step t, and from step t on. Without, y joins the last state of each, (2 hidden_size,): each has read
    the whole sequence. Parameters are named "ahead.W" and "back.W"; the second starts from draws of its own.

    Source: Schuster & Paliwal 1997.
    """

    layer: Recurrent

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Recurrent):
            raise SettingError(f"Bidirectional: expected a recurrent layer such as LSTM(64), got {self.layer!r}")
        self._back = Recurrent.from_configuration(self.layer.configuration())

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        *steps, hidden_size = self.layer.build(input_shape, rng)
        self._back.build(input_shape, rng)
        return (*steps, 2 * hidden_size)

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        x, turned = both_directions_forward(x)
        ahead, kept = self.layer.forward(x, context.at(0))
        back, kept_back = self._back.forward(turned, context.at(1))
        if self.layer.return_sequences:
            y = joined_directions_forward(ahead, back)
        else:
            y = joined_directions_forward(ahead[:, None], back[:, None])[:, 0]  # as a sequence of one step
        return y, (kept, kept_back)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        kept, kept_back = saved
        dahead, dback = self._halves(dy)
        dx, gradients = self.layer.backward(dahead, kept)
        dturned, gradients_back = self._back.backward(dback, kept_back)
        return both_directions_backward(dx, dturned), _prefixed("ahead", gradients) | _prefixed("back", gradients_back)

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        kept, kept_back = saved
        dahead, dback = self._halves(dy)
        gradients = _prefixed("ahead", self.layer.backward_parameters(dahead, kept))
        return gradients | _prefixed("back", self._back.backward_parameters(dback, kept_back))

    def _halves(self, dy: Array) -> tuple[Array, Array]:
        """The gradients at the outputs of both directions."""
        if self.layer.return_sequences:
            return joined_directions_backward(dy)
        dahead, dback = joined_directions_backward(dy[:, None])
        return dahead[:, 0], dback[:, 0]

    @property
    def parameters(self) -> dict[str, Array]:
        return _prefixed("ahead", self.layer.parameters) | _prefixed("back", self._back.parameters)

    def replace_parameters(self, replacement: Callable[[str, Array], Array]) -> None:
        self.layer.replace_parameters(lambda name, old: replacement(f"ahead.{name}", old))
        self._back.replace_parameters(lambda name, old: replacement(f"back.{name}", old))

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [
            (cls(RNN(2)), (3, 2)),
            (cls(LSTM(2, return_sequences=True)), (3, 2)),
            (cls(GRU(1, return_sequences=True, mask_value=0.0)), (2, 2)),
        ]


@dataclass(eq=False)
class EachStep(Layer):
    """y(t) = layer(x(t)), the same layer for each step: from (T, I) to (T, O).

    `layer` takes a row of features (I,) and gives one (O,); several in a row are one `Sequential`. D13's output
    y(t) = σ(W_o h(t)) is `EachStep(Sequential((Linear(O), Sigmoid())))`. Source: mission item D13.
    """

    layer: Layer

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Layer):
            hint = f"; write {self.layer.__name__}(...)" if isinstance(self.layer, type) else ""
            raise SettingError(f"EachStep: expected a Layer, got {self.layer!r}{hint}")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self._steps, in_features = sequence(input_shape)
        output_shape = self.layer.build((in_features,), rng)
        if len(output_shape) != 1:
            raise ShapeError(f"expected a layer that gives a row of features per step, got shape {output_shape}")
        return (self._steps, *output_shape)

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        y, kept = self.layer.forward(merged_steps_forward(x), context.at(0))
        return merged_steps_backward(y, self._steps), kept  # the rows as steps again

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        dx, gradients = self.layer.backward(merged_steps_forward(dy), saved)
        return merged_steps_backward(dx, self._steps), _prefixed("layer", gradients)

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        return _prefixed("layer", self.layer.backward_parameters(merged_steps_forward(dy), saved))

    @property
    def parameters(self) -> dict[str, Array]:
        return _prefixed("layer", self.layer.parameters)

    @property
    def state(self) -> dict[str, Array]:
        return _prefixed("layer", self.layer.state)

    def next_state(self, saved: Saved) -> dict[str, Array]:
        return _prefixed("layer", self.layer.next_state(saved))

    @property
    def inputs_below(self) -> int | None:
        return self.layer.inputs_below

    def replace_parameters(self, replacement: Callable[[str, Array], Array]) -> None:
        self.layer.replace_parameters(lambda name, old: replacement(f"layer.{name}", old))

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(Linear(3)), (2, 4)), (cls(Sequential((Linear(2), Sigmoid()))), (3, 1))]


def _prefixed(part: str, named: dict[str, Array]) -> dict[str, Array]:
    return {f"{part}.{name}": array for name, array in named.items()}
