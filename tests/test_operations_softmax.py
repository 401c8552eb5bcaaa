"""Softmax, its Jacobian, and how it collapses against the cross-entropy. Source: mission item C1."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chainrule import operations
from chainrule.testing import numerical_gradient

SCORES = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=st.floats(-30, 30))
FOUR = np.array([[1.0, 2.0, 0.5, -1.0]])  # four classes


def test_known_values():
    p = operations.softmax_forward(np.log([[1.0, 2.0, 5.0]]))
    assert p == pytest.approx(np.array([[0.125, 0.25, 0.625]]), rel=1e-15)


@given(SCORES)
def test_rows_are_probabilities(f):
    p = operations.softmax_forward(f)
    assert (p > 0).all()
    assert p.sum(axis=1) == pytest.approx(np.ones(len(f)), abs=1e-15)


@given(SCORES, st.floats(-1000, 1000))
def test_a_constant_added_to_a_row_changes_nothing(f, constant):
    assert operations.softmax_forward(f + constant) == pytest.approx(operations.softmax_forward(f), rel=1e-11)


@given(SCORES)
def test_log_softmax_is_its_logarithm(f):
    assert operations.log_softmax_forward(f) == pytest.approx(np.log(operations.softmax_forward(f)), abs=1e-12)


def test_jacobian_is_p_times_delta_minus_p():
    """J_ik = ∂p_i/∂f_k = p_i (δ_ik − p_k), element by element."""
    (p,) = operations.softmax_forward(FOUR)
    (J,) = operations.softmax_jacobian(p[None])
    for i in range(4):
        for k in range(4):
            assert J[i, k] == pytest.approx(p[i] * ((i == k) - p[k]), rel=1e-15)


def test_jacobian_is_what_differences_give():
    (J,) = operations.softmax_jacobian(operations.softmax_forward(FOUR))
    for i in range(4):
        numeric = numerical_gradient(lambda f, i=i: operations.softmax_forward(f)[0, i], FOUR)[0]
        assert J[i] == pytest.approx(numeric, rel=1e-7)


@given(SCORES)
def test_backward_is_the_jacobian_applied(f):
    p = operations.softmax_forward(f)
    dp = np.cos(np.arange(f.size)).reshape(f.shape)
    expected = np.einsum("ni,nik->nk", dp, operations.softmax_jacobian(p))
    assert operations.softmax_backward(dp, p) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("label", range(4))
def test_against_minus_1_over_p_the_jacobian_collapses_to_p_minus_t(label):
    """L = −log p_j has ∂L/∂p_i = −t_i/p_i; through the Jacobian that becomes p − t."""
    p = operations.softmax_forward(FOUR)
    t = np.eye(4)[[label]]
    through_the_jacobian = operations.softmax_backward(-t / p, p)
    assert through_the_jacobian == pytest.approx(p - t, abs=1e-15)
    fused = operations.cross_entropy_backward(np.ones(1), FOUR, np.array([label]))
    assert fused == pytest.approx(p - t, abs=1e-15)


def test_with_four_classes_and_true_class_3_the_gradient_is_negative_there_and_positive_elsewhere():
    gradient = operations.cross_entropy_backward(np.ones(1), FOUR, np.array([2]))  # the third of the four
    assert (np.sign(gradient) == [[1, 1, -1, 1]]).all()
    assert abs(gradient.sum()) <= 1e-15


def test_log_softmax_then_picking_the_label_is_the_cross_entropy():
    labels = np.array([1])
    expected = -operations.log_softmax_forward(FOUR)[0, 1]
    assert operations.cross_entropy_forward(FOUR, labels)[0] == pytest.approx(expected, rel=1e-15)


def test_textbook_values():
    total = math.exp(1) + math.exp(2) + math.exp(0.5) + math.exp(-1)
    p = operations.softmax_forward(FOUR)[0]
    assert p == pytest.approx(np.array([math.e, math.exp(2), math.exp(0.5), math.exp(-1)]) / total, rel=1e-15)
