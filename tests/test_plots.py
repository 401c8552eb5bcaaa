"""Pictures: what they show, and that drawing leaves nothing behind."""

import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest

import chainrule as cr
from chainrule import plots
from chainrule.errors import DataError, MissingExtraError, SettingError, ShapeError
from chainrule.evaluation import Mistake
from chainrule.layers import Context
from chainrule.plots.decisions import plane_around
from chainrule.plots.figures import PALETTE, new_figure, signed_colours
from chainrule.selection import Search, Trial
from chainrule.training import DivergenceMap, LearningRates, LossMap

HISTORY = {
    "epoch": [1, 2, 3],
    "loss": [2.0, 1.0, 0.5],
    "accuracy": [0.3, 0.6, 0.9],
    "validation_loss": [2.1, 1.2, 0.9],
    "validation_accuracy": [0.2, 0.5, 0.8],
}
RECORDS = [{name: values[epoch] for name, values in HISTORY.items()} for epoch in range(3)]


class Recorded:
    """What `train` returns, as far as pictures look at it."""

    def to_dict(self):
        return HISTORY


def bowl(v1, v2):
    return v1**2 + 4 * v2**2


MAP = DivergenceMap((0.1, 1.0), (0.0, 1.0), 2.0, np.array([[1.0, 3.0], [1.5, np.nan]]))
RATES = LearningRates((0.001, 0.01, 0.1, 1.0), (2.0, 1.0, 0.5, 9.0), (2.0, 1.5, 1.0, 4.0))
SEARCH = Search("accuracy", (Trial({"a": 0.1, "b": 1}, (0.5, 0.7)), Trial({"a": 1.0, "b": 1}, (), "diverged")))
PATH = [(2.0, 1.0), (1.0, 0.4), (0.5, 0.1)]
OVERFITTED = {"epoch": [1, 2, 3, 4], "loss": [2.0, 1.0, 0.5, 0.1], "validation_loss": [2.1, 1.2, 1.5, 1.6]}


@cache
def gathered():
    """A small network for points, with the histograms and the path of its training."""
    network = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(1)], loss=cr.BinaryCrossEntropy())
    histograms, path = cr.Histograms(samples=50), cr.WeightPath()
    data = cr.data.make_xor(samples=50)
    cr.train(network, data, epochs=3, callbacks=[histograms, path], progress=False)
    return network, data, histograms, path


@cache
def convolutional():
    layers = [cr.Conv2D(3, 3), cr.ReLU(), cr.MaxPool2D(2), cr.Flatten(), cr.Linear(2)]
    return cr.Network(layers, loss=cr.CrossEntropy()).build((1, 6, 6))


def lines(ax):
    return {line.get_label(): line for line in ax.lines}


@cache
def loss_map():
    network, data, _, path = gathered()
    return cr.map_loss(network, data, path, points=5)


def all_pictures():
    """One of each kind."""
    x = np.random.default_rng(0).normal(size=(20, 2))
    return {
        "curve": plots.curve(HISTORY),
        "curves": plots.curves(HISTORY, log=True),
        "learning_rates": plots.learning_rates(RATES),
        "confusion_matrix": plots.confusion_matrix([[5, 1], [0, 4]]),
        "gallery": plots.gallery(np.zeros((3, 8, 8)), ["a", "b", "c"]),
        "first_layer_weights": plots.first_layer_weights(np.ones((6, 4)), (2, 3)),
        "descent_path": plots.descent_path(bowl, PATH),
        "descent_surface": plots.descent_surface(bowl, PATH),
        "decision_regions": plots.decision_regions(lambda p: p[:, :1] > 0, x, x[:, 0] > 0),
        "divergence_map": plots.divergence_map(MAP),
        "score_map": plots.score_map(SEARCH, "a", "b"),
        "score_curve": plots.score_curve(SEARCH, "a"),
        "fit": plots.fit(lambda x: x**2, [0.0, 1.0], [0.0, 1.0]),
        "activation_graph": plots.activation_graph(cr.Sigmoid()),
        "activation_graphs": plots.activation_graphs([cr.ReLU(), cr.Tanh()]),
        "misclassified": plots.misclassified(np.zeros((3, 8, 8)), [Mistake(1, 4, 9, 0.75)]),
        "filters": plots.filters(convolutional().parameters["layers.0.W"]),
        "feature_maps": plots.feature_maps(convolutional(), np.ones((1, 6, 6))),
        "hidden_units": plots.hidden_units(gathered()[0], *gathered()[1]),
        "histogram": plots.histogram(gathered()[2], "layers.0"),
        "histograms": plots.histograms(gathered()[2]),
        "loss_contours": plots.loss_contours(loss_map()),
        "loss_surface": plots.loss_surface(loss_map()),
        "network_graph": plots.network_graph(gathered()[0], [0.5, -0.5]),
    }


