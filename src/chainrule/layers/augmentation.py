"""The layer that changes images at random while a network is trained."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import real_number, whole_number
from chainrule.errors import SettingError
from chainrule.layers.images import channels
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.augmentation import (
    affine_places,
    cutout_backward,
    cutout_forward,
    elastic_places,
    warp_backward,
    warp_forward,
)


@dataclass(eq=False)
class Augment(Layer):
    """In training each image is changed at random, anew in each step; in prediction y = x. It stands before all others.

    `shift` up to so many pixels up or down, left or right; `rotation` up to so many degrees either way; `scale` up to
    such a share larger or smaller; `elastic` distortion by α = `elastic` and σ = `smoothness`, in pixels (Simard et al.
    2003: 34 and 4 for digits of 28 × 28); a square of `cutout` pixels a side covered. What is 0 is left out. `fill` is
    the value around the image and in the square: that of the background. x is (channels, height, width).

    What is drawn is decided by the training's seed, the step, the place of the layer in the network, and the place of
    the image in its batch alone.
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    elastic: float = 0.0
    smoothness: float = 4.0
    cutout: int = 0
    fill: float = 0.0

    def __post_init__(self) -> None:
        self.shift = real_number(self.shift, "Augment: shift")
        self.rotation = real_number(self.rotation, "Augment: rotation")
        if self.rotation > 180:
            raise SettingError(f"Augment: rotation: expected at most 180 degrees either way, got {self.rotation:g}")
        self.scale = real_number(self.scale, "Augment: scale", below=1)
        self.elastic = real_number(self.elastic, "Augment: elastic")
        self.smoothness = real_number(self.smoothness, "Augment: smoothness", at_least=0.1)
        self.cutout = whole_number(self.cutout, "Augment: cutout", at_least=0)
        self.fill = real_number(self.fill, "Augment: fill", at_least=float("-inf"))

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        channels(input_shape)  # refuses what is no image
        return input_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        if not context.training:
            return x, (None, None)
        places = mask = None
        if self.shift or self.rotation or self.scale or self.elastic:
            places = affine_places(x, self.shift, self.rotation, self.scale, *_drawn(context, "affine"))
            if self.elastic:
                places = elastic_places(places, self.elastic, self.smoothness, *_drawn(context, "elastic"))
            x = warp_forward(x, places, self.fill)
        if self.cutout:
            x, mask = cutout_forward(x, self.cutout, self.fill, *_drawn(context, "cutout"))
        return x, (places, mask)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        places, mask = saved
        if mask is not None:
            dy = cutout_backward(dy, mask)
        if places is not None:
            dy = warp_backward(dy, places)
        return dy, {}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [
            (cls(shift=1.5, rotation=30, scale=0.2), (2, 5, 4)),
            (cls(elastic=4, smoothness=1.5, fill=0.5), (1, 4, 5)),
            (cls(shift=1, cutout=2), (2, 3, 3)),
            (cls(), (1, 2, 2)),
        ]


def _drawn(context: Context, purpose: str) -> tuple[int, int, int]:
    """Seed, stream and step for `random_bits`: no two purposes or places draw the same bits."""
    return context.seed, zlib.crc32(f"{context.place}{purpose}".encode()), context.step
