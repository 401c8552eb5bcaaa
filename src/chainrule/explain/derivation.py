"""What `network.explain` returns: the derivation, and its views."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from chainrule.arrays import Shape
from chainrule.explain.elements import element_of
from chainrule.explain.finite_difference import FiniteDifference
from chainrule.explain.formula import LATEX, TEXT, Formula
from chainrule.explain.numbers import as_dict, inline
from chainrule.explain.paths import Walk
from chainrule.explain.statements import Statement
from chainrule.explain.steps import Step
from chainrule.explain.uses import Uses

FORMAT = 1  # of the dictionary
KINK = 1e-3  # relatively: smooth gradients and finite differences are closer by far, and so are slopes left and right


@dataclass(frozen=True)
class Chain:
    """The full chain from J to one number θ."""

    name: str  # "layers.0.W", or "x"
    index: tuple[int, ...]
    value: float
    gradient: float  # ∂J/∂θ, as the kernels worked it out
    walk: Walk
    uses: Uses | None
    difference: FiniteDifference | None  # None for whole numbers, which nothing can move a little

    @property
    def label(self) -> str:
        """layers.0.W[3, 7]."""
        return f"{self.name}[{', '.join(map(str, self.index))}]"

    @property
    def relative_difference(self) -> float:
        """How far the finite difference is from the gradient, of the larger of the two; 0 where both are 0."""
        if self.difference is None:
            return 0.0
        largest = max(abs(self.difference.value), abs(self.gradient))
        return abs(self.difference.value - self.gradient) / largest if largest else 0.0

    @property
    def has_kink(self) -> bool:
        """Whether J bends sharply at θ itself (a ReLU at 0, equals in a window), so that it has no derivative there."""
        if self.difference is None or self.relative_difference < KINK:
            return False
        left, right = self.difference.slopes
        return abs(right - left) > KINK * max(abs(left), abs(right))


@dataclass(frozen=True)
class Derivation:
    """One forward and backward pass with its numbers, and the full chain to one of them where it was asked for.

    `print` it, show it in a notebook, or take `to_markdown`, `to_latex`, `to_html`, `to_dict`, `to_json`.
    """

    network: str  # in words
    dtype: str
    samples: int
    loss: float  # J
    prediction: Any
    target: Any
    training: bool
    steps: tuple[Step, ...]
    chain: Chain | None

    def __str__(self) -> str:
        from chainrule.explain.text import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """A piece of HTML: foldable, with heat maps beside large arrays; no script."""
        from chainrule.explain.html import as_html

        return as_html(self)

    def to_markdown(self) -> str:
        """Markdown, its formulas between dollar signs."""
        from chainrule.explain.markdown import as_markdown

        return as_markdown(self)

    def to_latex(self, *, document: bool = True) -> str:
        """LaTeX, needing amsmath; without `document`, only what stands between begin and end of one."""
        from chainrule.explain.latex import as_latex

        return as_latex(self, document=document)

    def to_json(self) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    def to_dict(self) -> dict[str, Any]:
        """All of it in what JSON knows; docs/explain.md says what stands under which key."""
        return {
            "format": FORMAT,
            "network": self.network,
            "dtype": self.dtype,
            "samples": self.samples,
            "training": self.training,
            "loss": self.loss,
            "prediction": as_dict(self.prediction),
            "target": as_dict(self.target),
            "steps": [_step(step) for step in self.steps],
            "paths": None if self.chain is None else _chain(self.chain),
        }


def _step(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "phase": step.phase,
        "place": step.place,
        "kind": step.kind,
        "operation": step.operation,
        "about": step.about,
        "arguments": [{"name": a.name, "origin": a.origin, "value": as_dict(a.value)} for a in step.arguments],
        "statements": [_statement(statement, step.focus) for statement in step.statements],
        "results": {name: as_dict(value) for name, value in step.results.items()},
        "difference": step.difference,
    }


def _statement(statement: Statement, focus: dict[Shape, tuple[int, ...]]) -> dict[str, Any]:
    text, latex = Formula(statement, TEXT), Formula(statement, LATEX)
    element = element_of(statement, focus)
    return {
        "source": statement.text,
        "left": text.left(),
        "formula": text.right(),
        "numbers": Formula(statement, TEXT, numbers=True).right(),
        "latex_left": latex.left(),
        "latex": latex.right(),
        "latex_numbers": Formula(statement, LATEX, numbers=True).right(),
        "result": ", ".join(inline(value) for value in statement.results.values()),
        "results": {name: as_dict(value, with_tiles=False) for name, value in statement.results.items()},
        "element": None
        if element is None
        else {
            "name": element.name,
            "index": list(element.index),
            "value": element.value,
            "text": element.write(TEXT),
            "latex": element.write(LATEX),
        },
        "note": statement.note,
        "turn": list(statement.turn),
        "helpers": statement.helpers,
        "inner": [_statement(inner, {}) for inner in statement.inner],
    }


def _lists(value: Any) -> Any:
    """The same with lists in the place of tuples, as JSON has them."""
    if isinstance(value, dict):
        return {key: _lists(part) for key, part in value.items()}
    return [_lists(part) for part in value] if isinstance(value, list | tuple) else value


def _chain(chain: Chain) -> dict[str, Any]:
    walk, uses = _lists(asdict(chain.walk)), chain.uses
    return {
        "of": {"name": chain.name, "index": list(chain.index), "label": chain.label, "value": chain.value},
        "gradient": chain.gradient,
        "sum": walk["sum"],
        "count": walk["count"],
        "largest": walk["largest"],
        "rest": walk["rest"],
        "stages": walk["stages"],
        "uses": None if uses is None else _lists(asdict(uses)),
        "finite_difference": None
        if chain.difference is None
        else {
            **asdict(chain.difference),
            "slopes": list(chain.difference.slopes),
            "has_kink": chain.has_kink,
            "relative_difference": chain.relative_difference,
        },
    }
