"""The source of a formula: its statements as a tree, what their comments say, and the names of its axes."""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

ENTRY = re.compile(r"(\w+) \(([^()]*)\)")  # x (N, I)
UNDERSTOOD = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.For, ast.If, ast.Return, ast.Assert, ast.Pass)
BEHIND = re.compile(r"\(([^()]*)\)(?:\s{2,}|\s*$)(.*)")  # (N, I)   what it is


@dataclass(frozen=True)
class Source:
    """The text of a plain function, read once."""

    function: ast.FunctionDef
    statements: tuple[ast.stmt, ...]  # without the docstring
    notes: dict[int, str]  # line → what its comment says besides the shape
    axes: dict[str, tuple[str, ...]]  # name → the names of its axes, ("N", "I"), where a comment says so


@lru_cache(maxsize=512)
def read_source(function: Callable[..., Any]) -> Source | None:
    """The source of `function`; None where it cannot be read, or not be run statement by statement.

    It cannot be read if it was not written in a file or a notebook. A formula is straight-line; loops and choices are
    understood too, but not, say, `while` or `with`.
    """
    try:
        text = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(tree, ast.FunctionDef) or not all(isinstance(s, UNDERSTOOD) for s in _statements(tree.body)):
        return None
    body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    comments = _comments(text)
    axes = _axes_of_arguments(comments, body[0].lineno) | _axes_of_results(comments, body)
    notes = {line: _note(comment) for line, comment in comments.items()}
    return Source(tree, tuple(body), notes, axes)


def _statements(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a block, and of the blocks within it."""
    for statement in block:
        yield from (inner for inner in ast.walk(statement) if isinstance(inner, ast.stmt))


def first_line(function: Callable[..., Any]) -> str:
    """What the function says of itself in the first line of its docstring."""
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _comments(text: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT}


def _axes_of_arguments(comments: dict[int, str], first_statement: int) -> dict[str, tuple[str, ...]]:
    signature = ", ".join(comment for line, comment in comments.items() if line < first_statement)
    return {name: _split(shape) for name, shape in ENTRY.findall(signature)}


def _axes_of_results(comments: dict[int, str], body: list[ast.stmt]) -> dict[str, tuple[str, ...]]:
    axes: dict[str, tuple[str, ...]] = {}
    for statement in (node for top in body for node in ast.walk(top) if isinstance(node, ast.Assign)):
        behind = BEHIND.match(comments.get(statement.end_lineno or 0, ""))
        if behind:
            axes |= {name: _split(behind[1]) for target in statement.targets for name in names_in(target)}
    return axes


def names_in(node: ast.AST) -> list[str]:
    """The names that stand in a piece of source, each once, in the order in which they come."""
    return list(dict.fromkeys(part.id for part in ast.walk(node) if isinstance(part, ast.Name)))


def _split(shape: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in shape.split(",") if part.strip())


def _note(comment: str) -> str:
    behind = BEHIND.match(comment)
    return behind[2].strip() if behind else comment.strip()
