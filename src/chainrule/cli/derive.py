"""`chainrule derive`: the symbolic page of an operation."""

from pathlib import Path
from typing import Annotated

import typer

from chainrule.errors import SettingError
from chainrule.files import write_atomically

FORMATS = ("text", "markdown", "latex", "html")
HTML = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
</head>
<body>
{page}</body>
</html>
"""


def derive(
    operation: Annotated[
        str, typer.Argument(help="softmax, sigmoid, linear, convolution, lstm, …, or a layer: Conv2D.")
    ] = "",
    form: Annotated[str, typer.Option("--format", metavar="NAME", help="text, markdown, latex or html.")] = "text",
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it is written; on the screen if not given.")
    ] = None,
) -> None:
    """Show how the gradients of an operation follow, with a worked example; without a name, list what there is."""
    from html import escape

    from chainrule.explain import derivable
    from chainrule.explain import derive as page_of

    if form not in FORMATS:
        raise SettingError(f"--format: expected one of {', '.join(FORMATS)}, got {form!r}")
    if not operation:
        typer.echo("\n".join(derivable()))
        return
    page = page_of(operation)
    texts = {"text": page.__str__, "markdown": page.to_markdown, "latex": page.to_latex, "html": page.to_html}
    text = texts[form]()
    if form == "html":
        text = HTML.format(title=escape(page.title), page=text)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_atomically(output, text.encode())
        typer.echo(f"Written: {output}")
