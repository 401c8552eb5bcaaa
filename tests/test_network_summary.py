"""The table that describes a network. Source: mission item B2, 11,775 + 160 parameters."""

import io

import pytest
import rich.console

import chainrule as cr


@pytest.fixture
def summary():
    layers = [cr.Linear(15), cr.Sigmoid(), cr.Linear(10)]
    return cr.Network(layers, loss=cr.CrossEntropy()).build((784,)).summary()


def in_a_terminal(summary):
    console = rich.console.Console(file=io.StringIO(), width=80)
    console.print(summary)
    return console.file.getvalue()


def test_counts_the_parameters_of_the_notes(summary):
    assert [count for _, _, count in summary.rows] == [11_775, 0, 160]
    assert summary.parameters == 11_935


@pytest.mark.parametrize(
    "show", [str, in_a_terminal, lambda summary: summary._repr_html_()], ids=["text", "rich", "HTML"]
)
def test_shows_layers_shapes_parameters_and_loss(summary, show):
    shown = show(summary)
    for expected in ("0 Linear", "1 Sigmoid", "2 Linear", "11,775", "160", "11,935", "784", "15", "10", "CrossEntropy"):
        assert expected in shown


def test_as_text_it_is_a_table(summary):
    assert str(summary).splitlines() == [
        "Layer      Output shape  Parameters",
        "───────────────────────────────────",
        "0 Linear   15                11,775",
        "1 Sigmoid  15                     0",
        "2 Linear   10                   160",
        "───────────────────────────────────",
        "input 784, loss CrossEntropy, 11,935 parameters",
    ]


def test_the_html_is_a_table_with_nothing_left_open(summary):
    html = summary._repr_html_()
    for tag in ("table", "caption", "tr", "th", "td"):
        assert html.count(f"<{tag}") - (html.count("<thead") if tag == "th" else 0) == html.count(f"</{tag}>")


@pytest.mark.usefixtures("registers")
def test_a_class_name_cannot_bring_html_of_its_own():
    trap = type("Tanh<script>", (cr.Tanh,), {})
    shown = cr.Network([trap()], loss=cr.SquaredError()).build((1,)).summary()._repr_html_()
    assert "<script>" not in shown
    assert "Tanh&lt;script&gt;" in shown


def test_images_show_all_their_sides():
    network = cr.Network([cr.Tanh(), cr.Flatten()], loss=cr.SquaredError()).build((3, 28, 28))
    assert "3 × 28 × 28" in str(network.summary())
    assert "2352" in str(network.summary())


def test_layers_within_layers_are_counted():
    network = cr.Network([cr.Sequential((cr.Linear(4), cr.Linear(2)))], loss=cr.CrossEntropy()).build((3,))
    assert network.summary().parameters == 3 * 4 + 4 + 4 * 2 + 2
