"""Recurrent layers: they read a sequence (T, I), T steps of I features, and keep a state from step to step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.configuration import real_number, whole_number, yes_or_no
from chainrule.errors import SettingError, ShapeError
from chainrule.initializers import Glorot, Initializer, Orthogonal, Zeros, check_initializer
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations import recurrent as cells
from chainrule.operations import sequences as steps


def sequence(input_shape: Shape) -> tuple[int, int]:
    """The steps and features of a sequence (T, I). Raises ShapeError for anything else."""
    if len(input_shape) != 2:
        raise ShapeError(
            f"expected a sequence (steps, features) per sample, got shape {input_shape}; "
            "put a Reshape to two axes before it, such as Reshape((28, 28)) for the rows of an image"
        )
    return input_shape[0], input_shape[1]


class Recurrent(Layer):
    """What the recurrent layers share: from (T, I) to (hidden_size,), or to (T, hidden_size) with `return_sequences`.

    `hidden_size` is the length H of the state, which is 0 before the first step. Without `return_sequences` the output
    is the state after the last step.

    `mask_value` is for sequences of unequal length, filled up to one length with steps whose every feature is that
    number. Such a step is skipped, wherever it stands: the state goes through it unchanged, so that the last state is
    the one after the last step that counts. With `return_sequences` its output is `mask_value` again, and a next layer
    of the same `mask_value` skips it too. Choose a number that no real step consists of.

    `weights`, `recurrent_weights` and `biases` say where W (I, H), U (H, H) and b (H,) start, for each gate by itself.
    """

    hidden_size: int
    return_sequences: bool
    mask_value: float | None
    weights: Initializer
    recurrent_weights: Initializer
    biases: Initializer

    parameter_names: ClassVar[tuple[str, ...]] = ("W", "U", "b")
    gates: ClassVar[int] = 1  # how many matrices stand side by side in W, and in U

    def __post_init__(self) -> None:
        name = type(self).__name__
        self.hidden_size = whole_number(self.hidden_size, f"{name}: hidden_size")
        self.return_sequences = yes_or_no(self.return_sequences, f"{name}: return_sequences")
        self._mask_value = float("nan")  # which no number equals
        if self.mask_value is not None:
            self._mask_value = real_number(self.mask_value, f"{name}: mask_value", at_least=float("-inf"))
        for setting in ("weights", "recurrent_weights", "biases"):
            check_initializer(getattr(self, setting), f"{name}: {setting}")

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self._steps, in_features = sequence(input_shape)
        self.W = self._side_by_side(self.weights, rng, (in_features, self.hidden_size))
        self.U = self._side_by_side(self.recurrent_weights, rng, (self.hidden_size, self.hidden_size))
        self.b = self._side_by_side(self.biases, rng, (self.hidden_size,))
        return (self._steps, self.hidden_size) if self.return_sequences else (self.hidden_size,)

    def _side_by_side(self, start: Initializer, rng: np.random.Generator | None, shape: Shape) -> Array:
        """One start for each gate: the fans, or the right angles, are those of the gate's own matrix."""
        if rng is None:
            return start(None, (*shape[:-1], self.gates * shape[-1]))
        return np.concatenate([start(rng, shape) for _ in range(self.gates)], axis=-1)

    def _mask(self, x: Array) -> Array:
        return steps.unmasked_steps(x, self._mask_value)

    def _output(self, h: Array, mask: Array) -> Array:
        """What of the states (N, T, H) goes out."""
        if not self.return_sequences:
            return steps.last_step_forward(h)
        return h if self.mask_value is None else steps.masked_steps_forward(h, mask, self._mask_value)

    def _at_states(self, dy: Array, mask: Array) -> Array:
        """∂L/∂h (N, T, H) by way of the output."""
        if not self.return_sequences:
            return steps.last_step_backward(dy, self._steps)
        return dy if self.mask_value is None else steps.masked_steps_backward(dy, mask)

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        layer: Any = cls
        return [
            (layer(3), (4, 2)),
            (layer(2, return_sequences=True), (3, 3)),
            (layer(2, return_sequences=True, mask_value=0.5), (2, 2)),
            (layer(1), (1, 1)),
        ]


Operations = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]

ACTIVATIONS: dict[str, Operations] = {
    "tanh": (cells.tanh_rnn_forward, cells.tanh_rnn_backward, cells.tanh_rnn_backward_parameters),
    "sigmoid": (cells.sigmoid_rnn_forward, cells.sigmoid_rnn_backward, cells.sigmoid_rnn_backward_parameters),
    "relu": (cells.relu_rnn_forward, cells.relu_rnn_backward, cells.relu_rnn_backward_parameters),
}


