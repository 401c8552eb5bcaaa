"""`chainrule evaluate`: the figures of a saved network."""

from pathlib import Path
from typing import Annotated

import typer

from chainrule import data
from chainrule.cli.output import console, print_json
from chainrule.cli.recipe import one_of
from chainrule.cli.results import data_of, measure
from chainrule.cli.sources import read_test
from chainrule.data import DataSet
from chainrule.errors import SettingError
from chainrule.network import Network
from chainrule.network.model_file import load


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A network saved by chainrule train.")],
    source: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", exists=True, help="Your own data. Default: what it was trained on."),
    ] = None,
    data_name: Annotated[
        str | None,
        typer.Option("--data", metavar="NAME", help=f"{', '.join(data.NAMES)}. Default: what it was trained on."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Measure a saved network on the test samples of a data set, or on your own data."""
    network = load(model)
    samples = _samples(network, source, data_name)
    result = measure(network, samples)
    if as_json:
        print_json({"model": str(model), "data": samples.name, **result.to_dict()})
        return
    screen = console()
    screen.print(f"{samples.name}: {samples.description}")
    result.print(screen)


def _samples(network: Network, source: Path | None, data_name: str | None) -> DataSet:
    """The test samples of a built-in data set, or those in the user's own file."""
    if source is not None:
        if data_name is not None:
            raise SettingError(f"--data {data_name}: {source} is the data already; give one of the two")
        return read_test(network, source)
    name = data_of(network, data_name)
    if data_name is None and name not in data.NAMES:
        return read_test(network, Path(name))
    return data.load(one_of(name, data.NAMES, "--data"))
