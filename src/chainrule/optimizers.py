"""Optimizers: settings, and one call of an update formula. What they remember between steps is given and returned."""

from dataclasses import dataclass
from typing import ClassVar

from chainrule.arrays import Array
from chainrule.configuration import Configurable, positive_number, real_number
from chainrule.operations import updates

Slots = tuple[Array, ...]  # what an optimizer remembers of one parameter, zero at first


class Optimizer(Configurable):
    """Base of the optimizers. A subclass is a dataclass of its settings and writes `update`."""

    learning_rate: float
    slots: ClassVar[int] = 0  # how many arrays of the parameter's shape it remembers

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        """New values of one parameter and its slots; `step` counts from 1, `rate` is the learning rate of this step.

        Changes nothing in place.
        """
        raise NotImplementedError


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


@dataclass(eq=False)
class Adam(Optimizer):
    """The step is the running mean of the gradient over its root mean square (Kingma & Ba 2015, algorithm 1)."""

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    slots: ClassVar[int] = 2

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "Adam: learning_rate")
        self.beta1 = real_number(self.beta1, "Adam: beta1", below=1.0)
        self.beta2 = real_number(self.beta2, "Adam: beta2", below=1.0)
        self.epsilon = positive_number(self.epsilon, "Adam: epsilon")

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        m, s = slots
        W, m, s = updates.adam_update(W, dW, m, s, step, rate, self.beta1, self.beta2, self.epsilon)
        return W, (m, s)
