"""A formula run statement by statement: the very source of an operation, with the values that each statement met.

Nothing is worked out in a way of its own here: each statement of the function's source is given to Python, one after
the other, in a namespace that holds the function's arguments and what its module holds.
"""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.explain.source import Source, first_line, names_in, read_source

Values = dict[str, Any]  # name → what it stood for

DEEPEST = 2  # helpers that call helpers that call helpers are run as a whole


@dataclass(frozen=True)
class Statement:
    """One statement as it ran."""

    node: ast.stmt  # an Assign, or a Return where the function returns more than names
    source: Source
    read: Values  # what the names in it stood for before
    results: Values  # what it gave to the names on its left; {"": value} for a Return
    note: str  # what its comment says
    turn: tuple[str, ...]  # within which turn of a loop, ("t = 0",)
    helpers: dict[str, str]  # plain functions that it calls → what they say of themselves
    room: Values  # what the function's module holds
    inner: tuple[Statement, ...] = ()  # those of the helper that is its whole right side

    @property
    def text(self) -> str:
        """The statement as Python."""
        return ast.unparse(self.node)

    @property
    def value(self) -> ast.expr:
        """What stands to the right of the equals sign."""
        assert isinstance(self.node, ast.Assign | ast.Return)
        assert self.node.value is not None
        return self.node.value

    def value_of(self, part: ast.expr) -> Any:
        """The value of a piece of the statement."""
        return eval(compile(ast.Expression(part), "<formula>", "eval"), {**self.room, **self.read})


@dataclass(frozen=True)
class Ran:
    """What a function gave, and its statements; none where its source cannot be read."""

    result: Any
    statements: tuple[Statement, ...]


class _Returned(Exception):  # noqa: N818  # no error: the way out
    """Carries the result out of the blocks of a function."""

    def __init__(self, result: Any) -> None:
        self.result = result


def run(function: Callable[..., Any], arguments: Values, depth: int = 0) -> Ran:
    """Run `function` on `arguments`, by its source if that can be read."""
    source = read_source(function)
    if source is None or inspect.isgeneratorfunction(function):
        return Ran(function(**arguments), ())
    frame = _Frame(function, source, arguments, depth)
    try:
        frame.run_block(source.statements, ())
    except _Returned as returned:
        return Ran(returned.result, tuple(frame.done))
    return Ran(None, tuple(frame.done))


