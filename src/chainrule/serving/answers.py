"""From a network's answers to the JSON of a reply."""

from __future__ import annotations

from typing import Any

from chainrule.arrays import Array
from chainrule.evaluation import class_names
from chainrule.losses.loss import BinaryLoss
from chainrule.network import Network

Reply = dict[str, Any]  # of one sample


def decides_each(network: Network) -> bool:
    """Whether every score says yes or no for a label of its own, so that a sample may have several labels or none."""
    return isinstance(network.loss, BinaryLoss) and network.output_shape[0] > 1


def names_of_classes(network: Network) -> list[str] | None:
    """What the service calls the classes; None where the loss decides nothing, whatever the model states."""
    return class_names(network) if network.loss.decides else None


def replies(network: Network, answers: Array) -> list[Reply]:
    """One for each sample: {"class", "scores"}; {"labels", "scores"} for several labels; {"value"} for numbers.

    The scores are what `network.predict` gives for each class, by its name: probabilities for the cross-entropies.
    """
    names, rows = names_of_classes(network), answers.tolist()
    if names is None:
        return [{"value": row} for row in rows]
    if decides_each(network):
        return [_labels(dict(zip(names, row, strict=True))) for row in rows]
    return [_class(dict(zip(names, row if len(row) > 1 else [1 - row[0], row[0]], strict=True))) for row in rows]


def _labels(scores: dict[str, float]) -> Reply:
    return {"labels": [name for name, p in scores.items() if p >= 0.5], "scores": scores}


def _class(scores: dict[str, float]) -> Reply:
    return {"class": max(scores, key=lambda name: scores[name]), "scores": scores}
