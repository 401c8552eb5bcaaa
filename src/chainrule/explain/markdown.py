"""The derivation in Markdown: formulas between dollar signs, sums as tables. For a page, an answer, a notebook cell."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.arrays import Shape
from chainrule.explain.derivation import Chain, Derivation
from chainrule.explain.formula import LATEX, Formula
from chainrule.explain.latex import formulas
from chainrule.explain.numbers import number
from chainrule.explain.paths import Stage
from chainrule.explain.statements import Statement
from chainrule.explain.steps import Step
from chainrule.explain.text import (
    HEADINGS,
    LEGEND,
    SLOPES,
    check_lines,
    origins_of,
    paths_line,
    stage_line,
    summary,
    use_text,
)
from chainrule.explain.turns import folded


def as_markdown(derivation: Derivation) -> str:
    """All of it."""
    return "\n".join(_lines(derivation)) + "\n"


def _lines(derivation: Derivation) -> Iterator[str]:
    first, second = summary(derivation)
    yield from (f"**{prose(first)}**", "", prose(second), "", prose(LEGEND))
    phase = ""
    for step in derivation.steps:
        if step.phase != phase:
            phase = step.phase
            yield from ("", f"## {HEADINGS[phase]}")
        yield from _step(step)
    if derivation.chain is not None:
        yield from _chain(derivation.chain)


def prose(text: str) -> str:
    """A sentence in which no sign of Markdown does anything."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|$#" else c for c in text)


def _step(step: Step) -> Iterator[str]:
    yield from ("", f"### {step.number}. {prose(f'{step.place} {step.kind}: {step.operation}')}", "", prose(step.about))
    origins = origins_of(step)
    if origins:
        yield from ("", prose(f"With {', '.join(origins)}."))
    yield from _statements(step.statements, step.focus)


def _statements(statements: tuple[Statement, ...], focus: dict[Shape, tuple[int, ...]]) -> Iterator[str]:
    turn: tuple[str, ...] = ()
    for statement in folded(statements):
        if isinstance(statement, str):
            yield from ("", prose(statement))
            continue
        if statement.turn and statement.turn != turn:
            yield from ("", f"{prose(', '.join(statement.turn))}:")
        turn = statement.turn
        if statement.note:
            yield from ("", f"{prose(statement.note)}:")
        left = Formula(statement, LATEX).left()
        rows = [f"& {row} \\\\" for row in formulas(statement, focus)]
        rows[-1] = rows[-1].removesuffix(" \\\\")
        yield from ("", "$$", r"\begin{aligned}", f"{left} {rows[0]}", *rows[1:], r"\end{aligned}", "$$")
        if statement.inner:
            yield from (f"\nWhere {prose(f'{name}: {about}')}" for name, about in statement.helpers.items())
            yield from _statements(statement.inner, {})


def _chain(chain: Chain) -> Iterator[str]:
    walk = chain.walk
    yield from (
        "",
        f"## {prose(f'Every path from {chain.label} to J')}",
        "",
        f"θ = {prose(chain.label)} = {number(chain.value)}",
    )
    if walk.largest:
        yield from ("", f"{paths_line(walk.count)} {SLOPES}", "", "| product | path |", "|---:|---|")
        for path in walk.largest:
            way = [f"{prose(n.place)}\\[{', '.join(map(str, n.index))}\\] ({number(n.slope)})" for n in path.nodes]
            yield f"| {number(path.product)} | θ → {' → '.join(way)} → J ({number(path.last_slope)}) |"
        if walk.rest.count:
            yield f"| {number(walk.rest.total)} | {walk.rest.count:,} smaller |"
        yield f"| **{number(walk.sum)}** | sum over all paths |"
    before: Stage | None = None
    for stage in walk.stages if walk.count else ():
        same, before = before is not None and stage.has_terms_of(before), stage
        if same:
            yield from ("", prose(f"{stage_line(stage)}: the same terms"))
            continue
        yield from ("", prose(stage_line(stage)), "", "| y | ∂J/∂y | dy/dθ | product |", "|---|---:|---:|---:|")
        for t in stage.terms:
            place = ", ".join(map(str, t.index))
            numbers = " | ".join(map(number, (t.outer, t.inner, t.product)))
            yield f"| y\\[{place}\\] = {number(t.value)} | {numbers} |"
        if stage.rest.count:
            yield f"| {stage.rest.count:,} smaller | | | {number(stage.rest.total)} |"
        yield f"| **sum** | | | **{number(stage.sum)}** |"
    if chain.uses is not None:
        uses = chain.uses
        count = len(uses.terms) + uses.rest.count
        yield from (
            "",
            f"θ is used {count:,} times; `{uses.source}` adds the uses up:",
            "",
            "| use | factors | product |",
        )
        yield "|---|---:|---:|"
        for use in uses.terms:
            yield f"| {use_text(uses, use)} | {' · '.join(map(number, use.factors))} | {number(use.product)} |"
        if uses.rest.count:
            yield f"| {uses.rest.count:,} smaller | | {number(uses.rest.total)} |"
    yield ""
    yield from (f"* {prose(line)}" for line in check_lines(chain))
