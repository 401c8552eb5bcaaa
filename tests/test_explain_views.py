"""The derivation as mathematics, and its views: plain text, HTML, Markdown, LaTeX."""

import ast
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import chainrule as cr
from chainrule.explain.formula import LATEX, TEXT, Formula
from chainrule.explain.latex import ESCAPES, SIGNS, formulas, path_formula, prose
from chainrule.explain.numbers import as_dict, inline, number, tiles
from chainrule.explain.pictures import heat_map, png
from chainrule.explain.source import read_source
from chainrule.explain.statements import Statement, run
from chainrule.operations import OPERATIONS
from chainrule.testing import all_layers, all_losses

# Source as mathematics


def written(source, axes=None, **values):
    """The text and LaTeX of `result = source`, by values that tell which names are arrays."""
    node = ast.parse(f"result = {source}").body[0]
    base = read_source(cr.operations.linear.linear_forward.reference)
    source = type(base)(base.function, base.statements, {}, axes or {})
    statement = Statement(node, source, values, {"result": None}, "", (), {}, {"np": np})
    return Formula(statement, TEXT).right(), Formula(statement, LATEX).right()


@pytest.mark.parametrize(
    ("source", "text", "latex"),
    [
        ("x @ W + b", "x W + b", "x W + b"),
        ("x.T @ dy", "xᵀ ∂J/∂y", r"{x}^{\top} \frac{\partial J}{\partial y}"),
        ("dy.sum(axis=0)", "Σ_n ∂J/∂y", r"\sum_{n} \frac{\partial J}{\partial y}"),
        ("(y * y).sum(axis=1, keepdims=True)", "Σ_o y ⊙ y", r"\sum_{o} y \odot y"),
        ("y / (1 + y)", "y / (1 + y)", r"\frac{y}{1 + y}"),
        ("W - learning_rate * dW", "W − η · ∂J/∂W", r"W - \eta \cdot \frac{\partial J}{\partial W}"),
        ("np.sqrt(y + epsilon)", "√(y + ε)", r"\sqrt{y + \varepsilon}"),
        ("y ** 2", "y²", "{y}^{2}"),
        ("np.exp(-np.abs(x))", "exp(−|x|)", r"\exp\left(-\left|x\right|\right)"),
        (
            "np.where(x > 0, 1, x)",
            "(1 where x > 0, else x)",
            r"\begin{cases} 1 & x > 0 \\ x & \mathrm{else} \end{cases}",
        ),
        ("np.log1p(x)", "log(1 + x)", r"\log\left(1 + x\right)"),
        ("np.einsum('ni,io->no', x, W)", "Σ_i x_ni W_io", r"\sum_{i} {x}_{ni} {W}_{io}"),
        ("b[:, None] - (x - y)", "b − (x − y)", r"b - \left(x - y\right)"),
        ("(labels == 3).astype(float)", "[labels = 3]", r"[\mathrm{labels} = 3]"),
    ],
)
def test_source_is_written_as_mathematics(source, text, latex):
    arrays = {name: np.ones((2, 2)) for name in ("x", "W", "b", "y", "dy", "dW", "labels")}
    settings = {"learning_rate": 0.1, "epsilon": 1e-5}
    axes = {"y": ("N", "O"), "dy": ("N", "O")}
    assert written(source, axes, **arrays, **settings) == (text, latex)


def test_numbers_stand_where_names_stood():
    ran = run(
        cr.operations.updates.sgd_update.reference,
        {"W": np.array([[1.0, -2.0]]), "dW": np.array([[0.5, 4.0]]), "learning_rate": 0.1},
    )
    (statement,) = ran.statements
    assert Formula(statement, TEXT).sign() == "←"
    assert Formula(statement, TEXT, numbers=True).right() == "[1 −2] − 0.1 · [0.5 4]"
    assert np.allclose(ran.result, [[0.95, -2.4]])


