"""What all pictures share: how figures are made, their colours, and their files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from chainrule.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that people with any colour vision tell apart (Okabe & Ito 2008).
# Line styles and markers say the same in print.
BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, YELLOW, BLACK = (
    "#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#f0e442", "#000000",
)  # fmt: skip
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, YELLOW, BLACK)
INK = "#2b2b2b"  # text, frames and ticks; what stands on a filled ground is BLACK

# From the most negative number to the most positive one: blue or orange says the sign, and each step is lighter than
# the one before, so that a print in grey says the same.
SIGNED = ("#0a2a5e", "#2f6fad", "#9c9c9c", "#f0b566", "#fff4dc")


def new_figure(size: tuple[float, float]) -> Figure:
    """An empty figure of `size` (width, height) in inches. Raises MissingExtraError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plots", "drawing a picture") from None
    return Figure(figsize=size, layout="constrained", facecolor="white")


def axes_or_new(ax: Axes | None, size: tuple[float, float], **keywords: Any) -> Axes:
    """`ax`, or the axes of a new figure."""
    return ax if ax is not None else new_figure(size).add_subplot(**keywords)


def signed_colours() -> Any:
    """The colour map of numbers around 0: dark blue for the most negative, grey for 0, light orange above."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", SIGNED)


def bare(ax: Axes) -> Axes:
    """No ticks, a faint frame: for images."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set(color=INK, alpha=0.25)
    return ax


def tidy(ax: Axes) -> Axes:
    """Ink instead of black, a faint grid behind, no frame on top and on the right."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(INK)
    ax.tick_params(colors=INK)
    for text in (ax.title, ax.xaxis.label, ax.yaxis.label):
        text.set_color(INK)
    ax.grid(color=INK, alpha=0.12, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def number(value: float, form: str = ".2g") -> str:
    """A number in few digits, with a minus as long as a plus; what rounds to nothing has no sign."""
    text = f"{value:{form}}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def plain(text: str) -> str:
    """`text` as matplotlib shall write it: a dollar is a dollar and begins no formula."""
    return str(text).replace("$", r"\$")


def to_png(picture: Axes | Figure, *, dots_per_inch: int = 150) -> bytes:
    """The whole figure of `picture` as the bytes of a PNG file."""
    file = io.BytesIO()
    _figure(picture).savefig(file, format="png", dpi=dots_per_inch)
    return file.getvalue()


def to_svg(picture: Axes | Figure, *, transparent: bool = False) -> str:
    """The whole figure of `picture` as an SVG element, the same text each time, its words kept as words."""
    from matplotlib import rc_context

    file = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "chainrule"}):
        _figure(picture).savefig(file, format="svg", transparent=transparent, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def _figure(picture: Axes | Figure) -> Figure:
    figure: Figure = picture if hasattr(picture, "savefig") else picture.figure  # type: ignore[assignment]
    return figure
