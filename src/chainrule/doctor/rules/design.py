"""Troubles of the network itself: what it ends in, and where its weights start."""

from __future__ import annotations

from itertools import pairwise

from chainrule.doctor.evidence import Evidence
from chainrule.doctor.finding import Cause, Finding, rule
from chainrule.layers import HardSigmoid, Layer, LogSoftmax, Sigmoid, Softmax, Tanh
from chainrule.losses import BinaryCrossEntropy, BinaryFocal, CrossEntropy, Focal

DEAD = 0.6  # the share of a layer's units that give 0 for every sample, before the first step
SATURATED = 0.5  # the share of a layer's outputs at an end of their range, before the first step
VANISHED = 1e-3  # gradient of a layer to that of the layer with the largest
FADED = 0.01  # spread of what a layer gives to that of the first
GROWN = 10.0  # spread of what the last layer gives to that of the first


@rule
def softmax_twice(seen: Evidence) -> Finding | None:
    """A link at the end of a network whose loss brings its own."""
    if not seen.layers or seen.loss is None:
        return None
    last, loss = type(seen.layers[-1]), type(seen.loss)
    link = {Softmax: (CrossEntropy, Focal), Sigmoid: (BinaryCrossEntropy, BinaryFocal)}.get(last, ())
    if loss not in link:
        return None
    name = last.__name__
    return Finding(
        "softmax twice" if last is Softmax else "sigmoid twice",
        f"The last layer is {name}, and {loss.__name__} applies {name.lower()} itself: twice, it can never be sure of "
        "an answer, and its gradients are small.",
        f"Leave the last layer out: end in raw scores. predict() gives probabilities all the same.",
        Cause.DESIGN,
        {"drop_last_layer": True},
    )


@rule
def dead_relus(seen: Evidence) -> Finding | None:
    """Units that give 0 for every sample from the beginning: no gradient reaches them."""
    dead = seen.at_start("dead")
    worst = max(dead, key=lambda name: dead[name], default=None)
    if worst is None or dead[worst] < DEAD:
        return None
    return Finding(
        "dead ReLUs",
        f"Before the first step {dead[worst]:.0%} of the units of {worst} give 0 for every sample; no gradient passes "
        "a unit that is dead.",
        "Start the biases at 0 and the weights with He(), and use LeakyReLU, which lets a little through.",
        Cause.DESIGN,
        {"activation": {"ReLU": "LeakyReLU"}, "weights": "He", "biases": "Zeros"},
    )


@rule
def saturated_units(seen: Evidence) -> Finding | None:
    """Sigmoids that start at the ends of their range, where the slope is next to nothing."""
    saturated = seen.at_start("saturated")
    worst = max(saturated, key=lambda name: saturated[name], default=None)
    if worst is None or saturated[worst] < SATURATED:
        return None
    return Finding(
        "saturated units",
        f"Before the first step {saturated[worst]:.0%} of the outputs of {worst} are within 1% of an end of their "
        "range, where the slope is below 4% of its greatest.",
        "Start with smaller weights: Glorot().",
        Cause.DESIGN,
        {"weights": "Glorot", "biases": "Zeros"},
    )


@rule
def exploding_gradients(seen: Evidence) -> Finding | None:
    """Signals that grow from layer to layer before the first step, and gradients on the way back."""
    spread = [value for name, value in seen.at_start("deviation").items()]
    if len(spread) < 2 or spread[-1] < GROWN * max(spread[0], 1e-30) or not seen.weight_gradients:
        return None
    return Finding(
        "exploding gradients",
        f"Signals grow {spread[-1] / spread[0]:.3g}-fold from the first layer to the last, and gradients are as long as "
        f"{max(seen.weight_gradients.values()):.3g} before the first step.",
        "Start with smaller weights: He() before ReLU, Glorot() before tanh; and clip gradients to a length of 1.",
        Cause.DESIGN,
        {"weights": "He", "biases": "Zeros", "clip": 1.0},
    )


@rule
def vanishing_gradients(seen: Evidence) -> Finding | None:
    """Gradients, or the signals themselves, that fade away in a deep network."""
    gradients, spread = seen.weight_gradients, seen.at_start("deviation")
    if len(gradients) < 3 or not any(gradients.values()):
        return None
    least = min(gradients, key=lambda name: gradients[name])
    ratio = gradients[least] / max(gradients.values())
    outputs = list(spread.values())
    faded = min(outputs) / max(outputs[0], 1e-30)
    if ratio > VANISHED and faded > FADED:
        return None
    how = (
        f"the gradient of {least} is {ratio:.1g} of the longest"
        if ratio <= VANISHED
        else f"signals fade to {faded:.1g} of their size on their way through the layers"
    )
    bounded = {type(layer).__name__: "ReLU" for layer in seen.layers if type(layer) in BOUNDED}
    advice = "Use ReLU, which lets gradients through, and start" if bounded else "Start"
    return Finding(
        "vanishing gradients",
        f"Before the first step {how}: what lies there hardly learns.",
        f"{advice} the weights with He(). Fewer layers may do, too.",
        Cause.DESIGN,
        {"weights": "He", **({"activation": bounded} if bounded else {})},
    )


BOUNDED: tuple[type[Layer], ...] = (Sigmoid, HardSigmoid, Tanh)
