"""`chainrule evaluate`: the figures of a saved network."""

from pathlib import Path
from typing import Annotated

import typer

from chainrule import data
from chainrule.cli.output import console, print_json
from chainrule.cli.recipe import one_of
from chainrule.cli.results import data_of, measure
from chainrule.network.model_file import load


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A network saved by chainrule train.")],
    data_name: Annotated[
        str | None,
        typer.Option("--data", metavar="NAME", help=f"{', '.join(data.NAMES)}. Default: what it was trained on."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Measure a saved network on the test samples of a data set."""
    network = load(model)
    samples = data.load(one_of(data_of(network, data_name), data.NAMES, "--data"))
    result = measure(network, samples)
    if as_json:
        print_json({"model": str(model), "data": samples.name, **result.to_dict()})
        return
    screen = console()
    screen.print(f"{samples.name}: {samples.description}")
    result.print(screen)
