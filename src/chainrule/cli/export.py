"""`chainrule export`: a saved network for other programs."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.cli.output import console, make_way_for, printable
from chainrule.cli.recipe import one_of
from chainrule.network.model_file import load

ENDINGS = {"onnx": ".onnx", "numpy": "_numpy.py", "keras": "_keras.py", "pytorch": "_pytorch.py"}


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A network saved by chainrule train.")],
    to: Annotated[
        str, typer.Option("--to", metavar="TARGET", help="onnx, or a script with its weights: numpy, keras, pytorch.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to. Default: beside MODEL, by its name and TARGET."),
    ] = None,
    alone: Annotated[
        bool,
        typer.Option("--network-alone", help="Leave out what makes numbers of a table: samples are those numbers."),
    ] = False,
) -> None:
    """Write a saved network for other programs: as an ONNX model, or as a script for NumPy, Keras or PyTorch."""
    target = one_of(to, tuple(ENDINGS), "--to")
    network = load(model)
    path = output or model.with_name(f"{model.stem}{ENDINGS[target]}")
    make_way_for(path, "--output")
    from chainrule import export as room

    write: dict[str, Any] = {
        "onnx": partial(room.to_onnx, preprocessing=not alone),
        "numpy": partial(room.to_numpy_script, preprocessing=not alone),
        "keras": room.to_keras_script,
        "pytorch": room.to_pytorch_script,
    }
    write[target](network, path)
    screen = console()
    name = printable(str(path))
    if target == "onnx":
        screen.print(f"Written: {name}")
    else:
        screen.print(f"Written: {name}, and its weights in {printable(str(path.with_suffix('.npz')))}")
        reads_tables = target == "numpy" and "preprocessing" in network.metadata and not alone
        samples = "new.csv" if reads_tables else "samples.npy"
        screen.print(f"python {name} {samples}  prints what it answers.", style="dim")
