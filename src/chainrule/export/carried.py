"""Weights on their way into another framework: what they are called there, and in which order their numbers stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.export.words import Place


@dataclass(frozen=True)
class Carried:
    """One array of the other framework, and where it comes from.

    Attributes:
        theirs: its name there.
        ours: the name of our array; "" where there is none, and the value never changes.
        array: what it holds.
        ours_at: the number of each of its elements among those of our array, in C order.

    """

    theirs: str
    ours: str
    array: Array
    ours_at: Array


def carried(theirs: str, place: Place, name: str, arrange: Callable[[Array], Array] = np.asarray) -> Carried:
    """An array of the layer at `place`, whose numbers `arrange` puts in the other framework's order."""
    ours = place.arrays[name]
    numbers = np.arange(ours.size).reshape(ours.shape)
    return Carried(theirs, f"{place.name}.{name}", np.array(arrange(ours), order="C"), np.asarray(arrange(numbers)))


def fixed(theirs: str, array: Array) -> Carried:
    """An array that has no counterpart here."""
    return Carried(theirs, "", array, np.zeros(array.shape, int))
