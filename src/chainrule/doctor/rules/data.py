"""Troubles of the data: scale, outlying values, classes, labels, rows that should not be there."""

from __future__ import annotations

import numpy as np

from chainrule.doctor.evidence import Evidence
from chainrule.doctor.finding import Cause, Finding, rule
from chainrule.layers import BatchNorm, Embedding, LayerNorm

LARGE, SMALL = 20, 0.02  # sizes of a feature, 1 being what weights start for
OFF_CENTRE = 20  # standard deviations that a feature's mean may lie from 0
RARE = 0.3  # of the share that each class would have if all had the same
LOST = 0.7  # the share of a class that should be found at least
MIXED = 0.3  # share of samples in a neighbourhood of one class below which labels are doubtful
ENOUGH = 100  # samples: neighbours of fewer are too far away to judge a label by
LEAK = 0.02  # of the validation samples
CHANCE_HITS = 2  # rows may be alike by chance


@rule
def outlying_values(seen: Evidence) -> Finding | None:
    """A few rows hold values so large that nothing else in the data counts beside them."""
    if seen.facts is None or not seen.facts.far:
        return None
    rows = seen.facts.far
    named = ", ".join(map(str, rows[:3])) + (", …" if len(rows) > 3 else "")
    return Finding(
        "outlying values",
        f"{_rows(len(rows))} of {seen.facts.samples:,} ({named}) with values up to {seen.facts.farthest:.2g}, "
        "more than 1,000 times what 98 in 100 samples have.",
        "Look at these rows: a missing value written as a number, or a unit mixed up? Mend them or leave them out.",
        Cause.DATA,
        {"leave_out": list(rows)},
    )


@rule
def unscaled_inputs(seen: Evidence) -> Finding | None:
    """Features far larger, smaller or farther from 0 than the 1 or so that weights start for."""
    if seen.facts is None or not seen.facts.spread.size or seen.layers[:1] and isinstance(seen.layers[0], SCALES):
        return None
    spread, offset = seen.facts.spread, seen.facts.offset
    size = np.sqrt(spread**2 + offset**2)  # root mean square of each feature
    off = bool(((offset > OFF_CENTRE * spread) & (offset > 5)).any())
    if not (size.max() > LARGE or size.max() < SMALL or off):
        return None
    return Finding(
        "unscaled inputs",
        f"The features' typical sizes go from {size.min():.2g} to {size.max():.2g}, and their means lie up to "
        f"{(offset / spread).max():.2g} standard deviations from 0; first weights are made for sizes around 1.",
        "Standardise the features (mean 0, standard deviation 1), with the figures of the training data.",
        Cause.DATA,
        {"standardize": True},
    )


SCALES = (BatchNorm, LayerNorm, Embedding)  # layers that do not mind


@rule
def leaked_rows(seen: Evidence) -> Finding | None:
    """Samples that stand in the training data and in the validation data."""
    facts = seen.facts
    if facts is None or facts.leaked_share <= LEAK or len(facts.leaked) <= CHANCE_HITS or facts.repeated > 0.5:  # a table of few cases repeats itself
        return None
    return Finding(
        "leaked rows",
        f"{facts.leaked_share:.0%} of the validation samples are in the training data too "
        f"({_rows(len(facts.leaked))} there), so the validation figures look better than they are.",
        "Take these rows out of the training data, or split anew after removing duplicates. "
        "The validation loss may rise: only then can it be believed.",
        Cause.DATA,
        {"leave_out": list(facts.leaked)} if len(facts.leaked) < facts.samples else {},
    )


@rule
def wrong_labels(seen: Evidence) -> Finding | None:
    """Targets that do not belong to their samples: slipped by a row, shuffled, or many of them wrong."""
    near = seen.facts and seen.facts.neighbours
    if not near or seen.facts.samples < ENOUGH:
        return None
    if near.shift:
        where = "up" if near.shift < 0 else "down"
        return Finding(
            "wrong labels",
            f"Similar samples have unlike targets (agreement {near.agreement:.0%}); with the targets moved {where} by "
            f"{_rows(abs(near.shift))} they fit (agreement {near.shifted:.0%}).",
            f"Targets have slipped against their samples: move them {where} by {_rows(abs(near.shift))}, or find "
            "where one was lost.",
            Cause.DATA,
            {"roll_targets": near.shift},
        )
    beyond_chance = (near.agreement - near.chance) / (1 - near.chance)
    if beyond_chance < 0.1 and near.pure <= MIXED:
        return Finding(
            "wrong labels",
            f"The most similar samples tell nothing about a sample's target: {near.agreement:.0%} agreement, where "
            f"guessing has {near.chance:.0%}.",
            "Check that samples and targets are in the same order: they look shuffled against each other. If they are "
            "not, these features do not tell what is asked.",
            Cause.DATA,
        )
    if near.pure > MIXED or not near.doubtful:
        return None
    return Finding(
        "wrong labels",
        f"{_rows(len(near.doubtful))} of {seen.facts.samples:,} have another label than most of their 15 nearest "
        f"neighbours, and only {near.pure:.0%} of the samples lie where (nearly) all labels agree.",
        "Look through these rows and mend their labels, or leave them out (edited nearest neighbours, Wilson 1972).",
        Cause.DATA,
        {"leave_out": list(near.doubtful)},
    )


@rule
def class_imbalance(seen: Evidence) -> Finding | None:
    """A class with so few samples that the network hardly ever answers it."""
    if seen.facts is None or seen.facts.classes is None or seen.recall is None:
        return None
    if seen.settings is not None and seen.settings.class_weights:
        return None
    counts = seen.facts.classes[: len(seen.recall)]
    rare = int(np.argmin(np.where(counts > 0, counts, counts.max())))
    share, others = counts[rare] / counts.sum(), np.delete(seen.recall, rare)
    if share > RARE / len(counts) or seen.recall[rare] > LOST or seen.recall[rare] > others.mean() - 0.2:
        return None
    return Finding(
        "class imbalance",
        f"Class {rare} has {share:.1%} of the samples, and only {seen.recall[rare]:.0%} of it is found, against "
        f"{others.mean():.0%} of the others.",
        'Let all classes count alike in the loss: class_weight="balanced". Watch more than the accuracy.',
        Cause.DATA,
        {"class_weight": "balanced"},
    )


def _rows(count: int) -> str:
    return f"{count:,} row{'s' if count > 1 else ''}"
