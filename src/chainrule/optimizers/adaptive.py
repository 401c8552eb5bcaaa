"""A rate of its own for every weight, from the gradients that it has seen."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import positive_number, real_number, yes_or_no
from chainrule.operations import updates
from chainrule.operations.penalties import is_weight
from chainrule.optimizers.optimizer import Optimizer, Slots


@dataclass(eq=False)
class Adagrad(Optimizer):
    """The step is the gradient over the root of the sum of all its squares (Duchi, Hazan & Singer 2011)."""

    learning_rate: float = 0.01
    epsilon: float = 1e-10

    slots: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "Adagrad: learning_rate")
        self.epsilon = positive_number(self.epsilon, "Adagrad: epsilon")

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        (s,) = slots
        W, s = updates.adagrad_update(W, dW, s, rate, self.epsilon)
        return W, (s,)


@dataclass(eq=False)
class RMSprop(Optimizer):
    """The step is the gradient over its root mean square of late (Tieleman & Hinton 2012).

    `centered`: over its standard deviation of late instead (Graves 2013).
    """

    learning_rate: float = 0.001
    decay: float = 0.9
    epsilon: float = 1e-8
    centered: bool = False

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "RMSprop: learning_rate")
        self.decay = real_number(self.decay, "RMSprop: decay", below=1.0)
        self.epsilon = positive_number(self.epsilon, "RMSprop: epsilon")
        self.centered = yes_or_no(self.centered, "RMSprop: centered")

    def first_slots(self, W: Array) -> Slots:
        return tuple(np.zeros_like(W) for _ in range(2 if self.centered else 1))

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        if self.centered:
            m, v = slots
            W, m, v = updates.centered_rmsprop_update(W, dW, m, v, rate, self.decay, self.epsilon)
            return W, (m, v)
        (s,) = slots
        W, s = updates.rmsprop_update(W, dW, s, rate, self.decay, self.epsilon)
        return W, (s,)


@dataclass(eq=False)
class Adadelta(Optimizer):
    """RMSprop whose numerator is the root mean square of its own steps, so that it needs no rate (Zeiler 2012)."""

    learning_rate: float = 1.0
    decay: float = 0.9
    epsilon: float = 1e-6

    slots: ClassVar[int] = 2

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "Adadelta: learning_rate")
        self.decay = real_number(self.decay, "Adadelta: decay", below=1.0)
        self.epsilon = positive_number(self.epsilon, "Adadelta: epsilon")

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        s, u = slots
        W, s, u = updates.adadelta_update(W, dW, s, u, rate, self.decay, self.epsilon)
        return W, (s, u)


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


@dataclass(eq=False)
class AdamW(Optimizer):
    """Adam, and every weight shrinks by η λ of itself in each step (Loshchilov & Hutter 2019).

    `weight_decay` is λ. Biases, and whatever else has one axis, do not shrink unless `biases` is True.
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    biases: bool = False

    slots: ClassVar[int] = 2

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "AdamW: learning_rate")
        self.beta1 = real_number(self.beta1, "AdamW: beta1", below=1.0)
        self.beta2 = real_number(self.beta2, "AdamW: beta2", below=1.0)
        self.epsilon = positive_number(self.epsilon, "AdamW: epsilon")
        self.weight_decay = real_number(self.weight_decay, "AdamW: weight_decay")
        self.biases = yes_or_no(self.biases, "AdamW: biases")

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        m, s = slots
        decay = self.weight_decay if self.biases or is_weight(W) else 0.0
        W, m, s = updates.adamw_update(W, dW, m, s, step, rate, self.beta1, self.beta2, self.epsilon, decay)
        return W, (m, s)


@dataclass(eq=False)
class Nadam(Optimizer):
    """Adam with Nesterov's look ahead, whose momentum grows with the steps (Dozat 2016).

    The momentum of step t is β₁ (1 − ½ · 0.96^(tψ)); ψ is `momentum_decay`.
    """

    learning_rate: float = 0.002
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    momentum_decay: float = 0.004

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "Nadam: learning_rate")
        self.beta1 = real_number(self.beta1, "Nadam: beta1", below=1.0)
        self.beta2 = real_number(self.beta2, "Nadam: beta2", below=1.0)
        self.epsilon = positive_number(self.epsilon, "Nadam: epsilon")
        self.momentum_decay = real_number(self.momentum_decay, "Nadam: momentum_decay")

    def first_slots(self, W: Array) -> Slots:
        return np.zeros_like(W), np.zeros_like(W), np.ones((), W.dtype)  # the product of no momenta is 1

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        m, s, product = slots
        W, m, s, product = updates.nadam_update(
            W, dW, m, s, product, step, rate, self.beta1, self.beta2, self.epsilon, self.momentum_decay
        )
        return W, (m, s, product)


@dataclass(eq=False)
class Lion(Optimizer):
    """Every weight moves by η, in the direction of the mean gradient's sign (Chen et al. 2023).

    A rate from 3 to 10 times smaller than Adam's suits it. `weight_decay` and `biases` are those of AdamW.
    """

    learning_rate: float = 0.0001
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0
    biases: bool = False

    slots: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self.learning_rate = positive_number(self.learning_rate, "Lion: learning_rate")
        self.beta1 = real_number(self.beta1, "Lion: beta1", below=1.0)
        self.beta2 = real_number(self.beta2, "Lion: beta2", below=1.0)
        self.weight_decay = real_number(self.weight_decay, "Lion: weight_decay")
        self.biases = yes_or_no(self.biases, "Lion: biases")

    def update(self, W: Array, dW: Array, slots: Slots, step: int, rate: float) -> tuple[Array, Slots]:
        (m,) = slots
        decay = self.weight_decay if self.biases or is_weight(W) else 0.0
        W, m = updates.lion_update(W, dW, m, rate, self.beta1, self.beta2, decay)
        return W, (m,)
