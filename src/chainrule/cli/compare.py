"""`chainrule compare`: is one setting better than another?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chainrule import __version__
from chainrule.cli.choices import (
    Activation,
    AsJSON,
    BatchSize,
    ClassWeight,
    Column,
    DataName,
    Epochs,
    Folds,
    L1Strengths,
    L2Strengths,
    Layers,
    LossName,
    OptimizerName,
    Rates,
    Repeats,
    ScheduleName,
    Seed,
    Source,
    Target,
    Task,
    Workers,
    choices,
    load_samples,
    losses_of,
    model_of,
    option,
    score_of,
)
from chainrule.cli.output import console, print_json
from chainrule.errors import SettingError


def compare(
    source: Source = None,
    data_name: DataName = None,
    target: Target = None,
    task: Task = None,
    column: Column = None,
    layers: Layers = None,
    activation: Activation = None,
    loss: LossName = None,
    optimizer: OptimizerName = None,
    learning_rate: Rates = None,
    batch_size: BatchSize = None,
    schedule: ScheduleName = None,
    l2: L2Strengths = None,
    l1: L1Strengths = None,
    epochs: Epochs = None,
    class_weight: ClassWeight = None,
    folds: Folds = 5,
    repeats: Repeats = 5,
    level: Annotated[
        float, typer.Option(metavar="SHARE", help="A difference rarer than this by chance alone is called one.")
    ] = 0.05,
    seed: Seed = 0,
    workers: Workers = 1,
    as_json: AsJSON = False,
) -> None:
    """Is one setting better than another? By cross-validation on the training samples, and a t-test.

    Options take one value for both, or two with a comma between: that of A and that of B.
    """
    from chainrule.selection import compare as compare_models

    given = choices(
        {
            "layers": layers,
            "activation": activation,
            "loss": loss,
            "optimizer": optimizer,
            "learning_rate": learning_rate,
            "batch_size": batch_size,
            "schedule": schedule,
            "l2": l2,
            "l1": l1,
            "epochs": epochs,
            "class_weight": class_weight,
        }
    )
    sides = _sides(given)
    own_options = {"target": target, "task": task, "column": column}
    samples, lines = load_samples(source, data_name, own_options, losses_of(given))
    names = [_in_words(side, other) for side, other in (sides, sides[::-1])]
    screen = console(as_json)
    if lines:
        screen.print(*lines, "", sep="\n")
    rows = len(samples.train[0])
    screen.print(
        f"{samples.name}: {folds}-fold cross-validation on {rows:,} samples, with {repeats} seeds; "
        "the test samples are not used."
    )
    found = compare_models(
        model_of(samples, sides[0] | own_options),
        model_of(samples, sides[1] | own_options),
        samples.train,
        folds=folds,
        repeats=repeats,
        score=score_of(samples),
        seed=seed,
        workers=workers,
        names=(names[0], names[1]),
        level=level,
    )
    if as_json:
        tests = {name: vars(test) for name, test in (("paired", found.paired), ("corrected", found.corrected))}
        scores = {name: one.scores.tolist() for name, one in zip(("a", "b"), (found.a, found.b), strict=True)}
        print_json(
            {"chainrule": __version__, "data": samples.name, "names": names, "score": found.a.score, **scores,
             **tests, "better": found.better, "verdict": found.verdict}
        )  # fmt: skip
        return
    screen.print(found)


def _sides(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of A and those of B. Raises SettingError where they are the same, or more than two."""
    for name, values in given.items():
        if not isinstance(values, list) or len(values) > 2:
            raise SettingError(f"{option(name)}: expected one value, or A's and B's with a comma between")
    sides = tuple({name: values[side % len(values)] for name, values in given.items()} for side in (0, 1))
    if sides[0] == sides[1]:
        raise SettingError(
            "say in what A and B differ, such as --optimizer adam,sgd or --layers 64-10-10 --layers 64-50-10"
        )
    return sides[0], sides[1]


def _in_words(side: dict[str, Any], other: dict[str, Any]) -> str:
    """What one side has and the other has not."""
    own = {name.replace("_", " "): value for name, value in side.items() if value != other[name]}
    return ", ".join(f"{name} {f'{value:g}' if isinstance(value, float) else value}" for name, value in own.items())
