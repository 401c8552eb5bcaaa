"""Source as mathematics: one walk over the tree of a statement, written as plain text or as LaTeX.

`x @ W + b` becomes x W + b; `dy.sum(axis=0)` becomes Σ_n ∂J/∂y, by the name that the comment gives the axis; a name of
the form dW is ∂J/∂W. With values in the place of names, the same walk writes the formula with the numbers put in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.explain.numbers import MINUS, inline, number, rows_of
from chainrule.explain.source import names_in
from chainrule.explain.statements import Statement

LOOSE, SUM, OVER, PRODUCT, POWER, ATOM = range(6)  # how strongly what was written last holds together
Piece = tuple[str, int]

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "sigma": "σ", "eta": "η", "theta": "θ",
    "pi": "π", "learning_rate": "η", "momentum": "μ", "smoothing": "ε", "beta1": "β_1", "beta2": "β_2",
}  # fmt: skip
LATEX_GREEK = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "σ": r"\sigma", "η": r"\eta",
    "θ": r"\theta", "μ": r"\mu", "π": r"\pi",
}  # fmt: skip
LETTERS = {"loss": "L"}
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
FUNCTIONS = {"exp": "exp", "log": "log", "tanh": "tanh", "sin": "sin", "cos": "cos", "sign": "sign", "floor": "floor"}
FUNCTIONS |= {"maximum": "max", "minimum": "min", "sigmoid": "σ", "relu": "relu", "hypot": "hypot"}
WITHIN = {"log1p": ("log", "1 + {}"), "expm1": ("exp", "{}")}
LIMITS = {"min": "lowest float", "max": "largest float", "tiny": "least float above 0", "eps": "least step from 1"}
SILENT = {"astype", "copy"}  # methods that change no number
COMPARISONS = {ast.Gt: ">", ast.GtE: "≥", ast.Lt: "<", ast.LtE: "≤", ast.Eq: "=", ast.NotEq: "≠"}
WORDS = {ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor", ast.Mod: "mod", ast.FloorDiv: "div"}
LATEX_COMPARISONS = {"≥": r"\geq", "≤": r"\leq", "≠": r"\neq"}


class Text:
    """How the pieces of a formula are written in one line of plain text."""

    times, by_element, minus = " · ", " ⊙ ", MINUS

    def name(self, symbol: str) -> str:
        return symbol

    def derivative(self, symbol: str) -> Piece:
        return f"∂J/∂{symbol}", ATOM

    def value(self, value: Any) -> Piece:
        text = inline(value)
        return text, SUM if text.startswith(MINUS) else ATOM

    def word(self, text: str) -> str:
        return text

    def group(self, inner: str) -> str:
        return inner

    def bracket(self, inner: str) -> str:
        return f"({inner})"

    def fraction(self, above: Piece, below: Piece) -> Piece:
        return f"{self.hold(above, PRODUCT)} / {self.hold(below, POWER)}", PRODUCT

    def power(self, base: Piece, exponent: Piece) -> Piece:
        raised = exponent[0].translate(SUPERSCRIPTS) if exponent[0].isdigit() else f"^{self.hold(exponent, ATOM)}"
        return f"{self.hold(base, ATOM)}{raised}", POWER

    def root(self, inner: Piece) -> Piece:
        return f"√{inner[0]}" if inner[1] == ATOM and not inner[0].startswith("(") else f"√({inner[0]})", POWER

    def transposed(self, inner: Piece) -> Piece:
        return f"{self.hold(inner, ATOM)}ᵀ", ATOM

    def over(self, sign: str, letters: str, inner: Piece) -> Piece:
        return f"{sign}_{letters} {self.hold(inner, PRODUCT)}", OVER

    def function(self, name: str, arguments: list[str]) -> Piece:
        return f"{name}({', '.join(arguments)})", ATOM

    def magnitude(self, inner: str) -> Piece:
        return f"|{inner}|", ATOM

    def either(self, condition: str, then: str, otherwise: str) -> Piece:
        return f"({then} where {condition}, else {otherwise})", ATOM

    def indexed(self, base: Piece, index: str) -> Piece:
        return f"{self.hold(base, ATOM)}[{index}]", ATOM

    def hold(self, piece: Piece, strength: int) -> str:
        """The piece, in brackets if it would fall apart beside something that binds with `strength`."""
        return piece[0] if piece[1] >= strength else self.bracket(piece[0])

    def comparison(self, sign: str) -> str:
        return sign


class Latex(Text):
    """How they are written in LaTeX's mathematical mode; needs no package but amsmath."""

    times, by_element, minus = r" \cdot ", r" \odot ", "-"

    def name(self, symbol: str) -> str:
        first, _, index = symbol.partition("_")
        first = LATEX_GREEK.get(first, first if len(first) == 1 else rf"\mathrm{{{first}}}")
        return f"{first}_{{{latex_word(index)}}}" if index else first

    def derivative(self, symbol: str) -> Piece:
        return rf"\frac{{\partial J}}{{\partial {self.name(symbol)}}}", ATOM

    def value(self, value: Any) -> Piece:
        if isinstance(value, tuple | list | str) or np.ndim(value) == 0 or value.size == 0:
            text = latex_number(inline(value))
            return text, SUM if text.startswith("-") else ATOM
        rows = [" & ".join(map(latex_number, row)) for row in rows_of(value, 3, 5)]
        matrix = r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"
        return (matrix if value.ndim <= 2 else f"{matrix}_{{{latex_shape(value.shape)}}}"), ATOM

    def word(self, text: str) -> str:
        return rf"\mathrm{{{latex_word(text)}}}"

    def group(self, inner: str) -> str:
        return f"{{{inner}}}"  # in which a minus sign belongs to its number

    def bracket(self, inner: str) -> str:
        return rf"\left({inner}\right)"

    def fraction(self, above: Piece, below: Piece) -> Piece:
        return rf"\frac{{{above[0]}}}{{{below[0]}}}", POWER

    def power(self, base: Piece, exponent: Piece) -> Piece:
        return f"{{{self.hold(base, ATOM)}}}^{{{exponent[0]}}}", POWER

    def root(self, inner: Piece) -> Piece:
        return rf"\sqrt{{{inner[0]}}}", ATOM

    def transposed(self, inner: Piece) -> Piece:
        return rf"{{{self.hold(inner, ATOM)}}}^{{\top}}", ATOM

    def over(self, sign: str, letters: str, inner: Piece) -> Piece:
        command = {"Σ": r"\sum", "max": r"\max"}.get(sign, rf"\mathrm{{{sign}}}")
        return rf"{command}_{{{latex_word(letters)}}} {self.hold(inner, PRODUCT)}", OVER

    def function(self, name: str, arguments: list[str]) -> Piece:
        known = {"exp": r"\exp", "log": r"\log", "tanh": r"\tanh", "max": r"\max", "min": r"\min", "σ": r"\sigma"}
        command = known.get(name, rf"\mathrm{{{latex_word(name)}}}")
        return command + self.bracket(r",\, ".join(arguments)), ATOM

    def magnitude(self, inner: str) -> Piece:
        return rf"\left|{inner}\right|", ATOM

    def either(self, condition: str, then: str, otherwise: str) -> Piece:
        return rf"\begin{{cases}} {then} & {condition} \\ {otherwise} & \mathrm{{else}} \end{{cases}}", ATOM

    def indexed(self, base: Piece, index: str) -> Piece:
        return rf"{{{self.hold(base, ATOM)}}}_{{[{index}]}}", ATOM

    def comparison(self, sign: str) -> str:
        return LATEX_COMPARISONS.get(sign, sign)


