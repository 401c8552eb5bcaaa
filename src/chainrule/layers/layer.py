"""What every layer is: parameters, a forward pass that says what it kept, a backward pass that uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import Configurable
from chainrule.errors import ShapeError

Saved = tuple[Any, ...]  # what a forward pass keeps for its backward pass
Gradients = dict[str, Array]  # parameter name → ∂L/∂parameter, of the parameter's shape


@dataclass(frozen=True)
class Context:
    """What a forward pass may know besides its input: enough to draw random bits of its own in training."""

    training: bool = False
    seed: int = 0  # of the training
    step: int = 0  # of the training, from 1
    place: str = ""  # where the layer stands, such as "layers.2.": no two layers of a network draw the same bits

    def at(self, position: int) -> Context:
        """What the layer at `position` within the composite at this place may know."""
        if not self.training:
            return self  # nothing is drawn
        return Context(self.training, self.seed, self.step, f"{self.place}layers.{position}.")


class Layer(Configurable):
    """One step of a network. A subclass is a dataclass of its settings; shapes never count the batch axis.

    To add a layer, write one file: `build` if it has parameters or changes the shape, `forward`, `backward`, the
    names of its parameters, and `examples` for the common checks. `forward` and `backward` call operations only.
    """

    parameter_names: ClassVar[tuple[str, ...]] = ()
    state_names: ClassVar[tuple[str, ...]] = ()  # arrays that training changes without a gradient: running statistics

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        """Create the parameters with initializers, and return the output shape. Raises ShapeError."""
        return input_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        """The output, and what `backward` needs."""
        raise NotImplementedError

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        """∂L/∂x, and ∂L/∂parameter for each parameter, from ∂L/∂y."""
        raise NotImplementedError

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        """The second half of `backward`, for the first layer of a network, where ∂L/∂x is not wanted."""
        return self.backward(dy, saved)[1]

    @property
    def parameters(self) -> dict[str, Array]:
        """Name → array, live: writing into the array changes the layer."""
        return {name: getattr(self, name) for name in self.parameter_names}

    @property
    def inputs_below(self) -> int | None:
        """Where not None, inputs are whole numbers from 0 to below this."""
        return None

    @property
    def state(self) -> dict[str, Array]:
        """Name → array, live: what `state_names` names."""
        return {name: getattr(self, name) for name in self.state_names}

    def next_state(self, saved: Saved) -> dict[str, Array]:
        """The state after a step of training, from what its forward pass kept; changes nothing."""
        return {}

    def replace_parameters(self, replacement: Callable[[str, Array], Array]) -> None:
        """Put `replacement(name, array)` in the place of every parameter, and of every array of the state."""
        for name in (*self.parameter_names, *self.state_names):
            setattr(self, name, replacement(name, getattr(self, name)))

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        """Small layers of this class with an input shape each, on which the common checks run."""
        return [(cls(), (3,))]


def features(input_shape: Shape) -> int:
    """The number of features of a flat input. Raises ShapeError for anything else."""
    if len(input_shape) != 1:
        raise ShapeError(
            f"expected a row of features (I,) per sample, got shape {input_shape}; put Flatten() before it"
        )
    return input_shape[0]
