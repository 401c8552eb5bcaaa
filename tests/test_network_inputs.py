"""What users hand over as x: understood and right, or refused with the argument and the first bad row named."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import chainrule as cr
from chainrule.errors import DataError, DataTypeError

ROWS = [[0, 1, 2], [3, 0, 1], [1, 1, 0], [2, 2, 2]]
LABELS = [0, 1, 1, 0]


def network(dtype="float64"):
    return cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype=dtype).build((3,))


EXPECTED = network().predict(np.array(ROWS, np.float64))


def read_only(array):
    array.flags.writeable = False
    return array


def on_disk(folder):
    path = folder / "x.npy"
    np.save(path, np.array(ROWS, np.float64))
    return np.load(path, mmap_mode="r")


UNDERSTOOD = {
    "a list": ROWS,
    "a tuple": tuple(map(tuple, ROWS)),
    "a list of arrays": [np.array(row) for row in ROWS],
    "float64": np.array(ROWS, np.float64),
    "float32": np.array(ROWS, np.float32),
    "float16": np.array(ROWS, np.float16),
    "int64": np.array(ROWS, np.int64),
    "uint8": np.array(ROWS, np.uint8),
    "big-endian": np.array(ROWS, ">f8"),
    "big-endian integers": np.array(ROWS, ">i2"),
    "Fortran order": np.array(ROWS, np.float64, order="F"),
    "every second row": np.repeat(np.array(ROWS, np.float64), 2, axis=0)[::2],
    "backwards twice": np.array(ROWS[::-1], np.float64)[::-1],
    "read-only": read_only(np.array(ROWS, np.float64)),
    "a data frame": pd.DataFrame(ROWS, columns=["a", "b", "c"]),
    "a data frame of several dtypes": pd.DataFrame(ROWS).astype({0: "float32", 1: "int8", 2: "float64"}),
    "a matrix": np.asmatrix(np.array(ROWS)) if hasattr(np, "asmatrix") else ROWS,
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("x", UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_anything_that_means_numbers_is_understood(x):
    before = np.array(x)
    answer = network().predict(x)
    assert type(answer) is np.ndarray
    assert np.array_equal(answer, EXPECTED)
    assert np.array_equal(np.array(x), before)


def test_a_memory_mapped_file_is_understood(tmp_path):
    assert np.array_equal(network().predict(on_disk(tmp_path)), EXPECTED)


def test_yes_and_no_are_1_and_0():
    yes_no = np.array(ROWS) > 1
    assert np.array_equal(network().predict(yes_no), network().predict(yes_no.astype(float)))


def test_the_answer_is_of_the_network_s_dtype_whatever_the_input():
    assert network("float32").predict(np.array(ROWS, np.float64)).dtype == np.float32


ARRAY = np.array(ROWS, np.float64)
REFUSED = {
    "text": ([["a", "b", "c"]], r"expected numbers, got text \(dtype <U1\); turn text classes into numbers"),
    "numbers as text": ([["1", "2", "3"]], "expected numbers, got text"),
    "bytes": ([[b"a", b"b", b"c"]], "expected numbers, got bytes"),
    "objects": (np.array(ROWS, object), r"expected numbers, got Python objects \(dtype object\); convert it"),
    "complex": (ARRAY + 1j, "expected numbers, got complex numbers"),
    "dates": (np.array([["2024-01-01"] * 3], "datetime64[D]"), "expected numbers, got dates"),
    "durations": (np.array([[1, 2, 3]], "timedelta64[s]"), "expected numbers, got durations"),
    "records": (np.zeros((2, 3), [("a", "f8")]), "expected numbers, got something else"),
    "masked": (np.ma.masked_array(ARRAY, ARRAY > 1), r"masked arrays are not understood; fill the gaps first"),
    "sparse matrix": (scipy.sparse.csr_matrix(ARRAY), r"sparse matrices are not understood; pass x.toarray\(\)"),
    "sparse array": (scipy.sparse.coo_array(ARRAY), "sparse matrices are not understood"),
    "ragged": ([[1, 2, 3], [1, 2]], "expected rows of equal length, got ragged data"),
    "a data frame with text": (
        pd.DataFrame({"a": [1.0, 2], "b": ["x", "y"], "c": [1, 2]}),
        "expected numbers, got Python objects",
    ),
    "nothing": (None, "expected numbers, got Python objects"),
    "a dictionary": ({"x": ROWS}, "expected numbers, got Python objects"),
    "a generator": ((row for row in ROWS), "expected numbers, got Python objects"),
}


@pytest.mark.parametrize(("x", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_array_of_numbers_is_a_type_error(x, message):
    for ask in (network().predict, lambda x: network().evaluate(x, LABELS), lambda x: network().gradients(x, LABELS)):
        with pytest.raises(DataTypeError, match=f"^x: {message}"):
            ask(x)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 2, 3])
def test_the_first_row_that_is_not_finite_is_named(bad, row):
    x = ARRAY.copy()
    x[row:, 1] = bad
    for ask in (network().predict, lambda x: network().evaluate(x, LABELS), lambda x: network().gradients(x, LABELS)):
        with pytest.raises(DataError, match=rf"^x: values must be finite.* is {bad} in row {row}, at \({row}, 1\)"):
            ask(x)


def test_gaps_in_a_data_frame_are_named():
    frame = pd.DataFrame(ROWS, dtype="float64")
    frame.iloc[1, 2] = None
    with pytest.raises(DataError, match=r"x: values must be finite.* nan in row 1, at \(1, 2\)"):
        network().predict(frame)


def test_a_number_too_large_for_the_network_s_dtype_is_named():
    with pytest.raises(
        DataError, match="x: values must be finite and fit float32; the first that does not is inf in row 1"
    ):
        network("float32").predict([[0, 0, 0], [0, 1e39, 0]])
    assert np.isfinite(network().predict([[0, 1e39, 0]])).all()


def test_targets_too_large_for_the_network_s_dtype_are_named():
    made = cr.Network([cr.Linear(1)], loss=cr.SquaredError())
    with pytest.raises(DataError, match="targets: values must be finite and fit float32; .* in row 1"):
        made.gradients([[1.0], [2.0]], [0, 1e39])


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (["a", "b", "b", "a"], DataTypeError, "targets: expected numbers, got text"),
        ([0, 1, 2, 0], DataError, "targets: labels must be whole numbers from 0 to 1; row 2 is 2"),
        ([0, 1, -1, 0], DataError, "row 2 is -1"),
        ([0, 1, 0.5, 0], DataError, "row 2 is 0.5"),
        ([0, np.nan, 0, 0], DataError, "targets: values must be finite.* in row 1"),
        (np.zeros((4, 3)), DataError, r"targets: expected rows of shape \(2,\)"),
        (scipy.sparse.csr_matrix(np.eye(4)[:, :2]), DataTypeError, r"pass targets.toarray\(\)"),
        (np.ma.masked_array(LABELS, [0, 1, 0, 0]), DataTypeError, "masked arrays are not understood"),
    ],
)
def test_targets_that_do_not_fit_are_refused(targets, error, message):
    for ask in (network().evaluate, network().gradients):
        with pytest.raises(error, match=message):
            ask(ROWS, targets)


@pytest.mark.parametrize(
    "targets",
    [LABELS, np.array(LABELS, np.uint8), np.array(LABELS, float), pd.Series(LABELS), np.eye(2)[LABELS], np.c_[LABELS]],
    ids=["list", "uint8", "floats", "series", "one-hot", "column"],
)
def test_the_same_labels_in_another_form_give_the_same_report(targets):
    assert network().evaluate(ROWS, targets) == network().evaluate(ROWS, LABELS)


@pytest.mark.parametrize("loss", [cr.SquaredError(), cr.BinaryCrossEntropy()])
def test_a_row_of_targets_is_never_broadcast_against_a_column_of_scores(loss):
    made = cr.Network([cr.Linear(1)], loss=loss, dtype="float64")
    row, column = [0.0, 1, 1, 0], [[0.0], [1], [1], [0]]
    assert made.evaluate(ROWS, row) == made.evaluate(ROWS, column)
    for name, gradient in made.gradients(ROWS, row).items():
        assert np.array_equal(gradient, made.gradients(ROWS, column)[name])
