"""The report of a training: one HTML page that needs nothing else, on paper, in the light and in the dark."""

from __future__ import annotations

import platform
import re
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import numpy as np

from chainrule import __version__, plots
from chainrule.arrays import Array, Shape
from chainrule.cli.output import confused_lines
from chainrule.cli.recipe import Recipe
from chainrule.cli.results import Result
from chainrule.data import DataSet
from chainrule.evaluation import misclassified
from chainrule.files import write_atomically
from chainrule.layers import Conv2D, Flatten, Linear, Reshape
from chainrule.network import Network
from chainrule.plots.figures import INK
from chainrule.tabular import TabularPreprocessor
from chainrule.training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_MISTAKES = 30  # images shown
MOST_UNITS = 60
MOST_CIRCLES = 8  # of a layer, in a network that is drawn


def write_report(
    path: Path, network: Network, samples: DataSet, recipe: Recipe, history: History, result: Result
) -> None:
    """Write the page to `path`, atomically. Raises OSError, and MissingExtraError without matplotlib."""
    page = report_page(network, samples, recipe, history, result)
    write_atomically(path, page.encode())


def report_page(network: Network, samples: DataSet, recipe: Recipe, history: History, result: Result) -> str:
    """The page as text. Everything that was not written in this file is escaped."""
    sections = [
        _settings(network, recipe, samples),
        *_columns(network),
        _section("How it learned", _curves(history, recipe)),
        *_confusion(result),
        *_everywhere(network, samples),
        *_drawn(network, samples),
        *_mistakes(network, samples),
        *_first_layer(network, samples),
        _repeat(recipe),
    ]
    template = Template(resources.files("chainrule.cli").joinpath("report.html").read_text("utf-8"))
    return template.substitute(
        title=escape(_title(samples, result)),
        description=escape(f"{samples.description} Source: {samples.source}. Licence: {samples.licence}."),
        figures=_figures(network, history, result),
        sections="\n".join(sections),
        footer=escape(
            f"Made by chainrule {__version__} with NumPy {np.__version__} and Python {platform.python_version()}."
        ),
    )


def _title(samples: DataSet, result: Result) -> str:
    if result.accuracy is None:
        return f"{samples.name}: R² {_r_squared(result)} on the test samples"
    return f"{samples.name}: {result.accuracy:.2%} of the test samples right"


def _r_squared(result: Result) -> str:
    return "unknown" if result.r_squared is None else f"{result.r_squared:.4f}"


def _figures(network: Network, history: History, result: Result) -> str:
    """The few figures that stand at the top."""
    classes = result.accuracy is not None
    figures = [
        ("Test accuracy", f"{result.accuracy:.2%}") if classes else ("R²", _r_squared(result)),
        ("Test loss", f"{result.loss:.4g}"),
        ("Test samples", f"{result.samples:,}"),
        ("Parameters", f"{network.summary().parameters:,}"),
        ("Epochs", f"{len(history)}"),
        ("Training", f"{sum(history['seconds']):.2f} s"),
    ]
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in figures)


def _settings(network: Network, recipe: Recipe, samples: DataSet) -> str:
    """The network and its settings, side by side."""
    summary = network.summary()
    rows = [(layer, " × ".join(map(str, shape)), f"{count:,}") for layer, shape, count in summary.rows]
    body = "".join(
        f'<tr><td>{escape(a)}</td><td>{escape(b)}</td><td class="number">{escape(c)}</td></tr>' for a, b, c in rows
    )
    x, _ = samples.train
    caption = f"Samples to learn from: {len(x):,}. Features of each: {x.shape[1]}. Loss: {summary.loss}."
    head = '<tr><th>Layer</th><th>Output</th><th class="number">Parameters</th></tr>'
    table = f"<table><caption>{escape(caption)}</caption>{head}{body}</table>"
    settings = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{escape(_value(name, value))}</td></tr>"
        for name, value in recipe.to_dict().items()
        if value is not None
    )
    parts = _section("The network", table) + _section("The settings", f"<table>{settings}</table>")
    return f'<div class="pair cards">{parts}</div>'


def _columns(network: Network) -> list[str]:
    """What the columns of a table were taken for."""
    if "preprocessing" not in network.metadata:
        return []
    decided = str(TabularPreprocessor.from_dict(network.metadata["preprocessing"]))
    return [_section("What the columns became", f"<pre>{escape(decided)}</pre>")]