def test_statements_give_what_the_whole_function_gives():
    x = np.random.default_rng(0).normal(size=(2, 3, 2))
    W, U, b = np.ones((2, 8)), np.full((2, 8), 0.1), np.zeros(8)
    arguments = {"x": x, "W": W, "U": U, "b": b, "mask": np.ones((2, 3))}
    formula = cr.operations.recurrent.lstm_forward.reference
    ran, whole = run(formula, arguments).result, formula(**arguments)
    assert all(np.array_equal(a, b) for a, b in zip(ran, whole, strict=True))


def test_the_statements_of_every_operation_can_be_read():
    for name, operation in OPERATIONS.items():
        if operation.__module__.startswith("chainrule."):
            assert read_source(operation.reference) is not None, name


# Numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.36787944, "0.3679"),
        (-1.25e-7, "−1.25e−7"),
        (12, "12"),
        (True, "1"),
        (-0.0, "0"),
        (1e10, "1e10"),
        (np.inf, "inf"),
    ],
)
def test_numbers_have_four_digits_and_a_true_minus(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([1.0, 2, 3]), "[1 2 3]"),
        (np.arange(6.0), "[0 1 … 5]"),
        (np.array([[1.0, 2], [3, 4]]), "[1 2; 3 4]"),
        (np.eye(5), "[1 0 … 0; …; 0 0 … 1]"),
        (np.zeros((2, 1, 2)), "[0 0; 0 0](2×1×2)"),
        ((2, 1), "(2, 1)"),
    ],
)
def test_arrays_are_shown_by_their_corners(value, text):
    assert inline(value) == text


def test_an_array_of_no_finite_number_has_no_range():
    found = as_dict(np.array([np.nan, np.inf]))
    assert (found["minimum"], found["numbers"]) == (None, ["nan", "inf"])


def test_a_heat_map_is_made_of_means():
    (tile,) = tiles(np.arange(56.0 * 56).reshape(56, 56))
    assert tile.shape == (28, 28)
    assert tile[0, 0] == np.mean([0, 1, 56, 57])


def test_a_picture_reads_back_as_it_was_drawn():
    import io

    import PIL.Image

    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert np.array_equal(np.asarray(PIL.Image.open(io.BytesIO(png(pixels)))), pixels)
    assert heat_map(np.ones(3)) == ""
    assert heat_map(np.ones((3, 4, 4))).count("<img") == 3


# The views


@pytest.fixture(scope="module")
def derivation():
    layers = [cr.Reshape((1, 4, 4)), cr.Conv2D(2, 3), cr.ReLU(), cr.Flatten(), cr.Linear(3)]
    network = cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64")
    x = np.random.default_rng(0).normal(size=(1, 16))
    return network.explain(x, [1], parameter="layers[1].W", index=(1, 0, 1, 2))


class Balanced(HTMLParser):
    """Notes the tags, and demands that each is closed in its turn."""

    VOID = ("img", "br", "meta")

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_well_formed_foldable_and_has_no_script(derivation):
    page = derivation._repr_html_()
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert "script" not in parser.tags
    assert parser.tags.count("details") >= len(derivation.steps)
    assert "img" in parser.tags
    assert re.findall(r"(?:src|href)=\"(?!data:)", page) == []


def test_what_comes_from_outside_is_escaped_in_html(registers):
    @cr.operations.operation
    def sneaky(x):
        """<script>alert(1)</script> `x` $y$."""
        y = x + 0
        return y

    class Sneaky(cr.Layer):
        def forward(self, x, context):
            return sneaky(x), ()

        def backward(self, dy, saved):
            return dy, {}

    network = cr.Network([Sneaky(), cr.Linear(2)], loss=cr.CrossEntropy()).build((2,))
    assert "<script" not in network.explain([1, 2], 0).to_html()


def test_text_fits_a_terminal_and_says_the_same_number_three_times(derivation):
    lines = str(derivation).splitlines()
    assert max(map(len, lines)) <= 120
    three = [line.split(":")[1].split("=")[0].strip() for line in lines if line.startswith("∂J/∂θ ")]
    assert len(three) == 3
    assert three[0] == three[1]


def test_markdown_closes_every_formula_and_table_row(derivation):
    page = derivation.to_markdown()
    assert page.count("$$") % 2 == 0
    assert page.count(r"\begin{aligned}") == page.count(r"\end{aligned}") == page.count("$$") // 2
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert rows
    assert all(line.endswith("|") for line in rows)


