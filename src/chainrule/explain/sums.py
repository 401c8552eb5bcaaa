"""The sum at the end of a formula, term by term: `x @ W`, an einsum, `.sum(axis=…)`, for one element of its result."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.formula import axis_letters
from chainrule.explain.source import names_in
from chainrule.explain.statements import Statement

Index = tuple[int, ...]


class Terms(NamedTuple):
    """The factors of each term; one axis for each letter that the sum runs over."""

    letters: str
    factors: list[Array]  # of one shape, float64

    @property
    def products(self) -> Array:
        """The terms."""
        return np.prod(np.array(self.factors), axis=0)


def terms_of(statement: Statement, node: ast.expr | None, index: Index) -> Terms | None:
    """The terms of the element `index` of the result of `node`; None where it is no sum of a known form."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return _of_product(statement, node, index)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "einsum":
            return _of_einsum(statement, node, index)
        if node.func.attr == "sum":
            return _of_sum(statement, node, node.func.value, index)
    return None


def _of_product(statement: Statement, node: ast.BinOp, index: Index) -> Terms | None:
    left, right = statement.value_of(node.left), statement.value_of(node.right)
    if left.ndim != 2 or right.ndim != 2:
        return None
    axes = _axes(statement, node.left)
    letter = axis_letters(axes)[0 if _is_transposed(node.left) else -1] if len(axes) == 2 else "k"
    return Terms(letter, _wide([left[index[0]], right[:, index[1]]]))


def _of_einsum(statement: Statement, node: ast.Call, index: Index) -> Terms:
    inputs, _, output = ast.literal_eval(node.args[0]).partition("->")
    places = dict(zip(output, index, strict=True))
    letters = "".join(dict.fromkeys(c for c in inputs if c.isalpha() and c not in output))
    factors = []
    for operand, axes in zip(node.args[1:], inputs.split(","), strict=True):
        array = statement.value_of(operand)[tuple(places.get(c, slice(None)) for c in axes)]
        left = [c for c in axes if c not in places]
        array = array.transpose([left.index(c) for c in letters if c in left])
        missing = tuple(k for k, c in enumerate(letters) if c not in left)
        factors.append(np.expand_dims(array, missing))
    return Terms(letters, _wide(factors))


def _of_sum(statement: Statement, node: ast.Call, operand: ast.expr, index: Index) -> Terms | None:
    named: dict[str | None, Any] = {k.arg: statement.value_of(k.value) for k in node.keywords}
    array, axis = statement.value_of(operand), named.get("axis")
    if axis is None:
        return None
    summed = sorted(a % array.ndim for a in (axis if isinstance(axis, tuple) else (axis,)))
    if named.get("keepdims"):
        index = tuple(i for k, i in enumerate(index) if k not in summed)
    places = iter(index)
    picked = array[tuple(slice(None) if k in summed else next(places) for k in range(array.ndim))]
    axes = _axes(statement, operand)
    letters = axis_letters(axes) if len(axes) == array.ndim else list("nijklm"[: array.ndim])
    return Terms("".join(letters[k] for k in summed), _wide([picked]))


def _axes(statement: Statement, node: ast.expr) -> tuple[str, ...]:
    return max((statement.source.axes.get(name, ()) for name in names_in(node)), key=len, default=())


def _is_transposed(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "T"


def _wide(arrays: list[Array]) -> list[Array]:
    return [np.array(a, np.float64) for a in np.broadcast_arrays(*arrays)]
