"""The doctor's visit: the same training again from its first weights, looked at in every layer."""

from __future__ import annotations

import math
import time
from typing import Any

from chainrule.configuration import JSON
from chainrule.doctor import diagnose
from chainrule.playground.building import batch_size, make_network, make_optimizer, make_penalty
from chainrule.playground.pictures import Viewer
from chainrule.playground.settings import ACTIVATIONS, Settings
from chainrule.playground.trainer import Trainer
from chainrule.training import Callback, Run

LEAST, MOST = 10, 500  # epochs
LONGEST = 6.0  # seconds


class _Deadline(Callback):
    """Ends a training in time."""

    def __init__(self) -> None:
        self._end = time.monotonic() + LONGEST

    def on_pause(self, run: Run) -> None:
        if time.monotonic() > self._end:
            run.stop("time is up")


def check_up(viewer: Viewer, trainer: Trainer) -> dict[str, Any]:
    """What is wrong with the training, root cause first; "change" holds the page's settings that would mend it."""
    settings, problem = viewer.settings, viewer.problem
    network, _ = make_network(settings, problem)
    seen = diagnose(
        network,
        problem.train,
        validation=problem.test if settings.held_out or problem.image_shape else None,
        epochs=min(max(math.ceil(trainer.moment.epochs), LEAST), MOST),
        batch_size=batch_size(settings, problem),
        optimizer=make_optimizer(settings),
        penalty=make_penalty(settings),
        seed=settings.seed,
        callbacks=[_Deadline()],
    )
    findings = [
        {
            "name": finding.name,
            "evidence": finding.evidence,
            "prescription": finding.prescription,
            "change": _of_the_page(finding.change, settings),
        }
        for finding in seen.findings
        if "epochs" not in finding.change or len(seen.history) >= trainer.moment.epochs  # else it trained for longer
    ]
    return {"is": "checkup", "findings": findings, "epochs": len(seen.history)}


def _of_the_page(change: dict[str, JSON], settings: Settings) -> dict[str, JSON] | None:
    """A finding's change in the page's own settings; None where the page has none for it."""
    found: dict[str, JSON] = {}
    if "learning_rate" in change:
        found["rate"] = change["learning_rate"]
    if "batch_size" in change:
        found["batch"] = change["batch_size"]
    if "penalty" in change:
        found |= {"l1": 0.0, "l2": change["penalty"] or 0.0}
    if change.get("weights") in ("He", "Glorot"):
        found["start"] = str(change["weights"]).lower()
    if isinstance(names := change.get("activation"), dict):
        classes = {kind.__name__: name for name, kind in ACTIVATIONS.items()}
        new = names.get(ACTIVATIONS[settings.activation].__name__)
        found |= {"activation": classes[str(new)]} if new in classes else {}
    if isinstance(units := change.get("hidden"), int):
        found["layers"] = [str(max(int(token), units)) for token in settings.layers if token.isdigit()] or [str(units)]
    return found or None
