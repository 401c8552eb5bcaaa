"""Reads the shapes that stand in the comments of an operation, and draws arguments that fit them.

    @operation
    def thing_forward(x, W, labels, slope: float, shape):  # x (N, I), W (I, 3), labels (N,) < K, shape = (I, 2)
        y = ...  # (N, O)
        return y

In the signature's comment each array has its shape, in names of dimensions and whole numbers; after it may stand
`< K` (whole numbers 0 … K−1), `≥ 0`, `within 1` (in magnitude), `sums to 1` (each row) or `contracts` (a matrix that
makes vectors shorter). `name = value` gives an argument that is no array, worked out from the dimensions. A `float`
without an entry becomes some number between 0.1 and 0.9, an `int` one from 1 to 3. The comment behind a returned name's
last assignment gives the shape of that result.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
import tokenize
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.operations.operation import Operation

Sizes = dict[str, int]  # dimension → how many
Values = dict[str, Any]  # argument → what to call the operation with

ENTRY = re.compile(
    r"(?P<name>\w+) (?P<shape>\([^()]*\))(?: (?P<rule>< \w+|≥ 0|within 1|sums to 1|contracts))?"
    r"|(?P<given>\w+) = (?P<value>.+)"
)
GRAMMAR = (
    "write `name (N, I)`, perhaps with `< K`, `≥ 0`, `within 1`, `sums to 1` or `contracts` after it, or `name = value`"
)


@dataclass(frozen=True)
class Argument:
    """One argument: the text of its shape and rule, or of its value, or the type it is annotated with."""

    name: str
    shape: str = ""
    rule: str = ""
    value: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Signature:
    """What the source of an operation says: its arguments, its results by name, and the shapes of results."""

    operation: str
    arguments: tuple[Argument, ...]
    results: tuple[str, ...]
    result_shapes: dict[str, str]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the dimensions, in the order in which they stand in the comment."""
        texts = [a.shape + a.rule if a.rule.startswith("<") else a.shape for a in self.arguments]
        return tuple(dict.fromkeys(re.findall(r"[A-Za-z_]\w*", " ".join(texts))))


def read_signature(operation: Operation[..., Any]) -> Signature:
    """Read the source of `operation`. Raises AssertionError that names what is missing or not understood."""
    try:
        source = textwrap.dedent(inspect.getsource(operation.reference))
    except OSError:
        raise AssertionError(f"{operation.name}: its source cannot be read; write it in a file or a notebook") from None
    tree = ast.parse(source).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise AssertionError(f"{operation.name}: expected `def {operation.name}(…):`")
    comments = _comments(source)
    results = _results(operation.name, tree)
    return Signature(
        operation.name, _arguments(operation.name, tree, comments), results, _result_shapes(tree, comments)
    )


def _comments(source: str) -> dict[int, str]:
    """Line number → the comment on it."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


def _arguments(operation: str, tree: ast.FunctionDef, comments: dict[int, str]) -> tuple[Argument, ...]:
    head = [comments[line] for line in range(tree.lineno, tree.body[0].lineno) if line in comments]
    entries: dict[str, Argument] = {}
    for text in re.split(r",\s*(?![^()]*\))", ", ".join(line.rstrip(", ") for line in head)):
        found = ENTRY.fullmatch(text.strip())
        if text and not found:
            raise AssertionError(f"{operation}: cannot read {text!r} in the comment of its signature; {GRAMMAR}")
        if found:
            name = found["name"] or found["given"]
            entries[name] = Argument(name, found["shape"] or "", found["rule"] or "", found["value"] or "")
    names = [parameter.arg for parameter in tree.args.args]
    for name in entries:
        if name not in names:
            raise AssertionError(f"{operation}: its comment speaks of {name!r}, which is not one of {', '.join(names)}")
    return tuple(entries.get(item.arg) or _by_annotation(operation, item) for item in tree.args.args)


def _by_annotation(operation: str, parameter: ast.arg) -> Argument:
    kind = ast.unparse(parameter.annotation) if parameter.annotation else ""
    if kind not in ("float", "int"):
        raise AssertionError(
            f"{operation}: the comment of its signature says nothing about {parameter.arg!r}; {GRAMMAR}"
        )
    return Argument(parameter.arg, kind=kind)


def _results(operation: str, tree: ast.FunctionDef) -> tuple[str, ...]:
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]
    value = returns[0].value if len(returns) == 1 else None
    items = value.elts if isinstance(value, ast.Tuple) else [value]
    names = tuple(item.id for item in items if isinstance(item, ast.Name))
    if len(names) != len(items):
        raise AssertionError(f"{operation}: expected one `return` of results by name, such as `return dx, dW`")
    return names


def _result_shapes(tree: ast.FunctionDef, comments: dict[int, str]) -> dict[str, str]:
    shapes = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found = re.match(r"\([^()]*\)", comments.get(statement.end_lineno or 0, ""))
            shapes[statement.targets[0].id] = found[0] if found else ""
    return {name: shape for name, shape in shapes.items() if shape}


def draw(signature: Signature, rng: np.random.Generator, sizes: Sizes) -> Values:
    """Arguments for the operation, arrays in float64, with `sizes` for the dimensions."""
    return {argument.name: _draw(signature, argument, rng, sizes) for argument in signature.arguments}


def _draw(signature: Signature, argument: Argument, rng: np.random.Generator, sizes: Sizes) -> Any:
    if argument.kind:
        return float(rng.uniform(0.1, 0.9)) if argument.kind == "float" else int(rng.integers(1, 4))
    where = f"{signature.operation}: {argument.name}"
    if argument.value:
        return evaluate(argument.value, dict(sizes), where)
    shape = evaluate_shape(argument.shape, dict(sizes), where)
    if argument.rule.startswith("<"):
        return np.asarray(rng.integers(0, evaluate(argument.rule.removeprefix("< "), dict(sizes), where), shape))
    numbers = away_from_zero(rng, shape)
    if argument.rule == "≥ 0":
        return np.asarray(np.abs(numbers))
    if argument.rule == "within 1":
        return numbers / 2
    if argument.rule == "sums to 1":
        return np.abs(numbers) / np.abs(numbers).sum(axis=-1, keepdims=True)
    if argument.rule == "contracts":
        return numbers / (4 * np.abs(numbers).sum(axis=-1, keepdims=True))
    return numbers


def away_from_zero(rng: np.random.Generator, shape: Shape) -> Array:
    """Numbers of either sign with magnitudes from 0.1 to 2: kinks at 0 stay far from the steps of a difference."""
    return np.asarray(rng.uniform(0.1, 2, shape) * rng.choice((-1.0, 1.0), shape))


def evaluate_shape(text: str, names: Values, where: str) -> Shape:
    """The shape that `text`, such as "(N, *shape)", means. Raises AssertionError that begins with `where`."""
    shape = evaluate(text, names, where)
    if not isinstance(shape, tuple) or not all(isinstance(n, int | np.integer) for n in shape):
        raise AssertionError(f"{where}: {text} is not a shape; one dimension is written (N,)")
    return shape


def evaluate(text: str, names: Values, where: str) -> Any:
    """What `text` means when the dimensions have values. It is part of the operation's own source, so trusted."""
    try:
        return eval(text, {"__builtins__": {}}, names)
    except (NameError, SyntaxError, TypeError) as error:
        raise AssertionError(f"{where}: cannot work out {text!r} ({error}); {GRAMMAR}") from None
