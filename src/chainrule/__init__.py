"""Chainrule: neural networks you can see through.

    import chainrule as cr

    digits = cr.data.load_digits()
    network = cr.Network([cr.Linear(30), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy())
    cr.train(network, digits.train, validation=digits.test)
    network.evaluate(*digits.test)

Start reading at `chainrule.operations`: the mathematics, each derivative beside its formula.
"""

from chainrule import errors, operations
from chainrule.initializers import Glorot, He, Initializer, Normal, Zeros
from chainrule.layers import (
    Flatten,
    Identity,
    Layer,
    LeakyReLU,
    Linear,
    LogSoftmax,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Tanh,
)
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, Loss, Perceptron, SquaredError
from chainrule.network import Network
from chainrule.operations import backend
from chainrule.optimizers import SGD, Adam, Momentum, Nesterov, Optimizer

__all__ = [
    "SGD",
    "Adam",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Flatten",
    "Glorot",
    "He",
    "Identity",
    "Initializer",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Loss",
    "Momentum",
    "Nesterov",
    "Network",
    "Normal",
    "Optimizer",
    "Perceptron",
    "ReLU",
    "Reshape",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SquaredError",
    "Step",
    "Tanh",
    "Zeros",
    "backend",
    "errors",
    "operations",
]
