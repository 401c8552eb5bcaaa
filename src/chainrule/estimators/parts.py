"""From the plain parameters of an estimator to the parts of a training: layers, loss, optimizer, penalty, …."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import is_dataclass
from typing import Any, TypeVar

import numpy as np

from chainrule.configuration import Configurable, real_number, whole_number
from chainrule.errors import SettingError
from chainrule.layers import Dropout, Layer, Linear, Sigmoid
from chainrule.optimizers import Clip, ClipNorm, Optimizer
from chainrule.regularizers import ElasticNet, Penalty
from chainrule.schedules import Schedule

Part = TypeVar("Part", bound=Configurable)

ALSO = {"logistic": Sigmoid}  # what scikit-learn calls it


def part(value: Any, kind: type[Part], name: str, **settings: Any) -> Part:
    """A new part of the given kind: one like `value`, or the class that `value` names, with `settings`.

    Names are those of the classes in small letters, with or without "_": "adam", "leaky_relu", "cross_entropy".

    Raises:
        SettingError: neither a part nor the name of one; or one that needs settings which a name cannot give.

    """
    if isinstance(value, kind):
        return kind.from_configuration(value.configuration())
    kinds = [one for one in Configurable.register.values() if issubclass(one, kind) and is_dataclass(one)]
    known = {one.__name__.lower(): one for one in kinds} | {
        word: one for word, one in ALSO.items() if issubclass(one, kind)
    }
    found: type[Any] | None = known.get(value.replace("_", "").lower()) if isinstance(value, str) else None
    if found is None:
        names = ", ".join(sorted(known))
        raise SettingError(
            f"{name}: expected the name of one, or a part of the kind {kind.__name__}, got {value!r}; known are {names}"
        )
    try:
        made: Part = found(**settings)
    except TypeError:
        raise SettingError(f"{name}: {found.__name__} needs settings; pass {found.__name__}(...) itself") from None
    return made


def layers_of(value: Any, activation: Any, dropout: float, name: str = "layers") -> list[Layer]:
    """The layers before the last: each whole number becomes a Linear, an activation and dropout; layers are copied.

    A layer belongs to one network, so each network gets its own, built anew.
    """
    if isinstance(value, int | np.integer):
        value = (value,)
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise SettingError(f"{name}: expected sizes such as (100,), or a list of layers, got {value!r}")
    rate = real_number(dropout, "dropout", below=1.0)
    layers: list[Layer] = []
    for one in value:
        if isinstance(one, Layer):
            layers.append(part(one, Layer, name))
            continue
        layers += [Linear(whole_number(one, name)), part(activation, Layer, "activation")]
        if rate:
            layers.append(Dropout(rate))
    return layers


def optimizer_of(value: Any, learning_rate: float | None) -> Optimizer:
    """The optimizer: by name, with that learning rate or its own; an object keeps the rate it has."""
    if isinstance(value, Optimizer) or learning_rate is None:
        return part(value, Optimizer, "optimizer")
    return part(value, Optimizer, "optimizer", learning_rate=learning_rate)


def penalty_of(value: Any, alpha: float, l1_ratio: float) -> Penalty | None:
    """The penalty: an object as it is; by name ("l1", "l2", "elastic_net") with strength alpha, none where that is 0.

    As in scikit-learn's networks, the sum over the weights is divided by the number of samples.
    """
    if value is None or isinstance(value, Penalty):
        return value
    strength = real_number(alpha, "alpha")
    penalty = part(value, Penalty, "penalty", strength=strength or 1.0, per="sample")
    if isinstance(penalty, ElasticNet):
        penalty = ElasticNet(penalty.strength, l1_ratio, per="sample")
    return penalty if strength else None


def clip_of(value: Any) -> Clip | None:
    """The clipping: an object as it is; a number is the greatest length of all gradients together."""
    return value if value is None or isinstance(value, Clip) else ClipNorm(value)


def schedule_of(value: Any) -> Schedule | None:
    """The schedule: an object, or by name; None keeps the rate."""
    return None if value is None else part(value, Schedule, "schedule")
