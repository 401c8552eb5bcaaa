"""`chainrule diagnose`: what is wrong with the training of a saved network, and what to change."""

from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule import data
from chainrule.cli.output import console, print_json
from chainrule.cli.recipe import Recipe, build_network
from chainrule.cli.scaling import scale_of, scaled
from chainrule.cli.sources import read_own
from chainrule.cli.train import settings_of
from chainrule.doctor import Examination, Trial
from chainrule.doctor import diagnose as examine
from chainrule.errors import DataError
from chainrule.network.model_file import load


def diagnose(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A network saved by chainrule train.")],
    try_it: Annotated[
        bool, typer.Option("--try", help="Train once more with the change that is prescribed, and compare.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Repeat the training of a network and say what was wrong with it, if anything was."""
    recipe = _recipe(load(model).metadata.get("recipe"), model)
    if recipe.data in data.NAMES:
        samples = data.load(recipe.data)
        network = build_network(recipe, samples)
    else:
        column = None if recipe.column is None else list(recipe.column)
        samples = read_own(Path(recipe.data), target=recipe.target, task=recipe.task, column=column).samples
        network = build_network(recipe, samples)
        scale = scale_of(network, samples)
        samples = scaled(samples, scale) if scale else samples
    examination = examine(network, samples.train, **settings_of(recipe, samples))
    trial = examination.try_remedy() if try_it and examination.findings and examination.findings[0].change else None
    if as_json:
        print_json(_as_json(examination, trial))
        return
    screen = console()
    screen.print(str(examination))
    if trial is not None:
        screen.print(f"\n{trial}")


def _recipe(found: Any, model: Path) -> Recipe:
    """The settings that a model file keeps of its training."""
    if not isinstance(found, dict):
        raise DataError(f"{model}: it does not say how it was trained; chainrule train says so in its files")
    try:
        return Recipe(**found)
    except TypeError as error:
        raise DataError(f"{model}: its recipe cannot be read ({error})") from None


def _as_json(examination: Examination, trial: Trial | None) -> dict[str, Any]:
    findings = [
        {"name": f.name, "evidence": f.evidence, "prescription": f.prescription, "change": f.change}
        for f in examination.findings
    ]
    if trial is None:
        return {"findings": findings}
    losses = {"before": min(trial.loss_before, 1e308), "after": min(trial.loss_after, 1e308)}
    return {"findings": findings, "tried": {"figure": trial.figure, **losses, "improves": trial.improves}}
