"""Layers: parameters, and what forward must keep for backward. One file per family."""

import importlib
import pkgutil

from chainrule.layers.activations import (
    ELU,
    GELU,
    SELU,
    HardSigmoid,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Step,
    Tanh,
)
from chainrule.layers.augmentation import Augment
from chainrule.layers.composite import Composite
from chainrule.layers.convolution import Conv2D
from chainrule.layers.convolution_1d import Conv1D
from chainrule.layers.depthwise import DepthwiseConv2D
from chainrule.layers.dropout import Dropout
from chainrule.layers.embedding import Embedding
from chainrule.layers.layer import Context, Gradients, Layer, Saved
from chainrule.layers.linear import Linear
from chainrule.layers.maxout import Maxout
from chainrule.layers.noise import DropConnect, GaussianNoise
from chainrule.layers.normalization import BatchNorm, LayerNorm
from chainrule.layers.parallel import Parallel, Residual
from chainrule.layers.pooling import AvgPool2D, GlobalAvgPool2D, GlobalMaxPool2D, MaxPool2D
from chainrule.layers.recurrent import GRU, LSTM, RNN
from chainrule.layers.sequences import Bidirectional, EachStep
from chainrule.layers.sequential import Sequential
from chainrule.layers.shapes import Flatten, Reshape
from chainrule.layers.softmax import LogSoftmax, Softmax
from chainrule.layers.transposed_convolution import ConvTranspose2D
from chainrule.layers.upsampling import Upsample2D

for _family in pkgutil.iter_modules(__path__):  # so that a new file is found before it is named here
    importlib.import_module(f"{__name__}.{_family.name}")

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "Augment",
    "AvgPool2D",
    "BatchNorm",
    "Bidirectional",
    "Composite",
    "Context",
    "Conv1D",
    "Conv2D",
    "ConvTranspose2D",
    "DepthwiseConv2D",
    "DropConnect",
    "Dropout",
    "EachStep",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "Gradients",
    "HardSigmoid",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool2D",
    "Maxout",
    "Parallel",
    "ReLU",
    "Reshape",
    "Residual",
    "Saved",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Tanh",
    "Upsample2D",
]