def test_every_picture_becomes_a_png_and_a_well_formed_svg():
    for name, picture in all_pictures().items():
        assert plots.to_png(picture, dots_per_inch=30).startswith(b"\x89PNG"), name
        svg = plots.to_svg(picture)
        assert svg.startswith("<svg"), name
        assert svg.rstrip().endswith("</svg>"), name
        parser = HTMLParser()
        parser.feed(svg)
        parser.close()


def test_every_kind_of_picture_is_drawn_above():
    assert set(all_pictures()) == set(plots.__all__) - {"overfitting_epoch", "to_png", "to_svg"}


def test_the_same_picture_is_the_same_svg_each_time():
    assert plots.to_svg(plots.curves(HISTORY)) == plots.to_svg(plots.curves(HISTORY))


def test_words_in_an_svg_stay_words():
    assert ">epoch<" in plots.to_svg(plots.curve(HISTORY))


def test_drawing_imports_no_pyplot_and_importing_plots_no_matplotlib():
    code = """
import sys
from chainrule import plots
assert "matplotlib" not in sys.modules
plots.to_png(plots.curve({"epoch": [1, 2], "loss": [2.0, 1.0]}))
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_drawing_leaves_matplotlib_s_settings_as_they_were():
    import matplotlib

    before = dict(matplotlib.rcParams)
    for picture in all_pictures().values():
        plots.to_svg(picture)
    assert dict(matplotlib.rcParams) == before


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (
        lambda: plots.curve(HISTORY),
        lambda: plots.curves(HISTORY),
        lambda: plots.confusion_matrix([[1]]),
        lambda: plots.gallery(np.zeros((1, 2, 2))),
        lambda: plots.descent_surface(bowl, PATH),
        lambda: plots.decision_regions(lambda p: p[:, :1] > 0, np.eye(2), [0, 1]),
        lambda: plots.activation_graph(cr.ReLU()),
    ):
        with pytest.raises(MissingExtraError, match=r"chainrule\[plots\]"):
            draw()


def test_a_picture_is_drawn_into_the_axes_given():
    ax = new_figure((3, 3)).add_subplot()
    assert plots.curve(HISTORY, ax=ax) is ax
    assert plots.confusion_matrix([[1, 0], [0, 1]], ax=ax) is ax


@pytest.mark.parametrize("history", [HISTORY, RECORDS, Recorded()])
def test_a_curve_shows_training_and_validation_over_the_epochs(history):
    ax = plots.curve(history, "loss", validation="test")
    drawn = lines(ax)
    assert list(drawn["training"].get_ydata()) == HISTORY["loss"]
    assert list(drawn["test"].get_ydata()) == HISTORY["validation_loss"]
    assert list(drawn["training"].get_xdata()) == [1, 2, 3]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_the_lines_differ_in_style_as_well_as_in_colour():
    training, validation = plots.curve(HISTORY).lines
    assert training.get_linestyle() != validation.get_linestyle()
    assert training.get_color() != validation.get_color()


def test_accuracy_is_drawn_in_percent():
    ax = plots.curve(HISTORY, "accuracy")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [30, 60, 90], rtol=1e-12)
    assert ax.get_ylabel() == "accuracy (%)"


def test_without_validation_there_is_one_line():
    assert len(plots.curve({"epoch": [1], "loss": [1.0]}).lines) == 1


def test_curves_of_a_regression_leave_the_accuracy_out():
    assert len(plots.curves({"epoch": [1, 2], "loss": [1.0, 0.5]}).axes) == 1
    assert len(plots.curves(HISTORY).axes) == 2


def test_a_figure_that_was_not_measured_is_named():
    with pytest.raises(SettingError, match="history has no 'speed'; it has epoch, loss"):
        plots.curve(HISTORY, "speed")
    with pytest.raises(SettingError, match="it has nothing"):
        plots.curves([])


def test_a_confusion_matrix_writes_each_count_but_no_zeros():
    ax = plots.confusion_matrix([[5, 1], [0, 4]], ["cat", "dog"])
    assert sorted(text.get_text() for text in ax.texts) == ["1", "4", "5"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")


def test_counts_stand_where_row_and_column_meet():
    ax = plots.confusion_matrix([[0, 7], [0, 0]])
    (text,) = ax.texts
    assert text.get_position() == (1.5, 0.5)
    assert ax.get_ylim() == (2, 0)


def test_a_confusion_matrix_needs_a_name_for_each_class():
    with pytest.raises(ShapeError, match="class_names: expected 2, one per class, got 3"):
        plots.confusion_matrix([[1, 0], [0, 1]], ["a", "b", "c"])
    with pytest.raises(ShapeError, match="as many rows as columns"):
        plots.confusion_matrix([[1, 0]])


def test_a_gallery_shows_every_image_on_one_scale():
    figure = plots.gallery(np.arange(12.0).reshape(3, 2, 2), ["x", "y", "z"], columns=2)
    images = [ax.images[0] for ax in figure.axes]
    assert len(images) == 3
    assert {image.get_clim() for image in images} == {(0.0, 11.0)}
    assert [ax.get_title() for ax in figure.axes] == ["x", "y", "z"]


def test_a_gallery_of_nothing_is_an_empty_figure():
    assert plots.gallery(np.zeros((0, 8, 8))).axes == []


def test_a_gallery_wants_images_and_a_title_for_each():
    with pytest.raises(ShapeError, match=r"images: expected \(N, H, W\)"):
        plots.gallery(np.zeros((3, 64)))
    with pytest.raises(ShapeError, match="titles: expected 2, one per image, got 1"):
        plots.gallery(np.zeros((2, 3, 3)), ["one"])


def test_weights_are_laid_out_as_the_image_they_see_with_white_for_zero():
    W = np.random.default_rng(0).normal(size=(6, 4))
    figure = plots.first_layer_weights(W, (2, 3))
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(images) == 4
    np.testing.assert_array_equal(images[1].get_array(), W[:, 1].reshape(2, 3))
    low, high = images[0].get_clim()
    assert low == -high
    assert {image.get_clim() for image in images} == {(low, high)}


def test_only_so_many_units_are_drawn():
    assert sum(bool(ax.images) for ax in plots.first_layer_weights(np.ones((4, 9)), (2, 2), most=5).axes) == 5


def test_weights_that_do_not_fit_the_image_are_refused():
    with pytest.raises(ShapeError, match=r"W: expected \(H·W, units\) for images \(3, 3\), got an array \(6, 4\)"):
        plots.first_layer_weights(np.ones((6, 4)), (3, 3))


def test_a_descent_is_drawn_point_by_point_within_its_contours():
    ax = plots.descent_path(bowl, PATH)
    np.testing.assert_array_equal(np.array(ax.lines[0].get_data()).T, PATH)
    assert ax.get_xlim()[0] < 0.5 < 2.0 < ax.get_xlim()[1]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("v₁", "v₂")


def test_the_limits_of_a_descent_can_be_chosen():
    assert plots.descent_path(bowl, PATH, limits=(-3, 3, -2, 2)).get_xlim() == (-3, 3)


def test_a_descent_on_a_surface_wants_three_dimensions():
    assert plots.descent_surface(bowl, PATH).name == "3d"
    with pytest.raises(ShapeError, match="three-dimensional"):
        plots.descent_surface(bowl, PATH, ax=new_figure((2, 2)).add_subplot())


@pytest.mark.parametrize("path", [[], [1.0, 2.0], [[1.0, 2.0, 3.0]]])
def test_a_path_that_is_none_is_refused(path):
    with pytest.raises(ShapeError, match=r"path: expected at least one point \(T, 2\)"):
        plots.descent_path(bowl, path)


def test_decision_regions_mix_the_colours_of_the_classes_by_probability():
    x = np.array([[-1.0, -1.0], [1.0, 1.0]])
    ax = plots.decision_regions(lambda p: (p[:, :1] > 0).astype(float), x, [0, 1], names=["left", "right"])
    shades = ax.images[0].get_array()  # (rows, columns, 3)
    assert np.ptp(shades, axis=0).max() == 0  # the same all the way up
    left, right = shades[0, 0], shades[0, -1]
    assert left[2] > left[0]  # blueish
    assert right[0] > right[2]  # reddish
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["left", "right"]


def test_decision_regions_draw_each_class_with_a_marker_of_its_own():
    x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    ax = plots.decision_regions(lambda p: np.eye(3)[np.zeros(len(p), int)], x, [0, 1, 2])
    points = [collection for collection in ax.collections if len(collection.get_offsets()) == 1]
    assert len({p.get_paths()[0].vertices.tobytes() for p in points}) == 3


def test_decision_regions_want_points_in_the_plane():
    for x, labels in ((np.zeros((3, 4)), [0, 1, 0]), (np.zeros((0, 2)), []), (np.zeros((2, 2)), [0])):
        with pytest.raises(ShapeError, match=r"expected \(N, 2\) and \(N,\)"):
            plots.decision_regions(lambda p: p[:, :1], x, labels)


def test_decision_regions_want_labels_that_the_answers_know():
    with pytest.raises(DataError, match="labels: expected classes from 0 to 1, got 0 to 2"):
        plots.decision_regions(lambda p: p[:, :1] > 0, np.eye(2), [0, 2])


def test_a_dollar_in_a_name_begins_no_formula():
    names = ["$x^2$", "1$"]
    for picture in (
        plots.confusion_matrix([[1, 0], [0, 1]], names),
        plots.gallery(np.zeros((2, 2, 2)), names),
        plots.decision_regions(lambda p: p[:, :1] > 0, np.eye(2), [0, 1], names=names),
    ):
        svg = plots.to_svg(picture)
        assert all(f">{name}<" in svg for name in names)


def test_a_fit_draws_the_samples_and_the_prediction_between_them():
    ax = plots.fit(lambda x: 2 * x, [0.0, 2.0], [[0.0], [4.0]])
    points, line = ax.lines
    assert list(points.get_ydata()) == [0, 4]
    np.testing.assert_allclose(line.get_ydata(), 2 * line.get_xdata(), rtol=1e-12)


def test_a_fit_wants_as_many_values_as_samples():
    with pytest.raises(ShapeError, match="x, y: expected as many values as samples"):
        plots.fit(lambda x: x, [0.0, 2.0], [0.0])


@pytest.mark.parametrize(
    ("layer", "value", "derivative"),
    [
        (cr.Sigmoid(), lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        (cr.Tanh(), np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        (cr.Softplus(), lambda x: np.log1p(np.exp(x)), lambda x: 1 / (1 + np.exp(-x))),
    ],
)
def test_an_activation_is_drawn_with_its_derivative(layer, value, derivative):
    drawn = lines(plots.activation_graph(layer))
    x = drawn["value"].get_xdata().ravel()
    np.testing.assert_allclose(drawn["value"].get_ydata().ravel(), value(x), rtol=1e-10)
    np.testing.assert_allclose(drawn["derivative"].get_ydata().ravel(), derivative(x), rtol=1e-9)


def test_no_line_is_drawn_where_a_function_jumps():
    drawn = lines(plots.activation_graph(cr.Step()))
    y = drawn["value"].get_ydata().ravel()
    assert np.isnan(y).sum() == 1
    assert set(y[~np.isnan(y)]) == {0, 1}


def test_the_colours_are_those_of_okabe_and_ito():
    assert len(set(PALETTE)) == 8
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in PALETTE)


def test_the_epoch_after_which_a_network_overfits_is_found_and_marked():
    assert plots.overfitting_epoch(OVERFITTED) == 2
    ax = plots.curve(OVERFITTED)
    assert "overfits after epoch 2" in lines(ax)
    assert list(lines(ax)["overfits after epoch 2"].get_xdata()) == [2, 2]


@pytest.mark.parametrize(
    "history",
    [
        HISTORY,
        {"epoch": [1, 2], "loss": [2.0, 1.0]},
        OVERFITTED | {"validation_loss": [2.1, 1.2, 1.21, 1.22]},  # within a twentieth
        OVERFITTED | {"loss": [2.0, 1.0, 1.5, 1.6]},  # it diverges, it learns nothing by heart
    ],
)
def test_a_healthy_training_has_no_such_epoch(history):
    assert plots.overfitting_epoch(history) is None
    assert not any("overfits" in label for label in lines(plots.curve(history)))


def lightness(colours):
    """Relative luminance of red, green, blue in 0…1, as a print in grey shows it."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_the_signed_colours_grow_lighter_all_the_way_so_that_grey_says_the_same():
    shades = lightness(signed_colours()(np.linspace(0, 1, 101))[:, :3])
    assert np.diff(shades).min() > 0
    assert shades[0] < 0.05
    assert shades[-1] > 0.8


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_the_grounds_of_up_to_four_classes_differ_in_grey(classes):
    x = np.eye(2)[np.arange(classes) % 2] + np.arange(classes)[:, None]

    def predict(points):
        bands = np.floor(classes * (points[:, 0] - points[:, 0].min()) / np.ptp(points[:, 0]))
        return np.eye(classes)[np.minimum(bands, classes - 1).astype(int)]

    row = plots.decision_regions(predict, x, np.arange(classes)).images[0].get_array()[0]
    shades = np.sort([lightness(colour) for colour in np.unique(row, axis=0)])
    assert len(shades) == classes
    assert np.diff(shades).min() > 0.02


