"""Loss formulas: known values and how they hang together. Source: mission items B3, C1, C2, D3, D4."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chainrule import operations

SCORES = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(2, 6)), elements=st.floats(-30, 30))


def test_squared_error_is_half_the_sum_of_squares():
    y, t = np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([[0.0, 4.0], [0.0, 1.0]])
    assert operations.squared_error_forward(y, t).tolist() == [2.5, 0.5]
    assert operations.squared_error_backward(np.ones(2), y, t).tolist() == [[1, -2], [0, -1]]


def test_binary_cross_entropy_is_the_coin_s():
    """L = −[t log p + (1 − t) log(1 − p)]."""
    f = np.array([[-2.0], [0.0], [3.0]])
    p = 1 / (1 + np.exp(-f))
    t = np.array([[1.0], [0.0], [0.3]])
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    assert operations.binary_cross_entropy_forward(f, t) == pytest.approx(expected[:, 0], rel=1e-14)


def test_cross_entropy_is_minus_log_of_the_right_probability():
    f = np.log([[1.0, 2.0, 5.0], [4.0, 2.0, 2.0]])
    expected = [-math.log(0.625), -math.log(0.25)]
    assert operations.cross_entropy_forward(f, np.array([2, 1])) == pytest.approx(expected, rel=1e-14)


def test_an_undecided_network_loses_log_k():
    assert operations.cross_entropy_forward(np.zeros((1, 10)), np.array([7]))[0] == pytest.approx(math.log(10))


@given(SCORES, st.data())
def test_labels_and_one_hot_rows_give_the_same(f, data):
    labels = np.array(data.draw(st.lists(st.integers(0, f.shape[1] - 1), min_size=len(f), max_size=len(f))))
    t = operations.one_hot(labels, f.shape[1]).astype(np.float64)
    hard, soft = operations.cross_entropy_forward(f, labels), operations.soft_cross_entropy_forward(f, t)
    assert soft == pytest.approx(hard, abs=1e-13)
    dloss = np.linspace(1, 2, len(f))
    hard = operations.cross_entropy_backward(dloss, f, labels)
    assert operations.soft_cross_entropy_backward(dloss, f, t) == pytest.approx(hard, abs=1e-15)


@given(st.floats(-30, 30), st.floats(-30, 30), st.integers(0, 1))
def test_a_coin_is_a_die_with_two_sides(f0, f1, label):
    """Softmax with two outputs is the sigmoid of their difference (D3)."""
    die = operations.cross_entropy_forward(np.array([[f0, f1]]), np.array([label]))
    coin = operations.binary_cross_entropy_forward(np.array([[f1 - f0]]), np.array([[float(label)]]))
    assert coin == pytest.approx(die, abs=1e-13)


def test_one_hot_is_the_indicator_matrix():
    t = operations.one_hot(np.array([2, 0, 2]), 3)
    assert t.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert t.dtype == np.float32


def test_one_hot_of_no_labels_has_no_rows():
    assert operations.one_hot(np.zeros(0, np.int64), 3).shape == (0, 3)


def test_a_right_decision_costs_a_perceptron_nothing():
    f, t = np.array([[2.0], [-3.0], [1.5], [-0.5]]), np.array([[1.0], [0.0], [0.0], [1.0]])
    assert operations.perceptron_forward(f, t).tolist() == [0, 0, 1.5, 0.5]
    assert operations.perceptron_backward(np.ones(4), f, t).tolist() == [[0], [0], [1], [-1]]


def test_the_cost_is_the_mean():
    loss = np.array([1.0, 2.0, 6.0])
    assert operations.mean_forward(loss) == 3
    assert operations.mean_backward(np.ones(()), loss).tolist() == [1 / 3] * 3
