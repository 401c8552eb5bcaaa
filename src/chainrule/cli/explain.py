"""`chainrule explain`: one sample's way through a saved network and back, with all numbers."""

from pathlib import Path
from typing import Annotated

import typer

from chainrule import data
from chainrule.cli.output import console, make_way_for, print_json, printable
from chainrule.cli.recipe import OPTIMIZERS, one_of
from chainrule.cli.results import data_of
from chainrule.errors import DataError, SettingError
from chainrule.explain import Derivation
from chainrule.files import write_atomically
from chainrule.network.model_file import load
from chainrule.optimizers import Optimizer

FORMS = (".html", ".md", ".tex", ".json", ".txt")


def explain(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A network saved by chainrule train.")],
    sample: Annotated[int, typer.Option(min=0, metavar="N", help="Which of the test samples, from 0.")] = 0,
    data_name: Annotated[
        str | None,
        typer.Option("--data", metavar="NAME", help=f"{', '.join(data.NAMES)}. Default: what it was trained on."),
    ] = None,
    parameter: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Follow every path to one number of this: layers[0].W, or x for the input."),
    ] = None,
    index: Annotated[str | None, typer.Option(metavar="PLACE", help="Which number of it: 3,7.")] = None,
    optimizer: Annotated[
        str, typer.Option(metavar="NAME", help=f"Whose first step is shown: {', '.join(OPTIMIZERS)}.")
    ] = "sgd",
    learning_rate: Annotated[
        float | None, typer.Option(metavar="RATE", help="How far that step goes. Default: the optimizer's own.")
    ] = None,
    terms: Annotated[int, typer.Option(min=1, metavar="N", help="How many terms of each sum are shown.")] = 5,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help=f"Write it to a file: {', '.join(FORMS)}.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Show one forward and backward pass as a derivation, with the network's own numbers."""
    if output is not None:
        one_of(output.suffix, FORMS, "--output: the end of the file's name")
        make_way_for(output, "--output")
    network = load(model)
    samples = data.load(one_of(data_of(network, data_name), data.NAMES, "--data"))
    x, y = samples.test
    if sample >= len(x):
        raise DataError(f"--sample: {samples.name} has the test samples 0 to {len(x) - 1}, got {sample}")
    derivation = network.explain(
        x[sample : sample + 1],
        y[sample : sample + 1],
        parameter=parameter,
        index=None if index is None else _place(index),
        optimizer=_optimizer(optimizer, learning_rate),
        terms=terms,
    )
    if output is not None:
        title = f"{samples.name}, sample {sample}"
        write_atomically(output, _as_file(derivation, output.suffix, title).encode("utf-8"))
    if as_json:
        print_json(derivation.to_dict())
    elif output is not None:
        console().print(f"Written to {printable(str(output))}.")
    else:
        _print(derivation)


def _optimizer(name: str, learning_rate: float | None) -> Optimizer:
    settings = OPTIMIZERS[one_of(name, OPTIMIZERS, "--optimizer")]().configuration()
    rate = {} if learning_rate is None else {"learning_rate": learning_rate}
    return Optimizer.from_configuration({**settings, **rate})


def _place(index: str) -> tuple[int, ...]:
    """(3, 7) for the text 3,7. Raises SettingError."""
    try:
        return tuple(int(part) for part in index.split(","))
    except ValueError:
        raise SettingError(f"--index: expected whole numbers with commas between, such as 3,7, got {index!r}") from None


def _as_file(derivation: Derivation, suffix: str, title: str) -> str:
    if suffix == ".html":
        head = f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title></head>"
        return f"{head}<body>{derivation.to_html()}</body></html>\n"
    views = {".md": derivation.to_markdown, ".tex": derivation.to_latex, ".json": derivation.to_json}
    return views.get(suffix, lambda: f"{derivation}\n")()


def _print(derivation: Derivation) -> None:
    """The plain text, with the headings and the names of steps in bold, and what operations say of themselves dim."""
    screen = console()
    lines = str(derivation).splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        heading = below.startswith("═") or line.startswith("═")
        step = line[:3].strip().isdigit() and line[3:5] == "  "
        screen.print(line, style="bold cyan" if heading else "bold" if step else "")