def test_a_mistake_is_titled_with_what_it_is_and_what_it_was_read_as():
    images = np.arange(3.0)[:, None, None] * np.ones((3, 2, 2))
    figure = plots.misclassified(images, [Mistake(2, 4, 9, 0.75), Mistake(1, 0, 6, 0.5)], "abcdefghij")
    assert [ax.get_title() for ax in figure.axes] == ["e read as j\n75% sure", "a read as g\n50% sure"]
    assert figure.axes[0].images[0].get_array().max() == 2
    figure = plots.misclassified(images, [Mistake(2, 4, 9, 1.5)], probabilities=False)
    assert figure.axes[0].get_title() == "4 read as 9\nanswer 1.50"


def test_filters_stand_in_a_column_for_each_output_and_a_row_for_each_input():
    W = np.random.default_rng(0).normal(size=(3, 2, 4, 5))
    figure = plots.filters(W)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(images) == 6
    for place, (c, o) in enumerate(np.ndindex(2, 3)):
        np.testing.assert_array_equal(images[place].get_array(), W[o, c])
    assert {image.get_clim() for image in images} == {(-np.abs(W).max(), np.abs(W).max())}
    assert [ax.get_title() for ax in figure.axes[:3]] == ["filter 0", "filter 1", "filter 2"]
    with pytest.raises(ShapeError, match=r"W: expected filters \(O, C, P, Q\), got an array \(3, 4\)"):
        plots.filters(np.ones((3, 4)))


