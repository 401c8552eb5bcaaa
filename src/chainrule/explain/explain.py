"""The entry: check what was asked, take the pass, derive its steps, follow the paths to one number."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import whole_number, yes_or_no
from chainrule.errors import DataError, SettingError
from chainrule.explain.derivation import Chain, Derivation
from chainrule.explain.finite_difference import finite_difference
from chainrule.explain.passes import Part, Pass, Stretch, chain, take_pass, take_update
from chainrule.explain.paths import Walk, walk
from chainrule.explain.steps import Step, steps_of
from chainrule.explain.uses import Uses, uses_of
from chainrule.layers import Context
from chainrule.network import Network
from chainrule.optimizers import LBFGS, SGD, Optimizer

INPUT = "x"
TERMS = 5


def explain(
    network: Network,
    x: Any,
    target: Any,
    *,
    parameter: str | None = None,
    index: int | tuple[int, ...] | None = None,
    optimizer: Optimizer | None = None,
    terms: int = TERMS,
    training: bool = False,
    seed: int = 0,
    step: int = 1,
) -> Derivation:
    """One forward and backward pass of `network` as a derivation; see `Network.explain`."""
    optimizer = SGD() if optimizer is None else optimizer
    if not isinstance(optimizer, Optimizer) or isinstance(optimizer, LBFGS):
        raise SettingError(f"optimizer: expected one that takes single steps, such as SGD(0.1), got {optimizer!r}")
    if (parameter is None) != (index is None):
        raise SettingError("parameter and index: give both, such as parameter='layers[0].W', index=(3, 7), or neither")
    most = whole_number(terms, "terms")
    training = yes_or_no(training, "training")
    inputs, t = network.check_data(*_as_batch(network, x, target))
    network, values, t = copy.deepcopy(network), network.floats(inputs).copy(), t.copy()  # what is shown stays so
    context = (
        Context(training, whole_number(seed, "seed", at_least=0), whole_number(step, "step")) if training else Context()
    )
    parts = list(chain(network.body, context))
    asked = None if parameter is None else _asked(network, parts, values, parameter, index)
    taken = take_pass(network, values, t, context, _lowest(network, parts, asked))
    if not np.isfinite(taken.J):
        raise DataError(f"the loss does not fit {network.dtype}, it came out as {float(taken.J)}; scale x and targets")
    wanted = {asked[0]} if asked else set(taken.gradients) - set(network.frozen)
    gradients = {name: taken.gradients[name] for name in network.parameters if name in wanted & set(taken.gradients)}
    stretches = taken.stretches + take_update(network, gradients, optimizer)
    walked = None if asked is None else _walk(taken, asked, most)
    focus = {} if asked is None or walked is None else _focus(taken, asked, walked, stretches)
    steps = list(steps_of(stretches, _names(network, taken), focus))
    return Derivation(
        network=repr(network).strip("<>"),
        dtype=str(network.dtype),
        samples=len(values),
        loss=float(taken.J),
        prediction=network.loss.link(taken.x[-1]),
        target=t,
        training=training,
        steps=tuple(steps),
        chain=None if asked is None or walked is None else _chain(network, taken, steps, asked, walked, context, most),
    )


def _as_batch(network: Network, x: Any, target: Any) -> tuple[Any, Any]:
    """One sample without the batch axis becomes a batch of one."""
    if network.input_shape is not None and np.shape(x) == network.input_shape:
        return np.asarray(x)[None], np.asarray(target)[None]
    return x, target


Asked = tuple[str, tuple[int, ...], int, str | None]  # name, index, the part's position, and the name within the part


def _asked(network: Network, parts: list[Part], x: Array, parameter: str, index: Any) -> Asked:
    """Which number is meant. Raises SettingError that says what there is."""
    name = re.sub(r"\[(\d+)\]", r".\1", parameter)
    if name == INPUT:
        array, position, local = x, 0, None
    elif name in network.parameters:
        position = next(k for k, part in enumerate(parts) if name.startswith(f"{part.place}."))
        array, local = network.parameters[name], name.removeprefix(f"{parts[position].place}.")
    else:
        raise SettingError(f"parameter: there is no {parameter!r}; there are x, {', '.join(network.parameters)}")
    place = tuple(index) if isinstance(index, tuple | list) else (index,)
    if name == INPUT and len(place) == array.ndim - 1 and len(array) == 1:
        place = (0, *place)
    whole = all(isinstance(i, int | np.integer) and not isinstance(i, bool) for i in place)
    if not whole or len(place) != array.ndim or any(not -n <= i < n for i, n in zip(place, array.shape, strict=True)):
        raise SettingError(f"index: expected a place in {name} {array.shape}, got {index!r}")
    return name, tuple(int(i) % n for i, n in zip(place, array.shape, strict=True)), position, local


def _lowest(network: Network, parts: list[Part], asked: Asked | None) -> int:
    """The part where the pass back ends: the first that is trained, as in training, or the one that was asked for."""
    trained = [
        k
        for k, part in enumerate(parts)
        if any(f"{part.place}.{name}" not in network.frozen for name in part.layer.parameters)
    ]
    lowest = trained[0] if trained else len(parts)
    if asked is None:
        return lowest
    name, _, position, _ = asked
    return -1 if name == INPUT else min(lowest, position)


def _names(network: Network, taken: Pass) -> dict[int, str]:
    """What the arrays of a pass are called, by id."""
    names = {id(taken.x[0]): "x", id(taken.t): "the target", id(network.dJ): "where every backward pass begins"}
    names |= {id(taken.loss): "the loss of each sample", id(taken.dloss): "∂J/∂L"}
    names |= {id(W): name for name, W in network.parameters.items()}
    for k, part in enumerate(taken.parts):
        names.setdefault(id(taken.x[k + 1]), f"y of {part.place}")
    for k, dx in sorted(taken.at.items(), reverse=True):
        names.setdefault(id(dx), f"∂J/∂y of {taken.parts[k - 1].place}" if k else "∂J/∂x")
    return names | {id(dW): f"∂J/∂({name})" for name, dW in taken.gradients.items()}


def _gradient(taken: Pass, asked: Asked) -> Array:
    """∂J/∂ the array that holds the number."""
    name, _, _, local = asked
    return taken.at[0] if local is None else taken.gradients[name]


def _walk(taken: Pass, asked: Asked, most: int) -> Walk:
    _, index, position, local = asked
    return walk(taken, position, local, index, float(_gradient(taken, asked)[index]), most)


def _focus(taken: Pass, asked: Asked, walked: Walk, stretches: list[Stretch]) -> dict[int, tuple[int, ...]]:
    """The numbers that the largest path goes through, by the id of the array that each lies in."""
    _, index, position, local = asked
    focus = {id(_gradient(taken, asked)): index}
    if local is not None and stretches[-1].phase == "update":  # whose first result is the new parameter
        new = stretches[-1].calls[-1].result
        focus[id(new[0] if isinstance(new, tuple) else new)] = index
    if walked.largest:
        first = position if local is None else position + 1
        for k, node in enumerate(walked.largest[0].nodes, first):
            focus |= {id(taken.x[k]): node.index, id(taken.at[k]): node.index}
    return focus


def _other_than(walked: Walk, uses: Uses | None) -> Uses | None:
    """The uses, unless they are just what the outputs of the layer are: each y of a Linear or Conv2D is one use."""
    if uses is None or not walked.stages:
        return None
    ours, theirs = ([round(t.product, 15) for t in terms] for terms in (uses.terms, walked.stages[0].terms))
    return None if ours[: len(theirs)] == theirs else uses


def _chain(
    network: Network, taken: Pass, steps: list[Step], asked: Asked, walked: Walk, context: Context, most: int
) -> Chain:  # fmt: skip
    name, index, _, local = asked
    array = taken.x[0] if local is None else network.parameters[name]
    gradient = _gradient(taken, asked)
    movable = local is not None or network.body.inputs_below is None
    return Chain(
        name=name,
        index=index,
        value=float(array[index]),
        gradient=float(gradient[index]),
        walk=walked,
        uses=_other_than(walked, uses_of(steps, gradient, index, most)),
        difference=finite_difference(network, taken.x[0], taken.t, context, name, index) if movable else None,
    )
