"""Losses. Each owns the link that turns a network's raw scores into its answer, and the cost that is differentiated.

With its canonical link a loss has the gradient (prediction − target) at the scores: mission items B4, C1, D3 and D5 are
one fact. `targets` are the user's, in any of the understood forms; `t` is what `prepare` made of them.
"""

from chainrule.losses.classification import BinaryCrossEntropy, BinaryFocal, CrossEntropy, Focal, KullbackLeibler
from chainrule.losses.loss import Loss
from chainrule.losses.margins import CrammerSinger, Hinge, Perceptron, WestonWatkins
from chainrule.losses.regression import AbsoluteError, Huber, Poisson, SquaredError

__all__ = [
    "AbsoluteError",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "CrammerSinger",
    "CrossEntropy",
    "Focal",
    "Hinge",
    "Huber",
    "KullbackLeibler",
    "Loss",
    "Perceptron",
    "Poisson",
    "SquaredError",
    "WestonWatkins",
]
