"""Activations: known values, identities, and what happens at a kink. Source: mission items A2, A4, D7."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import operations

FINITE = st.floats(-50, 50)


def row(*numbers, dtype="float64"):
    return np.array([numbers], dtype)


def test_step_is_1_from_0_on():
    assert operations.step_forward(row(-1, -1e-300, -0.0, 0, 1e-300, 3)).tolist() == [[0, 0, 1, 1, 1, 1]]


def test_step_lets_no_gradient_through():
    assert operations.step_backward(row(5, -3)).tolist() == [[0, 0]]


def test_relu_at_0_has_value_0_and_derivative_0():
    y = operations.relu_forward(row(-2, -0.0, 0, 1e-300, 2))
    assert y.tolist() == [[0, 0, 0, 1e-300, 2]]
    assert operations.relu_backward(row(1, 1, 1, 1, 1), y).tolist() == [[0, 0, 0, 1, 1]]


def test_leaky_relu_at_0_takes_the_slope_of_the_left_side():
    x = row(-2, 0, 2)
    assert operations.leaky_relu_forward(x, 0.25).tolist() == [[-0.5, 0, 2]]
    assert operations.leaky_relu_backward(row(1, 1, 1), x, 0.25).tolist() == [[0.25, 0.25, 1]]


def test_leaky_relu_without_slope_is_relu():
    x = np.linspace(-3, 3, 13)[None]
    assert np.array_equal(operations.leaky_relu_forward(x, 0.0), operations.relu_forward(x))


def test_identity_gives_a_copy():
    x = row(1, 2)
    y = operations.identity_forward(x)
    assert np.array_equal(x, y)
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("sigmoid", 0, 0.5),
        ("sigmoid", 1, 0.7310585786300049),
        ("sigmoid", -1, 0.2689414213699951),
        ("sigmoid", 2, 0.8807970779778823),
        ("tanh", 0, 0),
        ("tanh", 1, 0.7615941559557649),
        ("softplus", 0, math.log(2)),
        ("softplus", 1, 1.3132616875182228),
        ("softplus", -30, math.log1p(math.exp(-30))),
        ("softplus", 40, 40),
    ],
)
def test_known_values(name, x, y):
    assert operations.OPERATIONS[f"{name}_forward"](row(x))[0, 0] == pytest.approx(y, rel=1e-15, abs=0)


def test_the_slope_of_sigmoid_at_0_is_a_quarter():
    assert operations.sigmoid_backward(row(1), operations.sigmoid_forward(row(0))) == 0.25


def test_the_slope_of_softplus_is_the_sigmoid():
    x = np.linspace(-20, 20, 81)[None]
    slope = operations.softplus_backward(np.ones_like(x), x)
    assert slope == pytest.approx(operations.sigmoid_forward(x), rel=1e-15)


@given(FINITE)
def test_tanh_is_a_sigmoid_stretched_and_shifted(x):
    """tanh(x) = 2σ(2x) − 1."""
    assert abs(operations.tanh_forward(row(x)) - (2 * operations.sigmoid_forward(row(2 * x)) - 1)) <= 4e-16


@given(FINITE)
def test_sigmoid_is_symmetric(x):
    """σ(−x) = 1 − σ(x)."""
    assert abs(operations.sigmoid_forward(row(-x)) - (1 - operations.sigmoid_forward(row(x)))) <= 2e-16


@given(FINITE)
def test_sigmoid_is_the_textbook_formula(x):
    assert operations.sigmoid_forward(row(x))[0, 0] == pytest.approx(1 / (1 + math.exp(-x)), rel=1e-15)


@given(FINITE)
def test_softplus_lies_above_relu_by_at_most_log_2(x):
    gap = operations.softplus_forward(row(x)) - operations.relu_forward(row(x))
    assert 0 <= gap <= math.log(2)
