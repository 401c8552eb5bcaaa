"""`chainrule predict`: ask a saved network."""

from math import prod
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.arrays import Array, Shape
from chainrule.cli.images import read_samples
from chainrule.cli.output import bars, console, print_json, printable
from chainrule.evaluation import decide
from chainrule.network import Network
from chainrule.network.model_file import load


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A network saved by chainrule train.")],
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A picture (PNG, JPEG, …), or a NumPy array (.npy) of samples.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Ask a saved network about a picture, or about the samples in an array."""
    network = load(model)
    features = prod(network.input_shape or ())
    samples = read_samples(source, features, _image_shape(network, features))
    answers = network.predict(samples.x.reshape(len(samples.x), *(network.input_shape or ())))
    names = _class_names(network, answers)
    if as_json:
        predictions = [_as_json(row, names) for row in answers]
        print_json(
            {"model": str(model), "input": str(source), "notes": list(samples.notes), "predictions": predictions}
        )
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


def _image_shape(network: Network, features: int) -> Shape | None:
    """(height, width) of the network's images, if its file says so in a way that fits."""
    stated = network.metadata.get("image_shape")
    if not isinstance(stated, list) or len(stated) != 2:
        return None
    height, width = stated
    if type(height) is not int or type(width) is not int or height < 1 or height * width != features:
        return None
    return height, width


def _class_names(network: Network, answers: Array) -> list[str] | None:
    """The names of the classes, or their numbers; None when the network does not decide between classes."""
    stated = network.metadata.get("class_names")
    count = max(2, answers.shape[1])
    if isinstance(stated, list) and len(stated) == count and answers.ndim == 2:
        return [str(name) for name in stated]
    return [str(k) for k in range(count)] if network.loss.decides else None


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
