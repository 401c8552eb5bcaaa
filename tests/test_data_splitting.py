import numpy as np
import pytest

from chainrule.data import held_back_by_class, split
from chainrule.errors import DataError, DataTypeError, SettingError, ShapeError
from chainrule.randomness import stream


def test_split_holds_back_the_share_asked_for():
    (x, y), (x_held, y_held) = split(np.arange(20).reshape(10, 2), np.arange(10), 0.3, stream(0, "validation"))
    assert x.shape == (7, 2)
    assert y.shape == (7,)
    assert x_held.shape == (3, 2)
    assert y_held.shape == (3,)


def test_split_keeps_samples_and_targets_together_and_in_order():
    x = np.arange(100)
    for samples, targets in split(x, -x, 0.25, stream(0, "validation")):
        assert (targets == -samples).all()
        assert (np.diff(samples) > 0).all()


def test_split_puts_every_row_on_one_side():
    (x, _), (x_held, _) = split(np.arange(100), np.arange(100), 0.25, stream(0, "validation"))
    assert sorted([*x.tolist(), *x_held.tolist()]) == list(range(100))


def test_split_depends_on_the_generator_alone():
    x = np.arange(100)
    held = [split(x, x, 0.25, stream(seed, "validation"))[1][0].tolist() for seed in (1, 1, 2)]
    assert held[0] == held[1] != held[2]


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan"), "0.2", None, True])
def test_split_refuses_a_fraction_outside_0_to_1(fraction):
    with pytest.raises(SettingError, match="fraction: expected a share above 0 and below 1"):
        split(np.arange(10), np.arange(10), fraction, stream(0, "validation"))


@pytest.mark.parametrize(("rows", "fraction"), [(1, 0.5), (10, 0.01), (10, 0.99), (0, 0.5)])
def test_split_refuses_to_leave_a_side_empty(rows, fraction):
    with pytest.raises(DataError, match="leaves one side empty"):
        split(np.arange(rows), np.arange(rows), fraction, stream(0, "validation"))


def test_split_refuses_targets_of_another_number():
    with pytest.raises(ShapeError, match="expected as many rows in both"):
        split(np.zeros((10, 2)), np.zeros(9), 0.5, stream(0, "validation"))


def test_split_refuses_text():
    with pytest.raises(DataTypeError, match="y: expected numbers, got text"):
        split(np.zeros((2, 2)), ["cat", "dog"], 0.5, stream(0, "validation"))


# By class


def test_each_class_gives_its_share():
    labels = np.repeat([0, 1, 2], [50, 20, 5])
    mask = held_back_by_class(labels, 0.2, stream(0, "test"))
    assert np.bincount(labels[mask]).tolist() == [10, 4, 1]
    np.testing.assert_array_equal(mask, held_back_by_class(labels, 0.2, stream(0, "test")))
    assert (mask != held_back_by_class(labels, 0.2, stream(1, "test"))).any()


def test_something_is_held_back_of_any_two_rows_and_something_left():
    for labels in ([0, 1], [0, 0], [0, 1, 1], [0, 1, 2, 3]):
        mask = held_back_by_class(labels, 0.2, stream(0, "test"))
        assert mask.sum() == 1


def test_one_row_cannot_be_split():
    with pytest.raises(DataError, match="expected at least 2 rows, one of them to hold back, got 1"):
        held_back_by_class([0], 0.2, stream(0, "test"))
