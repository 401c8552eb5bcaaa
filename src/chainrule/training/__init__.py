"""Training: epochs, events, callbacks, history."""

from chainrule.training.callbacks import Callback, EarlyStopping, ReduceOnPlateau, Watcher
from chainrule.training.diagnosis import Diagnosis
from chainrule.training.divergence_map import DivergenceMap, map_divergence
from chainrule.training.history import History
from chainrule.training.perceptron import train_perceptron
from chainrule.training.progress import Progress
from chainrule.training.run import Run
from chainrule.training.train import train

__all__ = [
    "Callback",
    "Diagnosis",
    "DivergenceMap",
    "EarlyStopping",
    "History",
    "Progress",
    "ReduceOnPlateau",
    "Run",
    "Watcher",
    "map_divergence",
    "train",
    "train_perceptron",
]
