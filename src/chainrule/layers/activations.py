"""Activation layers: an operation applied to each element of an input of any shape. Source: mission items A4, D7."""

from dataclasses import dataclass

from chainrule.arrays import Array
from chainrule.configuration import real_number
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.operations import activations as operations


@dataclass(eq=False)
class Identity(Layer):
    """y = x."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return operations.identity_forward(x), ()

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        return operations.identity_backward(dy), {}


@dataclass(eq=False)
class Step(Layer):
    """y = 1 where x ≥ 0, else 0. No gradient passes: for decisions (A1, A2), not for training by descent."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return operations.step_forward(x), ()

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        return operations.step_backward(dy), {}


@dataclass(eq=False)
class ReLU(Layer):
    """y = max(0, x)."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        y = operations.relu_forward(x)
        return y, (y,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (y,) = saved
        return operations.relu_backward(dy, y), {}


@dataclass(eq=False)
class LeakyReLU(Layer):
    """y = x where x > 0, else slope · x."""

    slope: float = 0.01

    def __post_init__(self) -> None:
        self.slope = real_number(self.slope, "LeakyReLU: slope")

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return operations.leaky_relu_forward(x, self.slope), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        return operations.leaky_relu_backward(dy, x, self.slope), {}


@dataclass(eq=False)
class Softplus(Layer):
    """y = log(1 + eˣ), ReLU's smooth form."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return operations.softplus_forward(x), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        return operations.softplus_backward(dy, x), {}


@dataclass(eq=False)
class Sigmoid(Layer):
    """y = σ(x) = 1 / (1 + e⁻ˣ)."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        y = operations.sigmoid_forward(x)
        return y, (y,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (y,) = saved
        return operations.sigmoid_backward(dy, y), {}


@dataclass(eq=False)
class Tanh(Layer):
    """y = tanh x = 2σ(2x) − 1."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        y = operations.tanh_forward(x)
        return y, (y,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (y,) = saved
        return operations.tanh_backward(dy, y), {}
