"""One run: a training on all folds but one, and the score on that one.

A run depends on its candidate, the data, its seed and its fold, and on nothing else: whichever process or machine does
it, and whatever else that does, the score is the same, bit for bit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import whole_number
from chainrule.errors import DivergenceError, SettingError
from chainrule.evaluation import r_squared
from chainrule.selection.candidates import Candidate
from chainrule.selection.samples import Rows, Samples, as_samples, assign_folds
from chainrule.training import train

SCORES = ("accuracy", "r_squared", "loss")  # of networks; greater is better but for the loss
HIGHEST_SEED = 2**32 - 1  # that scikit-learn shuffles by
Score = str | Callable[[Any, Any, Any], float]


@dataclass(frozen=True)
class Plan:
    """By which score, and how often, candidates are measured: with R seeds, K folds each."""

    folds: int  # K
    seeds: tuple[int, ...]  # R
    score: Score
    name: str  # of the score

    @property
    def runs(self) -> list[tuple[int, int]]:
        """The row and column in (R, K) of each run of a candidate."""
        return [(row, fold) for row in range(len(self.seeds)) for fold in range(self.folds)]


@dataclass(frozen=True, eq=False)
class Experiment:
    """What is measured, and on what."""

    plan: Plan
    samples: Samples
    assigned: Array  # (R, N), the fold of each sample

    @property
    def tested(self) -> Array:
        """(R, K), how many samples each run tests on."""
        return np.array([np.bincount(folds, minlength=self.plan.folds) for folds in self.assigned])

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What every run takes. Data of their own each, which joblib's backends share or send but once."""
        samples = self.samples
        return self.plan, samples.x, samples.y, samples.weights, samples.pixels, self.assigned


def set_up(
    candidates: list[Candidate], data: Any, sample_weight: Any, folds: int, repeats: int, seed: int, score: Score | None
) -> Experiment:
    """The experiment in which all `candidates` are measured alike.

    Raises:
        SettingError, DataError, DataTypeError, MissingExtraError: see `cross_validate`.

    """
    samples = as_samples(data, sample_weight)
    first = whole_number(seed, "seed", at_least=0)
    seeds = tuple(range(first, first + whole_number(repeats, "repeats")))
    if seeds[-1] > HIGHEST_SEED:
        raise SettingError(f"seed: expected seeds up to {HIGHEST_SEED}, got {seeds[-1]}")
    kinds = {decides(candidate, first) for candidate in candidates}
    if len(kinds) > 1 and not callable(score):
        raise SettingError("model: one decides between classes, another answers with numbers; no score fits both")
    deciding = True in kinds
    found, name = [check_score(candidate, score, deciding) for candidate in candidates][-1]
    assigned = assign_folds(samples.y, folds, seeds, deciding)
    return Experiment(Plan(folds, seeds, found, name), samples, assigned)


def check_score(candidate: Candidate, score: Score | None, decides: bool) -> tuple[Score, str]:
    """The score, and its name in tables.

    Raises:
        SettingError: this candidate has no such score.

    """
    if callable(score):
        return score, getattr(score, "__name__", "score")
    if score is None:
        score = "accuracy" if decides else "r_squared"
    known = [name for name in SCORES if name != "loss" or not candidate.is_estimator]
    if score not in known or (score == "accuracy" and not decides):
        possible = [name for name in known if decides or name != "accuracy"]
        raise SettingError(
            f"score: expected {', '.join(possible)}, or a function of the trained model, x and targets, got {score!r}"
        )
    return score, score


def decides(candidate: Candidate, seed: int) -> bool:
    """Whether the answers are decisions between classes, not numbers."""
    if candidate.is_estimator:
        from sklearn.base import is_classifier

        return bool(is_classifier(candidate.source))
    return candidate.training(seed).network.loss.decides


def measure(
    candidate: Candidate, row: int, fold: int, plan: Plan, x: Any, y: Any, weights: Any, pixels: bool, assigned: Array
) -> float:
    """The score on one fold of a candidate trained on the others; the rest is `Experiment.arguments`.

    Raises:
        DivergenceError: a value was no longer finite; says in which fold.
        DataError, DataTypeError, SettingError: see `train`.

    """
    samples, seed = Samples(x, y, weights, pixels), plan.seeds[row]
    known, unknown = (samples.rows(np.flatnonzero(chosen)) for chosen in (assigned[row] != fold, assigned[row] == fold))
    score = _score_of_estimator if candidate.is_estimator else _score_of_network
    try:
        found = score(candidate, plan.score, known, unknown, seed)
    except DivergenceError as error:
        where = error.epoch, error.step, error.layer, error.cause
        raise _diverged(f"fold {fold + 1}, seed {seed}: {error}", *where) from error
    if not math.isfinite(found):
        cause = f"the score is {found} though all weights are finite; the learning rate may be too high"
        raise _diverged(f"fold {fold + 1}, seed {seed}: {cause}", 0, 0, "", cause)
    return found


def _diverged(message: str, epoch: int, step: int, layer: str, cause: str) -> DivergenceError:
    return DivergenceError(message, epoch=epoch, step=step, layer=layer, cause=cause)


def _score_of_network(candidate: Candidate, score: Score, known: Rows, unknown: Rows, seed: int) -> float:
    network, settings = candidate.training(seed)
    (x, y, w), (x_new, y_new, w_new) = known, unknown
    network.check_data(x, y, "training")
    inputs, t = network.check_data(x_new, y_new, "test")
    train(network, (x, y), sample_weight=w, seed=seed, progress=False, **settings)
    figures = network.measure(inputs, t, network.check_weights(t, w_new, None))
    if not math.isfinite(figures["loss"]):  # and then no other score means anything
        return figures["loss"]
    if callable(score):
        return float(score(network, x_new, y_new))
    return r_squared(t, network.predict(inputs)) if score == "r_squared" else figures[score]


def _score_of_estimator(candidate: Candidate, score: Score, known: Rows, unknown: Rows, seed: int) -> float:
    estimator = candidate.estimator(seed)
    (x, y, w), (x_new, y_new, _) = known, unknown
    estimator.fit(x, y, **({} if w is None else {"sample_weight": w}))
    if callable(score):
        return float(score(estimator, x_new, y_new))
    predicted = estimator.predict(x_new)
    return r_squared(y_new, predicted) if score == "r_squared" else float(np.mean(predicted == np.asarray(y_new)))