def test_feature_maps_are_what_the_layers_give():
    network, x = convolutional(), np.random.default_rng(0).normal(size=(1, 6, 6)).astype(np.float32)
    figure = plots.feature_maps(network, x)
    y = x[None]
    expected = [y[0]]
    for layer in network.layers[:3]:
        y, _ = layer.forward(y, Context())
        expected.append(y[0])
    del expected[1]  # the convolution before its ReLU: they are one stage
    assert [part.get_suptitle().split(",")[0].split(":")[0] for part in figure.subfigs] == [
        "input",
        "Conv2D",
        "MaxPool2D",
    ]
    for part, maps in zip(figure.subfigs, expected, strict=True):
        np.testing.assert_array_equal([ax.images[0].get_array() for ax in part.axes], maps)


def test_feature_maps_want_a_network_that_has_them():
    with pytest.raises(SettingError, match="expected layers that give channels of images"):
        plots.feature_maps(cr.Network([cr.Linear(2)], loss=cr.CrossEntropy()).build((3,)), np.ones(3))


def test_each_hidden_unit_has_a_picture_of_the_plane():
    network, data, *_ = gathered()
    figure = plots.hidden_units(network, *data)
    _, right = figure.subfigs
    units = right.subfigs[0].axes
    assert right.subfigs[0].get_suptitle() == "Hidden layer 1 (Linear, Tanh): 4 units"
    W, b = network.parameters["layers.0.W"], network.parameters["layers.0.b"]
    v1, v2 = plane_around(np.asarray(data[0], float))
    expected = np.tanh(np.stack([v1, v2], axis=-1) @ W + b)
    for unit in range(4):
        np.testing.assert_allclose(units[unit].images[0].get_array(), expected[..., unit], rtol=1e-4, atol=1e-5)


