"""Scores by tape, where as many samples come again and again: the bits that Python gives, without Python in between.

The first time that so many samples come, Python works the scores out; the second time it does so on the tape's buffers,
and the tape records; the third time the two are compared, byte for byte; from then on the tape works alone. It depends
on every attribute of every layer being the very object that it was: else Python works, and records anew. What is
written into a parameter counts at once, because the tape reads the parameters themselves.
"""

from __future__ import annotations

import zlib
from collections import deque
from typing import Any, NamedTuple

import numpy as np

from chainrule import kernels
from chainrule.arrays import Array, aligned_copy
from chainrule.configuration import Configurable
from chainrule.layers import Context, Layer
from chainrule.operations.operation import runs_natively
from chainrule.operations.shapes import reshape_forward

MOST_SAMPLES = 512  # beyond, what Python does between operations no longer counts
MOST_BYTES = 2**24  # of the buffers of all tapes of a network
MOST_TAPES = 4
REMEMBERED = 8  # numbers of samples that came lately


class Taped(NamedTuple):
    """A forward pass on tape, and what it depends on."""

    scores: kernels.Pass
    owners: tuple[Any, ...]  # the layers, and whatever else holds a setting; the outermost layer first
    held: tuple[Any, ...]  # what they held when it was recorded
    bytes: int  # of its buffers
    takes_all: bool  # whatever is finite; else inputs must be whole numbers, which Python looks at first
    compared: bool = False  # with Python

    def is_current(self, body: Layer) -> bool:
        """Whether Python would do the same now."""
        return self.owners[0] is body and self.scores.is_current(self.owners, self.held)


class Passes:
    """The forward passes of one network that are on tape."""

    def __init__(self) -> None:
        self._tapes: dict[int, Taped | None] = {}  # by number of samples, the oldest first; None: no tape can hold it
        self._came: deque[int] = deque(maxlen=REMEMBERED)

    def quick(self, body: Layer, x: Any, most: int = MOST_SAMPLES, *, checked: bool = False) -> Array | None:
        """The scores of x, just as the user gave it, where a tape can work them out and all numbers are finite.

        None where it cannot, for more than `most` samples, and where x needs a look that it has not had (`checked`).
        """
        if type(x) is not np.ndarray or x.ndim == 0 or len(x) > most:
            return None
        taped = self._tapes.get(len(x))
        if taped is None or not taped.compared or taped.owners[0] is not body or not runs_natively():
            return None
        if not (taped.takes_all or checked):
            return None
        return taped.scores(x, taped.owners, taped.held)

    def scores(self, body: Layer, x: Array) -> Array:
        """The scores f (N, …) of checked inputs x, by tape or by Python."""
        f = self.quick(body, x, checked=True)
        if f is not None:
            return f
        if not 0 < len(x) <= MOST_SAMPLES or not runs_natively() or kernels.recording():
            return by_python(body, x)
        return self._learn(body, x)

    def _learn(self, body: Layer, x: Array) -> Array:
        """The scores of x by Python; brings the tape for so many samples one step further."""
        count = len(x)
        taped = self._tapes.get(count)
        if taped is not None and not taped.is_current(body):
            self._tapes.clear()
        elif taped is not None and not taped.compared:
            f, again = by_python(body, x), taped.scores(x, taped.owners, taped.held)
            if again is not None:
                self._keep(count, taped._replace(compared=True) if again.tobytes() == f.tobytes() else None)
            return f
        if count in self._tapes:  # no tape can hold it; or this one is in use, or a number is not finite
            return by_python(body, x)
        if count not in self._came:
            self._came.append(count)
            return by_python(body, x)
        recorded = record(body, x)
        f, taped = recorded or (by_python(body, x), None)
        self._keep(count, taped)
        return f

    def _keep(self, count: int, taped: Taped | None) -> None:
        """Keep one more, and let the oldest go where they are too many or too large together."""
        self._tapes[count] = taped
        for oldest in list(self._tapes):
            if len(self._tapes) <= MOST_TAPES and sum(t.bytes for t in list(self._tapes.values()) if t) <= MOST_BYTES:
                return
            self._tapes.pop(oldest, None)


def by_python(body: Layer, x: Array) -> Array:
    """The scores, one operation after the other."""
    return body.forward(x, Context())[0]


def record(body: Layer, x: Array) -> tuple[Array, Taped] | None:
    """The scores of x, and the tape that has recorded how they came about; None where a tape cannot hold it."""
    owners, arrays = _settings(body)
    if not all(_recordable(owner) for owner in owners):
        return None
    held, before = kernels.contents(owners), _checksums(arrays)
    tape, buffer = kernels.Tape(), aligned_copy(x)
    for array in (buffer, *arrays):
        tape.know(array)
    tape.start()
    try:
        f = by_python(body, buffer)
        f = reshape_forward(f, f.shape[1:])  # without gaps in memory
    except Exception:  # a layer that writes into a result, say; or an error that Python will meet again
        return None
    finally:
        tape.stop()
    if tape.failure or not tape.knows(f) or f.dtype != x.dtype or tape.bytes > MOST_BYTES:
        return None
    taped = Taped(kernels.Pass(tape, buffer, f), owners, held, tape.bytes, body.inputs_below is None)
    keeps_nothing = taped.is_current(body) and before == _checksums(arrays)
    return (f.copy(), taped) if keeps_nothing else None


def _settings(body: Layer) -> tuple[tuple[Any, ...], list[Array]]:
    """What layers are made of, level by level: whatever holds their settings, and the arrays."""
    owners, arrays, waiting = list[Any](), list[Array](), list[Any]([body])
    for part in waiting:
        if isinstance(part, tuple):
            waiting.extend(part)
        elif isinstance(part, np.ndarray) and part.dtype.kind in "fiub":
            arrays.append(part)
        elif isinstance(part, Configurable | list | dict) and not any(part is owner for owner in owners):
            owners.append(part)
            named = vars(part) if isinstance(part, Configurable) else part
            waiting.extend(named if isinstance(named, list) else named.values())
    return tuple(owners), arrays


def _checksums(arrays: list[Array]) -> list[int]:
    return [zlib.crc32(np.ascontiguousarray(array).data) for array in arrays]


def _recordable(owner: Any) -> bool:
    """Whether a tape may be used for it, and all its settings are found among its attributes."""
    slots = any(getattr(kind, "__slots__", ()) for kind in type(owner).__mro__)
    return not isinstance(owner, Configurable) or (owner.recordable and not slots)
