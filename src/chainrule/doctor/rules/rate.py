"""Troubles of the learning rate."""

from __future__ import annotations

from chainrule.doctor.evidence import Evidence
from chainrule.doctor.finding import Cause, Finding, round_down, rule
from chainrule.optimizers import LBFGS, SGD, Momentum, Nesterov

GOOD = 0.02  # of its length a layer's weight changes in a first step that is neither long nor short
LONGEST = 1.5  # where steps follow the gradient's own length; it is largest in the first ones
LONGEST_ADAPTIVE = 0.25  # where the optimizer makes all steps alike
SUSPECT = 0.1  # longer than this, a step may be what makes the loss go up
SHORTEST = 0.002
FAR = 1.0  # all steps together, by the length of the weights
FEW_SAMPLES = 4  # in a batch
BOUNCES = 0.4  # the loss went up by so much of what it came down


@rule
def learning_rate_too_high(seen: Evidence) -> Finding | None:
    """Steps so long that they go past what they aim at."""
    how, step = seen.settings, seen.first_step
    if how is None or isinstance(how.optimizer, LBFGS) or not step > SUSPECT:
        return None
    longest = LONGEST if isinstance(how.optimizer, SGD | Momentum | Nesterov) else LONGEST_ADAPTIVE
    behind = seen.missed > 0.05 or (seen.learned < 0.5 and not seen.missed <= 0.05)
    lost = seen.learned < 0.05 and len(seen.losses) > 2
    restless = (seen.bounces > BOUNCES and behind) or lost or seen.failure is not None
    steady = how.batch_size > FEW_SAMPLES  # else it may be the batches that make the loss restless
    if not (step > longest or (restless and steady)):
        return None
    rate = round_down(how.learning_rate * min(0.3, GOOD / step))
    what = (
        "a value was no longer finite"
        if seen.failure
        else f"the loss is {seen.last:.3g} {'at the end' if seen.over else 'now'}"
    )
    if seen.chance and not seen.failure:
        what += f", where guessing has {seen.chance:.3g}"
    return Finding(
        "learning rate too high",
        f"At a rate of {how.learning_rate:.3g} the first steps change the weights by {step:.2g} of their length "
        f"(about {GOOD:g} is usual); {what}.",
        f"Lower the learning rate to {rate:g}.",
        Cause.STEPS,
        {"learning_rate": rate},
    )


@rule
def learning_rate_too_low(seen: Evidence) -> Finding | None:
    """Steps so short that next to nothing changes."""
    how, step = seen.settings, max(seen.longest_step, seen.first_step)  # the first are short where a rate warms up
    if how is None or isinstance(how.optimizer, LBFGS) or not 0 < step < SHORTEST or not seen.losses:
        return None
    if seen.learned > (0.9 if seen.over else 0.3) or seen.travel > FAR:
        return None
    rate = round_down(how.learning_rate * GOOD / step)
    before = seen.start.get("loss", seen.losses[0])
    return Finding(
        "learning rate too low",
        f"At a rate of {how.learning_rate:.3g} a step changes the weights by {step:.1g} of their length (about "
        f"{GOOD:g} is usual); the loss went from {before:.4g} to {seen.last:.4g} in {len(seen.losses)} epochs.",
        f"Raise the learning rate to {rate:g}.",
        Cause.STEPS,
        {"learning_rate": rate},
    )
