import hashlib

import numpy as np
import pytest

from chainrule.data import load_digits
from chainrule.data.digits import FILE


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.fixture(scope="module")
def packed():
    with np.load(FILE, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize(
    ("column", "sha256"),
    [
        ("pixels", "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"),
        ("labels", "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"),
        ("test", "a4ddc434de675b7376f37dbfca736403fbed115566b868180333127d4f688bb9"),
    ],
)
def test_the_shipped_numbers_are_the_ones_that_were_packed(packed, column, sha256):
    assert hashlib.sha256(packed[column].tobytes()).hexdigest() == sha256


def test_the_shipped_file_is_small():
    assert FILE.stat().st_size < 60_000


def test_the_shipped_numbers_are_those_of_scikit_learn(packed):
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    theirs = datasets.load_digits()
    assert (packed["pixels"] == theirs.data).all()
    assert (packed["labels"] == theirs.target).all()


def test_shapes_and_types(digits):
    (x, y), (x_test, y_test) = digits.train, digits.test
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((1437, 64), np.float32, (1437,), np.int64)
    assert (x_test.shape, x_test.dtype, y_test.shape, y_test.dtype) == ((360, 64), np.float32, (360,), np.int64)


def test_class_counts_are_the_source_s(digits):
    y = np.concatenate([digits.train[1], digits.test[1]])
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_a_fifth_of_each_class_is_for_testing(digits):
    share = np.bincount(digits.test[1]) / (np.bincount(digits.train[1]) + np.bincount(digits.test[1]))
    assert np.abs(share - 0.2).max() < 1 / 174  # within one sample


def test_pixels_are_sixteenths_from_0_to_1(digits):
    x = digits.train[0]
    assert (x.min(), x.max()) == (0, 1)
    assert (x * 16 == np.round(x * 16)).all()


def test_split_follows_the_shipped_column(digits, packed):
    test = packed["test"]
    assert (digits.test[0] * 16 == packed["pixels"][test]).all()
    assert (digits.train[1] == packed["labels"][~test]).all()


def test_each_load_gives_arrays_of_its_own(digits):
    other = load_digits()
    other.train[0][:] = -1
    assert digits.train[0].min() == 0
    assert load_digits().train[0].min() == 0


def test_source_and_licence_are_named(digits):
    assert "10.24432/C50P49" in digits.source
    assert digits.licence == "CC BY 4.0"


def test_source_and_licence_are_shipped_beside_the_numbers():
    text = FILE.with_suffix(".txt").read_text(encoding="utf-8")
    assert "10.24432/C50P49" in text
    assert "CC BY 4.0" in text


def test_repr_tells_what_is_in_it(digits):
    assert repr(digits) == "<DataSet digits: 1437 train, 360 test, 64 features (images 8×8), 10 classes>"
