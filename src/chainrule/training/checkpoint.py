"""Checkpoints: all that a training needs to go on, bit for bit, after its process has ended.

A checkpoint is a safetensors file with a checksum, written atomically like a model (`chainrule.network.model_file`):
the parameters and running statistics, what the optimizer remembers, arrays that callbacks keep, and everything else as
JSON text in a tensor of bytes: step, place in the epoch, running sums, history, seed. Nothing else is needed, because
the order of the samples and what layers draw follow from the seed and the number of the epoch or step.
"""

from __future__ import annotations

import json
import math
import os
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import JSON, Configurable, positive_number, whole_number
from chainrule.errors import ModelFileError, SettingError
from chainrule.files import Pathlike, remove_unfinished
from chainrule.network.model_file import read_tensors, write_tensors
from chainrule.operations.operation import runs_natively
from chainrule.training.callbacks import Callback
from chainrule.training.run import Run

VERSION = 1
KEPT = {  # the names in the state, and the kinds of values they may have
    "settings": dict,
    "parts": dict,
    "frozen": list,
    "run": dict,
    "records": list,
    "stopping": str,
    "finished": bool,
    "callbacks": list,
}
LOOKED_AT = 1_000_000  # numbers of an array, at most, that its digest depends on
NUMBERS = {  # what is kept of a Run as it stands, and the kinds of values it may have
    "seed": int,
    "rate_factor": float | int,
    "epoch": int,
    "step": int,
    "seen": int,
    "seconds": float,
    "sums": dict,
}


class Checkpoint:
    """Where a training writes how far it has come, and how often.

    It is written at the beginning, then in a pause between steps (there are about twenty a second) as soon as one of
    the times has passed, and at the end. The file is replaced as a whole: whenever the process is killed, one is there.

    Args:
        path: of the file, such as "run.safetensors".
        seconds: write after so many seconds; 60 where no time is given.
        steps: write after so many steps.
        epochs: write after so many epochs.

    Raises:
        SettingError: one of them is out of range.

    """

    def __init__(
        self, path: Pathlike, *, seconds: float | None = None, steps: int | None = None, epochs: int | None = None
    ) -> None:
        if not isinstance(path, str | os.PathLike):
            raise SettingError(f"Checkpoint: path: expected the path of a file, got {path!r}")
        self.path = path
        self.seconds = None if seconds is None else positive_number(seconds, "Checkpoint: seconds")
        self.steps = None if steps is None else whole_number(steps, "Checkpoint: steps")
        self.epochs = None if epochs is None else whole_number(epochs, "Checkpoint: epochs")
        if (seconds, steps, epochs) == (None, None, None):
            self.seconds = 60.0


