"""The derivation as a piece of HTML for a notebook: foldable, heat maps beside large arrays, no script, no request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np

from chainrule.arrays import Shape
from chainrule.explain.derivation import Chain, Derivation
from chainrule.explain.elements import element_of, element_text
from chainrule.explain.formula import TEXT, Formula
from chainrule.explain.numbers import inline, number, shape_text
from chainrule.explain.paths import Node, Stage
from chainrule.explain.pictures import heat_map
from chainrule.explain.statements import Statement
from chainrule.explain.steps import Argument, Step
from chainrule.explain.text import (
    HEADINGS,
    LEGEND,
    SLOPES,
    check_lines,
    origins_of,
    paths_line,
    stage_line,
    summary,
    symbol_of,
    use_text,
)
from chainrule.explain.turns import folded

STYLE = """
<style>
.cr-d{font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;max-width:70rem;color:#1a1a1a;background:#fff;
padding:.8rem 1rem}
.cr-d h3{font-size:1.05em;margin:1.1em 0 .3em;border-bottom:1px solid #999}
.cr-d summary{cursor:pointer;padding:.15rem 0}
.cr-d summary b{display:inline-block;min-width:14rem}
.cr-d .m{font-family:"STIX Two Math","Cambria Math","DejaVu Serif",Georgia,serif;white-space:pre-wrap}
.cr-d .in{margin:.2rem 0 .8rem 1.4rem;padding-left:.8rem;border-left:3px solid #cfd8e3}
.cr-d .say{color:#555}
.cr-d table{border-collapse:collapse;margin:.3rem 0}
.cr-d td,.cr-d th{padding:.1rem .5rem;text-align:left;vertical-align:top;border:0;background:none}
.cr-d td.r,.cr-d th.r{text-align:right;font-variant-numeric:tabular-nums}
.cr-d .arrays{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem}
.cr-d .bar{display:inline-block;height:.7em;background:#b35806}
.cr-d .neg{background:#2166ac}
.cr-d .sum td{border-top:1px solid #999;font-weight:600}
.cr-d .box{background:#f3f6fa;padding:.4rem .8rem;margin:.5rem 0}
</style>
"""


def mathematics(formula: str) -> str:
    """A formula in HTML: what stands behind _ is set below the line."""
    return re.sub(r"_(\w+(?:[,+]\w+)*)", r"<sub>\1</sub>", escape(formula))


def prose(text: str) -> str:
    """A sentence in HTML: likewise, behind single letters, so that names of functions stay as they are."""
    return re.sub(r"(?<!\w)([^\W\d_])_(\w+)", r"\1<sub>\2</sub>", escape(text))


def as_html(derivation: Derivation) -> str:
    """All of it, within one <div> with a style of its own."""
    return f'<div class="cr-d">{STYLE}{"".join(_parts(derivation))}</div>'


def _parts(derivation: Derivation) -> Iterator[str]:
    first, second = summary(derivation)
    yield f'<p><b>{escape(first)}</b><br>{escape(second)}<br><span class="say">{escape(LEGEND)}</span></p>'
    phase = ""
    for step in derivation.steps:
        if step.phase != phase:
            phase = step.phase
            yield f"<h3>{escape(HEADINGS[phase])}</h3>"
        yield _step(step)
    if derivation.chain is not None:
        yield from _chain(derivation.chain)


def _step(step: Step) -> str:
    gist = _gist(step)
    title = f"<b>{step.number}. {escape(step.place)} {escape(step.kind)}</b> {gist}"
    called = f" <code>{escape(step.operation)}</code>" if step.operation else ""
    inside = [f'<div class="say">{prose(step.about)}{called}</div>']
    origins = origins_of(step)
    if origins:
        inside.append(f'<div class="say">with {escape(", ".join(origins))}</div>')
    shown = [picture for argument in step.arguments if (picture := _array(step, argument))]
    if shown:
        inside.append(f'<div class="arrays">{"".join(shown)}</div>')
    inside.append(_statements(step.statements, step.focus))
    if not step.statements:
        inside += [f'<div class="m">{escape(name)} = {_value(value)}</div>' for name, value in step.results.items()]
    return f'<details><summary>{title}</summary><div class="in">{"".join(inside)}</div></details>'


def _gist(step: Step) -> str:
    """The formulas of its results, for the line that stays when the step is folded."""
    last = {name: s for s in step.statements for name in s.results if name in step.results}
    gists = []
    for statement in {id(s): s for s in last.values()}.values():
        written = Formula(statement, TEXT)
        shape = _shape(next(iter(statement.results.values())))
        formula = mathematics(f"{written.left()} {written.sign()} {written.right()}")
        gists.append(f'<span class="m">{formula}</span>{shape}')
    return ", &ensp;".join(gists)


def _shape(value: Any) -> str:
    return f' <span class="say">({shape_text(value.shape)})</span>' if getattr(value, "ndim", 0) else ""


def _array(step: Step, argument: Argument) -> str:
    picture = heat_map(argument.value)
    if not picture:
        return ""
    name = mathematics(symbol_of(step, argument.name))
    return f'<div><span class="m">{name}</span>{_shape(argument.value)}<br>{picture}</div>'


def _value(value: Any) -> str:
    picture = heat_map(value)
    limits = ""
    if picture and isinstance(value, np.ndarray):
        limits = f' <span class="say">from {number(value.min())} to {number(value.max())}</span>'
    return f"{escape(inline(value))}{_shape(value)}{limits}" + (f"<br>{picture}" if picture else "")


def _statements(statements: tuple[Statement, ...], focus: dict[Shape, tuple[int, ...]]) -> str:
    rows, turn = list[str](), tuple[str, ...]()
    for statement in folded(statements):
        if isinstance(statement, str):
            rows.append(f'<tr><td colspan="2" class="say">{escape(statement)}</td></tr>')
            continue
        if statement.turn and statement.turn != turn:
            rows.append(f'<tr><td colspan="2"><i>{escape(", ".join(statement.turn))}</i></td></tr>')
        turn = statement.turn
        rows.append(_statement(statement, focus))
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _statement(statement: Statement, focus: dict[Shape, tuple[int, ...]]) -> str:
    written = Formula(statement, TEXT)
    left, right, sign = mathematics(written.left()), written.right(), written.sign()
    note = f' <span class="say">&emsp;{prose(statement.note)}</span>' if statement.note else ""
    lines = [f"{sign} {mathematics(right)}{note}"]
    numbers = written.numbers_put_in()
    if statement.inner:
        where = "".join(f'<div class="say">{escape(n)}: {prose(say)}</div>' for n, say in statement.helpers.items())
        steps = _statements(statement.inner, {})
        lines.append(f"<details><summary>its own steps</summary><div class='in'>{where}{steps}</div></details>")
    elif numbers:
        lines.append(f"= {mathematics(numbers)}")
    for name, value in statement.results.items():
        label = "" if len(statement.results) == 1 else f"{mathematics(written.symbol(name)[0])} = "
        lines.append(f"= {label}{_value(value)}")
    element = element_of(statement, focus)
    if element is not None:
        lines.append(f'<span class="say">{escape(element_text(element, TEXT, written.left()))}</span>')
    return f'<tr><td class="m">{left}</td><td class="m">{"<br>".join(lines)}</td></tr>'


def _chain(chain: Chain) -> Iterator[str]:
    walk = chain.walk
    yield f"<h3>Every path from {escape(chain.label)} to J</h3>"
    yield f'<p class="m">θ = {escape(chain.label)} = {number(chain.value)}, ∂J/∂θ = {number(chain.gradient)}</p>'
    if walk.count == 0:
        yield "<p>No path leads from θ to J: some factor is 0 on each. So ∂J/∂θ = 0.</p>"
        return
    yield f"<p>{paths_line(walk.count)} {SLOPES}</p><table>"
    largest = max((abs(path.product) for path in walk.largest), default=0.0)
    for path in walk.largest:
        way = " → ".join(["θ", *map(_node, path.nodes), f"J <span class='say'>({number(path.last_slope)})</span>"])
        yield f'<tr><td class="r">{number(path.product)}</td><td>{_bar(path.product, largest)}</td><td>{way}</td></tr>'
    if walk.rest.count:
        together = f"{walk.rest.count:,} smaller path{'s together' if walk.rest.count > 1 else ''}"
        yield f'<tr><td class="r">{number(walk.rest.total)}</td><td></td><td>{together}</td></tr>'
    yield f'<tr class="sum"><td class="r">{number(walk.sum)}</td><td></td><td>sum over all paths</td></tr></table>'
    yield "<p>At every layer on the way, the products over its outputs add up to the same number:</p>"
    for stage in walk.stages:
        yield _stage(stage)
    if chain.uses is not None:
        yield _uses(chain)
    yield f'<div class="box m">{"<br>".join(map(escape, check_lines(chain)))}</div>'


def _node(node: Node) -> str:
    place = escape(f"{node.place}[{', '.join(map(str, node.index))}]")
    return f'{place} <span class="say">({number(node.slope)})</span>'


def _bar(value: float, largest: float) -> str:
    width = round(90 * abs(value) / largest) if largest else 0
    return f'<span class="bar{" neg" if value < 0 else ""}" style="width:{width}px"></span>'


def _stage(stage: Stage) -> str:
    largest = max((abs(term.product) for term in stage.terms), default=0.0)
    names = "".join(f'<th class="r">{name}</th>' for name in ("y", "∂J/∂y", "dy/dθ", "product"))
    rows = "".join(
        f"<tr><td>y[{', '.join(map(str, t.index))}]</td><td class='r'>{number(t.value)}</td><td class='r'>"
        f"{number(t.outer)}</td><td class='r'>{number(t.inner)}</td><td class='r'>{number(t.product)}</td>"
        f"<td>{_bar(t.product, largest)}</td></tr>"
        for t in stage.terms
    )
    table = f"<table><tr><th></th>{names}</tr>{rows}{_rest(stage)}</table>"
    return f"<details><summary>{escape(stage_line(stage))}</summary>{table}</details>"


def _rest(folding: Any) -> str:
    """The last rows of a table: what was folded, and the sum."""
    count = folding.rest.count
    folded_row = (
        f'<tr><td colspan="4">{count:,} smaller</td><td class="r">{number(folding.rest.total)}</td></tr>'
        if count
        else ""
    )
    return f'{folded_row}<tr class="sum"><td colspan="4">sum</td><td class="r">{number(folding.sum)}</td></tr>'


def _uses(chain: Chain) -> str:
    uses = chain.uses
    assert uses is not None
    rows = "".join(
        f"<tr><td>{escape(use_text(uses, use))}</td><td colspan='3' class='r'>{' · '.join(map(number, use.factors))}"
        f"</td><td class='r'>{number(use.product)}</td></tr>"
        for use in uses.terms
    )
    title = (
        f"θ is used {len(uses.terms) + uses.rest.count:,} times; <code>{escape(uses.source)}</code> adds the uses up"
    )
    return f"<details open><summary>{title}</summary><table>{rows}{_rest(uses)}</table></details>"
