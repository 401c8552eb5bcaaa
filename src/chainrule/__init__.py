"""Chainrule: neural networks you can see through.

    import chainrule as cr

    digits = cr.data.load_digits()
    network = cr.Network([cr.Linear(30), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy())
    cr.train(network, digits.train, validation=digits.test)
    network.evaluate(*digits.test)

Start reading at `chainrule.operations`: the mathematics, each derivative beside its formula.
"""

import importlib
from typing import Any

from chainrule import data, errors, operations
from chainrule.initializers import Glorot, He, Initializer, LeCun, Normal, Ones, Orthogonal, Zeros
from chainrule.layers import (
    ELU,
    GELU,
    GRU,
    LSTM,
    RNN,
    SELU,
    Augment,
    AvgPool2D,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    DepthwiseConv2D,
    DropConnect,
    Dropout,
    EachStep,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    HardSigmoid,
    Identity,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    LogSoftmax,
    Maxout,
    MaxPool2D,
    Parallel,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Step,
    Tanh,
    Upsample2D,
)
from chainrule.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    BinaryFocal,
    CrammerSinger,
    CrossEntropy,
    Focal,
    Hinge,
    Huber,
    KullbackLeibler,
    Loss,
    Perceptron,
    Poisson,
    SquaredError,
    WestonWatkins,
)
from chainrule.network import Network
from chainrule.network.model_file import load
from chainrule.operations import backend
from chainrule.optimizers import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Clip,
    ClipNorm,
    ClipValue,
    Lion,
    Momentum,
    Nadam,
    Nesterov,
    Optimizer,
    RMSprop,
)
from chainrule.regularizers import L1, L2, ElasticNet, Penalty
from chainrule.schedules import CosineDecay, ExponentialDecay, OneCycle, Schedule, StepDecay, WarmUp
from chainrule.training import (
    Callback,
    Checkpoint,
    Diagnosis,
    EarlyStopping,
    History,
    ReduceOnPlateau,
    SaveBest,
    SaveEvery,
    find_learning_rate,
    map_divergence,
    train,
    train_perceptron,
)

__version__ = "0.1.0"

# Imported when first used, to keep `import chainrule` quick.
_ROOMS = ("doctor", "evaluation", "explain", "plots", "serving", "tabular", "testing")
_FUNCTIONS_OF = {"Doctor": "doctor", "diagnose": "doctor"}  # likewise what of them belongs at the door


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _FUNCTIONS_OF:
        return getattr(importlib.import_module(f"{__name__}.{_FUNCTIONS_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "L1",
    "L2",
    "LBFGS",
    "LSTM",
    "RNN",
    "SELU",
    "SGD",
    "AbsoluteError",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Augment",
    "AvgPool2D",
    "BatchNorm",
    "Bidirectional",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Callback",
    "Checkpoint",
    "Clip",
    "ClipNorm",
    "ClipValue",
    "Conv1D",
    "Conv2D",
    "ConvTranspose2D",
    "CosineDecay",
    "CrammerSinger",
    "CrossEntropy",
    "DepthwiseConv2D",
    "Diagnosis",
    "DropConnect",
    "Dropout",
    "EachStep",
    "EarlyStopping",
    "ElasticNet",
    "Embedding",
    "ExponentialDecay",
    "Flatten",
    "Focal",
    "GaussianNoise",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "Glorot",
    "HardSigmoid",
    "He",
    "Hinge",
    "History",
    "Huber",
    "Identity",
    "Initializer",
    "KullbackLeibler",
    "Layer",
    "LayerNorm",
    "LeCun",
    "LeakyReLU",
    "Linear",
    "Lion",
    "LogSoftmax",
    "Loss",
    "MaxPool2D",
    "Maxout",
    "Momentum",
    "Nadam",
    "Nesterov",
    "Network",
    "Normal",
    "OneCycle",
    "Ones",
    "Optimizer",
    "Orthogonal",
    "Parallel",
    "Penalty",
    "Perceptron",
    "Poisson",
    "RMSprop",
    "ReLU",
    "ReduceOnPlateau",
    "Reshape",
    "Residual",
    "SaveBest",
    "SaveEvery",
    "Schedule",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SquaredError",
    "Step",
    "StepDecay",
    "Tanh",
    "Upsample2D",
    "WarmUp",
    "WestonWatkins",
    "Zeros",
    "backend",
    "data",
    "errors",
    "evaluation",
    "explain",
    "find_learning_rate",
    "load",
    "map_divergence",
    "operations",
    "plots",
    "testing",
    "train",
    "train_perceptron",
]
