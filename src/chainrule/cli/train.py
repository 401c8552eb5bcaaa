"""`chainrule train`: from a recipe to a trained network, its figures, its file and its report."""

import re
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule import __version__, data
from chainrule.cli.output import console, make_way_for, print_json, printable, seconds_since_start
from chainrule.cli.own import OwnData
from chainrule.cli.recipe import (
    LEARNING_RATES,
    LOSSES,
    OPTIMIZERS,
    PRESETS,
    SCHEDULES,
    Recipe,
    build_network,
    build_penalty,
    build_schedule,
    complete,
    ends_in_sigmoid,
)
from chainrule.cli.recipe import one_of as checked_name
from chainrule.cli.results import Result, measure
from chainrule.cli.scaling import scale_of, scaled, unscale
from chainrule.cli.sources import read_own
from chainrule.configuration import JSON
from chainrule.data import DataSet
from chainrule.doctor import Doctor
from chainrule.errors import SettingError
from chainrule.network import Network
from chainrule.optimizers import ClipNorm
from chainrule.regularizers import PER
from chainrule.tabular.target import TASKS
from chainrule.training import Callback, Checkpoint, EarlyStopping, History
from chainrule.training import train as train_network

SCALED = "While it is learned it is standardised: the losses of the epochs count in deviations."
RATES = ", ".join(f"{rate:g} for {name}" for name, rate in LEARNING_RATES.items())


def train(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            exists=True,
            help="Your own data: .csv, .parquet, .npz, or a folder with a folder of images for each class.",
        ),
    ] = None,
    data_name: Annotated[
        str | None,
        typer.Option("--data", metavar="NAME", help=f"What to learn: {', '.join(data.NAMES)}. Default: digits."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Of your own table: the column to be predicted.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"{' or '.join(TASKS)}. Default: what the column to predict looks like."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=KIND",
            help="What a column is, where it is taken wrong: number, category, text, date, ignore. May be repeated.",
        ),
    ] = None,
    class_weight: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="balanced: classes with few samples count as much as those with many."),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="LAYERS",
            help="Sizes from input to output (64-100-10), or layers by name (100,relu,10). Default: suits the data.",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What follows each hidden layer of sizes: relu, sigmoid, tanh, …"),
    ] = None,
    loss: Annotated[str | None, typer.Option(metavar="NAME", help=f"{', '.join(LOSSES)}.")] = None,
    optimizer: Annotated[str | None, typer.Option(metavar="NAME", help=f"{', '.join(OPTIMIZERS)}.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(metavar="RATE", help=f"How far a step goes. Default: {RATES}.")
    ] = None,
    batch_size: Annotated[
        str | None, typer.Option(metavar="N", help="Samples per step; 0 or full takes all of them.")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"How the rate changes: {', '.join(SCHEDULES)}. Default: it stays."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Settings made for one purpose: {', '.join(PRESETS)} (for --data mnist)."),
    ] = None,
    l2: Annotated[
        float | None, typer.Option(metavar="STRENGTH", help="Penalty on large weights: STRENGTH ½ Σ w².")
    ] = None,
    l1: Annotated[
        float | None, typer.Option(metavar="STRENGTH", help="Penalty on all weights alike: STRENGTH Σ |w|.")
    ] = None,
    penalty_per: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"What a penalty is divided by the number of: {', '.join(PER)}."),
    ] = None,
    clip: Annotated[
        float | None, typer.Option(metavar="LENGTH", help="Shorten all gradients together to at most this length.")
    ] = None,
    accumulate: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Batches whose gradients are summed for one step.")
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(metavar="DECAY", help="End in a running mean of the weights that keeps so much of itself, 0.999."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Passes over the data.")] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same network.")] = 0,
    start: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Where weights start: glorot, he, normal. Default: suits the activation."),
    ] = None,
    validation_fraction: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of the training samples held back to watch. Default: none; the test samples are watched.",
        ),
    ] = None,
    early_stopping: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="PATIENCE",
            help="Stop when the validation loss has not improved for so many epochs; holds back 0.1 unless told.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to save the network (safetensors).")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write how far the training has come (safetensors).")
    ] = None,
    checkpoint_every: Annotated[
        str | None, typer.Option(metavar="TIME", help="How often: 30s, 500steps, 2epochs. Default: 60s.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from where the checkpoint is, if it is there; else begin.")
    ] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Where to write a report.")] = None,
    doctor: Annotated[
        bool, typer.Option("--doctor", help="Have a doctor look on, who says once what is wrong, if anything is.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the outcome only, in one line.")] = False,
) -> None:
    """Train a network on a data set and measure it on the test samples."""
    own = own_data(source, data_name, target=target, task=task, column=column)
    samples = own.samples if own else data.load(checked_name(data_name or "digits", data.NAMES, "--data"))
    recipe = complete(
        samples,
        layers=layers,
        activation=activation,
        start=start,
        loss=loss,
        optimizer=optimizer,
        rate=learning_rate,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        validation_fraction=validation_fraction,
        early_stopping=early_stopping,
        schedule=schedule,
        preset=preset,
        l1=l1,
        l2=l2,
        penalty_per=penalty_per,
        clip=clip,
        accumulate=accumulate,
        average=average,
        class_weight=class_weight,
        target=target,
        task=task,
        column=column,
    )
    kept = _checkpoint(checkpoint, checkpoint_every, resume)
    network = build_network(recipe, samples)
    network.metadata = _metadata(recipe, samples) | (own.metadata if own else {})
    _prepare_files({"--output": output, "--report": report, "--checkpoint": checkpoint})

    screen = console(quiet or as_json)
    scale = scale_of(network, samples) if own else None
    if own:
        screen.print(*own.lines, *([SCALED] if scale else []), "", sep="\n")
    screen.print(_data_line(samples), network.summary(), *_settings_lines(recipe, samples), sep="\n")
    screen.print()
    learned = scaled(samples, scale) if scale else samples
    history = _fit(network, learned, recipe, kept, resume=resume, progress=not quiet, doctor=doctor)
    if scale:
        unscale(network, scale)
    seconds = sum(history["seconds"])
    result = measure(network, samples)
    if output is not None:
        network.save(output)
    if report is not None:
        from chainrule.cli.report import write_report

        write_report(report, network, samples, recipe, history, result)
    if as_json:
        print_json(_as_json(recipe, network, history, result, seconds, output, report))
        return
    if quiet:
        print(result.line())
        return
    screen.print()
    result.print(screen)
    speed = len(history) * _training_samples(samples, recipe) / max(seconds, 1e-9)
    screen.print(
        f"\n{len(history)} epochs of training took {seconds:.2f} s ({speed:,.0f} samples/s); "
        f"{seconds_since_start():.2f} s since the process began."
    )
    screen.print("\n".join(_next_lines(recipe, _input_name(samples, own), output, report)))


