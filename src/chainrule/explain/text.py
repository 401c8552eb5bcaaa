"""The derivation as plain text, for a terminal of a hundred columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from chainrule.arrays import Shape
from chainrule.explain.derivation import Chain, Derivation
from chainrule.explain.elements import element_of, element_text
from chainrule.explain.formula import TEXT, Formula
from chainrule.explain.numbers import MINUS, inline, number, shape_text
from chainrule.explain.paths import Node, Stage
from chainrule.explain.statements import Statement
from chainrule.explain.steps import Step
from chainrule.explain.turns import folded
from chainrule.explain.uses import Use, Uses

HEADINGS = {"forward": "Forward", "loss": "The loss", "backward": "Backward", "update": "Update"}
WIDTH = 120
LEGEND = (
    "x W is a product of matrices, x ⊙ y of element by element; Σ_n sums over the axis n; [1 2; 3 4] has two rows, and "
    "of a large array the corners are shown. J is the mean of the losses L of the samples."
)
SLOPES = "In brackets: the derivative of each number by the one before it; a path is worth their product."
DEEP = 4  # columns that one level is indented


def as_text(derivation: Derivation) -> str:
    """All of it, one line after the other."""
    return "\n".join(part for line in _lines(derivation) for part in _wrapped(line))


def _wrapped(line: str) -> list[str]:
    """A line that is too long goes on below, a little further in."""
    deep = len(line) - len(line.lstrip()) + DEEP
    return (
        textwrap.wrap(line, WIDTH, subsequent_indent=" " * deep, break_long_words=False)
        if len(line) > WIDTH
        else [line]
    )


def summary(derivation: Derivation) -> list[str]:
    """What the derivation is about, in a few lines."""
    samples = f"{derivation.samples} sample{'s' if derivation.samples > 1 else ''}"
    return [
        derivation.network,
        f"{samples}, as in {'training' if derivation.training else 'prediction'}: target {inline(derivation.target)}, "
        f"prediction {inline(derivation.prediction)}, mean loss J = {number(derivation.loss)}",
    ]


def _lines(derivation: Derivation) -> Iterator[str]:
    yield from (*summary(derivation), LEGEND)
    phase = ""
    for step in derivation.steps:
        if step.phase != phase:
            phase = step.phase
            yield from ("", HEADINGS[phase], "═" * len(HEADINGS[phase]))
        yield from _step(step)
    if derivation.chain is not None:
        yield from _chain(derivation.chain)


def _step(step: Step) -> Iterator[str]:
    operation = f": {step.operation}" if step.operation else ""
    yield f"{step.number:>3}  {step.place} {step.kind}{operation}"
    yield f"     {step.about}"
    origins = origins_of(step)
    if origins:
        yield f"     with {', '.join(origins)}"
    yield from _statements(step.statements, step.focus, 5)
    if not step.statements:
        yield from (f"     {name} = {inline(value)}" for name, value in step.results.items())


def symbol_of(step: Step, name: str) -> str:
    """An argument of a step as its formulas write it: ∂J/∂y for dy."""
    return Formula(step.statements[0], TEXT).symbol(name)[0] if step.statements else name


def origins_of(step: Step) -> list[str]:
    """Where the arguments of a step come from, "x = y of layers.0"."""
    named = [(symbol_of(step, argument.name), argument.origin) for argument in step.arguments]
    return [f"{symbol} = {origin}" for symbol, origin in named if origin not in ("", symbol)]


def _statements(statements: tuple[Statement, ...], focus: dict[Shape, tuple[int, ...]], deep: int) -> Iterator[str]:
    turn: tuple[str, ...] = ()
    for statement in folded(statements):
        if isinstance(statement, str):
            yield f"{' ' * deep}{statement}"
            continue
        if statement.turn != turn:
            turn = statement.turn
            if turn:
                yield f"{' ' * deep}{', '.join(turn)}:"
        yield from _statement(statement, focus, deep + (2 if turn else 0))


def _statement(statement: Statement, focus: dict[Shape, tuple[int, ...]], deep: int) -> Iterator[str]:
    written = Formula(statement, TEXT)
    left, sign = written.left(), written.sign()
    space, behind = " " * deep, " " * (deep + len(left) + 1)
    note = f"        {statement.note}" if statement.note else ""
    yield f"{space}{left} {sign} {written.right()}{note}"
    if statement.inner:
        yield from (f"{space}  where {name}: {about}" for name, about in statement.helpers.items())
        yield from _statements(statement.inner, {}, deep + DEEP)
    numbers = written.numbers_put_in()
    if numbers:
        yield f"{behind}= {numbers}"
    if statement.inner and "" in statement.inner[-1].results:
        return  # its last line was the result
    for name, value in statement.results.items():
        label = "" if len(statement.results) == 1 else f"{written.symbol(name)[0]} = "
        shape = f"    ({shape_text(value.shape)})" if getattr(value, "ndim", 0) else ""
        yield f"{behind}= {label}{inline(value)}{shape}"
    element = element_of(statement, focus)
    if element is not None:
        yield f"{behind}  {element_text(element, TEXT, left)}"


def _chain(chain: Chain) -> Iterator[str]:
    walk = chain.walk
    title = f"Every path from {chain.label} to J"
    yield from ("", title, "═" * len(title))
    yield f"θ = {chain.label} = {number(chain.value)}"
    if walk.count == 0:
        yield "No path leads from θ to J: some factor is 0 on each. So ∂J/∂θ = 0."
    before: Stage | None = None
    for stage in walk.stages if walk.count else ():
        same, before = before is not None and stage.has_terms_of(before), stage
        yield from ([] if same else [""])
        yield stage_line(stage) + (": the same terms" if same else "")
        if same:
            continue
        for term in stage.terms:
            place = f"y[{', '.join(map(str, term.index))}] = {number(term.value)}"
            yield f"    {place:<28} {_two(term.outer)} · {_two(term.inner)} = {number(term.product):>11}"
        yield from _rest(stage.rest.count, stage.rest.total, "term")
        yield f"    {'sum':<57}{number(stage.sum):>11}"
    if walk.largest:
        yield from ("", f"{paths_line(walk.count)} {SLOPES}")
        for path in walk.largest:
            way = " ".join(["θ", *map(_node, path.nodes), f"→ J ({number(path.last_slope)})"])
            yield f"    {number(path.product):>11}  {way}"
        if walk.rest.count:
            together = "s together" if walk.rest.count > 1 else ""
            yield f"    {number(walk.rest.total):>11}  {walk.rest.count:,} smaller path{together}"
        yield f"    {number(walk.sum):>11}  sum over all paths"
    yield from _uses(chain)
    yield from ("", *check_lines(chain))


def paths_line(count: float) -> str:
    """How many paths there are."""
    return (
        "One path leads from θ to J." if count == 1 else f"{count:,.0f} paths lead from θ to J; these are the largest."
    )


def stage_line(stage: Stage) -> str:
    """What the sum over one layer is a sum of."""
    return (
        f"Over what comes out of {stage.place} {stage.kind}, ∂J/∂θ = Σ ∂J/∂y · dy/dθ   "
        f"(J depends on {stage.alive:,} of {stage.outputs:,} outputs, θ reaches {stage.reached:,} of these)"
    )


def _two(value: float) -> str:
    return f"{number(value):>11}"


def _rest(count: int, total: float, what: str) -> Iterator[str]:
    if count:
        text = f"{count:,} smaller {what}s together" if count > 1 else f"1 smaller {what}"
        yield f"    {text:<57}{number(total):>11}"


def _node(node: Node) -> str:
    place = f"[{', '.join(map(str, node.index))}]"
    return f"→ {node.place}{place} ({number(node.slope)})"


def _uses(chain: Chain) -> Iterator[str]:
    uses = chain.uses
    if uses is None:
        return
    yield from ("", f"θ is used {len(uses.terms) + uses.rest.count} times; `{uses.source}` adds the uses up:")
    for use in uses.terms:
        yield f"    {use_text(uses, use):<28} {' · '.join(map(_two, use.factors)):<26} = {number(use.product):>11}"
    yield from _rest(uses.rest.count, uses.rest.total, "use")
    yield f"    {'sum':<57}{number(uses.sum):>11}"


def use_text(uses: Uses, use: Use) -> str:
    """Which use it is: n = 0, t = 3."""
    return ", ".join(f"{letter} = {i}" for letter, i in zip(uses.letters, use.at, strict=True))


def check_lines(chain: Chain) -> list[str]:
    """The gradient in three ways: by the kernels, as a sum over all paths, by a finite difference."""
    difference = chain.difference
    lines = [
        f"∂J/∂θ by the compiled kernels:  {chain.gradient:.9g}",
        f"∂J/∂θ as a sum over all paths:  {chain.walk.sum:.9g}",
    ]
    if difference is None:
        return [line.replace("-", MINUS) for line in lines]
    lines.append(
        f"∂J/∂θ by a finite difference:   {difference.value:.9g} = [J(θ + h) − J(θ − h)] / 2h = "
        f"({difference.above:.9g} − {difference.below:.9g}) / {2 * difference.step:.4g}"
    )
    if chain.has_kink:
        left, right = difference.slopes
        lines.append(
            f"J has a kink at this very θ: its slope is {left:.4g} to the left and {right:.4g} to the right. The "
            "backward formulas choose one side of each ReLU or window; the finite difference takes the mean."
        )
    return [line.replace("-", MINUS) for line in lines]
