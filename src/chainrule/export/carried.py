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
        ours_at: for each of its elements the number, in C order, of the element of our array that it is; −1 for one
            that is none of them, and never changes.

    """

    theirs: str
    ours: str
    array: Array
    ours_at: Array


def carried(theirs: str, place: Place, name: str, arrange: Callable[[Array], Array] = np.asarray) -> Carried:
    """An array of the layer at `place`, whose numbers `arrange` puts in the other framework's order."""
    ours = place.arrays[name]
    numbers = np.arange(1, ours.size + 1).reshape(ours.shape)  # from 1: zeros that `arrange` puts in are no element
    return Carried(theirs, f"{place.name}.{name}", np.array(arrange(ours), order="C"), arrange(numbers) - 1)


def fixed(theirs: str, array: Array) -> Carried:
    """An array that has no counterpart here."""
    return Carried(theirs, "", array, np.full(array.shape, -1))
