"""Where a parameter is used again and again (in every window, step or sample): what each use adds to its gradient.

The formula that gave the gradient ends in a sum; its terms are the uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.paths import Rest
from chainrule.explain.statements import Statement
from chainrule.explain.steps import Step
from chainrule.explain.sums import terms_of


@dataclass(frozen=True)
class Use:
    """One term: which one, by the letters of `Uses`, and its factors."""

    at: tuple[int, ...]
    factors: tuple[float, ...]
    product: float


@dataclass(frozen=True)
class Uses:
    """The terms of the sum that the gradient of one number is, by size."""

    source: str  # the statement, as it is written
    letters: str  # what the sum runs over: "nt" for samples and steps
    terms: tuple[Use, ...]
    rest: Rest
    sum: float


def uses_of(steps: list[Step], gradient: Array, index: tuple[int, ...], most: int) -> Uses | None:
    """The uses behind gradient[index]; None where the formula that gave `gradient` does not end in a sum over more."""
    for step in steps:
        for name, result in step.results.items():
            if result is gradient:
                found = [s for s in step.statements if name in s.results]
                return _uses(found[-1], index, most) if found else None
    return None


def _uses(statement: Statement, index: tuple[int, ...], most: int) -> Uses | None:
    source = statement.text
    while statement.inner:
        statement = statement.inner[-1]
    found = terms_of(statement, statement.value, index)
    if found is None or found.products.size < 2:
        return None
    products = found.products
    order = np.argsort(-np.abs(products), axis=None, kind="stable")[:most]
    terms = []
    for flat in order:
        at = tuple(int(i) for i in np.unravel_index(int(flat), products.shape))
        terms.append(Use(at, tuple(float(f[at]) for f in found.factors), float(products[at])))
    total = float(products.sum())
    folded = products.size - len(terms)
    return Uses(
        source,
        found.letters,
        tuple(terms),
        Rest(folded, total - sum(t.product for t in terms) if folded else 0.0),
        total,
    )
