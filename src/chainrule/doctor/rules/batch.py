"""Troubles of the batch size."""

from __future__ import annotations

from chainrule.doctor.evidence import Evidence
from chainrule.doctor.finding import Cause, Finding, rule
from chainrule.doctor.rules.rate import FEW_SAMPLES, LONGEST, SHORTEST
from chainrule.optimizers import LBFGS

USUAL = 32
FEW_STEPS = 3  # in an epoch
FEW_STEPS_IN_ALL = 250
LONG = 0.05  # a step, by the length of the weights: shorter ones average over batches by themselves


@rule
def batch_too_large(seen: Evidence) -> Finding | None:
    """So large batches that there are hardly any steps."""
    how = seen.settings
    if how is None or seen.facts is None or seen.facts.samples < 100 or isinstance(how.optimizer, LBFGS):
        return None
    steps = how.steps_per_epoch * len(seen.losses)
    if not seen.over or how.steps_per_epoch > FEW_STEPS or steps > FEW_STEPS_IN_ALL or how.batch_size <= USUAL:
        return None
    behind = seen.missed > 0.05 or (seen.learned < 0.7 and not seen.missed < -0.05)
    if seen.first_step < SHORTEST or not (behind or seen.falling > 0.2):
        return None
    return Finding(
        "batch too large",
        f"With {how.batch_size:,} samples in a batch there were only {steps} steps, {how.steps_per_epoch} an epoch, "
        f"and the loss was still falling ({seen.last:.3g} at the end).",
        f"Take batches of {USUAL}: as many samples seen, {max(2, how.batch_size // USUAL)} times the steps.",
        Cause.STEPS,
        {"batch_size": USUAL},
    )


@rule
def batch_too_small(seen: Evidence) -> Finding | None:
    """So small batches that each step goes where a sample or two want it, and the loss is tossed about."""
    how = seen.settings
    if how is None or how.batch_size > FEW_SAMPLES or how.steps_per_epoch < USUAL:
        return None
    if not LONG < seen.first_step < LONGEST:
        return None
    best = min(seen.validation, default=0.0)
    worse = bool(seen.validation) and seen.validation[-1] > 1.3 * best + 0.01 * (seen.chance or 0)
    if not (worse or seen.failure is not None or (seen.bounces > 0.5 and seen.learned < 0.9)):
        return None
    what = f"the loss went up by {seen.bounces:.0%} of what it came down"
    if seen.validation and worse:
        what += f", and the validation loss is {seen.validation[-1]:.3g} after {best:.3g}"
    return Finding(
        "batch too small",
        f"Each step follows {how.batch_size} sample{'s' if how.batch_size > 1 else ''} alone: {what}.",
        f"Take batches of {USUAL}, whose mean gradient is steadier; or, with so small ones, a much lower rate.",
        Cause.STEPS,
        {"batch_size": USUAL},
    )