class Keeper:
    """Writes the checkpoints of one training, and puts back what the last one holds.

    `settings` describe the training: a checkpoint of another one is refused.
    """

    def __init__(self, checkpoint: Checkpoint, run: Run, settings: dict[str, Any], listeners: list[Callback]) -> None:
        self._checkpoint, self._run = checkpoint, run
        self._remembering = [one for one in listeners if type(one).state is not Callback.state]
        frozen, callbacks = run.network.frozen, [type(one).__name__ for one in self._remembering]
        self._settings = _as_read({**settings, **_parts(run), "frozen": frozen, "callbacks": callbacks})
        self._of_callbacks: list[dict[str, Any]] = []
        self._note_place()

    def begin(self, resume: bool) -> None:
        """Put the run back to where the checkpoint is, if there is one.

        Raises:
            SettingError: it is of another training, or there is an unfinished one and `resume` is False.
            ModelFileError: the file is damaged or no checkpoint.

        """
        path = self._checkpoint.path
        remove_unfinished(path)
        if not Path(path).exists():
            return
        state, tensors = _read(path)
        if resume:
            self._refuse_another(state["settings"])
            self._restore(state, tensors)
        elif state["run"]["step"] and not state["finished"]:
            raise SettingError(
                f"{path}: here is the checkpoint of a training that has not ended (epoch {state['run']['epoch']}); "
                "pass resume=True to go on with it, or delete the file to begin anew"
            )

    def start(self) -> None:
        """After their `on_train_start`, give callbacks back what they remembered; then write the first checkpoint.

        So a file that cannot be written is known at once, not after a minute.
        """
        for callback, state in zip(self._remembering, self._of_callbacks, strict=False):  # none where it begins
            callback.restore(state)
        self.write()

    def keep(self) -> None:
        """Write the checkpoint if it is time."""
        run, every = self._run, self._checkpoint
        passed = (time.monotonic() - self._time, run.step - self._step, run.epoch - self._epoch)
        times = (every.seconds, every.steps, every.epochs)
        if any(due is not None and now >= due for now, due in zip(passed, times, strict=True)):
            self.write()

    def write(self) -> None:
        """Write the checkpoint. Raises OSError when it cannot be written; the one before is intact."""
        run = self._run
        tensors = _arrays_of(run)
        callbacks: list[dict[str, Any]] = []
        for position, callback in enumerate(self._remembering):
            state = callback.state()
            tensors |= {f"callback {position}: {k}": v for k, v in state.items() if isinstance(v, np.ndarray)}
            callbacks.append({k: v for k, v in state.items() if not isinstance(v, np.ndarray)})
        state = {
            "settings": self._settings,
            "parts": _parts(run),  # as they are now: a callback may have changed them
            "frozen": run.network.frozen,
            "run": {name: getattr(run, name) for name in NUMBERS},
            "records": run.history.records,
            "stopping": run.stopping,
            "finished": bool(run.stopping) or run.epoch > run.epochs,
            "callbacks": callbacks,
        }
        text = json.dumps(state, default=_as_json).encode()
        tensors["state"] = np.frombuffer(text, np.uint8)
        write_tensors(self._checkpoint.path, tensors, {"checkpoint": VERSION})
        self._note_place()

    def _note_place(self) -> None:
        self._time, self._step, self._epoch = time.monotonic(), self._run.step, self._run.epoch

    def _refuse_another(self, settings: dict[str, Any]) -> None:
        """Raise a SettingError unless the checkpoint is of this training."""
        own = self._settings
        other = [name for name in own.keys() | settings.keys() if own.get(name) != settings.get(name)]
        if own["schedule"] is None and "epochs" in other:
            other.remove("epochs")  # nothing but the end depends on their number
        if other:
            words = "; ".join(_difference(name, settings.get(name), own.get(name)) for name in sorted(other))
            raise SettingError(
                f"{self._checkpoint.path}: the checkpoint is of another training: {words}. "
                "Give what it was begun with, or another path to begin anew"
            )

    def _restore(self, state: dict[str, Any], tensors: dict[str, Array]) -> None:
        run, live = self._run, _arrays_of(self._run)
        if state["run"]["step"] > run.epochs * run.steps_per_epoch:
            raise SettingError(f"epochs: the checkpoint has come to epoch {state['run']['epoch']}, got {run.epochs}")
        of_callbacks = [
            values | {k.removeprefix(before): v for k, v in tensors.items() if k.startswith(before)}
            for values, before in ((values, f"callback {i}: ") for i, values in enumerate(state["callbacks"]))
        ]
        for name, array in live.items():
            if name not in tensors or (tensors[name].shape, tensors[name].dtype) != (array.shape, array.dtype):
                raise ModelFileError(f"{self._checkpoint.path}: {name} is missing or does not fit")
        for name, array in live.items():
            array[...] = tensors[name]
        for name, value in state["run"].items():
            setattr(run, name, value)
        run.history.records = state["records"]
        run.stop(state["stopping"])
        for name, part in _part_objects(run).items():
            if state["parts"][name] != self._settings[name]:
                changed = _set(part, state["parts"][name])
                if name in ("schedule", "penalty", "clip"):
                    setattr(run, name, changed)
        run.network.unfreeze().freeze(*state["frozen"])
        self._of_callbacks = of_callbacks
        self._note_place()