def test_hidden_units_want_points_in_the_plane_and_a_hidden_layer():
    for layers, shape in (([cr.Linear(1)], (2,)), ([cr.Linear(3), cr.Tanh(), cr.Linear(1)], (3,))):
        network = cr.Network(layers, loss=cr.BinaryCrossEntropy()).build(shape)
        with pytest.raises(ShapeError, match=r"expected one for samples of shape \(2,\) with a hidden layer"):
            plots.hidden_units(network, np.zeros((2, *shape)), [0, 1])


def test_a_histogram_has_a_hill_for_each_moment_and_names_what_it_shows():
    histograms = gathered()[2]
    ax = plots.histogram(histograms, "layers.1")
    assert len(ax.collections) == 4  # before the first of three epochs, and after each
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1", "2", "3"]
    assert ax.get_title() == "layers.1: Tanh"
    assert plots.histogram(histograms, "layers.0.W").get_xlabel() == "log₁₀ |∂J/∂w|"
    with pytest.raises(
        SettingError, match=r"nothing was gathered of 'layers.7', only layers.0, layers.1, layers.2, lay"
    ):
        plots.histogram(histograms, "layers.7")
    with pytest.raises(SettingError, match="give the Histograms to train"):
        plots.histograms(cr.Histograms())


def test_histograms_show_every_layer_and_every_gradient():
    titles = [ax.get_title() for ax in plots.histograms(gathered()[2]).axes]
    assert titles == [
        "layers.0: Linear", "layers.1: Tanh", "layers.2: Linear",
        "layers.0.W", "layers.0.b", "layers.2.W", "layers.2.b",
    ]  # fmt: skip


