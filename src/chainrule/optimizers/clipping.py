"""Clipping: gradients that are too large are made smaller before the step."""

from dataclasses import dataclass
from functools import reduce

from chainrule.arrays import Array
from chainrule.configuration import Configurable, positive_number, yes_or_no
from chainrule.operations.clipping import clip_norm, clip_value
from chainrule.operations.vectors import hypotenuse, norm

Named = dict[str, Array]  # parameter name → gradient, or name of a figure → the figure ()


class Clip(Configurable):
    """Base of the ways to clip. A subclass is a dataclass of its settings and writes `apply`."""

    def apply(self, gradients: Named) -> tuple[Named, Named]:
        """The gradients that the optimizer shall have, and figures of this step for the history."""
        raise NotImplementedError


@dataclass(eq=False)
class ClipValue(Clip):
    """Every element of every gradient to −limit … limit."""

    limit: float

    def __post_init__(self) -> None:
        self.limit = positive_number(self.limit, "ClipValue: limit")

    def apply(self, gradients: Named) -> tuple[Named, Named]:
        return {name: clip_value(dW, self.limit) for name, dW in gradients.items()}, {}


@dataclass(eq=False)
class ClipNorm(Clip):
    """All gradients together to a length of at most `limit` (Pascanu, Mikolov & Bengio 2013).

    With `record`, the history has "gradient_norm": the mean length before clipping.
    """

    limit: float
    record: bool = False

    def __post_init__(self) -> None:
        self.limit = positive_number(self.limit, "ClipNorm: limit")
        self.record = yes_or_no(self.record, "ClipNorm: record")

    def apply(self, gradients: Named) -> tuple[Named, Named]:
        length = reduce(hypotenuse, [norm(dW) for dW in gradients.values()])
        clipped = {name: clip_norm(dW, length, self.limit) for name, dW in gradients.items()}
        return clipped, {"gradient_norm": length} if self.record else {}
