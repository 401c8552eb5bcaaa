"""How well a network decides, class by class and sample by sample."""

from chainrule.evaluation.confusion import ConfusedPair, confusion_matrix, most_confused_pairs
from chainrule.evaluation.decisions import Mistake, class_names, decide, misclassified
from chainrule.evaluation.multilabel import accuracy_per_label
from chainrule.evaluation.regression import r_squared

__all__ = [
    "ConfusedPair",
    "Mistake",
    "accuracy_per_label",
    "class_names",
    "confusion_matrix",
    "decide",
    "misclassified",
    "most_confused_pairs",
    "r_squared",
]
