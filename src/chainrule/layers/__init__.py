"""Layers: parameters, and what forward must keep for backward. One file per family."""

from chainrule.layers.activations import Identity, LeakyReLU, ReLU, Sigmoid, Softplus, Step, Tanh
from chainrule.layers.convolution import Conv2D
from chainrule.layers.dropout import Dropout
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.layers.linear import Linear
from chainrule.layers.pooling import AvgPool2D, MaxPool2D
from chainrule.layers.recurrent import GRU, LSTM, RNN
from chainrule.layers.sequences import Bidirectional, EachStep
from chainrule.layers.sequential import Sequential
from chainrule.layers.shapes import Flatten, Reshape
from chainrule.layers.softmax import LogSoftmax, Softmax

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "AvgPool2D",
    "Bidirectional",
    "Context",
    "Conv2D",
    "Dropout",
    "EachStep",
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
