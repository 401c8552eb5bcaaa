"""Down the slope, with and without momentum."""

from dataclasses import dataclass
from typing import ClassVar

from chainrule.arrays import Array
from chainrule.configuration import positive_number, real_number
from chainrule.operations import updates
from chainrule.optimizers.optimizer import Optimizer, Slots


@dataclass(eq=False)
class SGD(Optimizer):
    """W ← W − η ∂L/∂W: plain gradient descent, full-batch, stochastic or mini-batch. Source: B3, E5."""

    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "SGD: learning_rate")

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        return updates.sgd_update(W, dW, rate), ()


@dataclass(eq=False)
class Momentum(Optimizer):
    """v ← μ v + ∂L/∂W; W ← W − η v (Polyak 1964; the form PyTorch uses)."""

    learning_rate: float = 0.01
    momentum: float = 0.9

    slots: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "Momentum: learning_rate")
        self.momentum = real_number(self.momentum, "Momentum: momentum", below=1.0)

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        (v,) = slots
        W, v = updates.momentum_update(W, dW, v, rate, self.momentum)
        return W, (v,)


@dataclass(eq=False)
class Nesterov(Optimizer):
    """v ← μ v + ∂L/∂W; W ← W − η (∂L/∂W + μ v) (Nesterov 1983; the form PyTorch uses)."""

    learning_rate: float = 0.01
    momentum: float = 0.9

    slots: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "Nesterov: learning_rate")
        self.momentum = real_number(self.momentum, "Nesterov: momentum", below=1.0)

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        (v,) = slots
        W, v = updates.nesterov_update(W, dW, v, rate, self.momentum)
        return W, (v,)
