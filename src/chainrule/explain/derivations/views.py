"""A page as plain text, Markdown, LaTeX and HTML."""

from __future__ import annotations

from html import escape
from textwrap import fill, indent

from chainrule.explain.derivations.page import Formula, Page, Section
from chainrule.explain.latex import prose

WIDTH = 100
STYLE = (
    "article{max-width:60rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif}"
    "math{overflow-x:auto;margin:.6rem 0}pre{overflow-x:auto;background:color-mix(in srgb,currentColor 6%,transparent);"
    "padding:.5rem .8rem;border-radius:.3rem;font-size:.85rem}dt{font-weight:600;float:left;clear:left;min-width:6rem}"
    "dd{margin-left:6.5rem}:root{color-scheme:light dark}"
)
HEAD = r"""\documentclass[11pt]{article}
\usepackage[a4paper,margin=22mm]{geometry}
\usepackage[T1]{fontenc}
\usepackage{amsmath}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\allowdisplaybreaks
\begin{document}
"""


def as_text(page: Page) -> str:
    """Lines for a terminal."""
    parts = [f"{page.title}\n{'=' * len(page.title)}", fill(page.words, WIDTH)]
    if page.symbols:
        width = max(len(symbol) for symbol, _ in page.symbols)
        parts.append("\n".join(f"  {symbol:{width}}  {meaning}" for symbol, meaning in page.symbols))
    for section in page.sections:
        parts.append(f"{section.heading}\n{'-' * len(section.heading)}")
        parts += [fill(section.words, WIDTH)] if section.words else []
        parts += [_formula_as_text(formula) for formula in section.formulas]
        parts += [indent(section.source, "    ")] if section.source else []
    return "\n\n".join(parts) + "\n"


def _formula_as_text(formula: Formula) -> str:
    lines = [fill(formula.words, WIDTH)] if formula.words else []
    lines += _sides(formula.text) if formula.text else []
    numbers = (fill(line, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 10) for line in formula.numbers)
    return "\n".join([*lines, *numbers])


def _sides(text: str) -> list[str]:
    """The sides of a formula in one line, or in a line each where that is too long."""
    left, *rights = text.split(" = ")
    if len(text) <= WIDTH - 4:
        return [f"    {text}"]
    return [f"    {left} = {rights[0]}", *(f"    {' ' * len(left)} = {right}" for right in rights[1:])]


def as_markdown(page: Page) -> str:
    """Markdown, formulas between dollar signs, as GitHub and Jupyter show them."""
    parts = [f"# {page.title}", page.words]
    parts += ["\n".join(f"* {symbol}: {meaning}" for symbol, meaning in page.symbols)] if page.symbols else []
    for section in page.sections:
        parts += [f"## {section.heading}", *([section.words] if section.words else [])]
        for formula in section.formulas:
            parts += [formula.words] if formula.words else []
            parts += [f"$$\n{formula.latex}\n$$"] if formula.latex else []
            parts += ["\n".join(f"    {line}" for line in formula.numbers)] if formula.numbers else []
        parts += [f"```python\n{section.source}\n```"] if section.source else []
    return "\n\n".join(parts) + "\n"


def as_html(page: Page) -> str:
    """A piece of HTML; formulas are MathML, numbers and source stand in <pre>."""
    symbols = "".join(f"<dt>{escape(symbol)}</dt><dd>{escape(meaning)}</dd>" for symbol, meaning in page.symbols)
    sections = "".join(_section_as_html(section) for section in page.sections)
    listed = f"<dl>{symbols}</dl>" if symbols else ""
    head = f"<style>{STYLE}</style><h1>{escape(page.title)}</h1><p>{escape(page.words)}</p>"
    return f"<article>{head}{listed}{sections}</article>\n"


def _section_as_html(section: Section) -> str:
    parts = [f"<h2>{escape(section.heading)}</h2>"]
    parts += [f"<p>{escape(section.words)}</p>"] if section.words else []
    for formula in section.formulas:
        parts += [f"<p>{escape(formula.words)}</p>"] if formula.words else []
        parts += [formula.html or f"<pre>{escape(formula.text)}</pre>"] if formula.text else []
        numbers = escape("\n".join(formula.numbers))
        parts += [f"<pre>{numbers}</pre>"] if numbers else []
    parts += [f"<pre><code>{escape(section.source)}</code></pre>"] if section.source else []
    return f"<section>{''.join(parts)}</section>"


def as_latex(page: Page) -> str:
    """A document of its own; needs amsmath and geometry."""
    parts = [HEAD + rf"\section*{{{prose(page.title)}}}", prose(page.words)]
    if page.symbols:
        items = "\n".join(rf"\item[{prose(symbol)}] {prose(meaning)}" for symbol, meaning in page.symbols)
        parts.append("\\begin{description}\n" + items + "\n\\end{description}")
    for section in page.sections:
        parts += [rf"\subsection*{{{prose(section.heading)}}}", *([prose(section.words)] if section.words else [])]
        for formula in section.formulas:
            parts += [prose(formula.words)] if formula.words else []
            parts += [rf"\[ {formula.latex} \]"] if formula.latex else []
            parts += [prose(line) for line in formula.numbers]
        parts += [_typed(line) for line in section.source.splitlines()]
    return "\n\n".join([*parts, r"\end{document}"]) + "\n"


def _typed(line: str) -> str:
    """A line of source, its spaces kept."""
    return rf"{{\footnotesize\texttt{{{prose(line).replace(' ', '~') or '~'}}}}}"
