"""`chainrule search`: which settings do best?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    complete_of,
    load_samples,
    losses_of,
    model_of,
    score_of,
)
from chainrule.cli.output import console, make_way_for, print_json, printable
from chainrule.errors import SettingError
from chainrule.plots.figures import new_figure

if TYPE_CHECKING:
    from chainrule.selection import Search


def search(
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
    trials: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Try so many random combinations. Default: all there are.")
    ] = None,
    folds: Folds = 5,
    repeats: Repeats = 1,
    seed: Seed = 0,
    workers: Workers = 1,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Where every finished trial is noted at once.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Run only what the checkpoint does not have yet.")] = False,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Where to draw the scores and what failed, by one setting or two."),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Cross-validate a network with many combinations of settings, on the training samples.

    Options take values with commas between, those with numbers also a scale from ten to ten: 1e-7..1e-1.
    """
    from chainrule.selection import search as search_settings

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
    fixed = {name: values[0] for name, values in given.items() if isinstance(values, list) and len(values) == 1}
    space = {name: values for name, values in given.items() if name not in fixed}
    if not space:
        raise SettingError("say what to vary, such as --learning-rate 1e-7..1e-1 or --activation relu,tanh")
    own_options = {"target": target, "task": task, "column": column}
    samples, lines = load_samples(source, data_name, own_options, losses_of(given))
    fixed |= own_options
    for option, path in {"--checkpoint": checkpoint, "--picture": picture}.items():
        if path is not None:
            make_way_for(path, option)
    if picture is not None:
        _check_kind(picture)
    screen = console(as_json)
    if lines:
        screen.print(*lines, "", sep="\n")
    rows = len(samples.train[0])
    screen.print(f"{samples.name}: {folds}-fold cross-validation on {rows:,} samples; the test samples are not used.")
    try:
        found = search_settings(
            model_of(samples, fixed),
            samples.train,
            space,
            trials=trials,
            folds=folds,
            repeats=repeats,
            score=score_of(samples),
            seed=seed,
            workers=workers,
            checkpoint=checkpoint,
            resume=resume,
        )
    except KeyboardInterrupt:
        kept = "nothing was saved" if checkpoint is None else f"go on from {checkpoint} with --resume"
        raise KeyboardInterrupt(f"search stopped; {kept}") from None
    if picture is not None:
        draw(found).figure.savefig(picture)
    failed = all(trial.failure for trial in found.trials)
    command = None if failed else complete_of(samples, {**fixed, **found.best.settings}).command()
    if as_json:
        print_json({"chainrule": __version__, "data": samples.name, **_as_json(found), "command": command})
        return
    screen.print(found)
    if picture is not None:
        screen.print(f"Picture: {printable(str(picture))}")
    screen.print("\nEvery trial has failed; try lower learning rates." if failed else f"\nTrain the best: {command}")


def draw(found: Search) -> Any:
    """The picture of a search: rate against penalty where both were varied, else its first two settings, or one."""
    names = list(found.trials[0].settings)
    names.sort(key=lambda name: {"learning_rate": 0, "l2": 1, "l1": 2}.get(name, 3))
    return found.draw(*names[:2])


def _check_kind(picture: Path) -> None:
    """Raise a SettingError where no picture can be drawn into such a file; MissingExtraError without matplotlib."""
    kinds = new_figure((1, 1)).canvas.get_supported_filetypes()
    if picture.suffix.lower().removeprefix(".") not in kinds:
        raise SettingError(f"--picture: expected a file that ends in .png, .svg or .pdf, got {picture}")


def _as_json(found: Search) -> dict[str, Any]:
    trials = [
        {
            "settings": trial.settings,
            "scores": trial.scores,
            "mean": None if trial.failure else trial.mean,
            "deviation": None if trial.failure else trial.deviation,
            "failed": trial.failure or None,
        }
        for trial in found.trials
    ]
    best = None if all(trial.failure for trial in found.trials) else found.best.settings
    return {"score": found.score, "trials": trials, "best": best}
