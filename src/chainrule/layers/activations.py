"""Activation layers: an operation applied to each element of an input of any shape. Source: mission items A4, D7."""

from dataclasses import dataclass
from typing import ClassVar

from chainrule.arrays import Array, Shape
from chainrule.configuration import real_number, yes_or_no
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


@dataclass(eq=False)
class GELU(Layer):
    """y = x Φ(x), Φ being the normal distribution; or, with `tanh`, ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    The second was quicker once, and models trained with it want it. Hendrycks & Gimpel 2016.
    """

    tanh: bool = False

    def __post_init__(self) -> None:
        self.tanh = yes_or_no(self.tanh, "GELU: tanh")

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return (operations.gelu_tanh_forward if self.tanh else operations.gelu_forward)(x), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        return (operations.gelu_tanh_backward if self.tanh else operations.gelu_backward)(dy, x), {}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (3,)), (cls(tanh=True), (2, 3))]


@dataclass(eq=False)
class SiLU(Layer):
    """y = x σ(x), also called swish. Elfwing et al. 2017."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return operations.silu_forward(x), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        return operations.silu_backward(dy, x), {}


@dataclass(eq=False)
class ELU(Layer):
    """y = x where x > 0, else alpha · (eˣ − 1). Clevert et al. 2016."""

    alpha: float = 1.0

    def __post_init__(self) -> None:
        self.alpha = real_number(self.alpha, "ELU: alpha")

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return operations.elu_forward(x, 1.0, self.alpha), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        return operations.elu_backward(dy, x, 1.0, self.alpha), {}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (3,)), (cls(0.3), (2, 3))]


@dataclass(eq=False)
class SELU(Layer):
    """y = λ x where x > 0, else λα (eˣ − 1): mean 0 and variance 1 stay, layer after layer. Klambauer et al. 2017.

    For that the weights of the layer before must start by `LeCun`'s rule.
    """

    scale: ClassVar[float] = 1.0507009873554804934  # λ
    alpha: ClassVar[float] = 1.6732632423543772848  # α

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return operations.elu_forward(x, self.scale, self.scale * self.alpha), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        return operations.elu_backward(dy, x, self.scale, self.scale * self.alpha), {}


@dataclass(eq=False)
class HardSigmoid(Layer):
    """y = x/6 + ½, held within 0 and 1: the sigmoid in three straight lines."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return operations.hard_sigmoid_forward(x), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        return operations.hard_sigmoid_backward(dy, x), {}
