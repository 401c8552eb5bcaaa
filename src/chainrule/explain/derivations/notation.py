"""Formulas as text that can be evaluated and written: "p[k] == exp(f[k]) / sum(i, exp(f[i]))".

The text has Python's grammar. A letter in brackets is an index, `==` stands between sides that are equal, and
    d(L, f[k])              ∂L/∂f_k
    sum(i, j, …)            the sum over all i and j
    largest(p, q, …)        the largest over all p and q
    delta(i, k)             1 where i = k, else 0
    where(i == k, a, b)     a where it holds, else b
    exp log sqrt tanh sigma max abs    functions
This module writes them: as plain text, as LaTeX and as MathML. `evaluation` works them out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from html import escape

SUM, OVER, PRODUCT, POWER, ATOM = range(5)  # how strongly a piece holds together
Piece = tuple[str, int]

GREEK = {"gamma": "γ", "beta": "β", "mu": "μ", "epsilon": "ε", "sigma": "σ", "delta": "δ", "sigma2": "σ²", "alpha": "α"}
LATEX_GREEK = {
    "gamma": r"\gamma", "beta": r"\beta", "mu": r"\mu", "epsilon": r"\varepsilon", "sigma": r"\sigma",
    "delta": r"\delta", "sigma2": r"\sigma^2", "alpha": r"\alpha",
}  # fmt: skip
CONDITIONS = {ast.Eq: "=", ast.NotEq: "≠", ast.Gt: ">", ast.Lt: "<", ast.GtE: "≥", ast.LtE: "≤"}


def parse(formula: str) -> list[ast.expr]:
    """The sides of a formula, left to right."""
    tree = ast.parse(formula.strip(), mode="eval").body
    return [tree.left, *tree.comparators] if isinstance(tree, ast.Compare) else [tree]


class Text:
    """Writes a formula in one line of plain text."""

    def formula(self, sides: list[ast.expr]) -> str:
        return " = ".join(self.write(side)[0] for side in sides)

    def write(self, node: ast.expr) -> Piece:
        match node:
            case ast.Constant(value=int() | float() as value):
                return self.number(value)
            case ast.Name(id=name):
                return self.name(name), ATOM
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                return self.indexed(name, self._indices(index)), ATOM
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return f"{self.minus}{self.hold(self.write(inner), OVER)}", SUM
            case ast.BinOp(left=left, op=op, right=right):
                return self._pair(left, op, right)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return f"{self.write(left)[0]} {self.sign(CONDITIONS[type(op)])} {self.write(right)[0]}", SUM
        raise ValueError(f"no part of the notation: {ast.unparse(node)}")

    def _pair(self, left: ast.expr, op: ast.operator, right: ast.expr) -> Piece:
        a, b = self.write(left), self.write(right)
        match op:
            case ast.Add():
                return self._added(a, b)
            case ast.Sub():
                return f"{a[0]} {self.minus} {self.hold(b, OVER)}", SUM
            case ast.Mult():
                last = min(b[1], PRODUCT)  # what follows a Σ or a log would seem to belong to it
                return f"{self.hold(a, PRODUCT)}{self.between(right)}{self.hold(b, OVER)}", max(last, OVER)
            case ast.Div():
                return self.fraction(a, b)
            case ast.FloorDiv():
                return self.floor(f"{a[0]}/{b[0]}"), ATOM
            case ast.Pow():
                return self.power(a, b), POWER
        raise ValueError(f"no part of the notation: {ast.unparse(op)}")

    def _added(self, a: Piece, b: Piece) -> Piece:
        if b[0].startswith(self.minus):
            return f"{a[0]} {self.minus} {b[0].removeprefix(self.minus)}", SUM
        return f"{a[0]} + {b[0]}", SUM

    def _call(self, name: str, arguments: list[ast.expr]) -> Piece:
        match name, arguments:
            case "d", [of, by]:
                return self.partial(self.write(of)[0], self.write(by)[0]), ATOM
            case (("sum" | "largest"), [*letters, inner]):
                over = "".join(letter.id for letter in letters if isinstance(letter, ast.Name))
                return self.over(name, over, self.hold(self.write(inner), PRODUCT)), OVER
            case "delta", [i, k]:
                return self.indexed("delta", [self.write(i)[0], self.write(k)[0]]), ATOM
            case "where", [condition, then, otherwise]:
                parts = (self.write(part)[0] for part in (then, condition, otherwise))
                return self.either(*parts), ATOM
            case "exp", [inner]:
                return self.power((self.e, ATOM), self.write(inner)), POWER
            case "sqrt", [inner]:
                return self.root(self.write(inner)), POWER
            case "log", [inner]:
                piece = self.write(inner)
                return f"{self.function('log')}{self.gap}{self.hold(piece, ATOM)}", OVER
            case "abs", [inner]:
                return self.magnitude(self.write(inner)[0]), ATOM
        written = ", ".join(self.write(argument)[0] for argument in arguments)
        return f"{self.function(name)}{self.bracket(written)}", ATOM

    def _indices(self, index: ast.expr) -> list[str]:
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        return [self.write(part)[0].replace(" ", "") for part in parts]

    def hold(self, piece: Piece, strength: int) -> str:
        """The piece, in brackets where it would fall apart beside something that binds with `strength`."""
        return piece[0] if piece[1] >= strength else self.bracket(piece[0])

    # --- what another style writes in another way -------------------------------------------------------------------

    minus, e, gap = "−", "e", " "

    def number(self, value: float) -> Piece:
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
        return text.replace("-", self.minus), SUM if value < 0 else ATOM

    def name(self, name: str) -> str:
        head, _, tail = name.partition("_")
        return GREEK.get(head, head) + (f"_{tail}" if tail else "")

    def indexed(self, name: str, indices: list[str]) -> str:
        plain = all(len(index) == 1 for index in indices)
        joined = "".join(indices) if plain else ",".join(indices)
        return f"{self.name(name)}_{joined}" if plain and "_" not in name else f"{self.name(name)}[{','.join(indices)}]"

    def partial(self, of: str, by: str) -> str:
        return f"∂{of}/∂{by}"

    def over(self, name: str, letters: str, inner: str) -> str:
        return f"{'Σ' if name == 'sum' else 'max'}_{letters} {inner}"

    def between(self, right: ast.expr) -> str:
        return " · "

    def fraction(self, above: Piece, below: Piece) -> Piece:
        return f"{self.hold(above, PRODUCT)} / {self.hold(below, POWER)}", PRODUCT

    def floor(self, inner: str) -> str:
        return f"⌊{inner}⌋"

    def power(self, base: Piece, exponent: Piece) -> str:
        raised = {"2": "²", "3": "³"}.get(exponent[0])
        plain = len(exponent[0]) == 1 or exponent[0].replace(".", "").isdigit()
        return f"{self.hold(base, ATOM)}{raised or (f'^{exponent[0]}' if plain else f'^({exponent[0]})')}"

    def root(self, inner: Piece) -> str:
        return f"√({inner[0]})"

    def magnitude(self, inner: str) -> str:
        return f"|{inner}|"

    def either(self, then: str, condition: str, otherwise: str) -> str:
        return f"({then} where {condition}, else {otherwise})"

    def function(self, name: str) -> str:
        return GREEK.get(name, name)

    def bracket(self, inner: str) -> str:
        return f"({inner})"

    def sign(self, sign: str) -> str:
        return sign


class Latex(Text):
    """Writes it for LaTeX's mathematical mode; needs amsmath alone."""

    minus, gap = "-", r" "

    def formula(self, sides: list[ast.expr]) -> str:
        left, *rights = (self.write(side)[0] for side in sides)
        if len(rights) < 2:
            return " = ".join([left, *rights])
        return r"\begin{aligned} " + left + r" \\ ".join(f" &= {right}" for right in rights) + r" \end{aligned}"

    def name(self, name: str) -> str:
        head, _, tail = name.partition("_")
        head = LATEX_GREEK.get(head, head if len(head) == 1 else rf"\mathrm{{{head}}}")
        return f"{head}^{{({tail})}}" if tail else head

    def indexed(self, name: str, indices: list[str]) -> str:
        joined = "".join(indices) if all(len(index) == 1 for index in indices) else ",".join(indices)
        return f"{self.name(name)}_{{{joined}}}"

    def partial(self, of: str, by: str) -> str:
        return rf"\frac{{\partial {of}}}{{\partial {by}}}"

    def over(self, name: str, letters: str, inner: str) -> str:
        return rf"{chr(92)}{'sum' if name == 'sum' else 'max'}_{{{letters}}} {inner}"

    def between(self, right: ast.expr) -> str:
        return r" \cdot " if isinstance(right, ast.Constant) else r" \, "

    def fraction(self, above: Piece, below: Piece) -> Piece:
        return rf"\frac{{{above[0]}}}{{{below[0]}}}", PRODUCT

    def floor(self, inner: str) -> str:
        return rf"\lfloor{{{inner}}}\rfloor"

    def power(self, base: Piece, exponent: Piece) -> str:
        return f"{self.hold(base, ATOM)}^{{{exponent[0]}}}"

    def root(self, inner: Piece) -> str:
        return rf"\sqrt{{{inner[0]}}}"

    def magnitude(self, inner: str) -> str:
        return rf"\left|{inner}\right|"

    def either(self, then: str, condition: str, otherwise: str) -> str:
        return rf"\begin{{cases}} {then} & \text{{where }} {condition} \\ {otherwise} & \text{{else}} \end{{cases}}"

    def function(self, name: str) -> str:
        return LATEX_GREEK.get(name, rf"\{name}")

    def bracket(self, inner: str) -> str:
        return rf"\left({inner}\right)"

    def sign(self, sign: str) -> str:
        return {"≠": r"\neq", "≥": r"\geq", "≤": r"\leq"}.get(sign, sign)