def own_data(
    source: Path | None, data_name: str | None, *, target: str | None, task: str | None, column: list[str] | None
) -> OwnData | None:
    """The user's own data, where there is a file or folder of theirs. Raises SettingError; and see `read_own`."""
    if source is None:
        given = {"--target": target, "--task": task, "--column": column}
        for option, value in given.items():
            if value:
                raise SettingError(f"{option}: belongs to a table of your own; write  chainrule train FILE.csv …")
        return None
    if data_name is not None:
        raise SettingError(f"--data {data_name}: {source} is the data already; give one of the two")
    return read_own(source, target=target, task=task, column=column)


def _metadata(recipe: Recipe, samples: DataSet) -> dict[str, JSON]:
    return {
        "data": samples.name,
        "image_shape": None if samples.image_shape is None else list(samples.image_shape),
        "class_names": None if samples.class_names is None else list(samples.class_names),
        "recipe": recipe.to_dict(),
    }


def _checkpoint(path: Path | None, every: str | None, resume: bool) -> Checkpoint | None:
    """Where checkpoints are written and how often, or None."""
    if path is None:
        if every is not None or resume:
            raise SettingError(f"{'--resume' if resume else '--checkpoint-every'}: say where with --checkpoint FILE")
        return None
    if every is None:
        return Checkpoint(path)
    found = re.fullmatch(r"([0-9]+)\s*(s|seconds|steps|epochs)", every.strip().lower(), re.ASCII)
    if found is None or int(found[1]) == 0:
        raise SettingError(f"--checkpoint-every: expected a time such as 30s, 500steps or 2epochs, got {every!r}")
    return Checkpoint(path, **{"seconds" if found[2] == "s" else found[2]: int(found[1])})


