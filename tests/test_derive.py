"""derive: the formulas that are displayed are worked out, and held against what the operations compute."""

import dataclasses
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.explain import derivable, derive
from chainrule.explain.derivations import WRITTEN
from chainrule.explain.derivations.evaluation import Evaluation
from chainrule.explain.derivations.notation import Latex, MathML, Text, parse
from chainrule.explain.derivations.written import Line
from chainrule.operations import OPERATIONS, operation

SAME = 1e-12  # of the largest number of a formula


def largest_gap(written, rng):
    """How far the sides of a formula are apart, of all formulas and all choices of their indices."""
    numbers = written.evaluation(rng)
    worst = 0.0
    for sides in numbers.sides:
        found = np.array([[numbers.work_out(side, place) for side in sides] for place in numbers.places(sides)])
        worst = max(worst, np.abs(found - found[:, :1]).max() / max(1, np.abs(found).max()))
    return worst


@pytest.mark.parametrize("seed", [None, 0, 1], ids=["worked example", "drawn", "drawn again"])
@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_all_sides_of_every_displayed_formula_are_equal_to_what_the_code_computes(written, seed):
    assert largest_gap(written, None if seed is None else np.random.default_rng(seed)) < SAME


MISTAKES = [
    ("softmax", "p[k] - t[k]", "t[k] - p[k]"),
    ("softmax", "p[i] * (delta(i, k) - p[k])", "p[i] * (delta(i, k) - p[i])"),
    ("sigmoid", "y * (1 - y)", "y * (1 + y)"),
    ("tanh", "1 - y ** 2", "1 - y"),
    ("linear", "x[n, i] * d(L, y[n, o])", "x[n, i]"),
    ("convolution", "W[o, c, h + a - s * i, w + a - s * j]", "W[o, c, h - s * i, w + a - s * j]"),
    ("max_pool", "x[h, w] == y[i, j], 1", "x[h, w] == y[i, j], 2"),
    ("lstm", "g[t, u] * i[t, u] * (1 - i[t, u])", "g[t, u] * i[t, u]"),
    ("lstm", "d(L, c[t + 1, u]) * f[t + 1, u]", "d(L, c[t + 1, u]) * f[t, u]"),
    ("lstm", "x[t, m] * W_f[m, u]", "x[t, m] * W_g[m, u]"),
    ("batch_norm", "- d(L, beta) / m", ""),
    ("batch_norm", "sum(r, x[r]) / m", "sum(r, x[r])"),
    ("cross_entropy", "log(sum(i, exp(f[i]))) - f[j]", "log(sum(i, exp(f[i])))"),
]


@pytest.mark.parametrize(("name", "right", "wrong"), MISTAKES)
def test_a_mistake_in_a_displayed_formula_is_found(name, right, wrong):
    written = WRITTEN[name]

    def spoiled(lines):
        return tuple(Line(line.words, line.formula.replace(right, wrong)) for line in lines)

    changed = dataclasses.replace(written, definition=spoiled(written.definition), steps=spoiled(written.steps))
    assert changed.lines != written.lines
    assert largest_gap(changed, np.random.default_rng(0)) > 1e-3


def test_softmax_ends_in_p_minus_t_with_its_signs():
    text = str(derive("softmax"))
    assert "∂L/∂f_k = p_k · (Σ_i t_i − t_k / p_k) = p_k − t_k" in text
    assert "∂L/∂f_k for all k: 0.08537, 0.2321, −0.3692, 0.05178" in text
    assert "∂p_i/∂f_k = p_i · (δ_ik − p_k)" in text


def test_a_page_shows_the_source_of_the_operation_and_its_derivative():
    source = derive("linear").sections[-1].source
    assert "y = x @ W + b" in source
    assert "dW = x.T @ dy" in source


def test_numbers_are_put_in():
    assert "y = 1 / (1 + e^−1) = 0.7311" in str(derive("sigmoid")).replace("(−1)", "−1")
    assert "∂L/∂W_0001 = 1 · 2 + 2 · 1 + (−1) · 1 + 1 · 3 = 6" in str(derive("convolution"))


@pytest.mark.parametrize("name", derivable())
def test_every_operation_has_a_page_in_every_view(name):
    page = derive(name)
    text, markdown, latex, html = str(page), page.to_markdown(), page.to_latex(), page.to_html()
    assert text.startswith(page.title)
    assert markdown.startswith(f"# {page.title}")
    assert latex.startswith(r"\documentclass")
    assert latex.rstrip().endswith(r"\end{document}")
    assert latex.isascii()
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    ET.fromstring(html.replace("&#8289;", ""))  # well formed
    assert "def " in page.sections[-1].source


