"""Troubles of the penalty on large weights."""

from __future__ import annotations

import math

from chainrule.doctor.evidence import Evidence
from chainrule.doctor.finding import Cause, Finding, round_down, rule

STRONG = 0.03  # how much of a weight of size 1 the penalty adds to its gradient
CHANCE = 0.3  # share of the way from chance to 0 below which next to nothing was learned
SHARE = 0.1  # of the loss that is the penalty
SAFE = 1e-3  # what it should add at most


@rule
def penalty_too_strong(seen: Evidence) -> Finding | None:
    """A penalty that pulls the weights to 0 harder than the data pull them anywhere."""
    how = seen.settings
    if how is None or how.penalty is None or how.penalty_scale < STRONG:
        return None
    share = seen.history.get("penalty", [0.0])[-1] / max(seen.history.get("loss", [1.0])[-1], 1e-30)
    if seen.learned > CHANCE and share < SHARE and seen.failure is None:
        return None
    strength = round_down(how.penalty.strength * SAFE / how.penalty_scale)
    return Finding(
        "penalty too strong",
        f"The penalty adds {how.penalty_scale:.2g} times each weight to its gradient and makes up {share:.0%} of "
        f"what is made small; the loss of the data stays at {seen.last:.3g}, where guessing has "
        f"{seen.chance or math.nan:.3g}.",
        f"Lower its strength from {how.penalty.strength:.3g} to {strength:g}, or do without.",
        Cause.OBJECTIVE,
        {"penalty": strength},
    )
