"""What came of a training where nothing before it was at fault: too much, too little, not enough room, not finite."""

from __future__ import annotations

import math

from chainrule.doctor.evidence import Evidence
from chainrule.doctor.finding import Cause, Finding, rule
from chainrule.layers import Linear

RISEN = 1.3  # times the lowest validation loss
NARROW = 8  # units in a hidden layer
ROOM = 32  # units that do for small data
SHORT_OF = 0.12  # share of what similar samples tell that the network does not find
STILL_FALLING = 0.15  # by which share the loss fell over the last quarter of the epochs
BEGUN = 8  # epochs, in which a training has hardly begun
AT_EASE = 0.08  # share of the loss of guessing at which there is little left to learn
BEHIND = 0.15  # share of what similar samples tell that is still to be found
FAR_FROM_IT = 0.2
ORDINARY = 1e6  # numbers up to here are no reason for a result that is not finite
PATIENCE = 10


@rule
def underfitting(seen: Evidence) -> Finding | None:
    """A network with too little room for what the data hold."""
    near = seen.facts and seen.facts.neighbours
    if not seen.over or not near or not seen.layers or not seen.losses:
        return None
    widths = [layer.out_features for layer in seen.layers if isinstance(layer, Linear)][:-1]
    if (
        any(not isinstance(layer, Linear) and layer.parameters for layer in seen.layers)
        or min(widths, default=0) >= NARROW
    ):
        return None
    if not seen.missed > SHORT_OF:
        return None
    room = f"its narrowest hidden layer has {min(widths)} units" if widths else "it has no hidden layer"
    figure = f"{seen.right:.0%} of the samples right" if "accuracy" in seen.history else f"R² {seen.right:.2f}"
    return Finding(
        "underfitting",
        f"The network gets {figure}; their nearest neighbours alone tell {near.agreement:.0%}. Training and validation "
        f"loss are high together, and {room}.",
        f"Give it room: hidden layers of {ROOM} units.",
        Cause.OUTCOME,
        {"hidden": ROOM},
    )


@rule
def overfitting(seen: Evidence) -> Finding | None:
    """The validation loss rises while the training loss falls: it learns by heart. Source: mission item B6."""
    if len(seen.validation) < 4:
        return None
    best = min(seen.validation)
    at = seen.validation.index(best) + 1
    last = min(seen.validation[-3:])  # one bad epoch is no trend
    if (
        not last < math.inf
        or last < RISEN * best + 0.02 * (seen.chance or 0)
        or last < seen.last * 1.2
        or at > 0.9 * len(seen.validation)
    ):
        return None
    return Finding(
        "overfitting",
        f"The validation loss was lowest after epoch {at} ({best:.3g}) and has risen to {last:.3g}, while the training "
        f"loss fell to {seen.last:.3g}.",
        f"Stop when it has not improved for {PATIENCE} epochs: EarlyStopping(patience={PATIENCE}). More data, Dropout "
        "or an L2 penalty help, too.",
        Cause.OUTCOME,
        {"early_stopping": PATIENCE},
    )


@rule
def too_little_training(seen: Evidence) -> Finding | None:
    """The loss is still falling when the training ends."""
    if not seen.over or not seen.losses or not seen.chance:
        return None
    epochs = len(seen.losses)
    planned = epochs if seen.settings is None else seen.settings.epochs
    falling = seen.falling if epochs > 1 else 1.0
    reached = (seen.validation or seen.losses)[-1] / seen.chance
    few = epochs <= BEGUN
    barely_begun = few and falling > STILL_FALLING and reached > AT_EASE
    on_its_way = falling > STILL_FALLING and seen.missed > BEHIND
    if epochs < planned or not (barely_begun or on_its_way or seen.missed > FAR_FROM_IT):
        return None
    more = max(20, 10 * epochs) if few else 4 * epochs
    what = "The loss is still falling" if falling > STILL_FALLING else "There is more to learn"
    near = f"; nearest neighbours alone tell {seen.missed:.0%} more" if seen.missed > BEHIND else ""
    return Finding(
        "too little training",
        f"{what} after {epochs} epoch{'s' if epochs > 1 else ''} ({_journey(seen)}{near}), and nothing else was found "
        "to stand in its way.",
        f"Train longer: {more} epochs.",
        Cause.TIME,
        {"epochs": more},
    )


@rule
def values_not_finite(seen: Evidence) -> Finding | None:
    """Where a value first was no longer finite; the root cause is whatever stands before it, if anything does."""
    where = seen.failure
    if where is None:
        return None
    by = f", in {where.operation}" if where.operation else ""
    sample = "" if where.sample is None else f", for training sample {where.sample}"
    evidence = f"A value first was not finite in {where.layer}{by}, at epoch {where.epoch}, step {where.step}{sample}"
    guilty = _activation_at_fault(seen)
    if guilty is not None:
        return Finding(
            "values not finite",
            f"{evidence}. No number that went in was larger than {where.largest:.2g}: its formula has no finite value "
            "there.",
            f"Keep the inputs of {guilty} away from that place, as √(x + 0.001) does for √x; or use ReLU instead.",
            Cause.OUTCOME,
            {"activation": {guilty: "ReLU"}},
        )
    rate = float(f"{seen.settings.learning_rate / 10:.1g}") if seen.settings is not None else None
    return Finding(
        "values not finite",
        f"{evidence}.",
        "Keep numbers small: a tenth of the learning rate, and gradients clipped to a length of 1.",
        Cause.OUTCOME,
        {"clip": 1.0, **({} if rate is None else {"learning_rate": rate})},
    )


def _activation_at_fault(seen: Evidence) -> str | None:
    """The class of a layer without parameters that made something infinite of ordinary numbers; None if none did."""
    where = seen.failure
    if where is None or not where.operation or where.largest > ORDINARY:
        return None
    kinds = {type(layer).__name__ for layer in seen.layers if not layer.parameters}
    return next((kind for kind in sorted(kinds) if where.layer.endswith(f"({kind})")), None)


def _journey(seen: Evidence) -> str:
    before = seen.start.get("loss")
    return f"{before:.3g} at the start, {seen.last:.3g} now" if before is not None else f"{seen.last:.3g} now"
