"""`derive(operation)`: what an operation is, how each of its gradients follows, and the same with a few numbers."""

from __future__ import annotations

import difflib
from typing import Any

from chainrule.errors import SettingError
from chainrule.explain.derivations import (
    activations,
    convolution,
    linear,
    losses,
    normalization,
    recurrent,
    softmax,
)
from chainrule.explain.derivations.generic import generic_page
from chainrule.explain.derivations.page import Formula, Page, Section
from chainrule.explain.derivations.written import Written
from chainrule.operations import OPERATIONS, Operation

FAMILIES = (softmax, activations, linear, convolution, losses, recurrent, normalization)
WRITTEN: dict[str, Written] = {written.operation: written for family in FAMILIES for written in family.WRITTEN}

ALSO = {  # layers that are called otherwise than their operation
    "conv2d": "convolution", "conv1d": "convolution", "convtranspose2d": "transposed_convolution",
    "depthwiseconv2d": "depthwise", "maxpool2d": "max_pool", "maxpooling": "max_pool", "avgpool2d": "average_pool",
    "rnn": "tanh_rnn", "upsample2d": "upsample_nearest",
}  # fmt: skip


def derive(operation: Any) -> Page:
    """The symbolic page of an operation: definition, derivation of each gradient, worked example, source.

    Of softmax, sigmoid, tanh, ReLU, softplus, SiLU, the linear map, dropout, convolution, max pooling, the losses with
    their links, recurrent networks, LSTM and batch normalisation the derivation is written step by step; of any other
    operation, those of users included, the page shows the formulas of its own source.

    Args:
        operation: a name ("softmax", "Conv2D"), an operation, or a layer or loss, as a class or an object.

    Raises:
        SettingError: there is no such operation.

    """
    name = _found(operation)
    return WRITTEN[name].page() if name in WRITTEN else generic_page(name)


def derivable() -> list[str]:
    """The names of all operations, without _forward and _backward, in the order of the alphabet."""
    return sorted({_base(name) for name in OPERATIONS})


def _base(name: str) -> str:
    """The name of an operation without what says which half of it."""
    base, _, _ = name.partition("_backward")
    return base.removesuffix("_forward")


def _found(operation: Any) -> str:
    if isinstance(operation, Operation):
        return _base(operation.name)
    name = operation if isinstance(operation, str) else getattr(operation, "__name__", type(operation).__name__)
    plain = _plain(_base(name))
    names = {_plain(base): base for base in derivable()} | ALSO
    if plain in names:
        return names[plain]
    near = [names[found] for found in difflib.get_close_matches(plain, names, 3)]
    hint = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else f"there are {', '.join(derivable())}"
    raise SettingError(f"operation: there is none called {name!r}; {hint}")


def _plain(name: str) -> str:
    """Without what differs between `max_pool` and `MaxPool`."""
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


__all__ = ["Formula", "Page", "Section", "derivable", "derive"]