class _Frame:
    """One call of a function in progress."""

    def __init__(self, function: Callable[..., Any], source: Source, arguments: Values, depth: int) -> None:
        bound = inspect.signature(function).bind(**arguments)
        bound.apply_defaults()
        called = {name: value for name, value in bound.arguments.items() if callable(value)}
        self.outside: Values = {
            **getattr(function, "__globals__", {}), **inspect.getclosurevars(function).nonlocals, **called
        }  # fmt: skip
        self.room: Values = {**self.outside, **bound.arguments}
        self.source, self.depth, self.done = source, depth, list[Statement]()

    def run_block(self, block: tuple[ast.stmt, ...] | list[ast.stmt], turn: tuple[str, ...]) -> None:
        for node in block:
            if isinstance(node, ast.For):
                self._loop(node, turn)
            elif isinstance(node, ast.If):
                self.run_block(node.body if self._value(node.test) else node.orelse, turn)
            elif isinstance(node, ast.Return):
                self._return(node, turn)
            elif isinstance(node, ast.Assign):
                self._assign(node, turn)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                self._assign(_written_out(node, node.target), turn)
            else:
                self._other(node)

    def _loop(self, node: ast.For, turn: tuple[str, ...]) -> None:
        for value in self._value(node.iter):
            self.room["_turn_"] = value
            self._execute(ast.Assign([node.target], ast.Name("_turn_", ast.Load())))
            say = f"{ast.unparse(node.target)} = {value}" if np.ndim(value) == 0 else ast.unparse(node.target)
            self.run_block(node.body, (*turn, say))

    def _return(self, node: ast.Return, turn: tuple[str, ...]) -> None:
        plain = node.value is None or isinstance(node.value, ast.Name)
        if isinstance(node.value, ast.Tuple):
            plain = all(isinstance(part, ast.Name) for part in node.value.elts)
        if plain:
            raise _Returned(None if node.value is None else self._value(node.value))
        assert node.value is not None
        read = self._read(node.value)
        result, inner = self._right_side(node.value)
        self._note(node, read, {"": result}, turn, inner)
        raise _Returned(result)

    def _assign(self, node: ast.Assign, turn: tuple[str, ...]) -> None:
        read = self._read(node.value)
        value, inner = self._right_side(node.value)
        self.room["_value_"] = value
        if not all(isinstance(target, ast.Name | ast.Tuple) for target in node.targets):
            self._own_copies(node)
        self._execute(ast.Assign(node.targets, ast.Name("_value_", ast.Load())))
        names = [name for target in node.targets for name in names_in(target)]
        if all(isinstance(self.room[name], list) and not self.room[name] for name in names):
            return  # empty lists, which the turns of a loop will fill
        self._note(node, read, {name: self.room[name] for name in names}, turn, inner)

    def _other(self, node: ast.stmt) -> None:
        """A statement that works by what it does to something: that something is new, so that what was noted stays."""
        if not (isinstance(node, ast.Expr) and ast.unparse(node).partition("(")[0].endswith(".append")):
            self._own_copies(node)
        self._execute(node)

    def _own_copies(self, node: ast.stmt) -> None:
        for name in names_in(node):
            if isinstance(self.room.get(name), np.ndarray):
                self.room[name] = self.room[name].copy()

    def _right_side(self, node: ast.expr) -> tuple[Any, tuple[Statement, ...]]:
        """The value of an expression; if it is the call of a plain function, then by that one's statements."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and self.depth < DEEPEST:
            function = self.room.get(node.func.id)
            if function is not None and _is_helper(function) and not any(isinstance(a, ast.Starred) for a in node.args):
                given = [self._value(a) for a in node.args]
                named = {str(k.arg): self._value(k.value) for k in node.keywords}
                ran = run(function, inspect.signature(function).bind(*given, **named).arguments, self.depth + 1)
                return ran.result, ran.statements
        return self._value(node), ()

    def _note(
        self, node: ast.stmt, read: Values, results: Values, turn: tuple[str, ...], inner: tuple[Statement, ...]
    ) -> None:
        note = self.source.notes.get(node.end_lineno or 0, "")
        called = [
            part.func.id for part in ast.walk(node) if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
        ]
        helpers = {name: first_line(self.room[name]) for name in called if _is_helper(self.room.get(name))}
        self.done.append(Statement(node, self.source, read, results, note, turn, helpers, self.outside, inner))

    def _read(self, node: ast.expr) -> Values:
        """What the names in an expression stand for, those of modules and functions left out."""
        found = {name: self.room.get(name) for name in names_in(node)}
        return {name: value for name, value in found.items() if _is_number(value)}

    def _value(self, node: ast.expr) -> Any:
        with np.errstate(all="ignore"):
            return eval(compile(ast.Expression(node), "<formula>", "eval"), self.room)

    def _execute(self, node: ast.stmt) -> None:
        module = ast.fix_missing_locations(ast.Module([ast.copy_location(node, self.source.function)], []))
        with np.errstate(all="ignore"):
            exec(compile(module, "<formula>", "exec"), self.room)


def _written_out(node: ast.AugAssign, target: ast.Name) -> ast.Assign:
    """y += b as y = y + b, which leaves the old y as it was."""
    value = ast.BinOp(ast.Name(target.id, ast.Load()), node.op, node.value)
    return ast.fix_missing_locations(ast.copy_location(ast.Assign([target], value), node))


def _is_helper(function: Any) -> bool:
    """Whether it is a plain function that somebody wrote beside the formula: not NumPy's, not Python's."""
    return isinstance(function, types.FunctionType) and not function.__module__.startswith("numpy")


def _is_number(value: Any) -> bool:
    """Whether it is numbers, or a list of them: not a module, not a function."""
    return isinstance(value, np.ndarray | np.generic | int | float | tuple | list | str)