def test_latex_is_ascii_and_balanced(derivation):
    page = derivation.to_latex()
    assert page.isascii()
    assert page.startswith(r"\documentclass")
    assert page.count("{") - page.count(r"\{") == page.count("}") - page.count(r"\}")
    begun, ended = re.findall(r"\\begin\{(\w+\*?)\}", page), re.findall(r"\\end\{(\w+\*?)\}", page)
    assert sorted(begun) == sorted(ended)
    assert derivation.to_latex(document=False) in page


def test_every_sign_that_operations_speak_in_is_known_to_latex():
    for name, operation in OPERATIONS.items():
        if not operation.__module__.startswith("chainrule."):
            continue
        source = read_source(operation.reference)
        for text in (operation.__doc__.partition("\n")[0], *source.notes.values()):
            assert prose(text).isascii(), f"{name}: {text}: {set(text) - set(SIGNS) - set(ESCAPES)}"


# LaTeX, by a grammar of its own: matplotlib's, which knows no matrices and no cases, and takes its time


def pieces(formula):
    """The formula without its matrices and cases, and what stands in those."""
    inner = re.compile(r"\\begin\{(?:bmatrix|cases)\}((?:(?!\\begin|\\end).)*)\\end\{(?:bmatrix|cases)\}")
    while found := inner.search(formula):
        yield from (cell for row in found[1].split(r"\\") for cell in row.split("&"))
        formula = formula[: found.start()] + " M " + formula[found.end() :]
    yield formula


def rows_of(derivation):
    """The rows of every statement: the formula first, then its numbers."""
    waiting = [(statement, step.focus) for step in derivation.steps for statement in step.statements]
    for statement, focus in waiting:
        first, *others = formulas(statement, focus)
        yield f"{Formula(statement, LATEX).left()} {first}", others
        waiting += [(inner, {}) for inner in statement.inner]


def check_latex(formula, known):
    """Each piece must be read; those that were read before are."""
    for piece in pieces(formula):
        plain = re.sub(r"\\xrightarrow\{((?:[^{}]|\{[^{}]*\})*)\}", r"\\rightarrow \1", piece).strip()
        if plain and plain not in known:
            known.add(plain)
            MathTextParser("path").parse(f"${plain}$")


@pytest.fixture(scope="module")
def known():
    return set()


@pytest.mark.parametrize("cls", all_layers("chainrule."), ids=lambda cls: cls.__name__)
def test_the_latex_of_every_layer_can_be_read(cls, known):
    layer, shape = cls.examples()[0]
    network = cr.Network([layer, cr.Flatten(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype="float64").build(shape)
    x = np.ones((1, *shape)) if layer.inputs_below is None else np.zeros((1, *shape))
    for formula, numbers in rows_of(network.explain(x, [1], training=True)):
        check_latex(formula, known)
        for row in numbers:
            assert row.isascii()
            assert len(re.findall(r"(?<!\\){", row)) == len(re.findall(r"(?<!\\)}", row))
            assert row.count(r"\left") == row.count(r"\right")


@pytest.mark.parametrize("cls", all_losses("chainrule."), ids=lambda cls: cls.__name__)
def test_the_latex_of_every_loss_can_be_read(cls, known):
    network = cr.Network([cr.Linear(3)], loss=cls(), dtype="float64").build((2,))
    rng = np.random.default_rng(0)
    for formula, _ in rows_of(network.explain(rng.normal(size=(2, 2)), network.loss.example_targets(rng, 2, 3))):
        check_latex(formula, known)


def test_the_latex_of_numbers_and_paths_can_be_read(known):
    network = cr.Network([cr.Linear(2), cr.Sigmoid(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype="float64")
    derivation = network.explain([[0.5, -1e-9]], [1], parameter="x", index=1)
    for formula, numbers in rows_of(derivation):
        for row in (formula, *numbers):
            check_latex(row, known)
    for path in derivation.chain.walk.largest:
        check_latex(path_formula(path), known)
