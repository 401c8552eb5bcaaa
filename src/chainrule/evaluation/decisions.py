"""From answers to decisions, and the decisions that are wrong."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, Labels, as_floats
from chainrule.errors import ShapeError
from chainrule.evaluation.confusion import class_labels
from chainrule.network import Network


@dataclass(frozen=True)
class Mistake:
    """A sample that was decided wrong: its row, its class, the class decided on, and how sure the network was of it."""

    index: int
    true: int
    predicted: int
    confidence: float  # the answer for the class decided on: a probability, where the loss's link gives one


def decide(answers: Any) -> tuple[Labels, Array]:
    """The class decided on, and the answer for it, for each row of `network.predict`'s answers.

    Args:
        answers: (N, K), one answer per class: the largest wins; or (N, 1), the answer for class 1: class 1 from ½ on.

    Returns:
        classes (N,) and confidences (N,).

    """
    p = as_floats(answers, "answers", np.float64)
    if p.ndim != 2 or p.shape[1] == 0:
        raise ShapeError(f"answers: expected one row of answers per sample (N, K), got an array {p.shape}")
    if p.shape[1] == 1:
        yes = p[:, 0] >= 0.5
        return yes.astype(np.intp), np.where(yes, p[:, 0], 1 - p[:, 0])
    classes = p.argmax(axis=1)  # (N,)
    return classes, p[np.arange(len(p)), classes]


def class_names(network: Network) -> list[str] | None:
    """The names of the classes that a model states, else their numbers; None where it does not tell classes apart."""
    stated = network.metadata.get("class_names")
    count = max(2, network.output_shape[0])
    if isinstance(stated, list) and len(stated) == count and len(network.output_shape) == 1:
        return [str(name) for name in stated]
    return [str(k) for k in range(count)] if network.loss.decides else None


def misclassified(network: Network, x: Any, labels: Any) -> list[Mistake]:
    """The samples that `network` decides wrong, those it is surest of first.

    Args:
        network: a trained network that ends in one score per class, or in a single one for two classes.
        x: samples (N, *input_shape).
        labels: their true classes (N,), whole numbers.

    Raises:
        DataError, ShapeError: samples or labels that do not fit the network.

    """
    answers = network.predict(x)
    predicted, confidence = decide(answers)
    true = class_labels(labels, max(2, answers.shape[1]), "labels")
    if len(true) != len(predicted):
        raise ShapeError(f"x has {len(predicted)} samples, labels {len(true)}; they must be as many")
    wrong = np.flatnonzero(predicted != true)
    surest_first = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return [Mistake(int(n), int(true[n]), int(predicted[n]), float(confidence[n])) for n in surest_first]
