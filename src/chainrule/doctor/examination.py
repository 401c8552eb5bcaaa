"""`diagnose`: what is wrong with a training, and what became of it with the change that is prescribed."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.doctor.evidence import Evidence
from chainrule.doctor.finding import Finding, judge
from chainrule.doctor.remedy import change_data, change_settings, fresh
from chainrule.doctor.watch import Doctor
from chainrule.errors import DataError, DivergenceError, SettingError
from chainrule.network import Network
from chainrule.training import History, train

DEFAULTS = {name: p.default for name, p in inspect.signature(train).parameters.items() if p.default is not p.empty}


@dataclass(frozen=True)
class Trial:
    """One training beside another that differs by one change."""

    finding: Finding
    before: History
    after: History
    loss_before: float
    loss_after: float


@dataclass(frozen=True, repr=False)
class Examination:
    findings: tuple[Finding, ...]
    evidence: Evidence
    history: History
    network: Network
    data: Any
    validation: Any
    settings: dict[str, Any] = field(default_factory=dict)


def diagnose(network: Network, data, *, validation=None, **settings) -> Examination:
    doctor = Doctor(validation, file=open("/dev/null", "w"))
    copy = fresh(network)
    given = {**settings, "progress": False, "callbacks": [*settings.get("callbacks", ()), doctor]}
    failure = None
    try:
        train(copy, data, validation=validation, **given)
    except DivergenceError as error:
        from chainrule.doctor.failure import Failure
        failure = Failure(error.epoch, error.step, error.layer, "", None)
    evidence = doctor.evidence(failure)
    full = {**DEFAULTS, **settings}
    return Examination(judge(evidence), evidence, doctor.run.history, copy, data, validation, full)


def rerun(seen: Examination, change):
    network = fresh(seen.network, change)
    data, validation = change_data(seen.data, seen.validation, change)
    settings = change_settings(seen.settings, change)
    settings.pop("validation", None)
    settings["progress"] = False
    try:
        train(network, data, validation=validation, **settings)
    except DivergenceError:
        return None, None
    return network, validation