def test_gradients_on_a_page_of_its_own_source_agree_with_finite_differences():
    checked = 0
    for name in (name for name in derivable() if name not in WRITTEN):
        for gradient, difference in re.findall(r" = (\S+), by a finite difference (\S+)", str(derive(name))):
            expected, found = (float(number.replace("−", "-")) for number in (gradient, difference))
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-6), name
            checked += 1
    assert checked > 40


def test_an_operation_of_the_user_has_a_page_too():
    @operation
    def twice_the_square_forward(x):  # x (N, I)
        """y = 2x²."""
        y = 2 * x * x  # (N, I)
        return y

    @operation
    def twice_the_square_backward(dy, x):  # dy (N, I), x (N, I)
        """y' = 4x."""
        dx = dy * 4 * x  # (N, I)
        return dx

    try:
        text = str(derive(twice_the_square_forward))
    finally:
        del OPERATIONS["twice_the_square_forward"], OPERATIONS["twice_the_square_backward"]
    assert text.startswith("Twice the square\n")
    assert "y' = 4x." in text
    assert "by a finite difference" in text


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("softmax", "Softmax"),
        ("Softmax", "Softmax"),
        ("softmax_backward", "Softmax"),
        ("max-pool", "Max pooling"),
        (cr.operations.tanh_forward, "Hyperbolic tangent"),
        (cr.Conv2D, "Convolution"),
        (cr.MaxPool2D(2), "Max pooling"),
        (cr.LSTM, "LSTM"),
        (cr.BatchNorm(), "Batch normalisation"),
        (cr.CrossEntropy(), "Cross-entropy of softmax"),
        (cr.GELU, "Gelu"),
        ("adam_update", "Adam update"),
    ],
)
def test_an_operation_is_found_by_name_and_by_what_it_is_used_in(asked, title):
    assert derive(asked).title == title


def test_a_name_that_is_none_is_answered_with_those_near_it():
    with pytest.raises(SettingError, match="none called 'sofmax'; did you mean softmax"):
        derive("sofmax")
    with pytest.raises(SettingError, match="there are absolute_error, "):
        derive("xyzzy")


@pytest.mark.parametrize(
    ("formula", "text", "latex"),
    [
        ("y == a * (b + c)", "y = a · (b + c)", r"y = a \, \left(b + c\right)"),
        ("y == a - (b - c)", "y = a − (b − c)", r"y = a - \left(b - c\right)"),
        ("y == (a + b) / c", "y = (a + b) / c", r"y = \frac{a + b}{c}"),
        ("y == a / (b * c)", "y = a / (b · c)", r"y = \frac{a}{b \, c}"),
        ("y[i] == sum(k, x[k]) * z", "y_i = (Σ_k x_k) · z", r"y_{i} = \left(\sum_{k} x_{k}\right) \, z"),
        ("y == exp(-x) ** 2", "y = (e^(−x))²", r"y = \left(e^{-x}\right)^{2}"),
        ("d(L, x[t + 1]) == 2", "∂L/∂x[t+1] = 2", r"\frac{\partial L}{\partial x_{t+1}} = 2"),
        ("y == where(x > 0, x, 0)", "y = (x where x > 0, else 0)",
         r"y = \begin{cases} x & \text{where } x > 0 \\ 0 & \text{else} \end{cases}"),
        ("y == t * log(p)", "y = t · log p", r"y = t \, \log p"),
        ("y == -(a / b)", "y = −a / b", r"y = -\frac{a}{b}"),
    ],
)  # fmt: skip
def test_formulas_are_written_in_text_and_in_latex(formula, text, latex):
    assert Text().formula(parse(formula)) == text
    assert Latex().formula(parse(formula)) == latex
    ET.fromstring(MathML().formula(parse(formula)))


def test_what_is_outside_of_an_array_is_nothing():
    numbers = Evaluation({"x": [1.0, 2.0]}, ["y[k] == x[k] + x[k - 1] + x[k + 1]"])
    (sides,) = numbers.sides
    assert [numbers.work_out(sides[1], place) for place in numbers.places(sides)] == [3, 3]


def test_a_direct_effect_is_worked_out_without_rounding():
    numbers = Evaluation({"x": 0.3}, ["y == exp(x) * tanh(x)"])
    found = numbers.work_out(parse("d(y, x)")[0], {})
    assert found == pytest.approx(np.exp(0.3) * (np.tanh(0.3) + 1 - np.tanh(0.3) ** 2), rel=1e-15)
