"""The page of an operation: what it is, how each gradient follows, and the same with a few numbers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Formula:
    """One formula in each way of writing, and below it what it comes to in the example, where it does."""

    words: str
    text: str
    latex: str
    html: str
    numbers: tuple[str, ...] = ()  # lines of plain text


@dataclass(frozen=True)
class Section:
    """A heading, some words, formulas, and lines of source."""

    heading: str
    words: str = ""
    formulas: tuple[Formula, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Page:
    """The derivation of an operation. `print` it, show it in a notebook, or take one of the `to_…` methods."""

    title: str
    operation: str
    words: str
    symbols: tuple[tuple[str, str], ...] = ()  # the symbol, and what it stands for
    sections: tuple[Section, ...] = field(default=())

    def __str__(self) -> str:
        from chainrule.explain.derivations.views import as_text

        return as_text(self)

    def to_markdown(self) -> str:
        """Markdown, its formulas between dollar signs."""
        from chainrule.explain.derivations.views import as_markdown

        return as_markdown(self)

    def to_latex(self) -> str:
        """A LaTeX document of its own."""
        from chainrule.explain.derivations.views import as_latex

        return as_latex(self)

    def to_html(self) -> str:
        """A piece of HTML with MathML; no script."""
        from chainrule.explain.derivations.views import as_html

        return as_html(self)

    def _repr_html_(self) -> str:
        return self.to_html()