def _value(name: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "full batch" if name == "batch_size" and value == 0 else str(value)


def _curves(history: History, recipe: Recipe) -> str:
    watched = "test samples" if recipe.validation_fraction is None else "validation"
    note = (
        "The loss is on a logarithmic scale. Where the dashed line rises while the solid one falls, the network learns "
        "its training samples by heart."
    )
    if len(history) < recipe.epochs:
        note += f" Stopped early: {history.stopped}."
    names = [name for name in ("loss", "accuracy") if name in history.records[-1]]
    figures = "".join(
        _figure(plots.curve(history, name, log=name == "loss", validation=watched), f"{name} over the epochs")
        for name in names
    )
    return f'<div class="pair">{figures}</div><p class="note">{escape(note)}</p>'


def _confusion(result: Result) -> list[str]:
    """The confusion matrix, and the most confused pairs beside it."""
    if result.matrix is None or result.class_names is None:
        return []
    names = list(result.class_names)
    caption = "How many test samples of each class (row) were taken for each class (column)."
    figure = _figure(plots.confusion_matrix(result.matrix, names), "Confusion matrix", caption)
    heading, *lines = confused_lines(list(result.pairs), names)
    rows = "".join(f"<tr><td>{escape(line.strip())}</td></tr>" for line in lines)
    pairs = f"<div><h3>{escape(heading)}</h3><table>{rows}</table></div>"
    return [_section("What it confuses", f'<div class="pair">{figure}{pairs}</div>')]


def _everywhere(network: Network, samples: DataSet) -> list[str]:
    """What is answered everywhere, for samples in the plane or on a line."""
    x, y = samples.test
    if x.shape[1] == 2 and samples.class_names is not None:
        caption = "The plane in the colours of the classes, mixed by their probabilities; the points are test samples."
        if _has_hidden_units(network):
            picture: Axes | Figure = plots.hidden_units(network, x, y, names=samples.class_names)
            caption += (
                " Beside it what each hidden unit makes of the plane: dark blue where it is negative, light orange "
                "where it is positive, grey at 0."
            )
        else:
            picture = plots.decision_regions(network.predict, x, y, names=samples.class_names)
        return [_section("What it decides", _figure(picture, "Decision regions", caption))]
    if x.shape[1] == 1 and samples.class_names is None:
        fit = plots.fit(network.predict, x, y)
        return [_section("What it predicts", _figure(fit, "Prediction", "The points are test samples."))]
    return []


def _mistakes(network: Network, samples: DataSet) -> list[str]:
    """Images that were decided wrong."""
    if samples.image_shape is None or samples.class_names is None:
        return []
    x, y = samples.test
    mistakes = misclassified(network, x, y)
    if not mistakes:
        return [_section("What it got wrong", "<p>Nothing: every test image was read right.</p>")]
    shown = mistakes[:MOST_MISTAKES]
    images = _ink(np.asarray(x), samples.image_shape)
    picture = plots.misclassified(
        images, shown, samples.class_names, probabilities=network.loss.decides, most=MOST_MISTAKES
    )
    some = f"{len(shown)} of the {len(mistakes)}" if len(shown) < len(mistakes) else f"All {len(mistakes)}"
    caption = f"{some} test images that were read wrong, those first that the network was surest of."
    return [_section("What it got wrong", _figure(picture, "Misclassified images", caption))]


def _ink(x: Array, image_shape: Shape) -> Array:
    """Images (N, H, W) that are drawn dark where they are large: ink, or the darkness of pictures (C, H, W)."""
    images = x.reshape(-1, *image_shape)
    return images if len(image_shape) == 2 else 1 - images.mean(axis=1)


def _has_hidden_units(network: Network) -> bool:
    """Whether there is a layer of units before the last layer with weights."""
    return sum(isinstance(layer, Linear) for layer in network.layers) > 1


def _drawn(network: Network, samples: DataSet) -> list[str]:
    """The network as a graph with the numbers of a test sample, where it is small enough to be read."""
    shapes = [network.summary().input_shape, *(shape for _, shape, _ in network.summary().rows)]
    if any(len(shape) != 1 or shape[0] > MOST_CIRCLES for shape in shapes):
        return []
    caption = (
        "Each line is a weight: solid blue adds, dashed orange takes away, the wider the larger. In the circles stands "
        "what each unit gives for the first test sample."
    )
    picture = plots.network_graph(network, samples.test[0][0])
    return [_section("One sample on its way", _figure(picture, "The network as a graph", caption))]


def _first_layer(network: Network, samples: DataSet) -> list[str]:
    """What the first layer learned, where its weights can be seen as images; of a convolution also what it finds."""
    first = next((layer for layer in network.layers if not isinstance(layer, Flatten | Reshape)), None)
    if samples.image_shape is None or not isinstance(first, Linear | Conv2D):
        return []
    if isinstance(first, Conv2D):
        return _convolution(network, samples, first)
    if len(samples.image_shape) > 2:
        return []
    units = first.W.shape[1]
    some = f"The first {MOST_UNITS} of {units} units" if units > MOST_UNITS else f"All {units} units"
    caption = (
        f"{some}. Each image holds the weights that lead into one unit: where it is light orange, ink excites the "
        "unit, where it is dark blue, ink calms it, and where it is grey, ink does nothing."
    )
    picture = plots.first_layer_weights(first.W, samples.image_shape, most=MOST_UNITS)
    return [_section("What the first layer looks for", _figure(picture, "First-layer weights", caption))]


def _convolution(network: Network, samples: DataSet, first: Conv2D) -> list[str]:
    filters = _figure(
        plots.filters(first.W),
        "Filters",
        "The filters of the first layer: light orange adds where the image has ink, dark blue takes away.",
    )
    maps = _figure(
        plots.feature_maps(network, samples.test[0][0]),
        "Feature maps",
        "The first test image, and what each stage of the network makes of it, channel by channel.",
    )
    return [_section("What the first layer looks for", filters), _section("What it finds in an image", maps)]


def _repeat(recipe: Recipe) -> str:
    return _section("How to repeat it", f"<pre><code>{escape(recipe.command())}</code></pre>")


def _section(heading: str, content: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{content}</section>"


def _figure(picture: Axes | Figure, name: str, caption: str = "") -> str:
    """A picture as an SVG element inside the page, its ink in the page's colour."""
    svg = plots.to_svg(picture, transparent=True).replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)  # HTML knows them
    for before in (' id="', "url(#", 'href="#'):  # no two figures of the page may share an id
        svg = svg.replace(before, f"{before}{name.lower().replace(' ', '-')}-")
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(name)}" ', 1)
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{svg}{below}</figure>"
