"""Training: epochs, events, callbacks, history."""

from chainrule.training.callbacks import Callback, EarlyStopping, ReduceOnPlateau, SaveBest, SaveEvery, Watcher
from chainrule.training.checkpoint import Checkpoint
from chainrule.training.diagnosis import Diagnosis
from chainrule.training.divergence_map import DivergenceMap, map_divergence
from chainrule.training.histograms import Histogram, Histograms
from chainrule.training.history import History
from chainrule.training.learning_rates import LearningRates, find_learning_rate
from chainrule.training.loss_map import LossMap, WeightPath, map_loss
from chainrule.training.perceptron import train_perceptron
from chainrule.training.progress import Progress
from chainrule.training.run import Run
from chainrule.training.snapshot import GoOnFrom, Snapshot
from chainrule.training.train import train

__all__ = [
    "Callback",
    "Checkpoint",
    "Diagnosis",
    "DivergenceMap",
    "EarlyStopping",
    "GoOnFrom",
    "Histogram",
    "Histograms",
    "History",
    "LearningRates",
    "LossMap",
    "Progress",
    "ReduceOnPlateau",
    "Run",
    "SaveBest",
    "SaveEvery",
    "Snapshot",
    "Watcher",
    "WeightPath",
    "find_learning_rate",
    "map_divergence",
    "map_loss",
    "train",
    "train_perceptron",
]
