"""Where a value first was not finite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """Layer, step and sample where a value first was not finite, and the operation that made it.

    Args:
        epoch: counted from 1.
        step: of the training, from 1.
        layer: such as "layer 2 (Linear)", or the loss.
        operation: such as "linear_forward".
        sample: the row of the training data; None where it is no single one's.
        path: of the file with which it can be seen again; None where none was written.

    """

    epoch: int
    step: int
    layer: str
    operation: str
    sample: int | None
    path: str | None = None
