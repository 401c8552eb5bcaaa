"""Troubles of the learning rate."""

from __future__ import annotations

import math

from chainrule.doctor.evidence import Evidence
from chainrule.doctor.finding import Cause, Finding, rule
from chainrule.doctor.rules.penalty import round_down
from chainrule.optimizers import LBFGS, SGD, Momentum, Nesterov

GOOD = 0.02  # of its length a layer's weight changes in a first step that is neither long nor short
LONGEST = 1.0  # where steps follow the gradient's own length; it is largest in the first ones
LONGEST_ADAPTIVE = 0.25  # where the optimizer makes all steps alike
SUSPECT = 0.1  # longer than this, a step may be what makes the loss go up
SHORTEST = 0.002
BOUNCES = 0.4  # the loss went up by so much of what it came down


def first_step(seen: Evidence) -> float:
    """How far the first steps move the layer they move farthest, by the length of its weights; NaN if not known.

    With momentum, steps in the same direction add up to 1 / (1 − μ) of the first.
    """
    ratio = max(seen.at_start("update_ratio").values(), default=math.nan)
    optimizer = seen.settings and seen.settings.optimizer
    return ratio / (1 - optimizer.momentum) if isinstance(optimizer, Momentum | Nesterov) else ratio


@rule
def learning_rate_too_high(seen: Evidence) -> Finding | None:
    """Steps so long that they go past what they aim at."""
    how, step = seen.settings, first_step(seen)
    if how is None or isinstance(how.optimizer, LBFGS) or not step > SUSPECT:
        return None
    longest = LONGEST if isinstance(how.optimizer, SGD | Momentum | Nesterov) else LONGEST_ADAPTIVE
    restless = seen.bounces > BOUNCES or (seen.learned < 0.05 and len(seen.losses) > 2) or seen.failure is not None
    if not (restless or step > longest):
        return None
    rate = round_down(how.learning_rate * min(0.3, max(GOOD / step, 1e-6)))
    what = "a value was no longer finite" if seen.failure else f"the loss is {seen.last:.3g} at the end"
    if seen.chance and not seen.failure:
        what += f", where guessing has {seen.chance:.3g}"
    return Finding(
        "learning rate too high",
        f"At a rate of {how.learning_rate:g} the first steps change the weights by {step:.2g} of their length "
        f"(about {GOOD:g} is usual); {what}.",
        f"Lower the learning rate to {rate:g}.",
        Cause.STEPS,
        {"learning_rate": rate},
    )


@rule
def learning_rate_too_low(seen: Evidence) -> Finding | None:
    """Steps so short that next to nothing changes."""
    how, step = seen.settings, first_step(seen)
    if how is None or isinstance(how.optimizer, LBFGS) or not 0 < step < SHORTEST or not seen.losses:
        return None
    if seen.learned > 0.8:
        return None
    rate = round_down(how.learning_rate * GOOD / step)
    before = seen.start.get("loss", seen.losses[0])
    return Finding(
        "learning rate too low",
        f"At a rate of {how.learning_rate:g} a step changes the weights by {step:.1g} of their length (about {GOOD:g} "
        f"is usual); the loss went from {before:.4g} to {seen.last:.4g} in {len(seen.losses)} epochs.",
        f"Raise the learning rate to {rate:g}.",
        Cause.STEPS,
        {"learning_rate": rate},
    )
