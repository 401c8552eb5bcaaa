"""The dropout layer."""

import zlib
from dataclasses import dataclass

from chainrule.arrays import Array, Shape
from chainrule.configuration import real_number
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.dropout import dropout_backward, dropout_forward


@dataclass(eq=False)
class Dropout(Layer):
    """In training each x becomes 0 with probability `rate`, else x / (1 − rate); in prediction y = x.

    Which ones is decided by the training's seed, the step and the place of the layer in the network alone: the same
    three give the same choice. Source: mission items D15, E2; Srivastava et al. 2014.
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        self.rate = real_number(self.rate, "Dropout: rate", below=1)

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        if not context.training:
            return x, ()
        stream = zlib.crc32(context.place.encode())
        y, mask = dropout_forward(x, self.rate, context.seed, stream, context.step)
        return y, (mask,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        if not saved:
            return dy, {}
        (mask,) = saved
        return dropout_backward(dy, mask, self.rate), {}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (7,)), (cls(0.25), (2, 3, 1)), (cls(0.0), (3,))]