def _prepare_files(files: dict[str, Path | None]) -> None:
    """Find out before training what would keep the files, by their options, from being written after it."""
    taken: dict[Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        make_way_for(path, option)
        other = taken.setdefault(path.resolve(), option)
        if other != option:
            raise SettingError(f"{other} and {option}: both name {path}; give each a file of its own")
    if files["--report"] is not None:
        from chainrule.plots.figures import new_figure

        new_figure((1, 1))  # raises MissingExtraError without matplotlib


def _fit(
    network: Network,
    samples: DataSet,
    recipe: Recipe,
    checkpoint: Checkpoint | None,
    *,
    resume: bool,
    progress: bool,
    doctor: bool,
) -> History:
    settings = settings_of(recipe, samples)
    if doctor:
        settings["callbacks"].append(Doctor(samples.test if recipe.validation_fraction is None else None))
    try:
        return train_network(
            network, samples.train, checkpoint=checkpoint, resume=resume, progress=progress, **settings
        )
    except KeyboardInterrupt:
        kept = "nothing was saved" if checkpoint is None else f"go on from {checkpoint.path} with --resume"
        raise KeyboardInterrupt(f"training stopped; {kept}") from None


def settings_of(recipe: Recipe, samples: DataSet) -> dict[str, Any]:
    """What a recipe says to `train`, by the names of its arguments."""
    callbacks: list[Callback] = []
    if recipe.early_stopping is not None:
        callbacks.append(EarlyStopping("validation_loss", patience=recipe.early_stopping))
    return {
        "validation": samples.test if recipe.validation_fraction is None else recipe.validation_fraction,
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size or None,
        "optimizer": recipe.build_optimizer(),
        "schedule": build_schedule(recipe),
        "penalty": build_penalty(recipe),
        "clip": None if recipe.clip is None else ClipNorm(recipe.clip),
        "accumulate": recipe.accumulate or 1,
        "average": recipe.average,
        "class_weight": recipe.class_weight,
        "seed": recipe.seed,
        "callbacks": callbacks,
    }


def _training_samples(samples: DataSet, recipe: Recipe) -> int:
    return round(len(samples.train[0]) * (1 - (recipe.validation_fraction or 0)))


def _as_json(
    recipe: Recipe,
    network: Network,
    history: History,
    result: Result,
    seconds: float,
    output: Path | None,
    report: Path | None,
) -> dict[str, Any]:
    return {
        "chainrule": __version__,
        "recipe": recipe.to_dict(),
        "parameters": network.summary().parameters,
        **result.to_dict(),
        "history": history.to_dict(),
        "stopped": history.stopped,
        "seconds": seconds,
        "seconds_since_start": seconds_since_start(),
        "output": None if output is None else str(output),
        "report": None if report is None else str(report),
    }


def _data_line(samples: DataSet) -> str:
    """The data set in one line."""
    x, y = samples.train
    shape = f", images of {' × '.join(map(str, samples.image_shape[-2:]))} pixels" if samples.image_shape else ""
    answer = f"{len(samples.class_names)} classes" if samples.class_names else f"{y.shape[1]} number to predict"
    return (
        f"Data set {samples.name}: {len(x):,} samples to learn from, {len(samples.test[0]):,} to test on; "
        f"{x.shape[1]} features each{shape}; {answer}."
    )


def _settings_lines(recipe: Recipe, samples: DataSet) -> list[str]:
    """How the network is trained, in words."""
    batch = f"batches of {recipe.batch_size}" if recipe.batch_size else "the full batch"
    watched = (
        "the test samples, which decide nothing"
        if recipe.validation_fraction is None
        else f"{recipe.validation_fraction:.0%} of the training samples, held back"
    )
    lines = [
        f"Training: {recipe.loss}, {recipe.optimizer} with learning rate {recipe.learning_rate:g}"
        f"{f' ({recipe.schedule})' if recipe.schedule else ''}, {batch}, "
        f"{recipe.epochs} epochs, seed {recipe.seed}.",
        f"Validation: {watched}.",
    ]
    also = {
        "gradients shortened to {:g}": recipe.clip,
        "gradients of {} batches summed": recipe.accumulate,
        "a mean of the weights that keeps {:g}": recipe.average,
    }
    if any(also.values()):
        lines.append(f"With {', '.join(words.format(value) for words, value in also.items() if value)}.")
    if ends_in_sigmoid(recipe, samples):
        lines.append("With squared-error a sigmoid follows the last layer, so that every answer lies between 0 and 1.")
    return lines


def _input_name(samples: DataSet, own: OwnData | None) -> str:
    """What `chainrule predict` can be given."""
    if samples.image_shape:
        return "IMAGE.png"
    table = own is not None and "preprocessing" in own.metadata
    return f"NEW{Path(samples.name).suffix.replace('.npz', '.npy') or '.wav'}" if table else "SAMPLES.npy"


def _next_lines(recipe: Recipe, input_name: str, output: Path | None, report: Path | None) -> list[str]:
    """Where the files are, what to do with them, and how to repeat the training."""
    lines = []
    if report is not None:
        lines.append(f"Report: {printable(str(report))}")
    if output is None:
        lines += ["The network was not saved; add --output FILE.safetensors to keep it."]
    else:
        name = shlex.quote(printable(str(output)))
        lines += [
            f"Network: {printable(str(output))}",
            "",
            "Ask it:      " + f"chainrule predict {name} {input_name}",
            "Measure it:  " + f"chainrule evaluate {name}",
        ]
    return [*lines, "Repeat it:   " + recipe.command()]
