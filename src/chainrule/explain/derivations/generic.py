"""The page of an operation for which none was written: its own source as formulas, and a worked example.

The formulas are those of the source, statement by statement; the example runs the operation on drawn numbers, and holds
one number of each gradient against a finite difference.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.derivations.page import Formula, Page, Section
from chainrule.explain.derivations.written import sources
from chainrule.explain.formula import LATEX, TEXT
from chainrule.explain.formula import Formula as Rendered
from chainrule.explain.statements import Statement, run
from chainrule.operations import OPERATIONS, Operation
from chainrule.operations.signatures import Values, draw, read_signature

AnyOperation = Operation[..., Any]
STEP = 1e-6  # of a finite difference
MOST = 12  # numbers of an array that are written out


def generic_page(name: str) -> Page:
    """The page of the operation called `name`, without _forward and _backward."""
    forward = OPERATIONS.get(f"{name}_forward") or OPERATIONS[name]
    backward = OPERATIONS.get(f"{name}_backward")
    given = _drawn(forward)
    results = _results(forward, given)
    sections = [Section("Definition", _words(forward), _formulas(forward, given))]
    example = [_line("given", given), _line("result", results)]
    if backward is not None:
        upstream = {f"d{result}": np.ones_like(value) for result, value in results.items()}
        again = _drawn(backward) | given | results | upstream
        taken = {argument.name: again[argument.name] for argument in read_signature(backward).arguments}
        sections.append(Section("Gradients", _words(backward), _formulas(backward, taken)))
        gradients = _results(backward, taken)
        seen = {name.removeprefix("d") for name in taken if name in upstream}
        example += [
            _line("gradients, for ones at the output", gradients),
            *(_check(forward, given, seen, f"d{x}", gradients[f"d{x}"]) for x in given if f"d{x}" in gradients),
        ]
    sections.append(Section("Worked example", "Numbers that were drawn.", tuple(example)))
    sections.append(Section("As the library computes it", source=sources(name) or _source(forward)))
    words = _words(forward).split("\n\n")[0]
    return Page(name.replace("_", " ").capitalize(), name, words, (), tuple(sections))


def _words(operation: AnyOperation) -> str:
    return inspect.cleandoc(operation.reference.__doc__ or "")


def _source(operation: AnyOperation) -> str:
    return inspect.getsource(operation.reference).rstrip()


def _drawn(operation: AnyOperation) -> Values:
    """Arguments of small, different sizes: N = 1, then 2, 3, …"""
    signature = read_signature(operation)
    sizes = {name: 1 if name == "N" else 2 + place % 2 for place, name in enumerate(signature.dimensions)}
    return draw(signature, np.random.default_rng(0), sizes)


def _results(operation: AnyOperation, given: Values) -> Values:
    found = operation(*given.values())
    return dict(zip(read_signature(operation).results, found if isinstance(found, tuple) else (found,), strict=True))


def _formulas(operation: AnyOperation, given: Values) -> tuple[Formula, ...]:
    """Each statement of the source once, as a formula; what its comment says stands before it."""
    shown: dict[int, Formula] = {}
    for statement in run(operation.reference, given).statements:
        shown.setdefault(statement.node.lineno, _formula(statement))
    return tuple(shown.values())


def _formula(statement: Statement) -> Formula:
    text, latex = (_equation(Rendered(statement, style)) for style in (TEXT, LATEX))
    return Formula(statement.note, text, latex, "")


def _equation(rendered: Rendered) -> str:
    left = rendered.left()
    return f"{left} = {rendered.right()}" if left else rendered.right()


def _line(words: str, values: Values) -> Formula:
    """Arrays by name; of a large one the first numbers."""
    lines = [f"{name} = {_numbers(value)}" for name, value in values.items()]
    return Formula(f"{words.capitalize()}:", "", "", "", tuple(lines))


def _numbers(value: Any) -> str:
    if not isinstance(value, np.ndarray | np.generic):
        return f"{value:.4g}" if isinstance(value, float) else str(value)
    array = np.asarray(value)
    shown = ", ".join(f"{number:.4g}" for number in array.ravel()[:MOST]).replace("-", "−")
    more = f", … ({array.size} numbers)" if array.size > MOST else ""
    shape = f" {array.shape}" if array.ndim > 1 else ""
    return shown + more + shape


def _check(forward: AnyOperation, given: Values, seen: set[str], name: str, gradient: Array) -> Formula:
    """The largest number of a gradient against a central difference of the sum of what is seen of the results."""
    x = name.removeprefix("d")
    place = np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)

    def total(moved: float) -> float:
        array = np.array(given[x], np.float64)
        array[place] += moved
        results = _results(forward, {**given, x: array})
        return sum(float(np.sum(results[result])) for result in seen)

    difference = (total(STEP) - total(-STEP)) / (2 * STEP)
    where = ", ".join(str(int(i)) for i in place)
    line = f"{name}[{where}] = {gradient[place]:.6g}, by a finite difference {difference:.6g}".replace("-", "−")
    return Formula("", "", "", "", (line,))
