"""`chainrule predict`: ask a saved network."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.arrays import Array, Shape
from chainrule.cli.images import Samples, read_samples
from chainrule.cli.output import bars, complain, console, make_way_for, print_json, printable
from chainrule.cli.sources import read_new
from chainrule.cli.tables import is_table, predictions_csv
from chainrule.errors import DataError
from chainrule.evaluation import class_names, decide
from chainrule.files import write_atomically
from chainrule.network import Network
from chainrule.network.model_file import load


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A network saved by chainrule train.")],
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A picture (PNG, JPEG, …), a folder of them, a table (.csv, .parquet), or an array (.npy) of samples.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Where to write one line for each row or picture.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Ask a saved network about a picture, a folder of them, the rows of a table, or the samples in an array."""
    network = load(model)
    if output is not None:
        make_way_for(output, "--output")
    samples = _samples(network, source)
    answers = network.predict(samples.x.reshape(len(samples.x), *(network.input_shape or ())))
    names = class_names(network)
    if as_json:
        predictions = [_as_json(row, names) for row in answers]
        print_json(
            {"model": str(model), "input": str(source), "notes": list(samples.notes), "predictions": predictions}
        )
    if output is not None:
        write_atomically(output, _as_csv(answers, names, samples).encode())
    if as_json:
        return
    if output is not None or is_table(source) or samples.names:
        for note in samples.notes:
            complain(f"{source}: {note}")
        print(_written(len(answers), output) if output is not None else _as_csv(answers, names, samples), end="")
        return
    screen = console()
    for note in samples.notes:
        screen.print(f"{printable(str(source))}: {note}", style="dim")
    if names is None:
        for row in answers:
            screen.print("  ".join(f"{value:.6g}" for value in row.ravel()))
    elif len(answers) == 1:
        screen.print(bars(_per_class(answers)[0], names))
        screen.print(f"It is {printable(_decision(answers[0], names)[0])}.", style="bold")
    else:
        for n, row in enumerate(answers):
            name, confidence = _decision(row, names)
            screen.print(f"{n}: {printable(name)} ({confidence:.2%})")


def _samples(network: Network, source: Path) -> Samples:
    """What is in a file or folder, in the form that the network was trained on."""
    own = read_new(network, source)
    if own is not None:
        return own
    if is_table(source):
        raise DataError(f"{source}: this network was not trained on a table; give it a picture or an .npy file")
    features = prod(network.input_shape or ())
    return read_samples(source, features, _image_shape(network, features))


def _as_csv(answers: Array, names: list[str] | None, samples: Samples) -> str:
    if names is None:
        return predictions_csv(answers, None, None, samples.names)
    classes, _ = decide(answers)
    return predictions_csv(_per_class(answers), classes, names, samples.names)


def _written(count: int, output: Path) -> str:
    return f"{count:,} prediction{'' if count == 1 else 's'}: {printable(str(output))}\n"


def _image_shape(network: Network, features: int) -> Shape | None:
    """(height, width) of the network's images, if its file says so in a way that fits."""
    stated = network.metadata.get("image_shape")
    if not isinstance(stated, list) or len(stated) != 2:
        return None
    height, width = stated
    if type(height) is not int or type(width) is not int or height < 1 or height * width != features:
        return None
    return height, width


def _per_class(answers: Array) -> Array:
    """One column per class; a single answer is that for class 1."""
    import numpy as np

    return np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers


def _decision(row: Array, names: list[str]) -> tuple[str, float]:
    classes, confidence = decide(row[None])
    return names[int(classes[0])], float(confidence[0])


def _as_json(row: Array, names: list[str] | None) -> dict[str, Any]:
    if names is None:
        return {"value": row.tolist()}
    name, confidence = _decision(row, names)
    per_class = _per_class(row[None])[0]
    return {
        "class": name,
        "probability": confidence,
        "probabilities": {n: float(p) for n, p in zip(names, per_class, strict=True)},
    }