def test_the_path_on_a_loss_map_leads_to_the_star():
    ax = plots.loss_contours(loss_map())
    drawn = lines(ax)
    np.testing.assert_array_equal(np.array(drawn["solution"].get_data()).ravel(), loss_map().path[-1])
    np.testing.assert_array_equal(np.array(drawn["start"].get_data()).ravel(), loss_map().path[0])
    assert "% of the path" in ax.get_xlabel()


def test_a_loss_surface_wants_three_dimensions_and_a_loss():
    with pytest.raises(ShapeError, match="three-dimensional"):
        plots.loss_surface(loss_map(), ax=new_figure((2, 2)).add_subplot())
    nowhere = LossMap(np.arange(2.0), np.arange(2.0), np.full((2, 2), np.nan), np.zeros((1, 2)))
    with pytest.raises(DataError, match="not finite anywhere"):
        plots.loss_contours(nowhere)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_a_network_graph_shows_the_worked_numbers_of_two_hidden_units():
    network = cr.Network([cr.Linear(2), cr.Sigmoid(), cr.Linear(1)], loss=cr.BinaryCrossEntropy(), dtype="float64")
    for name, parameter in network.build((2,)).parameters.items():
        parameter[...] = 1 if name.endswith("W") else 0
    shown = texts(plots.network_graph(network, [0.0, 1.0]))
    assert [shown.count(text) for text in ("0.731", "0.812", "1.00", "b 0.00")] == [2, 1, 6, 3]
    assert {"input\n2", "Linear, Sigmoid\n2", "Linear, σ\n1"} <= set(shown)


def test_a_weight_that_takes_away_is_dashed_and_the_largest_is_widest():
    network = cr.Network([cr.Linear(1)], loss=cr.SquaredError()).build((2,))
    network.parameters["layers.0.W"][:, 0] = [1.0, -2.0]
    plus, minus = plots.network_graph(network).lines
    assert plus.get_linestyle() == "-"
    assert minus.get_linestyle() == "--"
    assert minus.get_linewidth() > plus.get_linewidth()


def test_of_a_large_layer_a_few_units_and_dots_are_drawn():
    network = cr.Network([cr.Linear(30), cr.ReLU(), cr.Linear(3)], loss=cr.CrossEntropy()).build((64,))
    ax = plots.network_graph(network, most=6)
    assert texts(ax).count("⋮") == 2
    assert len(ax.patches) == 5 + 5 + 3
    assert "29" in texts(ax)
    assert "63" in texts(ax)


def test_a_convolution_is_drawn_as_the_maps_it_gives():
    ax = plots.network_graph(convolutional(), np.ones((1, 6, 6)))
    assert len(ax.images) == 1 + 3 + 3
    assert "Conv2D, ReLU\n3 × 4 × 4" in texts(ax)
    assert len(plots.network_graph(convolutional()).images) == 0


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([cr.Embedding(4, 5), cr.LSTM(3), cr.Linear(2)], (6,)),
        ([cr.Residual([cr.Linear(3), cr.Tanh()]), cr.LayerNorm(), cr.Linear(2)], (3,)),
        ([cr.Linear(2)], (1,)),
    ],
    ids=["recurrent", "residual", "one input"],
)
def test_any_network_can_be_drawn(layers, shape):
    network = cr.Network(layers, loss=cr.CrossEntropy()).build(shape)
    assert plots.to_png(plots.network_graph(network, np.ones(shape)), dots_per_inch=30)
