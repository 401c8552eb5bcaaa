"""The steps of a derivation: each operation of a pass, run again by its own formula and held against the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import DerivationError
from chainrule.explain.passes import Stretch
from chainrule.explain.source import first_line
from chainrule.explain.statements import Statement, run
from chainrule.operations import Call

SAME = {"float64": 1e-10, "float32": 1e-4}  # how far a formula and its kernel may differ, of the largest number met


@dataclass(frozen=True)
class Argument:
    """What went into an operation: under which name, where it came from, and the value."""

    name: str
    origin: str  # "layers.0.W", "y of layers.1", "∂J/∂y of layers.1", …; "" for settings
    value: Any


@dataclass(frozen=True)
class Step:
    """One operation of the pass."""

    number: int  # from 1
    phase: str  # "forward", "loss", "backward" or "update"
    place: str  # "layers.0", "loss", or the parameter that is updated
    kind: str  # the class of the layer, loss or optimizer
    operation: str  # "linear_forward"; "" where the layer called none
    about: str  # what the operation says of itself
    arguments: tuple[Argument, ...]
    statements: tuple[Statement, ...]  # none where the source cannot be read
    results: dict[str, Any]  # the kernel's, by name
    difference: float  # between formula and kernel, of the largest number met
    focus: dict[Shape, tuple[int, ...]]  # shape of a result → the place in it that the largest path goes through


def steps_of(
    stretches: list[Stretch], names: dict[int, str], focus: dict[int, tuple[int, ...]]
) -> Iterator[Step]:  # fmt: skip
    """The steps; `names` says what arrays are known to begin with, by their id, and learns the results.

    `focus` says which number of an array matters most, by the array's id.
    """
    number = 0
    for stretch in stretches:
        if not stretch.calls:
            number += 1
            yield _silent(number, stretch)
        for call in stretch.calls:
            number += 1
            yield _step(number, stretch, call, names, focus)


def _silent(number: int, stretch: Stretch) -> Step:
    """A layer that called no operation: Dropout in prediction, or a user's own in plain NumPy."""
    about = f"{stretch.kind} calls no operation here: numbers go through, or it does its work in a way of its own."
    return Step(number, stretch.phase, stretch.place, stretch.kind, "", about, (), (), {}, 0.0, {})


def _step(
    number: int, stretch: Stretch, call: Call, names: dict[int, str], focus: dict[int, tuple[int, ...]]
) -> Step:  # fmt: skip
    operation = call.operation
    arguments = tuple(Argument(name, names.get(id(value), ""), value) for name, value in call.arguments.items())
    ran = run(operation.reference, call.arguments)
    found = call.result if isinstance(call.result, tuple) else (call.result,)
    expected = ran.result if isinstance(ran.result, tuple) else (ran.result,)
    results = dict(zip(_result_names(ran.statements, expected), found, strict=True))
    difference = _difference(operation.name, found, expected, ran.statements)
    for name, value in results.items():
        if isinstance(value, np.ndarray):
            names.setdefault(id(value), f"{name} of {stretch.place}")
    about = first_line(operation.reference)
    matters = {value.shape: focus[id(value)] for value in results.values() if id(value) in focus}
    return Step(
        number, stretch.phase, stretch.place, stretch.kind, operation.name, about, arguments, ran.statements, results,
        difference, matters,
    )  # fmt: skip


def _result_names(statements: tuple[Statement, ...], results: tuple[Any, ...]) -> list[str]:
    """The names under which a formula returns its results; else y, or y1, y2, …"""
    names = []
    for position, value in enumerate(results):
        given = [n for s in statements for n, v in s.results.items() if n and v is value]
        names.append(given[-1] if given else ("y" if len(results) == 1 else f"y{position + 1}"))
    return names


def _difference(
    name: str, found: tuple[Any, ...], expected: tuple[Any, ...], statements: tuple[Statement, ...]
) -> float:
    """How far the kernel and the formula are apart. Raises DerivationError where that is more than rounding."""
    worst = 0.0
    for ours, theirs in zip(found, expected, strict=True):
        a, b = np.asarray(ours), np.asarray(theirs)
        if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
            raise DerivationError(f"{name}: its kernel gives another result than its formula ({a.shape}, {b.shape})")
        gap = np.abs(np.where(np.isfinite(a), a, 0).astype(np.float64) - np.where(np.isfinite(b), b, 0)).max(initial=0)
        scale = max([_largest(b), *(_largest(v) for s in statements for v in s.results.values())])
        worst = max(worst, float(gap) / scale if scale else float(gap))
    limit = SAME.get(str(np.asarray(found[0]).dtype), SAME["float64"])
    if worst > limit:
        raise DerivationError(
            f"{name}: kernel and formula differ by {worst:.1e} of the largest number, expected at most {limit:g}"
        )
    return worst


def _largest(value: Any) -> float:
    """The largest finite magnitude among floats; 0 for whole numbers, which only count or point."""
    array: Array = np.asarray(value) if isinstance(value, np.ndarray | np.generic) else np.zeros(0)
    if array.dtype.kind != "f":
        return 0.0
    return float(np.abs(array[np.isfinite(array)]).max(initial=0))
