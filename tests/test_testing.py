"""`numerical_gradient`, the judge of every derivative, is itself judged here."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.testing import numerical_gradient, relative_error


def test_the_gradient_of_a_polynomial():
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    assert relative_error(numerical_gradient(lambda x: (x**3).sum(), x), 3 * x**2) <= 1e-9


def test_the_gradient_of_a_number():
    gradient = numerical_gradient(np.sin, 0.5)
    assert gradient.shape == ()
    assert relative_error(gradient, np.cos(0.5)) <= 1e-9


def test_the_point_stays_as_it_is_even_if_the_function_changes_what_it_gets():
    x = np.array([1.0, 2.0])

    def function(value):
        value *= 2
        return value.sum()

    assert relative_error(numerical_gradient(function, x), np.array([2.0, 2.0])) <= 1e-9
    assert x.tolist() == [1, 2]


def test_whole_numbers_are_worked_on_as_float64():
    assert numerical_gradient(lambda x: (x * x).sum(), [3, 4]).dtype == np.float64


def test_more_than_one_number_to_differentiate_is_refused():
    with pytest.raises(cr.errors.ShapeError, match=r"expected one number to differentiate, got an array \(2,\)"):
        numerical_gradient(lambda x: x * x, [1.0, 2.0])


@pytest.mark.parametrize("step", [0, -1e-5, float("nan"), "small"])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(cr.errors.SettingError, match="step"):
        numerical_gradient(np.sin, 0.5, step=step)


def test_a_point_that_is_no_number_is_refused():
    with pytest.raises(cr.errors.DataError, match="x: values must be finite"):
        numerical_gradient(np.sum, [1.0, float("nan")])
    with pytest.raises(cr.errors.DataTypeError, match="x: expected numbers, got text"):
        numerical_gradient(np.sum, ["a"])


def test_relative_error_compares_with_the_larger_norm():
    assert relative_error(np.array([3.0, 0.0]), np.array([0.0, 4.0])) == 5 / 4
    assert relative_error(np.array([1.0]), np.array([2.0])) == 0.5


def test_relative_error_of_nothing_is_0():
    assert relative_error(np.zeros(3), np.zeros(3)) == 0
    assert relative_error(np.zeros(0), np.zeros(0)) == 0


def test_relative_error_of_something_against_nothing_is_1():
    assert relative_error(np.array([1e-200]), np.array([0.0])) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_relative_error_of_what_is_not_finite_is_below_no_limit(bad):
    assert not relative_error(np.array([bad, 1]), np.array([1.0, 1])) <= 1e300
    assert not relative_error(np.array([bad, 1]), np.array([bad, 1])) <= 1e300


def test_it_is_reached_through_the_package():
    assert cr.testing.numerical_gradient is numerical_gradient