def latex_number(text: str) -> str:
    """A number of `numbers.number`, or the dots that stand for some, in LaTeX."""
    text = text.replace(MINUS, "-").replace("…", r"\cdots").replace("×", r"\times ")
    return re.sub(r"e(-?\d+)", r" \\cdot 10^{\1}", text)


def latex_shape(shape: tuple[int, ...]) -> str:
    """2 × 3 in LaTeX."""
    return r" \times ".join(map(str, shape)) or "1"


def latex_word(text: str) -> str:
    """Text that is no mathematics, with what has a meaning in LaTeX made harmless."""
    return re.sub(r"([_%&#${}])", r"\\\1", re.sub(r"[\\^~]", " ", text)).replace(" ", r"\ ")


TEXT, LATEX = Text(), Latex()


class Formula:
    """Writes the formula of one statement in one style; with `numbers`, values stand where names stood."""

    def __init__(self, statement: Statement, style: Text, *, numbers: bool = False) -> None:
        self.statement, self.style, self.numbers = statement, style, numbers
        function = statement.source.function
        self.names = {*names_in(function), *(a.arg for a in function.args.args)}  # dW is ∂J/∂W where W is a name too

    def right(self) -> str:
        """What stands to the right of the equals sign."""
        return self._side_by_side(self.statement.value)

    def left(self) -> str:
        """The names that the results have, "" for a result without one."""
        return ", ".join(self.symbol(name)[0] for name in self.statement.results if name)

    def sign(self) -> str:
        """= or ←, where a name takes a new value that is made from its old one."""
        arrow = r"\leftarrow" if isinstance(self.style, Latex) else "←"
        return arrow if set(self.statement.results) & set(names_in(self.statement.value)) else "="

    def symbol(self, name: str) -> Piece:
        """A name of the source as a symbol."""
        rest = name[1:]
        if name[0] == "d" and (
            name == "dJ"
            or re.fullmatch(r"[A-Za-z](_\w+)?", rest)
            or rest in self.names
            or rest in ("loss", "beta", "gamma")
        ):
            return self.style.derivative(_letter(rest))
        return self.style.name(_letter(name)), ATOM

    def numbers_put_in(self) -> str:
        """The right side with its numbers; "" where that says nothing new: it is the formula, or the result itself."""
        numbers = Formula(self.statement, self.style, numbers=True).right()
        results = [self.style.value(value)[0] for value in self.statement.results.values()]
        return "" if self.statement.inner or numbers in (self.right(), *results) else numbers

    def _side_by_side(self, node: ast.expr) -> str:
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        return ", ".join(self.write(part)[0] for part in parts)

    def _tuple(self, node: ast.Tuple) -> Piece:
        return self.style.bracket(self._side_by_side(node)), ATOM

    def write(self, node: ast.expr) -> Piece:
        """One expression, and how strongly it holds together."""
        writer: Callable[[Any], Piece] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        return writer(node) if writer else self._as_it_is(node)

    def _as_it_is(self, node: ast.expr) -> Piece:
        limit = re.fullmatch(r"np\.finfo\(.*\)\.(min|max|tiny|eps)", ast.unparse(node))
        if limit:
            return self.style.word(LIMITS[limit[1]]), ATOM
        return self.style.word(ast.unparse(node)), LOOSE

    def _name(self, node: ast.Name) -> Piece:
        if self.numbers and node.id in self.statement.read:
            return self.style.value(self.statement.read[node.id])
        return self.symbol(node.id)

    def _constant(self, node: ast.Constant) -> Piece:
        value = node.value
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return (self.style.value(value)[0], ATOM) if plain else (self.style.word(str(value)), ATOM)

    def _binop(self, node: ast.BinOp) -> Piece:
        left, right, style = self.write(node.left), self.write(node.right), self.style
        if isinstance(node.op, ast.Div):
            return style.fraction(left, right)
        if isinstance(node.op, ast.Pow):
            return style.power(left, right)
        if isinstance(node.op, ast.MatMult):
            between = style.times if self.numbers else " "
            return f"{style.hold(left, PRODUCT)}{between}{style.hold(right, POWER)}", PRODUCT
        if isinstance(node.op, ast.Mult):
            single = self._is_single(node.left) or self._is_single(node.right)
            between = style.times if single else style.by_element
            return f"{style.hold(left, PRODUCT)}{between}{style.hold(right, POWER)}", PRODUCT
        if isinstance(node.op, ast.Add):
            second = style.bracket(right[0]) if right[0].startswith(style.minus) else style.hold(right, SUM)
            return f"{left[0]} + {second}", SUM
        if isinstance(node.op, ast.Sub):
            return f"{left[0]} {style.minus} {style.hold(right, PRODUCT)}", SUM
        word = style.word(f" {WORDS.get(type(node.op), 'with')} ")
        return f"{style.hold(left, SUM)}{word}{style.hold(right, SUM)}", LOOSE

    def _unaryop(self, node: ast.UnaryOp) -> Piece:
        inner = self.write(node.operand)
        if isinstance(node.op, ast.USub):
            return f"{self.style.minus}{self.style.hold(inner, PRODUCT)}", SUM
        return self._as_it_is(node)

    def _compare(self, node: ast.Compare) -> Piece:
        text = self.style.hold(self.write(node.left), SUM)
        for sign, right in zip(node.ops, node.comparators, strict=True):
            shown = self.style.comparison(COMPARISONS.get(type(sign), "?"))
            text += f" {shown} {self.style.hold(self.write(right), SUM)}"
        return f"[{text}]", ATOM  # Iverson's bracket: 1 where it holds, else 0

    def _attribute(self, node: ast.Attribute) -> Piece:
        if _is_module(node.value):
            return self.style.name(_letter(node.attr)), ATOM  # math.pi; np.tanh, handed on as a function
        if node.attr == "T":
            return self.style.transposed(self.write(node.value))
        return self._as_it_is(node)

    def _subscript(self, node: ast.Subscript) -> Piece:
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            return self._size(node.value.value, node.slice)
        index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if all(_says_nothing(part) for part in index):  # b[:, None]: the same numbers, laid along other axes
            return self.write(node.value)
        if self.numbers:
            return self.style.value(self.statement.value_of(node))
        base = self.write(node.value)
        return self.style.indexed(base, ", ".join(self._index(part) for part in index if not _is_none(part)))

    def _index(self, node: ast.expr) -> str:
        if isinstance(node, ast.Slice):
            ends = ["" if end is None else self.write(end)[0] for end in (node.lower, node.upper, node.step)]
            return ":".join(ends if node.step else ends[:2])
        return self.write(node)[0]

    def _size(self, array: ast.expr, axis: ast.expr) -> Piece:
        """x.shape[1]: the name of that axis, or how many there are."""
        place = axis.value if isinstance(axis, ast.Constant) else None
        if isinstance(axis, ast.UnaryOp) and isinstance(axis.operand, ast.Constant):
            place = -int(str(axis.operand.value))
        name = array.id if isinstance(array, ast.Name) else ""
        value = self.statement.read.get(name)
        if self.numbers and isinstance(place, int) and isinstance(value, np.ndarray):
            return number(value.shape[place]), ATOM
        axes = self.statement.source.axes.get(name, ())
        if isinstance(place, int) and -len(axes) <= place < len(axes):
            named = axes[place]
            letter = axis_letters(axes)[place].upper()  # where the comment has a number, it is that of an example
            return (letter if named.isdigit() else self.style.name(named) if named.isidentifier() else named), ATOM
        return self.style.function("size", [self.style.name(_letter(name))])

    def _call(self, node: ast.Call) -> Piece:
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
            return self._method(node, node.func)
        if self.numbers and _is_function(node, "arange", "ix_", "ravel_multi_index"):
            return self.style.value(self.statement.value_of(node))
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        writer: Callable[[ast.Call], Piece] | None = getattr(self, f"_call_{name}", None)
        if writer:
            return writer(node)
        if self.numbers and name in self.statement.helpers and name not in FUNCTIONS:
            return self.style.value(self.statement.value_of(node))
        if name not in FUNCTIONS:  # a function that came in as an argument has a name of its own
            name = getattr(self.statement.room.get(name), "__name__", name)
        given = [self.write(a)[0] for a in node.args]
        if name in WITHIN and len(given) == 1:
            outer, inner = WITHIN[name]
            piece = self.style.function(outer, [inner.format(given[0])])
            return piece if name == "log1p" else (f"{piece[0]} {self.style.minus} 1", SUM)
        return self.style.function(FUNCTIONS.get(name, name.replace("_", " ")), given)

    def _method(self, node: ast.Call, method: ast.Attribute) -> Piece:
        if method.attr == "reference":  # of another operation: its formula
            return self.style.function(
                ast.unparse(method.value).replace("_", " "), [self.write(a)[0] for a in node.args]
            )
        inner = self.write(method.value)
        if method.attr in SILENT:
            return inner
        if method.attr in ("sum", "max", "min", "mean", "argmax"):
            return self.style.over({"sum": "Σ"}.get(method.attr, method.attr), self._axes(node, method.value), inner)
        if method.attr == "reshape":
            return inner
        return self.style.function(method.attr, [inner[0], *(self.write(a)[0] for a in node.args)])

    def _axes(self, node: ast.Call, array: ast.expr) -> str:
        """The letters of the axes that a sum runs over."""
        given = next((k.value for k in node.keywords if k.arg == "axis"), None)
        axes = max((self.statement.source.axes.get(name, ()) for name in names_in(array)), key=len, default=())
        letters = axis_letters(axes)
        if given is None:
            return "".join(letters) or "all"
        wanted = self.statement.value_of(given)
        places = wanted if isinstance(wanted, tuple) else (wanted,)
        more = [*letters, *"pqrs"]  # a window's own rows and columns stand behind the axes that have names
        return "".join(more[p] if p >= 0 else letters[p] if letters else "k" for p in places)

    def _call_len(self, node: ast.Call) -> Piece:
        return self._size(node.args[0], ast.Constant(0))

    def _call_sqrt(self, node: ast.Call) -> Piece:
        return self.style.root(self.write(node.args[0]))

    def _call_abs(self, node: ast.Call) -> Piece:
        return self.style.magnitude(self.write(node.args[0])[0])

    def _call_where(self, node: ast.Call) -> Piece:
        condition, then, otherwise = (self.write(a)[0] for a in node.args)
        if isinstance(node.args[0], ast.Compare):
            condition = condition[1:-1]
        return self.style.either(condition, then, otherwise)

    def _call_full_like(self, node: ast.Call) -> Piece:
        return self.write(node.args[1])

    def _call_zeros_like(self, node: ast.Call) -> Piece:
        return "0", ATOM

    _call_zeros = _call_zeros_like

    def _starred(self, node: ast.Starred) -> Piece:
        return self.write(node.value)

    def _call_concatenate(self, node: ast.Call) -> Piece:
        parts = node.args[0].elts if isinstance(node.args[0], ast.List | ast.Tuple) else [node.args[0]]
        return self.style.function("joined", [self.write(part)[0] for part in parts])

    def _call_arange(self, node: ast.Call) -> Piece:
        end = self.write(node.args[-1])
        return self.style.bracket(f"0, 1, …, {end[0]} {self.style.minus} 1".replace("…", self._dots())), ATOM

    def _dots(self) -> str:
        return r"\ldots" if isinstance(self.style, Latex) else "…"

    def _call_einsum(self, node: ast.Call) -> Piece:
        """np.einsum("ni,io->no", x, W): Σ_i x_ni W_io."""
        letters = ast.literal_eval(node.args[0])
        inputs, _, output = letters.partition("->")
        summed = "".join(dict.fromkeys(c for c in inputs if c.isalpha() and c not in output))
        factors = [
            self.write(a)[0] if self.numbers else self._with_index(self.write(a), index)
            for a, index in zip(node.args[1:], inputs.split(","), strict=True)
        ]
        product = (self.style.by_element if self.numbers else " ").join(factors)
        return self.style.over("Σ", summed, (product, PRODUCT)) if summed else (product, PRODUCT)

    def _with_index(self, piece: Piece, index: str) -> str:
        held = self.style.hold(piece, ATOM)
        return f"{{{held}}}_{{{index}}}" if isinstance(self.style, Latex) else f"{held}_{index}"

    def _is_single(self, node: ast.expr) -> bool:
        """Whether an expression is one number, so that · and not ⊙ belongs before it."""
        if isinstance(node, ast.Constant | ast.Attribute):
            return isinstance(node, ast.Constant) or _is_module(node.value)
        if isinstance(node, ast.Name):
            if node.id in self.statement.read:
                return np.ndim(self.statement.read[node.id]) == 0
            return False
        if isinstance(node, ast.BinOp):
            return self._is_single(node.left) and self._is_single(node.right)
        if isinstance(node, ast.UnaryOp):
            return self._is_single(node.operand)
        if isinstance(node, ast.Subscript):
            return np.ndim(self.statement.value_of(node)) == 0
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
            return True
        return isinstance(node, ast.Call) and bool(node.args) and all(self._is_single(a) for a in node.args)


def axis_letters(axes: tuple[str, ...]) -> list[str]:
    """A letter for each axis: N is counted by n; sizes that are plain numbers by i, j, … that are free."""
    taken = {axis[0].lower() for axis in axes if axis[:1].isalpha() and len(axis) == 1}
    free = iter([c for c in "ijhwpqrs" if c not in taken])
    return [axis.lower() if len(axis) == 1 and axis.isalpha() else next(free, "z") for axis in axes]


def _letter(name: str) -> str:
    return GREEK.get(name) or LETTERS.get(name) or name


def _says_nothing(node: ast.expr) -> bool:
    """: or None or … in an index."""
    whole = isinstance(node, ast.Slice) and node.lower is None and node.upper is None and node.step is None
    return whole or _is_none(node) or (isinstance(node, ast.Constant) and node.value is ...)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_function(node: ast.Call, *names: str) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in names


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math")
