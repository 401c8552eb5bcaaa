"""`search`: which settings do best? Source: mission items D8 and D9."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule.errors import DivergenceError, SettingError
from chainrule.files import Pathlike
from chainrule.selection.candidates import Candidate, as_candidate
from chainrule.selection.parallel import Task, side_by_side
from chainrule.selection.record import Outcome, Record, begin_record
from chainrule.selection.runs import Plan, Score, measure, set_up
from chainrule.selection.space import Settings, every_combination, random_combinations
from chainrule.selection.tables import Table, Tabled, four_digits, in_words, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Trial:
    """One combination of settings, and how it did."""

    settings: Settings
    scores: tuple[float, ...]  # of the folds of the first seed, then of the next, …; none where it failed
    failure: str = ""  # why there are none

    @property
    def mean(self) -> float:
        """Of the scores; NaN where it failed."""
        return statistics.fmean(self.scores) if self.scores else float("nan")

    @property
    def deviation(self) -> float:
        """The standard deviation of the scores, as of a sample; NaN where it failed."""
        return statistics.stdev(self.scores) if self.scores else float("nan")


@dataclass(frozen=True, repr=False)
class Search(Tabled):
    """What `search` has tried."""

    score: str  # its name
    trials: tuple[Trial, ...]  # in the order of the space

    @property
    def ranked(self) -> list[Trial]:
        """The trials, best first; those that have failed last."""
        sign = 1 if self.score == "loss" else -1
        return sorted(self.trials, key=lambda trial: (bool(trial.failure), sign * trial.mean if trial.scores else 0))

    @property
    def best(self) -> Trial:
        """The trial with the best mean. Raises SettingError where all have failed."""
        first = self.ranked[0]
        if first.failure:
            raise SettingError(f"every trial has failed; the first {first.failure}; try lower learning rates")
        return first

    def draw(self, across: str = "learning_rate", down: str | None = None, *, ax: Axes | None = None) -> Axes:
        """A picture: the mean score by one setting, or by two, and where training failed.

        Where there are further settings, each field or point is the best of them.

        Args:
            across: a setting.
            down: another, such as "l2"; None for a curve over the first alone.
            ax: where to draw; new axes when there are none.

        Raises:
            SettingError: it is not one of the settings tried.
            MissingExtraError: without matplotlib.

        """
        from chainrule.plots import score_curve, score_map

        for name in (across, *([down] if down else [])):
            if name not in self.trials[0].settings:
                raise SettingError(f"{name!r} is none of the settings tried: {', '.join(self.trials[0].settings)}")
        return score_map(self, across, down, ax=ax) if down else score_curve(self, across, ax=ax)

    def table(self) -> Table:
        """One row for each trial, best first."""
        failed = sum(bool(trial.failure) for trial in self.trials)
        headings = (
            *self.trials[0].settings,
            f"mean {in_words(self.score)}",
            "deviation",
            *(["failed"] if failed else []),
        )
        rows = tuple((*map(shown, trial.settings.values()), *_cells(trial, bool(failed))) for trial in self.ranked)
        return Table(headings, rows, f"{len(self.trials)} trials" + (f", {failed} of them failed" if failed else ""))

    def records(self) -> list[dict[str, Any]]:
        """One for each trial, in the order of the space: settings, mean, deviation, failure."""
        return [
            {**trial.settings, "mean": trial.mean, "deviation": trial.deviation, "failed": trial.failure}
            for trial in self.trials
        ]


def _cells(trial: Trial, with_failure: bool) -> tuple[str, ...]:
    """Mean and deviation, and in a table of trials that failed why."""
    if trial.failure:
        return "", "", trial.failure.partition(";")[0]
    return four_digits(trial.mean), four_digits(trial.deviation), *([""] if with_failure else [])


def search(
    model: Any,
    data: tuple[Any, Any],
    space: Mapping[str, Any],
    *,
    trials: int | None = None,
    folds: int = 5,
    repeats: int = 1,
    score: Score | None = None,
    sample_weight: Any = None,
    seed: int = 0,
    workers: int | None = None,
    checkpoint: Pathlike | None = None,
    resume: bool = False,
    progress: bool = True,
    **settings: Any,
) -> Search:
    """Cross-validate a model with many combinations of settings.

        def network(units):
            return cr.Network([cr.Linear(units), cr.ReLU(), cr.Linear(10)], loss=cr.CrossEntropy())

        space = {"learning_rate": LogScale(1e-7, 1e-1), "units": [10, 30]}
        print(cr.search(network, digits.train, space, epochs=10, workers=2))

    A training that diverges makes its trial one that has failed, and says why; the others go on.

    Args:
        model: see `cross_validate`, as for what is not said here.
        data: (x, targets).
        space: settings by name, each with a list of values, a `LogScale`, or (for random trials) a function of a
            `numpy.random.Generator` that draws one. The names are those of the `settings` of `cross_validate`.
        trials: how many random combinations; None for all there are. Those that are the same are tried once.
        folds: K.
        repeats: how many seeds each combination is tried with.
        score: what is best.
        sample_weight: how much each sample counts in the loss (N,).
        seed: the first one; also of random combinations.
        workers: how many trials run side by side. On a cluster, leave it out and say
            `with joblib.parallel_config(backend="dask"):` before; no score depends on it.
        checkpoint: the path of a file in which every finished trial is noted at once; None for none.
        resume: whether to run only what that file does not have yet.
        progress: whether to print a line for each trial as it ends (to standard error).
        settings: of all combinations.

    Raises:
        SettingError, DataError, DataTypeError, MissingExtraError: see `cross_validate`; or the checkpoint is of another
            search, or of an unfinished one and `resume` is False.
        ModelFileError: the checkpoint is damaged.
        OSError: it cannot be read or written.

    """
    if resume and checkpoint is None:
        raise SettingError("resume: say from where, with checkpoint=")
    base = as_candidate(model, settings)
    combinations = every_combination(space) if trials is None else random_combinations(space, trials, seed)
    candidates = [base.with_settings(combination) for combination in combinations]
    experiment = set_up(candidates, data, sample_weight, folds, repeats, seed, score)
    keys = [f"{number}" for number in range(len(candidates))]
    record = Record()
    if checkpoint is not None:
        keys = [candidate.key(seed) for candidate in candidates]
        record = begin_record(checkpoint, experiment, set(keys), resume)
    of_keys = dict(zip(keys, zip(combinations, candidates, strict=True), strict=True))
    tasks: list[Task] = [
        (_try_out, (key, candidate, *experiment.arguments))
        for key, (_, candidate) in of_keys.items()
        if key not in record.outcomes
    ]
    done = len(of_keys) - len(tasks)
    with closing(side_by_side(tasks, workers)) as results:
        for key, outcome in results:
            record.add(key, of_keys[key][0], outcome)
            done += 1
            if progress:
                line = _line(Trial(of_keys[key][0], *outcome), experiment.plan.name)
                print(f"trial {done}/{len(of_keys)}: {line}", file=sys.stderr, flush=True)
    found = (Trial(combination, *record.outcomes[key]) for key, combination in zip(keys, combinations, strict=True))
    return Search(experiment.plan.name, tuple(found))


def _try_out(key: str, candidate: Candidate, plan: Plan, *arguments: Any) -> tuple[str, Outcome]:
    """The scores of all runs of a candidate, up to the first that fails."""
    scores = []
    for row, fold in plan.runs:
        try:
            scores.append(measure(candidate, row, fold, plan, *arguments))
        except DivergenceError as error:
            seed = f" of seed {plan.seeds[row]}" if len(plan.seeds) > 1 else ""
            return key, Outcome((), f"diverged in fold {fold + 1}{seed}: {error.cause}")
    return key, Outcome(tuple(scores), "")


def _line(trial: Trial, score: str) -> str:
    """A trial in one line."""
    settings = ", ".join(f"{name} {shown(value)}" for name, value in trial.settings.items())
    figures = f"{in_words(score)} {four_digits(trial.mean)} ± {four_digits(trial.deviation)}" if trial.scores else ""
    return f"{settings}: {trial.failure or figures}"
