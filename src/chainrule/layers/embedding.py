"""The embedding layer: words, given as whole numbers, become rows of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.initializers import Initializer, Normal, check_initializer
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations.activations import step_backward
from chainrule.operations.embedding import embedding_backward, embedding_forward, whole_numbers


@dataclass(eq=False)
class Embedding(Layer):
    """y = row v of W for each word v, from (T,) to (T, features); T is 1 for one word a sample.

    Words are whole numbers from 0 to words − 1; like all inputs they come as floats, of which float32 holds every whole
    number up to 2²⁴. `weights` says where W (words, features) starts. No gradient reaches a word. Mission item D15.
    """

    words: int
    features: int
    weights: Initializer = Normal()

    parameter_names: ClassVar[tuple[str, ...]] = ("W",)

    def __post_init__(self) -> None:
        self.words = whole_number(self.words, "Embedding: words")
        self.features = whole_number(self.features, "Embedding: features")
        check_initializer(self.weights, "Embedding: weights")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self.W = self.weights(rng, (self.words, self.features))
        return (*input_shape, self.features)

    @property
    def inputs_below(self) -> int:
        return self.words

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        index = whole_numbers(x)
        return embedding_forward(index, self.W), (x, index)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        return step_backward(saved[0]), self.backward_parameters(dy, saved)

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        return {"W": embedding_backward(dy, saved[1], self.W)}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(5, 3), (4,)), (cls(2, 1), (2, 3)), (cls(3, 2), (1,))]
