import numpy as np
import pytest

from chainrule.data import Standardizer
from chainrule.errors import DataError, DataTypeError, ShapeError
from chainrule.randomness import stream


@pytest.fixture
def samples():
    return stream(0, "test").normal([3, -50], [0.5, 20], (1000, 2))


def test_what_it_learned_from_gets_mean_0_and_deviation_1(samples):
    x = Standardizer.fit(samples).apply(samples)
    assert np.abs(x.mean(axis=0)).max() < 1e-12
    assert np.abs(x.std(axis=0) - 1).max() < 1e-12


def test_other_samples_are_measured_by_those_it_learned_from(samples):
    standardizer = Standardizer.fit([[0.0], [2.0]])  # mean 1, deviation 1
    assert standardizer.apply([[5.0]]).tolist() == [[4.0]]


def test_a_worked_example():
    x = Standardizer.fit([[1, 10], [2, 30], [3, 20]]).apply([[1, 10], [2, 30], [3, 20]])
    root = np.sqrt(1.5)
    assert x == pytest.approx(np.array([[-root, -root], [0, root], [root, 0]]), abs=1e-6)


@pytest.mark.parametrize("constant", [0, 0.1, 1 / 3, 1e6, 1e-30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_column_becomes_0(constant, dtype):
    x = np.full((1001, 1), constant, dtype)
    assert (Standardizer.fit(x).apply(x) == 0).all()


def test_a_column_whose_deviation_underflows_stays_finite():
    x = np.array([[1e-200], [2e-200]])
    assert np.isfinite(Standardizer.fit(x).apply(x)).all()


def test_one_sample_becomes_0():
    assert Standardizer.fit([[7.0, 8.0]]).apply([[7.0, 8.0]]).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.uint8, np.float32), (np.float16, np.float32)],
)
def test_float64_stays_float64_and_the_rest_becomes_float32(given, expected):
    x = np.array([[1], [2]], given)
    assert Standardizer.fit(x).apply(x).dtype == expected


def test_images_are_standardised_pixel_by_pixel():
    x = stream(0, "test").random((10, 8, 8))
    standardizer = Standardizer.fit(x)
    assert standardizer.mean.shape == (8, 8)
    assert np.abs(standardizer.apply(x).std(axis=0) - 1).max() < 1e-12


def test_the_input_is_not_changed(samples):
    before = samples.copy()
    Standardizer.fit(samples).apply(samples)
    assert (samples == before).all()


def test_samples_of_another_shape_are_refused_rather_than_broadcast(samples):
    standardizer = Standardizer.fit(samples)
    with pytest.raises(ShapeError, match=r"expected samples of shape \(2,\), got \(1,\)"):
        standardizer.apply([[1.0]])


@pytest.mark.parametrize("x", [1.0, [1.0, 2.0]])
def test_anything_but_rows_is_refused(x):
    with pytest.raises(ShapeError, match="expected samples along the first axis"):
        Standardizer.fit(x)


def test_no_samples_are_refused():
    with pytest.raises(DataError, match="expected at least one sample"):
        Standardizer.fit(np.zeros((0, 3)))


def test_nan_is_refused_with_its_row():
    with pytest.raises(DataError, match="x: values must be finite.* in row 1"):
        Standardizer.fit([[1.0], [np.nan]])


def test_values_too_large_to_square_are_refused():
    with pytest.raises(DataError, match="squares overflow"):
        Standardizer.fit([[1e300], [-1e300]])


def test_text_is_refused():
    with pytest.raises(DataTypeError, match="x: expected numbers, got text"):
        Standardizer.fit([["a"], ["b"]])
