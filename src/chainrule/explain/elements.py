"""One element of a result, worked out number by number, so that a reader can follow it with a calculator."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.explain.formula import LOOSE, OVER, Formula, Text
from chainrule.explain.numbers import number
from chainrule.explain.paths import Rest
from chainrule.explain.statements import Statement
from chainrule.explain.sums import Index, terms_of

SHOWN = 3  # terms of a sum that are written out
CLOSE = 1e-4  # how far what is written may be from the result, of the larger

NOTHING = Rest(0, 0.0)


@dataclass(frozen=True)
class Element:
    """A result at one place: a sum of terms and what is added to it, or the formula with single numbers in it."""

    name: str
    index: Index
    value: float
    terms: tuple[tuple[float, ...], ...] = ()  # factors of the largest terms
    rest: Rest = NOTHING
    added: tuple[float, ...] = ()
    single: Statement | None = None  # the statement with single numbers in the place of arrays

    def write(self, style: Text) -> str:
        """What stands to the right of the equals sign, before the value."""
        if self.single is not None:
            return Formula(self.single, style, numbers=True).right()
        alone = len(self.terms) == 1 and not self.rest.count and not self.added
        holding = LOOSE if alone and len(self.terms[0]) == 1 else OVER  # a minus sign after another sign has brackets
        pieces = [style.times.join(style.hold(style.value(f), holding) for f in factors) for factors in self.terms]
        if self.rest.count:
            more = style.word(f"{self.rest.count} more: ")
            pieces.append(style.bracket(f"{more}{style.group(style.value(self.rest.total)[0])}"))
        pieces += [style.hold(style.value(added), OVER) for added in self.added]
        return " + ".join(pieces)


def element_of(statement: Statement, focus: dict[Shape, Index]) -> Element | None:
    """The element of the statement's result that is in focus, else the largest; None where it has no such form.

    `focus` says for each shape which place matters.
    """
    name, result = next(iter(statement.results.items()))
    many = len(statement.results) != 1 or not isinstance(result, np.ndarray) or result.size == 0
    if not name or many or result.dtype.kind != "f" or not np.isfinite(result).all() or statement.inner:
        return None
    largest = np.unravel_index(int(np.abs(result).argmax()), result.shape)
    index = focus.get(result.shape) or tuple(int(i) for i in largest)
    found = _by_terms(statement, name, result, index) or _by_single_numbers(statement, name, result, index)
    return found


def _by_terms(statement: Statement, name: str, result: Array, index: Index) -> Element | None:
    """x @ W + b: the terms of the product, and what is added."""
    node, added = statement.value, list[Array]()
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        added.insert(0, statement.value_of(node.right))
        node = node.left
    found = terms_of(statement, node, index)
    if found is None:
        return None
    products = found.products
    if products.size == 1 and (len(found.factors) == 1 or result.size == 1) and not added:
        return None
    order = np.argsort(-np.abs(products), axis=None, kind="stable")[:SHOWN]
    terms = tuple(tuple(float(f.flat[k]) for f in found.factors) for k in order)
    folded = products.size - len(terms)
    rest = Rest(folded, float(products.sum() - products.flat[order].sum()) if folded else 0.0)
    others = tuple(float(np.broadcast_to(a, result.shape)[index]) for a in added)
    if not _close(float(products.sum()) + sum(others), result[index], np.abs(products).sum()):
        return None
    return Element(name, index, float(result[index]), terms, rest, others)


def _by_single_numbers(statement: Statement, name: str, result: Array, index: Index) -> Element | None:
    """Where each element depends on those at the same place alone: the same statement with those."""
    if result.size < 2:
        return None
    single = replace(statement, read={n: _at(v, index, result) for n, v in statement.read.items()})
    if all(single.read[n] is v for n, v in statement.read.items()):
        return None
    try:
        with np.errstate(all="ignore"):
            value = single.value_of(statement.value)
    except (TypeError, ValueError, IndexError, AttributeError):
        return None
    if np.ndim(value) != 0 or not _close(float(value), result[index], abs(float(result[index]))):
        return None
    return Element(name, index, float(result[index]), single=single)


def _at(value: Any, index: Index, result: Array) -> Any:
    """The number of an array that lies at `index` of the result, by NumPy's rules of broadcasting."""
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return value
    try:
        return np.broadcast_to(value, result.shape)[index]
    except ValueError:
        return value


def _close(found: float, expected: float, scale: float) -> bool:
    return bool(abs(found - expected) <= CLOSE * max(scale, 1e-300))


def element_text(element: Element, style: Text, left: str) -> str:
    """y[0, 7] = 0.5 · 0.3 + 2 · 0.1 + (61 more: −0.2) = 0.15, in one line."""
    place = ", ".join(map(str, element.index))
    return (
        f"{left}[{place}] = {element.write(style)} = {style.value(element.value)[0]}"
        if place
        else number(element.value)
    )
