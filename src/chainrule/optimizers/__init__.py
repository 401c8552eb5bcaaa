"""Optimizers: how a step changes the weights, given the gradients. A table of them is in docs/optimizers.md."""

from chainrule.optimizers.adaptive import Adadelta, Adagrad, Adam, AdamW, Lion, Nadam, RMSprop
from chainrule.optimizers.clipping import Clip, ClipNorm, ClipValue
from chainrule.optimizers.descent import SGD, Momentum, Nesterov
from chainrule.optimizers.lbfgs import LBFGS
from chainrule.optimizers.optimizer import Optimizer, Slots

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Clip",
    "ClipNorm",
    "ClipValue",
    "Lion",
    "Momentum",
    "Nadam",
    "Nesterov",
    "Optimizer",
    "RMSprop",
    "Slots",
]
