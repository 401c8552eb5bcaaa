"""The derivation in LaTeX: what a teacher puts into a hand-out. Needs amsmath and geometry, and any LaTeX engine."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.arrays import Shape
from chainrule.explain.derivation import Chain, Derivation
from chainrule.explain.elements import element_of
from chainrule.explain.formula import LATEX, Formula, latex_shape, latex_word
from chainrule.explain.numbers import number
from chainrule.explain.paths import Path, Stage
from chainrule.explain.statements import Statement
from chainrule.explain.steps import Step
from chainrule.explain.text import HEADINGS, LEGEND, SLOPES, check_lines, origins_of, paths_line, stage_line, summary
from chainrule.explain.turns import folded

HEAD = r"""\documentclass[10pt]{article}
\usepackage[a4paper,landscape,margin=15mm]{geometry}
\usepackage[T1]{fontenc}
\usepackage{amsmath}
\setlength{\parindent}{0pt}
\allowdisplaybreaks
\begin{document}
"""
SIGNS = {
    "±": r"\pm", "·": r"\cdot", "×": r"\times", "½": r"\tfrac12", "¼": r"\tfrac14", "Π": r"\Pi", "Σ": r"\Sigma",
    "Φ": r"\Phi",
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "η": r"\eta", "θ": r"\theta",
    "λ": r"\lambda", "μ": r"\mu", "π": r"\pi", "σ": r"\sigma", "φ": r"\varphi", "ψ": r"\psi", "‖": r"\Vert",
    "…": r"\dots", "←": r"\leftarrow", "→": r"\rightarrow", "∂": r"\partial", "−": "-", "√": r"\surd", "≠": r"\neq",
    "≤": r"\leq", "≥": r"\geq", "⊙": r"\odot", "⌊": r"\lfloor", "⌋": r"\rfloor", "ᵀ": r"^{\top}", "ᵏ": "^{k}",
    "ˣ": "^{x}", "⁻": "^{-}", "₁": "_{1}",
}  # fmt: skip
SIGNS |= {sign: f"^{{{k}}}" for k, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
ESCAPES = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}",
           **{c: f"\\{c}" for c in "_%&#${}"}, "<": r"\textless{}", ">": r"\textgreater{}", "`": "'"}  # fmt: skip


def as_latex(derivation: Derivation, *, document: bool) -> str:
    """All of it; with `document`, a file that compiles as it is."""
    body = "\n".join(_lines(derivation))
    return f"{HEAD}{body}\n\\end{{document}}\n" if document else body


def prose(text: str) -> str:
    """A sentence with signs in it, as text that LaTeX understands."""
    return "".join(
        rf"\ensuremath{{{SIGNS[c]}}}" if c in SIGNS else ESCAPES.get(c, c) for c in text
    )  # fmt: skip


def _lines(derivation: Derivation) -> Iterator[str]:
    yield from (prose(line) + "\n" for line in (*summary(derivation), LEGEND))
    phase = ""
    for step in derivation.steps:
        if step.phase != phase:
            phase = step.phase
            yield rf"\section*{{{HEADINGS[phase]}}}"
        yield from _step(step)
    if derivation.chain is not None:
        yield from _chain(derivation.chain)


def _step(step: Step) -> Iterator[str]:
    yield rf"\subsection*{{{step.number}. {prose(f'{step.place} {step.kind}: {step.operation}')}}}"
    yield prose(step.about) + "\n"
    origins = origins_of(step)
    if origins:
        yield prose(f"With {', '.join(origins)}.") + "\n"
    yield from _statements(step.statements, step.focus)


def _statements(statements: tuple[Statement, ...], focus: dict[Shape, tuple[int, ...]]) -> Iterator[str]:
    turn: tuple[str, ...] = ()
    for statement in folded(statements):
        if isinstance(statement, str):
            yield prose(statement) + "\n"
            continue
        if statement.turn and statement.turn != turn:
            yield prose(", ".join(statement.turn)) + ":\n"
        turn = statement.turn
        if statement.note:
            yield prose(statement.note) + ":\n"
        yield equations(statement, focus)
        if statement.inner:
            yield from (prose(f"Where {name}: {about}") + "\n" for name, about in statement.helpers.items())
            yield from _statements(statement.inner, {})


def equations(statement: Statement, focus: dict[Shape, tuple[int, ...]]) -> str:
    """The formula, the numbers in it, the result with its shape, and one element: as displayed equations."""
    rows = [f"& {row} \\\\" for row in formulas(statement, focus)]
    left = Formula(statement, LATEX).left()
    return "\\begin{align*}\n" + "\n".join([f"{left} {rows[0]}", *rows[1:]]).removesuffix(r" \\") + "\n\\end{align*}"


def formulas(statement: Statement, focus: dict[Shape, tuple[int, ...]]) -> list[str]:
    """The rows of `equations`, each beginning with its sign of relation."""
    written = Formula(statement, LATEX)
    rows, numbers = [f"{written.sign()} {written.right()}"], written.numbers_put_in()
    if numbers:
        rows.append(f"= {numbers}")
    for name, value in statement.results.items():
        label = "" if len(statement.results) == 1 else f"{written.symbol(name)[0]} = "
        shape = rf"\quad ({latex_shape(value.shape)})" if getattr(value, "ndim", 0) else ""
        rows.append(f"= {label}{LATEX.value(value)[0]}{shape}")
    element = element_of(statement, focus)
    if element is not None:
        place = ", ".join(map(str, element.index))
        value = LATEX.value(element.value)[0]
        rows.append(rf"\qquad {{{written.left()}}}_{{[{place}]}} = {element.write(LATEX)} = {value}")
    return rows


def _chain(chain: Chain) -> Iterator[str]:
    walk = chain.walk
    yield rf"\section*{{{prose(f'Every path from {chain.label} to J')}}}"
    yield prose(f"θ = {chain.label} = {number(chain.value)}") + "\n"
    before: Stage | None = None
    for stage in walk.stages if walk.count else ():
        same, before = before is not None and stage.has_terms_of(before), stage
        yield prose(stage_line(stage) + (": the same terms" if same else "")) + "\n"
        if same:
            continue
        terms = [rf"{_value(t.outer)} \cdot {_value(t.inner)}" for t in stage.terms]
        if stage.rest.count:
            terms.append(rf"\left({_value(stage.rest.total)}\right)_{{\mathrm{{{stage.rest.count}\ more}}}}")
        yield rf"\[ {' + '.join(terms)} = {_value(stage.sum)} \]"
    if walk.largest:
        yield prose(f"{paths_line(walk.count)} {SLOPES.replace('In brackets', 'Above the arrows')}") + "\n"
        rows = [rf"& {path_formula(path)} \\" for path in walk.largest]
        yield "\\begin{align*}\n" + "\n".join(rows).removesuffix(r" \\") + "\n\\end{align*}"
    yield from (prose(line) + "\n" for line in check_lines(chain))


def path_formula(path: Path) -> str:
    """One path, its derivatives under its arrows, and their product."""
    way = r"\theta"
    for node in path.nodes:
        place = latex_word(f"{node.place}[{', '.join(map(str, node.index))}]")
        way += rf" \xrightarrow{{{_value(node.slope)}}} \mathrm{{{place}}}"
    return rf"{way} \xrightarrow{{{_value(path.last_slope)}}} J: \quad {_value(path.product)}"


def _value(value: float) -> str:
    held = LATEX.value(value)
    return LATEX.bracket(held[0]) if held[0].startswith("-") else held[0]
