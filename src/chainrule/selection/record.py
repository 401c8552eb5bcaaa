"""The checkpoint of a search: a small text file that holds every finished trial.

    first line   JSON: what the file is, its version, and the SHA-256 of all that follows
    the rest     JSON: of what search it is, how many trials that has, and the finished ones

It is replaced as a whole, atomically, after each trial. Reading it runs nothing, and a change of any byte is noticed.
"""

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import JSON
from chainrule.errors import ModelFileError, SettingError
from chainrule.files import Pathlike, read_regular_file, remove_unfinished, write_atomically
from chainrule.operations.operation import runs_natively
from chainrule.selection.runs import Experiment
from chainrule.selection.tables import shown
from chainrule.training.checkpoint import digest

VERSION = 1


class Outcome(NamedTuple):
    """The scores of all runs of a trial, or why there are none."""

    scores: tuple[float, ...]
    failure: str


@dataclass
class Record:
    """The outcomes so far, and the file they are written to, if any."""

    path: Pathlike | None = None
    of: dict[str, JSON] = field(default_factory=dict)  # of what search
    planned: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by the key of the candidate
    settings: dict[str, JSON] = field(default_factory=dict)  # what was tried, for whoever reads the file

    def add(self, key: str, settings: dict[str, Any], outcome: Outcome) -> None:
        """Note a finished trial, and write it down at once. Raises OSError; the file before is intact."""
        self.outcomes[key] = outcome
        self.settings[key] = {name: shown(value) for name, value in settings.items()}
        self.write()

    def write(self) -> None:
        """Write the file, if there is one. Raises OSError; the file before is intact."""
        if self.path is None:
            return
        trials = {key: {"settings": self.settings[key], **one._asdict()} for key, one in self.outcomes.items()}
        content = {"search": self.of, "planned": self.planned, "trials": trials}
        body = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False).encode()
        write_atomically(self.path, _first_line(body) + body)


def begin_record(path: Pathlike, experiment: Experiment, keys: set[str], resume: bool) -> Record:
    """The record in `path`, with what it holds already where `resume` says so; else a new one.

    Raises:
        SettingError: it is of another search; or of one that has not ended, and `resume` is False.
        ModelFileError: the file is damaged or something else.
        OSError: it cannot be read or written.

    """
    of = _about(experiment)
    remove_unfinished(path)
    record = Record(path, of, len(keys))
    found = _read_if_there(path)
    if found is not None and resume:
        other = [name for name in of if found.of.get(name) != of[name]]
        if other:
            words = "; ".join(f"{name} was {found.of.get(name)}, is {of[name]}" for name in other)
            raise SettingError(f"{path}: the checkpoint is of another search: {words}. Give another path to begin anew")
        record.outcomes, record.settings = found.outcomes, found.settings
    elif found is not None and len(found.outcomes) < found.planned:
        raise SettingError(
            f"{path}: here is the checkpoint of a search that has not ended ({len(found.outcomes)} of {found.planned} "
            "trials); pass resume=True to go on with it, or delete the file to begin anew"
        )
    record.write()  # so a file that cannot be written is known at once
    return record


def _about(experiment: Experiment) -> dict[str, JSON]:
    """All that scores depend on but the candidate."""
    plan, samples = experiment.plan, experiment.samples
    return {
        "data": digest(_plain(samples.x), _plain(samples.y), samples.weights),
        "folds": plan.folds,
        "seeds": list(plan.seeds),
        "shared out": digest(experiment.assigned),
        "score": plan.name,
        "backend": "native" if runs_natively() else "reference",
    }


def _plain(values: Any) -> Array:
    """Numbers as they are; anything else (text, objects) as the bytes of its text."""
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        return array
    return np.frombuffer("\x1f".join(map(str, array.ravel())).encode(), np.uint8)


def _first_line(body: bytes) -> bytes:
    return (
        json.dumps({"chainrule": "search", "version": VERSION, "sha256": hashlib.sha256(body).hexdigest()}).encode()
        + b"\n"
    )


def _read_if_there(path: Pathlike) -> Record | None:
    """What `Record.write` wrote; None: nothing yet."""
    try:
        content = read_regular_file(path)
    except FileNotFoundError:
        return None
    line, _, body = content.partition(b"\n")
    if line + b"\n" != _first_line(body):
        if b'"chainrule": "search"' not in line:
            raise ModelFileError(f"{path}: expected the checkpoint of a search, got another file; give another path")
        raise ModelFileError(f"{path}: damaged, or of another version: its checksum does not match; delete it")
    try:
        found = json.loads(body, parse_constant=_refuse)
        of, trials = dict(found["search"]), found["trials"]
        runs = of["folds"] * len(of["seeds"])
        outcomes = {key: _outcome(trial, runs) for key, trial in trials.items()}
        settings = {key: trial["settings"] for key, trial in trials.items()}
        return Record(path, of, int(found["planned"]), outcomes, settings)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"{path}: the checkpoint cannot be read: {error}; delete it") from None


def _outcome(trial: dict[str, Any], runs: int) -> Outcome:
    scores, failure = trial["scores"], trial["failure"]
    whole = all(type(score) is float and math.isfinite(score) for score in scores)
    if not isinstance(failure, str) or not whole or len(scores) != (0 if failure else runs):
        raise ValueError(f"a trial has the scores {scores!r:.50} and the failure {failure!r:.50}")
    return Outcome(tuple(scores), failure)


def _refuse(literal: str) -> Any:
    raise ValueError(f"{literal} is not JSON")
