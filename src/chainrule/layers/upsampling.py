"""The layer that enlarges images without parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import SettingError
from chainrule.layers.images import channels, pair
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.upsampling import (
    upsample_bilinear_backward,
    upsample_bilinear_forward,
    upsample_nearest_backward,
    upsample_nearest_forward,
)
from chainrule.operations.windows import Pair

INTERPOLATIONS = {
    "nearest": (upsample_nearest_forward, upsample_nearest_backward),
    "bilinear": (upsample_bilinear_forward, upsample_bilinear_backward),
}


@dataclass(eq=False)
class Upsample2D(Layer):
    """Larger images, of shape (channels, factor · height, factor · width), from (channels, height, width).

    `factor` is one whole number for both directions or a pair (height, width). With the `interpolation` "nearest" each
    pixel becomes a block of equal ones; with "bilinear" the large image runs straight from pixel to pixel.
    """

    factor: int | Pair = 2
    interpolation: str = "nearest"

    def __post_init__(self) -> None:
        self.factor = self._factor = pair(self.factor, "Upsample2D: factor")
        if self.interpolation not in INTERPOLATIONS:
            raise SettingError(
                f"Upsample2D: interpolation: expected one of {', '.join(INTERPOLATIONS)}, got {self.interpolation!r}"
            )

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        return channels(input_shape), self._factor[0] * input_shape[1], self._factor[1] * input_shape[2]

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        enlarge, _ = INTERPOLATIONS[self.interpolation]
        return enlarge(x, self._factor), ()

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        _, gather = INTERPOLATIONS[self.interpolation]
        return gather(dy, self._factor), {}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [
            (cls(), (2, 3, 4)),
            (cls((1, 3)), (1, 2, 2)),
            (cls(3, "bilinear"), (2, 3, 4)),
            (cls((2, 1), "bilinear"), (1, 1, 3)),
        ]
