"""Derivations that were written by hand: the formulas of one operation, and an example that holds them against it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.explain.derivations.evaluation import Evaluation, Sides
from chainrule.explain.derivations.notation import STYLES, Text, parse
from chainrule.explain.derivations.page import Formula, Page, Section
from chainrule.operations import OPERATIONS

MOST_VALUES = 12  # of an array that is written out
MOST_TERMS = 4  # of a sum that is written out


@dataclass(frozen=True)
class Line:
    """A step: what is done, and the formula it leads to."""

    words: str
    formula: str


@dataclass(frozen=True)
class Written:
    """What stands on a page. `example(rng)` gives the numbers: the small worked ones for None, else drawn ones.

    They are what the library's operations take and return, gradients included, so that a formula that is not what the
    code computes does not come out.
    """

    title: str
    operation: str  # the name without _forward and _backward
    words: str
    symbols: tuple[tuple[str, str], ...]
    definition: tuple[Line, ...]
    steps: tuple[Line, ...]
    example: Callable[[np.random.Generator | None], dict[str, Any]]
    example_words: str

    @property
    def lines(self) -> tuple[Line, ...]:
        """Definition and steps."""
        return (*self.definition, *self.steps)

    def evaluation(self, rng: np.random.Generator | None = None) -> Evaluation:
        """The formulas with the numbers of the worked example, or with drawn ones."""
        return Evaluation(self.example(rng), [line.formula for line in self.lines])

    def page(self) -> Page:
        """The page, its formulas written and its example worked out."""
        numbers, listed = self.evaluation(), set[str]()
        sections = (
            Section("Definition", formulas=tuple(_shown(line) for line in self.definition)),
            Section("Derivation", formulas=tuple(_shown(line) for line in self.steps)),
            Section("Worked example", self.example_words, tuple(_worked(line, numbers, listed) for line in self.lines)),
            Section("As the library computes it", source=sources(self.operation)),
        )
        return Page(self.title, self.operation, self.words, self.symbols, sections)


def sources(operation: str) -> str:
    """The source of an operation and its derivative, as it stands in the library."""
    names = (f"{operation}_forward", f"{operation}_backward")
    found = [OPERATIONS[name].reference for name in names if name in OPERATIONS]
    return "\n\n\n".join(textwrap.dedent(inspect.getsource(function)).rstrip() for function in found)


def _shown(line: Line, numbers: tuple[str, ...] = ()) -> Formula:
    sides = parse(line.formula)
    written = {style: make().formula(sides) for style, make in STYLES.items()}
    return Formula(line.words, written["text"], written["latex"], written["html"], numbers)


def _worked(line: Line, numbers: Evaluation, listed: set[str]) -> Formula:
    """The formula with the numbers of the example: all values of its left side, once, and one of them worked out."""
    sides = parse(line.formula)
    places = list(numbers.places(sides))
    values = [_real(numbers.work_out(sides[-1], place)) for place in places]
    lines = []
    label = Text().write(sides[0])[0]
    if len(places) > 1 and label not in listed:
        listed.add(label)
        shown = ", ".join(_short(value) for value in values[:MOST_VALUES])
        more = f", … ({len(values)} numbers)" if len(values) > MOST_VALUES else ""
        order = ", ".join(numbers.letters(sides))
        lines.append(f"{label} for all {order}: {shown}{more}")
    at = max(range(len(values)), key=lambda place: abs(values[place]))
    lines.append(_with_numbers(sides, places[at], values[at], numbers))
    return _shown(Line("", line.formula), tuple(lines))


def _with_numbers(sides: Sides, place: dict[str, int], value: float, numbers: Evaluation) -> str:
    """`p_2 = e^3 / (e^1 + e^2 + e^3 + e^0.5) = 0.6308`: the largest value, by the last side of its formula."""
    text = Text()
    label = text.write(_Indexed(place, numbers).visit(ast.parse(ast.unparse(sides[0]), mode="eval").body))[0]
    filled = text.write(_Filled(place, numbers).visit(ast.parse(ast.unparse(sides[-1]), mode="eval").body))[0]
    result = _short(value)
    return f"{label} = {filled}" if filled == result else f"{label} = {filled} = {result}"


class _Indexed(ast.NodeTransformer):
    """Puts numbers in the place of indices."""

    def __init__(self, place: dict[str, int], numbers: Evaluation) -> None:
        self.place, self.numbers = place, numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.place[node.id]) if node.id in self.place else node


class _Filled(_Indexed):
    """Puts numbers in the place of everything that has one."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._number(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return self._number(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ("d", "delta"):
            return self._number(node)
        if name == "where":
            holds = self.numbers.work_out(node.args[0], self.place)
            return self.visit(node.args[1] if holds else node.args[2])
        if name == "sum":
            return self._terms(node)
        if name == "largest":
            return ast.Call(ast.Name("max"), self._all(node)[: 2 * MOST_TERMS], [])
        return ast.Call(node.func, [self.visit(argument) for argument in node.args], [])

    def _number(self, node: ast.expr) -> ast.expr:
        value = self.numbers.work_out(node, self.place)
        return ast.Constant(value if isinstance(value, int) else _real(value))

    def _all(self, node: ast.Call) -> list[ast.expr]:
        """The terms of a sum, those left out that are 0."""
        letters = [letter.id for letter in node.args[:-1] if isinstance(letter, ast.Name)]
        terms = []
        for choice in np.ndindex(*(self.numbers.sizes[letter] for letter in letters)):
            place = self.place | dict(zip(letters, choice, strict=True))
            if self.numbers.work_out(node.args[-1], place) != 0:
                copy = ast.parse(ast.unparse(node.args[-1]), mode="eval").body
                terms.append(_Filled(place, self.numbers).visit(copy))
        return terms

    def _terms(self, node: ast.Call) -> ast.expr:
        terms = self._all(node)
        if not terms:
            return ast.Constant(0)
        if len(terms) > MOST_TERMS:
            terms = [*terms[: MOST_TERMS - 1], ast.Name("…"), terms[-1]]
        total = terms[0]
        for term in terms[1:]:
            total = ast.BinOp(total, ast.Add(), term)
        return total


def _real(value: Any) -> float:
    return float(np.real(value))


def _short(value: float) -> str:
    return Text().number(0.0 if abs(value) < 1e-12 else float(value))[0]
