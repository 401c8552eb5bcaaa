"""`cross_validate`: how well does a model do on samples it has not seen? Source: mission item D8."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.selection.candidates import Candidate, as_candidate
from chainrule.selection.parallel import Task, side_by_side
from chainrule.selection.runs import Experiment, Score, measure, set_up
from chainrule.selection.tables import Table, Tabled, four_digits, in_words


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation(Tabled):
    """What `cross_validate` has measured, with R seeds and K folds each."""

    score: str  # its name
    seeds: tuple[int, ...]  # R
    scores: Array  # (R, K) float64
    tested: Array  # (R, K), how many samples each run was tested on

    @property
    def mean(self) -> float:
        """Of all scores."""
        return float(self.scores.mean())

    @property
    def deviation(self) -> float:
        """The standard deviation of all scores, as of a sample: √(Σ (s − s̄)² / (n − 1))."""
        return float(self.scores.std(ddof=1))

    @property
    def over_seeds(self) -> float | None:
        """The standard deviation of the means of the seeds; None where there is but one."""
        return float(self.scores.mean(axis=1).std(ddof=1)) if len(self.seeds) > 1 else None

    def table(self) -> Table:
        """One row for each seed, one column for each fold."""
        headings = ("seed", *(f"fold {fold + 1}" for fold in range(self.scores.shape[1])), "mean")
        rows = tuple(
            (str(seed), *map(four_digits, scores), four_digits(scores.mean()))
            for seed, scores in zip(self.seeds, self.scores, strict=True)
        )
        caption = (
            f"{in_words(self.score)}: mean {four_digits(self.mean)}, standard deviation {four_digits(self.deviation)}"
        )
        if self.over_seeds is not None:
            caption += f"; of the means of the seeds {four_digits(self.over_seeds)}"
        return Table(headings, rows, caption)

    def records(self) -> list[dict[str, Any]]:
        """One for each run: seed, fold (from 1), number of samples tested on, and the score."""
        return [
            {"seed": seed, "fold": fold + 1, "tested": int(self.tested[row, fold]), self.score: float(score)}
            for row, seed in enumerate(self.seeds)
            for fold, score in enumerate(self.scores[row])
        ]


def cross_validate(
    model: Any,
    data: tuple[Any, Any],
    *,
    folds: int = 5,
    repeats: int = 1,
    score: Score | None = None,
    sample_weight: Any = None,
    seed: int = 0,
    workers: int | None = None,
    **settings: Any,
) -> CrossValidation:
    """Train on all folds of the data but one, score on that one, and so in turn for each of them.

        network = cr.Network([cr.Linear(30), cr.ReLU(), cr.Linear(10)], loss=cr.CrossEntropy())
        print(cr.cross_validate(network, digits.train, learning_rate=0.01, epochs=10))

    Args:
        model: a Network, which is left as it is: each run trains a new one with the same layers and loss. Or a function
            that gives a network, or (network, {settings of train}); one that has weights already begins with them. Or
            an estimator of scikit-learn's kind. Or a pair of one of these and a dictionary of settings of its own.
        data: (x, targets), x of shape (N, …), an array or Pixels. Where targets name classes, each fold has the same
            share of each.
        folds: K; a run trains on about (K − 1)/K of the samples.
        repeats: how often, with the seeds `seed`, `seed` + 1, …: each has other folds, first weights and orders.
        score: "accuracy" (of classes, unless told otherwise), "r_squared" (of numbers) or "loss" (of networks: the
            lower the better); or a function of the trained model, x and targets, the greater the better.
        sample_weight: how much each sample counts in the loss (N,); None: all alike.
        seed: of the folds, the first weights, the order of the samples and dropout.
        workers: how many processes run side by side, −1 for one per core. None asks `joblib.parallel_config`, and takes
            one where that says nothing. No score depends on it.
        settings: what a function that is the `model` takes; all others are those of `train`: epochs, batch_size,
            optimizer, penalty, …; and "learning_rate", which goes into the optimizer, and "l1" and "l2", strengths of a
            penalty. Of an estimator: its parameters.

    Raises:
        SettingError, DataError, DataTypeError: something given cannot be used.
        DivergenceError: a training met a value that is not finite; says in which fold.
        MissingExtraError: without scikit-learn, whose folds these are.

    """
    candidate = as_candidate(model, settings)
    experiment = set_up([candidate], data, sample_weight, folds, repeats, seed, score)
    (found,) = validate_all([candidate], experiment, workers)
    return found


def validate_all(candidates: list[Candidate], experiment: Experiment, workers: int | None) -> list[CrossValidation]:
    """Each of the candidates, cross-validated on the same folds with the same seeds; all runs side by side."""
    plan = experiment.plan
    tasks: list[Task] = [
        (_one_run, ((number, *run), candidate, *run, *experiment.arguments))
        for number, candidate in enumerate(candidates)
        for run in plan.runs
    ]
    scores = np.empty((len(candidates), len(plan.seeds), plan.folds))
    for place, score in side_by_side(tasks, workers):
        scores[place] = score
    return [CrossValidation(plan.name, plan.seeds, found, experiment.tested) for found in scores]


def _one_run(place: tuple[int, ...], *arguments: Any) -> tuple[tuple[int, ...], float]:
    return place, measure(*arguments)
