"""Learning curves. Source: mission items B6, D16."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.plots.figures import BLUE, INK, SKY, VERMILION, axes_or_new, new_figure, plain, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def curve(
    history: Any, name: str = "loss", *, log: bool = False, validation: str = "validation", ax: Axes | None = None
) -> Axes:
    """The figure `name` over the epochs, and beside it the same on validation data where it was measured.

    Where the network overfits (see `overfitting_epoch`), a dotted line marks the epoch from which on it does.

    Args:
        history: what `train` returned, its records, or its dictionary.
        name: "loss" or "accuracy", or any other figure in the history.
        log: whether the vertical axis is logarithmic.
        validation: what the second line is called.
        ax: where to draw; new axes when there are none.

    Raises:
        SettingError: the figure was not measured.

    """
    measured = _columns(history)
    if name not in measured:
        raise SettingError(f"history has no {name!r}; it has {', '.join(measured) or 'nothing'}")
    percent = name == "accuracy"
    ax = tidy(axes_or_new(ax, (5.2, 3.6)))
    whole_numbers(ax)
    for key, label, colour, style in (
        (name, "training", BLUE, "-"),
        (f"validation_{name}", plain(validation), VERMILION, "--"),
    ):
        if key in measured:
            values = np.asarray(measured[key]) * (100 if percent else 1)
            marker = "o" if len(values) == 1 else None
            ax.plot(measured["epoch"], values, style, color=colour, label=label, marker=marker, linewidth=1.8)
    if len(measured[name]) == 1:
        ax.set_xticks(measured["epoch"])
    ax.set_xlabel("epoch")
    ax.set_ylabel(f"{name} (%)" if percent else name)
    if log:
        logarithmic(ax)
    elif percent:
        ax.set_ylim(top=100.5)
    else:
        ax.set_ylim(bottom=0)
    turn = overfitting_epoch(history)
    if turn is not None and f"validation_{name}" in measured:
        ax.axvline(turn, color=INK, linestyle=":", linewidth=1.4, label=f"overfits after epoch {turn}")
        best = measured[f"validation_{name}"][list(measured["epoch"]).index(turn)] * (100 if percent else 1)
        ax.plot(turn, best, "o", color=VERMILION, markeredgecolor="white", markersize=7)
    if f"validation_{name}" in measured:
        ax.legend(frameon=False, labelcolor=INK)
    return ax


def overfitting_epoch(history: Any) -> int | None:
    """The epoch with the lowest validation loss, where what came after it was learning by heart; else None.

    By heart is learned where the validation loss ends at least a twentieth above its lowest value while the training
    loss has fallen further. Source: mission item B6.

    Args:
        history: what `train` returned, its records, or its dictionary.

    """
    measured = _columns(history)
    if not {"epoch", "loss", "validation_loss"} <= set(measured):
        return None
    training, validation = np.asarray(measured["loss"]), np.asarray(measured["validation_loss"])
    best = int(np.argmin(validation))
    by_heart = validation[-1] > validation[best] + 0.05 * abs(validation[best]) and training[-1] < training[best]
    return int(measured["epoch"][best]) if by_heart else None


def curves(history: Any, *, log: bool = False, validation: str = "validation") -> Figure:
    """Loss and, where it was measured, accuracy over the epochs, side by side; see `curve`."""
    names = [name for name in ("loss", "accuracy") if name in _columns(history)]
    figure = new_figure((5 * max(1, len(names)), 3.6))
    for position, name in enumerate(names or ["loss"]):
        ax = figure.add_subplot(1, max(1, len(names)), position + 1)
        curve(history, name, log=log and name == "loss", validation=validation, ax=ax)
    return figure


def learning_rates(found: Any, *, ax: Axes | None = None) -> Axes:
    """The loss over the learning rate, from `find_learning_rate`, with its running mean and the rate it suggests.

    Args:
        found: what `find_learning_rate` returned.
        ax: where to draw; new axes when there are none.

    """
    ax = tidy(axes_or_new(ax, (5.2, 3.6)))
    smoothed = np.asarray(found.smoothed)
    ax.plot(found.rates, found.losses, color=SKY, linewidth=1, label="loss of each step")
    ax.plot(found.rates, smoothed, color=BLUE, linewidth=1.8, label="running mean")
    ax.axvline(found.suggestion, color=VERMILION, linestyle="--", label=f"suggested: {found.suggestion:.2g}")
    ax.set_xscale("log")
    ax.set_ylim(top=smoothed[0] + 1.2 * (smoothed[0] - smoothed.min()) or None)
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss")
    ax.legend(frameon=False, labelcolor=INK)
    return ax


def whole_numbers(ax: Axes) -> None:
    """There is no epoch 2.5."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def logarithmic(ax: Axes) -> None:
    """A logarithmic vertical axis, its numbers written plainly."""
    from matplotlib.ticker import LogLocator, NullFormatter

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(which="both", colors=INK)


def _columns(history: Any) -> dict[str, list[float]]:
    """{"epoch": […], "loss": […], …} from a History, its records, or its dictionary."""
    if hasattr(history, "to_dict"):
        history = history.to_dict()
    if isinstance(history, dict):
        return history
    records = list(history)
    return {name: [record[name] for record in records] for name in records[-1]} if records else {}
