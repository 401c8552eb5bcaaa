"""`chainrule playground`: a page in the browser to watch a network learn."""

from typing import Annotated

import typer

from chainrule.playground import serve

Port = Annotated[int, typer.Option(min=0, max=65535, help="Where to serve; 0 for any port that is free.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the address only, open nothing.")]


def playground(port: Port = 0, no_browser: NoBrowser = False) -> None:
    """Watch a network learn, in the browser; served on this machine alone until Ctrl-C."""
    serve(port, open_browser=not no_browser)
