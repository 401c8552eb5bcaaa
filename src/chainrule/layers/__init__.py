"""Layers: parameters, and what forward must keep for backward. One file per family."""

from chainrule.layers.activations import Identity, LeakyReLU, ReLU, Sigmoid, Softplus, Step, Tanh
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.layers.linear import Linear
from chainrule.layers.sequential import Sequential
from chainrule.layers.shapes import Flatten, Reshape
from chainrule.layers.softmax import LogSoftmax, Softmax

__all__ = [
    "Context",
    "Flatten",
    "Gradients",
    "Identity",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "ReLU",
    "Reshape",
    "Saved",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Tanh",
]
