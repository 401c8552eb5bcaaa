"""What a rule says, and how rules are found: every function marked with `@rule` in a file of the folder `rules`."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from chainrule.configuration import JSON
from chainrule.doctor.evidence import Evidence


class Cause(IntEnum):
    """Where in the chain of causes a trouble stands: what comes earlier brings about what comes later."""

    DATA = 1  # what is learned from
    DESIGN = 2  # how the network is put together, and where its weights start
    OBJECTIVE = 3  # what is to become small
    STEPS = 4  # how far and how often it steps
    OUTCOME = 5  # what came of it all
    TIME = 6  # how long it went on: said only where nothing else is wrong


@dataclass(frozen=True)
class Finding:
    """A trouble by its name, what shows it, and what to do about it.

    Args:
        name: such as "learning rate too high".
        evidence: one sentence with the numbers that show it.
        prescription: one sentence that says what to change.
        change: the same for `try_remedy`, such as {"learning_rate": 0.01}; empty where no setting can mend it.
        cause: its place in the chain of causes.

    """

    name: str
    evidence: str
    prescription: str
    cause: Cause
    change: dict[str, JSON] = field(default_factory=dict)


Rule = Callable[[Evidence], Finding | None]

RULES: dict[str, Rule] = {}  # every rule there is, by the name of its function


def rule(function: Rule) -> Rule:
    """Make `function` a rule: from the evidence of a training to a finding, or None where it sees none."""
    RULES[function.__name__] = function
    return function


def judge(seen: Evidence) -> tuple[Finding, ...]:
    """What all rules say about a training, root causes first."""
    found = [finding for one in all_rules().values() if (finding := one(seen)) is not None]
    others = [finding for finding in found if finding.cause < Cause.TIME]
    return tuple(sorted(others or found, key=lambda finding: finding.cause))


def all_rules() -> dict[str, Rule]:
    """Every rule, those of the folder `rules` in the order of its files, then those that were added elsewhere."""
    from chainrule.doctor import rules

    for module in pkgutil.iter_modules(rules.__path__):
        importlib.import_module(f"{rules.__name__}.{module.name}")
    return RULES


def round_down(value: float) -> float:
    """1, 2 or 5 times a power of ten, at most `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(f"{max(digit for digit in (1, 2, 5) if digit * power <= value * (1 + 1e-9)) * power:.1g}")
