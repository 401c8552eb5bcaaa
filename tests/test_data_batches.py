import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data.batches import batches, split
from chainrule.errors import DataError, DataTypeError, SettingError, ShapeError
from chainrule.randomness import stream

row_counts = st.integers(0, 50)
batch_sizes = st.none() | st.integers(1, 60)


@given(row_counts, batch_sizes, st.none() | st.integers(0, 99))
def test_every_row_comes_exactly_once(rows, batch_size, seed):
    numbers = np.arange(rows)
    rng = None if seed is None else stream(seed, "shuffle")
    found = [numbers[batch] for batch in batches(rows, batch_size, rng)]
    assert sorted(np.concatenate([numbers[:0], *found]).tolist()) == numbers.tolist()


@given(row_counts, batch_sizes)
def test_only_the_last_batch_may_be_smaller(rows, batch_size):
    numbers = np.arange(rows)
    sizes = [len(numbers[batch]) for batch in batches(rows, batch_size, stream(0, "shuffle"))]
    size = batch_size or max(rows, 1)
    assert sizes == [size] * (rows // size) + ([rows % size] if rows % size else [])


def test_without_a_generator_the_order_is_kept():
    assert list(batches(7, 3)) == [slice(0, 3), slice(3, 6), slice(6, 7)]


def test_a_batch_larger_than_the_data_takes_all_of_it():
    assert list(batches(4, 100, stream(0, "shuffle"))) == [slice(0, 4)]


def test_the_full_batch_is_a_view_of_the_data():
    data = np.arange(10)
    (batch,) = batches(10, None, stream(0, "shuffle"))
    assert np.shares_memory(data[batch], data)


def test_one_generator_gives_each_epoch_another_order():
    rng = stream(0, "shuffle")
    first, second = (np.concatenate(list(batches(100, 10, rng))) for _ in range(2))
    assert (first != second).any()


def test_the_same_seed_gives_the_same_order():
    first, second = (np.concatenate(list(batches(100, 10, stream(3, "shuffle")))) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "10", True])
def test_a_wrong_batch_size_is_refused_before_the_first_batch(batch_size):
    with pytest.raises(SettingError, match="batch_size: expected a whole number of at least 1"):
        batches(10, batch_size)


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
