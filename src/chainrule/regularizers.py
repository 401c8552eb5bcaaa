"""Penalties on large weights: J = (1/N) Σ L + R(w). Source: mission item D9.

A penalty is a setting of a training, not of a network: what a network answers does not depend on it, and only the
training knows how many samples there are, by which it may be divided. `network.gradients` and `network.evaluate` take
one too, so that what a training differentiates can be looked at and checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from chainrule.arrays import Array
from chainrule.configuration import Configurable, positive_number, real_number, yes_or_no
from chainrule.errors import SettingError
from chainrule.operations.penalties import is_weight, penalty_backward, penalty_forward
from chainrule.operations.vectors import add

Named = dict[str, Array]  # parameter name → parameter, or its gradient

PER = ("parameter", "sample", "none")


@dataclass(frozen=True)
class Equivalents:
    """The settings by which others write the same penalty; None where they cannot."""

    mlp_alpha: float | None  # scikit-learn, MLPClassifier and MLPRegressor: ½ alpha Σw² / samples of the batch
    sgd_alpha: float  # scikit-learn, SGDClassifier and SGDRegressor: alpha (l1_ratio Σ|w| + (1 − l1_ratio) ½ Σw²)
    sgd_l1_ratio: float
    keras_l1: float  # Keras, keras.regularizers.L1L2: l1 Σ|w| + l2 Σw²
    keras_l2: float
    weight_decay: float | None  # PyTorch, torch.optim.SGD, Adam, …: weight_decay · w is added to the gradient


class Penalised(NamedTuple):
    """The cost with the penalty (), the penalty alone (), and the gradients of both together."""

    cost: Array
    penalty: Array
    gradients: Named


class Penalty(Configurable):
    """Base of the penalties: R = (l1 Σ|w| + ½ l2 Σ w²) / divisor.

    The sums go over all weights of the network: parameters with two axes or more. Biases, and whatever else has one
    axis, are left out unless `biases` is True. The divisor is the number of the weights for `per="parameter"` (so that
    R does not depend on the size of the network), the number of samples for "sample" (so that it counts as much as one
    sample, however many there are), and 1 for "none".
    """

    strength: float
    per: str
    biases: bool

    def __post_init__(self) -> None:
        name = type(self).__name__
        self.strength = positive_number(self.strength, f"{name}: strength")
        if self.per not in PER:
            raise SettingError(f"{name}: per: expected one of {', '.join(PER)}, got {self.per!r}")
        self.biases = yes_or_no(self.biases, f"{name}: biases")

    @property
    def shares(self) -> tuple[float, float]:
        """l1 and l2 for a strength of 1."""
        raise NotImplementedError

    def scales(self, parameters: Named, samples: int) -> tuple[float, float]:
        """l1 and l2, divided."""
        l1, l2 = self.shares
        divisor = self._divisor(parameters, samples)
        return self.strength * l1 / divisor, self.strength * l2 / divisor

    def value(self, parameters: Named, samples: int) -> Array:
        """R ()."""
        scales = self.scales(parameters, samples)
        return reduce(add, [penalty_forward(W, *scales) for W in self._weights(parameters).values()])

    def add_to(self, cost: Array, gradients: Named, parameters: Named, samples: int, dJ: Array) -> Penalised:
        """The cost J and its gradients, with R and its gradients added; dJ () is ∂J/∂J = 1."""
        scales, R = self.scales(parameters, samples), self.value(parameters, samples)
        dR = {name: penalty_backward(dJ, W, *scales) for name, W in self._weights(parameters).items()}
        together = {name: add(dW, dR[name]) if name in dR else dW for name, dW in gradients.items()}
        return Penalised(add(cost, R), R, together)

    def describe(self, parameters: Named, samples: int) -> str:
        """The formula with its numbers, such as "0.001 · ½ Σ w² / 11910 parameters"."""
        (l1, l2), divisor = self.shares, self._divisor(parameters, samples)
        terms = [f"{share:g} · {term}" for share, term in ((l1, "Σ|w|"), (l2, "½ Σ w²")) if share]
        formula = f"({' + '.join(terms)})" if len(terms) > 1 else terms[0].removeprefix("1 · ")
        return f"{self.strength:g} · {formula}" + ("" if self.per == "none" else f" / {divisor} {self.per}s")

    def equivalents(self, parameters: Named, samples: int, batch_size: int | None = None) -> Equivalents:
        """What others call this penalty, for a network's `parameters` and so many training samples.

        `batch_size` is that of the training in scikit-learn, which divides by the samples of the batch; None is all.
        PyTorch and Keras penalise what they are given: give them the weights without the biases.
        """
        l1, l2 = self.scales(parameters, samples)
        only_squares = l1 == 0
        return Equivalents(
            mlp_alpha=l2 * (batch_size or samples) if only_squares else None,
            sgd_alpha=l1 + l2,
            sgd_l1_ratio=l1 / (l1 + l2),
            keras_l1=l1,
            keras_l2=l2 / 2,
            weight_decay=l2 if only_squares else None,
        )

    def _weights(self, parameters: Named) -> Named:
        found = {name: W for name, W in parameters.items() if self.biases or is_weight(W)}
        if not found:
            raise SettingError(f"penalty: the network has no weights that {type(self).__name__} could be taken of")
        return found

    def _divisor(self, parameters: Named, samples: int) -> int:
        count = sum(W.size for W in self._weights(parameters).values())
        return {"parameter": count, "sample": samples, "none": 1}[self.per]


@dataclass(eq=False)
class L2(Penalty):
    """R = strength · ½ Σ w² / divisor: weights shrink in proportion to their size (ridge, weight decay)."""

    strength: float
    per: str = "parameter"
    biases: bool = False

    @property
    def shares(self) -> tuple[float, float]:
        return 0.0, 1.0


@dataclass(eq=False)
class L1(Penalty):
    """R = strength · Σ|w| / divisor: all weights shrink alike, and those of little use become 0 (lasso)."""

    strength: float
    per: str = "parameter"
    biases: bool = False

    @property
    def shares(self) -> tuple[float, float]:
        return 1.0, 0.0


@dataclass(eq=False)
class ElasticNet(Penalty):
    """R = strength · (l1_ratio Σ|w| + (1 − l1_ratio) ½ Σ w²) / divisor (Zou & Hastie 2005)."""

    strength: float
    l1_ratio: float = 0.5
    per: str = "parameter"
    biases: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.l1_ratio = real_number(self.l1_ratio, "ElasticNet: l1_ratio")
        if self.l1_ratio > 1:
            raise SettingError(f"ElasticNet: l1_ratio: expected a share from 0 to 1, got {self.l1_ratio:g}")

    @property
    def shares(self) -> tuple[float, float]:
        return self.l1_ratio, 1 - self.l1_ratio