@dataclass(eq=False)
class RNN(Recurrent):
    """h(t) = f(x(t) W + h(t−1) U + b), Elman's network, with f = tanh, sigmoid or relu. See `Recurrent`.

    Source: mission item D13, Elman 1990.
    """

    hidden_size: int
    activation: str = "tanh"
    return_sequences: bool = False
    mask_value: float | None = None
    weights: Initializer = Glorot()
    recurrent_weights: Initializer = Orthogonal()
    biases: Initializer = Zeros()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.activation not in tuple(ACTIVATIONS):
            raise SettingError(f"RNN: activation: expected one of {', '.join(ACTIVATIONS)}, got {self.activation!r}")
        self._forward, self._backward, self._backward_parameters = ACTIVATIONS[self.activation]

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        mask = self._mask(x)
        h = self._forward(x, self.W, self.U, self.b, mask)
        return self._output(h, mask), (x, h, mask)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        x, h, mask = saved
        dx, dW, dU, db = self._backward(self._at_states(dy, mask), x, h, self.W, self.U, mask)
        return dx, {"W": dW, "U": dU, "b": db}

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        x, h, mask = saved
        dW, dU, db = self._backward_parameters(self._at_states(dy, mask), x, h, self.U, mask)
        return {"W": dW, "U": dU, "b": db}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [*super().examples(), (cls(3, "sigmoid"), (3, 2)), (cls(3, "relu", return_sequences=True), (3, 2))]


@dataclass(eq=False)
class LSTM(Recurrent):
    """h(t) = o tanh(c(t)) with c(t) = f c(t−1) + i g: long short-term memory. See `Recurrent`, and `lstm_forward`.

    The gates stand in the order i, f, g, o (as in PyTorch and Keras). `forget_bias` is added to the bias of f where it
    starts: with 1 a cell keeps σ(1) = 73% of its content from step to step, with 0 half of it, so that after 28 steps
    nothing of the first one would be left and no gradient would come back to it (Gers et al. 2000; Józefowicz et al.
    2015; Keras' default too, while PyTorch starts from about 0).

    Source: mission item D15, Hochreiter & Schmidhuber 1997.
    """

    hidden_size: int
    return_sequences: bool = False
    mask_value: float | None = None
    weights: Initializer = Glorot()
    recurrent_weights: Initializer = Orthogonal()
    biases: Initializer = Zeros()
    forget_bias: float = 1.0

    gates: ClassVar[int] = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self.forget_bias = real_number(self.forget_bias, "LSTM: forget_bias", at_least=float("-inf"))

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        output_shape = super().build(input_shape, rng)
        if rng is not None:
            self.b[self.hidden_size : 2 * self.hidden_size] += self.forget_bias
        return output_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        mask = self._mask(x)
        h, c, gates = cells.lstm_forward(x, self.W, self.U, self.b, mask)
        return self._output(h, mask), (x, h, c, gates, mask)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        x, h, c, gates, mask = saved
        dx, dW, dU, db = cells.lstm_backward(self._at_states(dy, mask), x, h, c, gates, self.W, self.U, mask)
        return dx, {"W": dW, "U": dU, "b": db}

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        x, h, c, gates, mask = saved
        dW, dU, db = cells.lstm_backward_parameters(self._at_states(dy, mask), x, h, c, gates, self.U, mask)
        return {"W": dW, "U": dU, "b": db}


@dataclass(eq=False)
class GRU(Recurrent):
    """h(t) = (1 − z) n + z h(t−1), the gated recurrent unit. See `Recurrent`, and `gru_forward`.

    The gates stand in the order r, z, n (PyTorch's; Keras has z, r, n). The reset gate is applied behind the product
    with U, n = tanh(x W_n + b_n + r (h U_n + v)), as in PyTorch, cuDNN and Keras (reset_after); v (H,) is the bias
    there, and starts where `biases` says. Cho et al. 2014 reset h before the product, which needs one product more.

    Source: Cho et al. 2014.
    """

    hidden_size: int
    return_sequences: bool = False
    mask_value: float | None = None
    weights: Initializer = Glorot()
    recurrent_weights: Initializer = Orthogonal()
    biases: Initializer = Zeros()

    parameter_names: ClassVar[tuple[str, ...]] = ("W", "U", "b", "v")
    gates: ClassVar[int] = 3

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        output_shape = super().build(input_shape, rng)
        self.v = self.biases(rng, (self.hidden_size,))
        return output_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        mask = self._mask(x)
        h, gates, q = cells.gru_forward(x, self.W, self.U, self.b, self.v, mask)
        return self._output(h, mask), (x, h, gates, q, mask)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        x, h, gates, q, mask = saved
        dx, dW, dU, db, dv = cells.gru_backward(self._at_states(dy, mask), x, h, gates, q, self.W, self.U, mask)
        return dx, {"W": dW, "U": dU, "b": db, "v": dv}

    def backward_parameters(self, dy: Array, saved: Saved) -> Gradients:
        x, h, gates, q, mask = saved
        dW, dU, db, dv = cells.gru_backward_parameters(self._at_states(dy, mask), x, h, gates, q, self.U, mask)
        return {"W": dW, "U": dU, "b": db, "v": dv}
