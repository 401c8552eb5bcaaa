"""What a search has found: scores by one setting or two, and where training failed. Source: mission items D8, D9."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array
from chainrule.plots.divergence import GREY, fields
from chainrule.plots.figures import BLACK, BLUE, INK, VERMILION, axes_or_new, plain, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 30  # numbers stand on a logarithmic axis where the largest is more than so many times the smallest


def score_map(found: Any, across: str, down: str, *, ax: Axes | None = None) -> Axes:
    """The mean score for every pair of values of two settings: the lighter the better; the best in a frame.

    Crossed fields have failed. Where there are further settings, the best of all trials of a field counts. Where trials
    were drawn at random, and so not every pair is there, each is a point.

    Args:
        found: what `search` returned.
        across: the setting from left to right.
        down: that from below to above.
        ax: where to draw; new axes when there are none.

    """
    columns, rows = _values(found, across), _values(found, down)
    scores = np.full((len(rows), len(columns)), np.nan)
    tried = np.zeros(scores.shape, dtype=bool)
    for trial in found.trials:
        at = rows.index(trial.settings[down]), columns.index(trial.settings[across])
        tried[at] = True
        scores[at] = _better(found, scores[at], trial.mean)
    every_pair = bool(tried.all())
    size = (max(4.8, 2.6 + 0.66 * len(columns)), max(3, 1.9 + 0.42 * len(rows))) if every_pair else (6, 4)
    drawn = axes_or_new(ax, size)
    if every_pair or not _are_numbers(columns) or not _are_numbers(rows):
        _fields(found, scores, tried, drawn)
        drawn.set_xticks(np.arange(len(columns)) + 0.5, [_label(value) for value in columns])
        drawn.set_yticks(np.arange(len(rows)) + 0.5, [_label(value) for value in rows])
    else:
        _points(found, across, down, drawn)
    drawn.set_xlabel(_words(across), color=INK)
    drawn.set_ylabel(_words(down), color=INK)
    if drawn.get_legend_handles_labels()[0]:
        drawn.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, labelcolor=INK)
    return drawn


def score_curve(found: Any, across: str, *, ax: Axes | None = None) -> Axes:
    """The mean score by one setting, with the standard deviation of the scores; crosses have failed.

    Where there are further settings, the best of all trials with a value counts.

    Args:
        found: what `search` returned.
        across: the setting.
        ax: where to draw; new axes when there are none.

    """
    ax = tidy(axes_or_new(ax, (5.2, 3.6)))
    values = _values(found, across)
    best = {place: _best_of(found, across, value) for place, value in enumerate(values)}
    places: Any = values if _are_numbers(values) else range(len(values))
    learned = [place for place, trial in best.items() if not trial.failure]
    failed = [place for place, trial in best.items() if trial.failure]
    means, deviations = ([getattr(best[place], name) for place in learned] for name in ("mean", "deviation"))
    at = [places[place] for place in learned]
    line = "o-" if _are_numbers(values) else "o"
    ax.errorbar(at, means, deviations, fmt=line, color=BLUE, capsize=3, linewidth=1.8, markersize=4)
    if failed:
        at, bottom = [places[place] for place in failed], [0.03] * len(failed)
        style: dict[str, Any] = {"color": VERMILION, "linestyle": "none", "markersize": 9, "markeredgewidth": 2.5}
        ax.plot(at, bottom, "x", transform=ax.get_xaxis_transform(), clip_on=False, label="not finite", **style)
        ax.legend(frameon=False, labelcolor=INK)
    if not _are_numbers(values):
        ax.set_xticks(range(len(values)), [_label(value) for value in values])
        ax.margins(x=0.2)
    elif _is_logarithmic(values):
        ax.set_xscale("log")
    ax.set_xlabel(_words(across))
    ax.set_ylabel(_mean_score(found))
    return ax


def _fields(found: Any, scores: Array, tried: Array, ax: Axes) -> None:
    failed = tried & np.isnan(scores)
    shades = ax.pcolormesh(np.ma.masked_invalid(scores), cmap=_shades(found), edgecolors="white", linewidth=1)
    low, high = shades.get_clim()
    fields(ax, failed, hatch="xxx", label="not finite", facecolor=GREY, edgecolor="white", linewidth=1)
    centred: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}
    for row, column in np.argwhere(~np.isnan(scores)):
        share = (scores[row, column] - low) / ((high - low) or 1)
        dark = share > 0.6 if found.score == "loss" else share < 0.4
        colour = "white" if dark and high > low else BLACK
        ax.text(column + 0.5, row + 0.5, f"{scores[row, column]:.3g}", color=colour, **centred)
    if not np.isnan(scores).all():
        best = scores == _better(found, np.nanmin(scores), np.nanmax(scores))
        first = np.zeros_like(best)
        first[np.unravel_index(best.argmax(), best.shape)] = True
        fields(ax, first, facecolor="none", edgecolor=VERMILION, linewidth=2.5, clip_on=False, label="best")
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)
    _bar(found, shades, ax)


def _points(found: Any, across: str, down: str, ax: Axes) -> None:
    tidy(ax)
    learned, failed = ([t for t in found.trials if bool(t.failure) is so] for so in (False, True))
    x, y = ([trial.settings[name] for trial in learned] for name in (across, down))
    means = [trial.mean for trial in learned]
    shades = ax.scatter(x, y, c=means, cmap=_shades(found), s=70, edgecolors=INK, linewidths=0.8, zorder=3)
    x, y = ([trial.settings[name] for trial in failed] for name in (across, down))
    if failed:
        ax.plot(x, y, "x", color=BLACK, markersize=8, markeredgewidth=2, label="not finite", linestyle="none")
    if learned:
        best = max(learned, key=lambda trial: -trial.mean if found.score == "loss" else trial.mean)
        ax.plot(best.settings[across], best.settings[down], "o", markersize=14, markeredgecolor=VERMILION,
                markerfacecolor="none", markeredgewidth=2.5, label="best", linestyle="none")  # fmt: skip
    for name, scale in ((across, ax.set_xscale), (down, ax.set_yscale)):
        if _is_logarithmic(_values(found, name)):
            scale("log")
    _bar(found, shades, ax)


def _bar(found: Any, shades: Any, ax: Axes) -> None:
    bar = ax.figure.colorbar(shades, ax=ax, label=_mean_score(found))
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=INK)


def _shades(found: Any) -> str:
    """The lighter the better."""
    return "Blues" if found.score == "loss" else "Blues_r"


def _better(found: Any, one: float, other: float) -> float:
    """The better of two scores; NaN is none."""
    return float(np.fmin(one, other) if found.score == "loss" else np.fmax(one, other))


def _best_of(found: Any, name: str, value: Any) -> Any:
    """The best trial with this value, be it one that has failed."""
    trials = [trial for trial in found.trials if trial.settings[name] == value]
    learned = [trial for trial in trials if not trial.failure]
    sign = -1 if found.score == "loss" else 1
    return max(learned, key=lambda trial: sign * trial.mean) if learned else trials[0]


def _values(found: Any, name: str) -> list[Any]:
    """The values of a setting: numbers growing, others in the order in which they were tried."""
    values: list[Any] = []
    for trial in found.trials:
        if trial.settings[name] not in values:
            values.append(trial.settings[name])
    return sorted(values) if _are_numbers(values) else values


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(value, Real) and not isinstance(value, bool) for value in values)


def _is_logarithmic(values: list[Any]) -> bool:
    return min(values) > 0 and max(values) > WIDE * min(values)


def _words(name: str) -> str:
    strengths = {"l1": "strength of the L1 penalty", "l2": "strength of the L2 penalty"}
    return strengths.get(name, plain(name.replace("_", " ")))


def _mean_score(found: Any) -> str:
    return "mean R²" if found.score == "r_squared" else f"mean {plain(found.score)}"


def _label(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return plain(getattr(value, "__qualname__", None) or str(value))
