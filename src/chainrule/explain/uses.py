"""Where a parameter is used again and again (in every window, step or sample): what each use adds to its gradient.

The formula that gave the gradient ends in a sum: `x.T @ dy`, an einsum, `.sum(axis=…)`. Its terms are the uses.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.formula import axis_letters
from chainrule.explain.paths import Rest
from chainrule.explain.source import names_in
from chainrule.explain.statements import Statement
from chainrule.explain.steps import Step


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
                return _terms(found[-1], index, most) if found else None
    return None


def _terms(statement: Statement, index: tuple[int, ...], most: int) -> Uses | None:
    source = ast.unparse(statement.node)
    while statement.inner:
        statement = statement.inner[-1]
    node = statement.node
    assert isinstance(node, ast.Assign | ast.Return)
    split = _factors(statement, node.value, index)
    if split is None:
        return None
    letters, factors = split
    product = np.prod(np.array(factors), axis=0)
    if product.size < 2:
        return None
    order = np.argsort(-np.abs(product), axis=None, kind="stable")[:most]
    terms = []
    for flat in order:
        at = tuple(int(i) for i in np.unravel_index(int(flat), product.shape))
        terms.append(Use(at, tuple(float(f[at]) for f in factors), float(product[at])))
    total = float(product.sum())
    rest = Rest(product.size - len(terms), total - sum(t.product for t in terms) if product.size > most else 0.0)
    return Uses(source, letters, tuple(terms), rest, total)


def _factors(statement: Statement, node: ast.expr | None, index: tuple[int, ...]) -> tuple[str, list[Array]] | None:
    """The letters that the sum at the end of a formula runs over, and its factors along them, at `index`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        left, right = statement.value_of(node.left), statement.value_of(node.right)
        if left.ndim == right.ndim == 2:
            return "n", _wide([left[index[0]], right[:, index[1]]])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "einsum":
            return _of_einsum(statement, node, index)
        if node.func.attr == "sum":
            return _of_sum(statement, node, node.func.value, index)
    return None


def _of_einsum(statement: Statement, node: ast.Call, index: tuple[int, ...]) -> tuple[str, list[Array]]:
    inputs, _, output = ast.literal_eval(node.args[0]).partition("->")
    places = dict(zip(output, index, strict=True))
    letters = "".join(dict.fromkeys(c for c in inputs if c.isalpha() and c not in output))
    factors = []
    for operand, axes in zip(node.args[1:], inputs.split(","), strict=True):
        array = statement.value_of(operand)[tuple(places.get(c, slice(None)) for c in axes)]
        left = [c for c in axes if c not in places]
        array = array.transpose([left.index(c) for c in letters if c in left])
        factors.append(
            array.reshape(
                [array.shape[[c for c in letters if c in left].index(c)] if c in left else 1 for c in letters]
            )
        )
    return letters, _wide(factors)


def _of_sum(
    statement: Statement, node: ast.Call, operand: ast.expr, index: tuple[int, ...]
) -> tuple[str, list[Array]] | None:
    array = statement.value_of(operand)
    given = next((statement.value_of(k.value) for k in node.keywords if k.arg == "axis"), None)
    if given is None:
        return None
    summed = {a % array.ndim for a in (given if isinstance(given, tuple) else (given,))}
    places = iter(index)
    picked = array[tuple(slice(None) if axis in summed else next(places) for axis in range(array.ndim))]
    axes = max((statement.source.axes.get(name, ()) for name in names_in(operand)), key=len, default=())
    letters = axis_letters(axes) if len(axes) == array.ndim else list("nijklm"[: array.ndim])
    return "".join(letters[axis] for axis in sorted(summed)), _wide([picked])


def _wide(arrays: list[Array]) -> list[Array]:
    """Of one shape, in float64."""
    return [np.array(a, np.float64) for a in np.broadcast_arrays(*arrays)]
