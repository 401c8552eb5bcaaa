"""`chainrule serve`: a saved network as a service on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.output import console, printable
from chainrule.network.model_file import load


def serve(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A network saved by chainrule train.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free one.")] = 8000,
) -> None:
    """Answer requests for predictions on this machine, as JSON over HTTP, until Ctrl-C."""
    network = load(model)
    from chainrule import serving

    listening = serving.listen(port)
    address = "http://{}:{}".format(*listening.getsockname())
    console().print(f"{printable(model.name)} answers on {address} (Ctrl-C stops it)")
    serving.serve(network, listening, name=model.stem)
