"""Works out formulas of `notation` number by number, from what an operation was given and what it returned.

Names stand for arrays of the example: what the operation takes and gives, and as `dx` its gradient at x. A name that is
none of these is worked out from the formula on whose left side it stands. An index out of range gives 0: outside of an
image, and before the first and after the last step of a sequence, there is nothing.

∂A/∂B is worked out from the formula that defines A: B is moved by an imaginary 10⁻³⁰, and the imaginary part of A is
read off: its derivative, without any rounding (Squire & Trapp 1998). All else in that formula stays: this is the direct
effect of B on A, and the chain rule sums such effects over all ways.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.explain.derivations.notation import parse

Index = tuple[int, ...]
Sides = list[ast.expr]
SMALL = 1e-30  # an imaginary step; its square is 0
FUNCTIONS: dict[str, Any] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "abs": lambda x: x if x.real >= 0 else -x,
}


class Evaluation:
    """The numbers of one example, under the formulas that are given.

    Args:
        given: arrays and numbers by name; gradients as "dx". "indices" may say how far index letters run that stand
            alone in no array's brackets: {"p": 2}.
        formulas: all formulas of a derivation; the left side of one says what a name is that is not given.

    """

    def __init__(self, given: dict[str, Any], formulas: Sequence[str]) -> None:
        self.given = {name: np.asarray(value) for name, value in given.items() if name != "indices"}
        self.sides = [parse(formula) for formula in formulas]
        self.defined: dict[str, tuple[ast.expr, ast.expr]] = {}  # name → its left side, and what it is
        for left, *rights in self.sides:
            if rights:
                self.defined.setdefault(_name_of(left), (left, rights[-1]))
        self.sizes = given.get("indices", {}) | self._sizes()
        self._known: dict[tuple[str, Index], Any] = {}
        self._moved: tuple[str, Index] | None = None

    def letters(self, sides: Sides) -> list[str]:
        """The indices on the left side of a formula, in their order."""
        found = [node.id for node in ast.walk(sides[0]) if isinstance(node, ast.Name) and node.id in self.sizes]
        return list(dict.fromkeys(found))

    def places(self, sides: Sides) -> Iterator[dict[str, int]]:
        """Every choice of numbers for the indices on the left side."""
        letters = self.letters(sides)
        for choice in itertools.product(*(range(self.sizes[letter]) for letter in letters)):
            yield dict(zip(letters, choice, strict=True))

    def work_out(self, node: ast.expr, place: dict[str, int]) -> Any:
        """The number that an expression is, for this choice of indices."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return place[name] if name in place else self._look_up(name, ())
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                return self._look_up(name, self._index(index, place))
            case ast.UnaryOp(operand=inner):
                return -self.work_out(inner, place)
            case ast.BinOp(left=left, op=op, right=right):
                return _calculate(self.work_out(left, place), op, self.work_out(right, place))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments, place)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return _compare(self.work_out(left, place), op, self.work_out(right, place))
        raise ValueError(f"no part of the notation: {ast.unparse(node)}")

    def _call(self, name: str, arguments: list[ast.expr], place: dict[str, int]) -> Any:
        match name, arguments:
            case (("sum" | "largest"), [*letters, inner]):
                names = [letter.id for letter in letters if isinstance(letter, ast.Name)]
                choices = itertools.product(*(range(self.sizes[letter]) for letter in names))
                terms = [self.work_out(inner, place | dict(zip(names, c, strict=True))) for c in choices]
                return sum(terms) if name == "sum" else max(terms, key=lambda term: term.real)
            case "d", [of, by]:
                return self._derivative(of, by, place)
            case "where", [condition, then, otherwise]:
                return self.work_out(then if self.work_out(condition, place) else otherwise, place)
        values = [self.work_out(argument, place) for argument in arguments]
        match name:
            case "delta":
                return int(values[0] == values[1])
            case "max":
                return max(values, key=lambda value: value.real)
            case "sigma":
                return 1 / (1 + np.exp(-values[0]))
        return FUNCTIONS[name](values[0])

    def _derivative(self, of: ast.expr, by: ast.expr, place: dict[str, int]) -> Any:
        """∂L/∂B as it is given, or as a formula says; ∂A/∂B from the formula of A."""
        gradient = f"d{_name_of(by)}"
        if _name_of(of) == "L" and (gradient in self.given or not self._is_direct(by)):
            return self._look_up(gradient, self._index_of(by, place))
        left, right = self.defined[_name_of(of)]
        own = dict(zip(self._letters_of(left), self._index_of(of, place), strict=True))
        names = {node.id for node in ast.walk(right) if isinstance(node, ast.Name)}
        for name in names - set(self.given) - set(self.sizes):
            self._settle(name)
        before, self._moved = self._moved, (_name_of(by), self._index_of(by, place))
        try:
            return complex(self.work_out(right, own)).imag / SMALL
        finally:
            self._moved = before

    def _is_direct(self, by: ast.expr) -> bool:
        """Whether L has a formula in which B stands."""
        _, right = self.defined.get("L", (None, ast.Constant(0)))
        return any(isinstance(node, ast.Name) and node.id == _name_of(by) for node in ast.walk(right))

    def _settle(self, name: str) -> None:
        """Work out all numbers of a name now, before something is moved."""
        if name in self.defined:
            left, _ = self.defined[name]
            for place in self.places([left]):
                self._look_up(name, tuple(place[letter] for letter in self._letters_of(left)))

    def _look_up(self, name: str, index: Index) -> Any:
        value = self._value(name, index)
        return value + 1j * SMALL if self._moved == (name, index) else value

    def _value(self, name: str, index: Index) -> Any:
        if name in self.given:
            array = self.given[name]
            inside = all(0 <= i < n for i, n in zip(index, array.shape, strict=True))
            return array[index].item() if inside else 0
        left, right = self.defined[name]
        letters = self._letters_of(left)
        if not all(0 <= i < self.sizes[letter] for i, letter in zip(index, letters, strict=True)):
            return 0
        if (name, index) not in self._known:
            self._known[name, index] = self.work_out(right, dict(zip(letters, index, strict=True)))
        return self._known[name, index]

    def _index(self, index: ast.expr, place: dict[str, int]) -> Index:
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        return tuple(int(self.work_out(part, place)) for part in parts)

    def _index_of(self, node: ast.expr, place: dict[str, int]) -> Index:
        return self._index(node.slice, place) if isinstance(node, ast.Subscript) else ()

    def _letters_of(self, left: ast.expr) -> list[str]:
        """The index letters of `y[n, o]`, or of `d(L, y[n, o])`."""
        inner = left.args[1] if isinstance(left, ast.Call) else left
        return [part.id for part in _parts(inner) if isinstance(part, ast.Name)]

    def _sizes(self) -> dict[str, int]:
        """How many numbers each index letter runs through: where it stands alone in brackets, that axis says so."""
        sizes: dict[str, int] = {}
        nodes = [node for sides in self.sides for side in sides for node in ast.walk(side) if _parts(node)]
        for node in nodes:
            array = self.given.get(_name_of(node))
            for axis, part in enumerate(_parts(node) if array is not None else []):
                if isinstance(part, ast.Name) and part.id not in self.given:
                    size = sizes.setdefault(part.id, array.shape[axis])  # type: ignore[union-attr]
                    assert size == array.shape[axis], f"{part.id} runs to {size} and to {array.shape[axis]}"  # type: ignore[union-attr]
        for node in (node for node in nodes if _name_of(node) in self.defined):  # like the letter on the left side
            letters = self._letters_of(self.defined[_name_of(node)][0])
            for letter, part in zip(letters, _parts(node), strict=True):
                if isinstance(part, ast.Name) and letter in sizes:
                    sizes.setdefault(part.id, sizes[letter])
        return sizes


def _parts(node: ast.AST) -> list[ast.expr]:
    if not isinstance(node, ast.Subscript):
        return []
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _name_of(node: ast.AST) -> str:
    """p of `p[k]`, and dp of `d(L, p[k])`."""
    match node:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            return name
        case ast.Call(func=ast.Name(id="d"), args=[of, by]):
            return f"d{_name_of(by)}" if _name_of(of) == "L" else f"d{_name_of(of)} by {_name_of(by)}"
    return ""


def _calculate(a: Any, op: ast.operator, b: Any) -> Any:
    match op:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Div():
            return a / b
        case ast.FloorDiv():
            return a // b
        case ast.Pow():
            return a**b
    raise ValueError(f"no part of the notation: {op}")


def _compare(a: Any, op: ast.cmpop, b: Any) -> bool:
    a, b = np.real(a), np.real(b)
    match op:
        case ast.Eq():
            return bool(a == b)
        case ast.NotEq():
            return bool(a != b)
        case ast.Gt():
            return bool(a > b)
        case ast.Lt():
            return bool(a < b)
        case ast.GtE():
            return bool(a >= b)
    return bool(a <= b)
