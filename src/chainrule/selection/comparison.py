"""`compare`: is A better than B? Source: mission item D8."""

from dataclasses import dataclass
from typing import Any

from chainrule.arrays import Array
from chainrule.configuration import real_number
from chainrule.errors import SettingError
from chainrule.selection.candidates import as_candidate
from chainrule.selection.cross_validation import CrossValidation, validate_all
from chainrule.selection.runs import Score, set_up
from chainrule.selection.significance import TTest, corrected_t_test, paired_t_test
from chainrule.selection.tables import Table, Tabled, four_digits, in_words


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Tabled):
    """What `compare` has measured; both on the same folds with the same seeds."""

    a: CrossValidation
    b: CrossValidation
    names: tuple[str, str]
    level: float  # of significance

    @property
    def differences(self) -> Array:
        """(R, K), the scores of A less those of B."""
        return self.a.scores - self.b.scores

    @property
    def paired(self) -> TTest:
        """The paired t-test of the differences, which takes runs that share samples for independent."""
        return paired_t_test(self.differences)

    @property
    def corrected(self) -> TTest:
        """The corrected resampled t-test, by which the verdict goes."""
        tested = self.a.tested
        return corrected_t_test(self.differences, float((tested / (tested.sum(axis=1, keepdims=True) - tested)).mean()))

    @property
    def better(self) -> str | None:
        """The name of the better one; None where the difference may be chance."""
        if not self.corrected.p_value < self.level:
            return None
        return self.names[(self.corrected.mean > 0) == (self.a.score == "loss")]

    @property
    def verdict(self) -> str:
        """The answer, in a sentence or two."""
        (first, second), found = self.names, dict(zip(self.names, (self.a, self.b), strict=True))
        if (self.differences == 0).all():
            return f"{first} and {second} have the same {in_words(self.a.score)} in every run."
        if self.better == second:
            first, second = second, first
        one, other = four_digits(found[first].mean), four_digits(found[second].mean)
        means = f"mean {in_words(self.a.score)} {one} against {other}"
        p = f"p = {self.corrected.p_value:.2g} by the corrected resampled t-test"
        if self.better is not None:
            return f"{first} is better than {second}: {means}, {p}."
        doubt = f"No difference between {first} and {second} is shown: {means}, {p}."
        if self.paired.p_value < self.level:
            doubt += (
                f" The paired t-test would claim one (p = {self.paired.p_value:.2g}), "
                "but takes runs that share training samples for independent."
            )
        return doubt

    def table(self) -> Table:
        """Both models and their difference in rows; the tests and the verdict below."""
        headings = ("", f"mean {in_words(self.a.score)}", "deviation", "over seeds")
        every = zip((*self.names, "difference"), (self.a.scores, self.b.scores, self.differences), strict=True)
        rows = [(name, *_figures(scores)) for name, scores in every]
        low, high = self.corrected.interval(1 - self.level)
        below = {
            "paired t-test": _tested(self.paired),
            "corrected resampled t-test": _tested(self.corrected),
            f"{1 - self.level:.0%} interval of the difference": f"{four_digits(low)} … {four_digits(high)}",
        }
        width = max(map(len, below)) + 1
        lines = [f"{name + ':':<{width}} {text}" for name, text in below.items()]
        return Table(headings, tuple(rows), "\n".join([*lines, self.verdict]))

    def records(self) -> list[dict[str, Any]]:
        """One for each run: seed, fold, number of samples tested on, the score of each, and the difference."""
        return [
            {**{key: one[key] for key in ("seed", "fold", "tested")}, **dict(zip(self.names, pair, strict=True)),
             "difference": pair[0] - pair[1]}
            for one, other in zip(self.a.records(), self.b.records(), strict=True)
            for pair in [(one[self.a.score], other[self.b.score])]
        ]  # fmt: skip


def _figures(scores: Array) -> tuple[str, str, str]:
    """Mean and standard deviation of scores (R, K), and the deviation of the means of the R seeds."""
    over_seeds = four_digits(float(scores.mean(axis=1).std(ddof=1))) if len(scores) > 1 else ""
    return four_digits(float(scores.mean())), four_digits(float(scores.std(ddof=1))), over_seeds


def _tested(test: TTest) -> str:
    return f"t = {test.statistic:.3f} with {test.degrees} degrees of freedom, p = {test.p_value:.3g}"


def compare(
    a: Any,
    b: Any,
    data: tuple[Any, Any],
    *,
    folds: int = 5,
    repeats: int = 5,
    score: Score | None = None,
    sample_weight: Any = None,
    seed: int = 0,
    workers: int | None = None,
    names: tuple[str, str] = ("A", "B"),
    level: float = 0.05,
    **settings: Any,
) -> Comparison:
    """Is A better than B? Both are cross-validated on the same folds, and the differences of their scores are tested.

        slow, fast = (network, {"learning_rate": 0.0001}), (network, {"learning_rate": 0.01})
        print(cr.compare(slow, fast, digits.train, epochs=10))

    Args:
        a: a model, as in `cross_validate`, mostly a pair of one and a dictionary of settings.
        b: another.
        data: see `cross_validate`, as for what is not said here.
        folds: K.
        repeats: how many seeds. Their spread tells how much is luck of the first weights and the folds.
        score: by which one is better.
        sample_weight: how much each sample counts in the loss (N,).
        seed: the first one.
        workers: how many processes run side by side.
        names: of A and B, for the table and the verdict.
        level: a difference that chance alone would bring about less often than this is called one.
        settings: of both models, where their own say nothing else.

    Raises:
        SettingError, DataError, DataTypeError, DivergenceError, MissingExtraError: see `cross_validate`.

    """
    real_number(level, "level", below=1.0)
    if len(names) != 2 or names[0] == names[1]:
        raise SettingError(f"names: expected two that differ, got {names!r}")
    candidates = [as_candidate(model, settings) for model in (a, b)]
    experiment = set_up(candidates, data, sample_weight, folds, repeats, seed, score)
    found_a, found_b = validate_all(candidates, experiment, workers)
    return Comparison(found_a, found_b, (str(names[0]), str(names[1])), level)
