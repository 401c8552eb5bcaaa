"""Layers: parameters, and what forward must keep for backward. One file per family."""

from chainrule.layers.activations import Identity, LeakyReLU, ReLU, Sigmoid, Softplus, Step, Tanh
from chainrule.layers.convolution import Conv2D
from chainrule.layers.dropout import Dropout
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.layers.linear import Linear
from chainrule.layers.pooling import AvgPool2D, MaxPool2D
from chainrule.layers.sequential import Sequential
from chainrule.layers.shapes import Flatten, Reshape
from chainrule.layers.softmax import LogSoftmax, Softmax

__all__ = [
    "AvgPool2D",
    "Context",
    "Conv2D",
    "Dropout",
    "Flatten",
    "Gradients",
    "Identity",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool2D",
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
