"""Options that take more than one value: those of `chainrule search` and `chainrule compare`."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from chainrule import data
from chainrule.arrays import Array
from chainrule.cli.recipe import (
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    Recipe,
    build_network,
    build_penalty,
    build_schedule,
    complete,
    one_of,
    plan_network,
)
from chainrule.cli.scaling import LINEAR, Scale, scaled
from chainrule.cli.train import own_data
from chainrule.data import DataSet, Standardizer
from chainrule.errors import SettingError
from chainrule.evaluation import decide
from chainrule.network import Network
from chainrule.tabular.target import TASKS

if TYPE_CHECKING:
    from chainrule.selection import LogScale

NUMBERS = ("learning_rate", "l1", "l2")
WHOLE_NUMBERS = ("epochs",)
SEEDLESS = 0  # runs have seeds of their own

Source = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", exists=True, help="Your own data, as in chainrule train."),
]
DataName = Annotated[
    str | None,
    typer.Option("--data", metavar="NAME", help=f"What to learn: {', '.join(data.NAMES)}. Default: digits."),
]
Target = Annotated[str | None, typer.Option(metavar="COLUMN", help="Of your own table: the column to be predicted.")]
Task = Annotated[str | None, typer.Option(metavar="NAME", help=f"{' or '.join(TASKS)}.")]
Column = Annotated[list[str] | None, typer.Option(metavar="NAME=KIND", help="What a column is. May be repeated.")]
ClassWeight = Annotated[str | None, typer.Option(metavar="NAME", help="balanced: all classes count alike.")]
Layers = Annotated[
    list[str] | None, typer.Option(metavar="LAYERS", help="As in chainrule train; for more than one, say it again.")
]
Activation = Annotated[str | None, typer.Option(metavar="NAMES", help="What follows each hidden layer of sizes.")]
LossName = Annotated[str | None, typer.Option("--loss", metavar="NAMES", help=f"{', '.join(LOSSES)}.")]
OptimizerName = Annotated[str | None, typer.Option("--optimizer", metavar="NAMES", help=f"{', '.join(OPTIMIZERS)}.")]
Rates = Annotated[str | None, typer.Option("--learning-rate", metavar="RATES", help="How far a step goes.")]
BatchSize = Annotated[str | None, typer.Option(metavar="NUMBERS", help="Samples per step; 0 or full takes all.")]
ScheduleName = Annotated[str | None, typer.Option("--schedule", metavar="NAMES", help=f"{', '.join(SCHEDULES)}.")]
L1Strengths = Annotated[str | None, typer.Option("--l1", metavar="STRENGTHS", help="Penalty on all weights alike.")]
L2Strengths = Annotated[str | None, typer.Option("--l2", metavar="STRENGTHS", help="Penalty on large weights.")]
Epochs = Annotated[str | None, typer.Option(metavar="NUMBERS", help="Passes over the data.")]
Folds = Annotated[int, typer.Option(min=2, metavar="K", help="How many folds the samples are shared out among.")]
Repeats = Annotated[int, typer.Option(min=1, metavar="N", help="How many seeds, each with folds of its own.")]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="The first seed.")]
Workers = Annotated[int, typer.Option(metavar="N", help="How many processes; -1: one per core. Changes no figure.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def load_samples(
    source: Path | None, data_name: str | None, own_options: dict[str, Any], losses: list[str]
) -> tuple[DataSet, tuple[str, ...]]:
    """The samples that the options name, and what is to be said of them, in lines.

    Numbers to predict of the user's own are standardised, where the losses allow it; R² does not depend on that.

    Raises:
        SettingError, DataError, DownloadError, OSError: see `own_data` and `data.load`.

    """
    own = own_data(source, data_name, **own_options)
    if own is None:
        return data.load(one_of(data_name or "digits", data.NAMES, "--data")), ()
    samples = own.samples
    if samples.class_names is None and all(
        issubclass(LOSSES[one_of(name, LOSSES, "--loss")], LINEAR) for name in losses
    ):
        found = Standardizer.fit(samples.train[1])
        samples = scaled(samples, Scale(found.mean, found.deviation))
    return samples, own.lines


def choices(options: dict[str, Any]) -> dict[str, list[Any] | LogScale]:
    """The values of each option that is given: those between commas, or for numbers a scale, LOWEST..HIGHEST.

    Raises:
        SettingError: a value is missing, or no number where there must be one.

    """
    found: dict[str, list[Any] | LogScale] = {}
    for name, given in options.items():
        if given is not None and given != []:
            values = given if isinstance(given, list) else [part.strip() for part in str(given).split(",")]
            found[name] = _scale(name, values[0]) if _is_scale(name, values) else [_value(name, v) for v in values]
    return found


def losses_of(given: dict[str, list[Any] | LogScale]) -> list[str]:
    """The names of the losses that are asked for; none where it is left to the data."""
    names = given.get("loss", [])
    return names if isinstance(names, list) else []


def model_of(samples: DataSet, fixed: dict[str, Any]) -> partial[tuple[Network, dict[str, Any]]]:
    """A function from the values of further options to a network and the settings of its training.

    It does not hold the samples themselves: it goes to other processes. `fixed` are the options that do not vary.
    """
    x, y = samples.train
    usual = complete_of(samples, {name: value for name, value in fixed.items() if name != "learning_rate"})
    told = {"layers": usual.layers, "batch_size": usual.batch_size, "epochs": usual.epochs, "schedule": usual.schedule}
    small = dataclasses.replace(samples, train=(x[:1], y[:1]), test=(x[:0], y[:0]))
    return partial(_model, small, {**told, **fixed})


def _model(small: DataSet, fixed: dict[str, Any], **varying: Any) -> tuple[Network, dict[str, Any]]:
    recipe = complete_of(small, {**fixed, **varying})
    build_network(recipe, small)  # raises where the layers fit neither each other nor the data
    return plan_network(recipe, small), {
        "optimizer": recipe.build_optimizer(),
        "schedule": build_schedule(recipe),
        "penalty": build_penalty(recipe),
        "batch_size": recipe.batch_size or None,
        "epochs": recipe.epochs,
        "class_weight": recipe.class_weight,
    }


def complete_of(samples: DataSet, options: dict[str, Any]) -> Recipe:
    """The recipe of one value for each of these options, and the usual ones for all others. Raises SettingError."""
    size = options.get("batch_size")
    return complete(
        samples,
        layers=options.get("layers"),
        activation=options.get("activation"),
        start=None,
        loss=options.get("loss"),
        optimizer=options.get("optimizer"),
        rate=options.get("learning_rate"),
        batch_size=None if size is None else str(size),
        epochs=options.get("epochs"),
        seed=SEEDLESS,
        validation_fraction=None,
        early_stopping=None,
        schedule=options.get("schedule"),
        l1=options.get("l1") or None,  # 0 is none
        l2=options.get("l2") or None,
        class_weight=options.get("class_weight"),
        target=options.get("target"),
        task=options.get("task"),
        column=options.get("column"),
    )


def score_of(samples: DataSet) -> Any:
    """By what models are measured: accuracy where there are classes, whatever the loss; else R²."""
    return "r_squared" if samples.class_names is None else accuracy


def accuracy(network: Network, x: Any, labels: Array) -> float:
    """The share of the samples that are decided right."""
    decided, _ = decide(network.predict(x))
    return float(np.mean(decided == labels))


def _is_scale(name: str, values: list[Any]) -> bool:
    return name in NUMBERS and len(values) == 1 and ".." in values[0]


def _scale(name: str, text: str) -> LogScale:
    from chainrule.selection import LogScale

    lowest, _, highest = text.partition("..")
    return LogScale(_number(name, lowest), _number(name, highest))


def _value(name: str, text: str) -> Any:
    if not text:
        raise SettingError(f"{option(name)}: a value is missing between the commas")
    if name in WHOLE_NUMBERS:
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise SettingError(f"{option(name)}: expected whole numbers above 0, got {text!r}")
        return int(text)
    return _number(name, text) if name in NUMBERS else text


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingError(
            f"{option(name)}: expected numbers with commas between, or a scale such as 1e-7..1e-1, got {text!r}"
        ) from None


def option(name: str) -> str:
    """As it is written on the command line."""
    return f"--{name.replace('_', '-')}"