def as_checkpoint(value: Any) -> Checkpoint:
    """A Checkpoint, from itself or a path."""
    return value if isinstance(value, Checkpoint) else Checkpoint(value)


def digest(*arrays: Any) -> str:
    """A few digits that other arrays hardly share: of their shapes, dtypes and, where they are large, some rows."""
    total = 0
    for array in arrays:
        if array is None:
            total = zlib.crc32(b"none", total)
            continue
        rows = np.ascontiguousarray(array[:: max(1, math.prod(array.shape) // LOOKED_AT)])
        total = zlib.crc32(f"{array.shape} {rows.dtype}".encode(), total)
        total = zlib.crc32(rows.data if rows.size else b"", total)
    return f"{total:08x}"


def _arrays_of(run: Run) -> dict[str, Array]:
    return {**run.network.arrays, **run.slot_arrays}


def _part_objects(run: Run) -> dict[str, Any]:
    """What makes up a training and describes itself."""
    return {
        "network": run.network.body,
        "loss": run.network.loss,
        "optimizer": run.optimizer,
        "schedule": run.schedule,
        "penalty": run.penalty,
        "clip": run.clip,
    }


def _parts(run: Run) -> dict[str, JSON]:
    return {name: part and part.configuration() for name, part in _part_objects(run).items()}


def _set(part: Any, configuration: Any) -> Any:
    """`part` with the settings of `configuration`: an object stays the same one unless it is of another class."""
    if isinstance(part, tuple | list):
        return tuple(_set(one, value) for one, value in zip(part, configuration, strict=True))
    if not isinstance(configuration, dict):
        return tuple(configuration) if isinstance(configuration, list) else configuration
    if type(part).__name__ != configuration["class"]:
        return Configurable.from_configuration(configuration)
    for name in configuration.keys() & part.configuration().keys() - {"class"}:
        setattr(part, name, _set(getattr(part, name), configuration[name]))
    return part


def _as_read(settings: dict[str, Any]) -> Any:
    """As they come back from a file."""
    return json.loads(json.dumps({**settings, "backend": "native" if runs_natively() else "reference"}))


def _as_json(value: Any) -> Any:
    """What JSON does not know: NumPy's numbers."""
    if isinstance(value, np.generic):
        return value.item()
    raise SettingError(f"state: a checkpoint takes numbers, texts, lists and arrays of a callback, got {value!r:.100}")


def _difference(name: str, old: Any, new: Any) -> str:
    if name in ("data", "validation"):
        return f"the {'training' if name == 'data' else name} data are not the same"
    return f"{name} was {old}, is {new}"


def _read(path: Pathlike) -> tuple[dict[str, Any], dict[str, Array]]:
    """What `Keeper.write` wrote. Raises ModelFileError when the file is damaged or something else."""
    description, tensors = read_tensors(path)
    if set(description) != {"checkpoint"}:
        raise ModelFileError(f"{path}: expected a checkpoint, got a model; give the checkpoint a path of its own")
    if description["checkpoint"] != VERSION:
        raise ModelFileError(f"{path}: version {description['checkpoint']}; this program reads version {VERSION}")
    try:
        state = json.loads(tensors.pop("state").tobytes())
        _check(state, KEPT)
        _check(state["run"], NUMBERS)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: the checkpoint cannot be read: {error}") from None
    return state, tensors


def _check(values: Any, kinds: dict[str, Any]) -> None:
    """Raise a TypeError unless `values` has these names, and each a value of its kind."""
    if not isinstance(values, dict) or set(values) != set(kinds):
        raise TypeError(f"expected {', '.join(kinds)}")
    for name, kind in kinds.items():
        if not isinstance(values[name], kind):
            raise TypeError(f"{name} is {values[name]!r:.50}")