class MathML(Text):
    """Writes it as MathML, which browsers show without any script."""

    minus, e, gap = "<mo>−</mo>", "<mi>e</mi>", "<mo>&#8289;</mo>"

    def formula(self, sides: list[ast.expr]) -> str:
        rows = "<mo>=</mo>".join(self.row(self.write(side)[0]) for side in sides)
        return f'<math display="block"><mrow>{rows}</mrow></math>'

    def row(self, inner: str) -> str:
        return f"<mrow>{inner}</mrow>"

    def write(self, node: ast.expr) -> Piece:
        text, strength = super().write(node)
        return text.replace(" + ", "<mo>+</mo>").replace(", ", "<mo>,</mo>").replace(" ", ""), strength

    def number(self, value: float) -> Piece:
        text, strength = Text().number(value)
        return f"<mn>{text}</mn>" if value >= 0 else f"{self.minus}<mn>{text.removeprefix('−')}</mn>", strength

    def name(self, name: str) -> str:
        head, _, tail = name.partition("_")
        symbol = f"<mi>{escape(GREEK.get(head, head))}</mi>"
        return f"<msup>{symbol}<mrow><mo>(</mo><mi>{tail}</mi><mo>)</mo></mrow></msup>" if tail else symbol

    def indexed(self, name: str, indices: list[str]) -> str:
        head, _, tail = name.partition("_")
        below = self.row("<mo>,</mo>".join(indices) if any("<mo>" in i for i in indices) else "".join(indices))
        symbol = f"<mi>{escape(GREEK.get(head, head))}</mi>"
        if tail:
            return f"<msubsup>{symbol}{below}<mrow><mo>(</mo><mi>{tail}</mi><mo>)</mo></mrow></msubsup>"
        return f"<msub>{symbol}{below}</msub>"

    def partial(self, of: str, by: str) -> str:
        return f"<mfrac>{self.row(f'<mo>∂</mo>{of}')}{self.row(f'<mo>∂</mo>{by}')}</mfrac>"

    def over(self, name: str, letters: str, inner: str) -> str:
        sign = "<mo>∑</mo>" if name == "sum" else "<mi>max</mi>"
        return f"<munder>{sign}{self.row(f'<mi>{letters}</mi>')}</munder>{inner}"

    def between(self, right: ast.expr) -> str:
        return "<mo>·</mo>" if isinstance(right, ast.Constant) else "<mo>⁢</mo>"

    def fraction(self, above: Piece, below: Piece) -> Piece:
        return f"<mfrac>{self.row(above[0])}{self.row(below[0])}</mfrac>", PRODUCT

    def floor(self, inner: str) -> str:
        return f"<mo>⌊</mo>{inner.replace('/<mn>', '<mo>/</mo><mn>')}<mo>⌋</mo>"

    def power(self, base: Piece, exponent: Piece) -> str:
        return f"<msup>{self.row(self.hold(base, ATOM))}{self.row(exponent[0])}</msup>"

    def root(self, inner: Piece) -> str:
        return f"<msqrt>{inner[0]}</msqrt>"

    def magnitude(self, inner: str) -> str:
        return f"<mo>|</mo>{inner}<mo>|</mo>"

    def either(self, then: str, condition: str, otherwise: str) -> str:
        rows = ((then, f"<mtext>where&#160;</mtext>{condition}"), (otherwise, "<mtext>else</mtext>"))
        cells = "".join(f"<mtr><mtd>{self.row(a)}</mtd><mtd>{self.row(b)}</mtd></mtr>" for a, b in rows)
        return f"<mrow><mo>{{</mo><mtable>{cells}</mtable></mrow>"

    def function(self, name: str) -> str:
        return f"<mi>{GREEK.get(name, name)}</mi>"

    def bracket(self, inner: str) -> str:
        return f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>"

    def sign(self, sign: str) -> str:
        return f"<mo>{escape(sign)}</mo>"


STYLES: dict[str, Callable[[], Text]] = {"text": Text, "latex": Latex, "html": MathML}
