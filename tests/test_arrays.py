"""The door through which arrays come in. (What a network makes of users' data is in test_network_inputs.)"""

import numpy as np
import pytest

from chainrule.arrays import as_floats, as_numbers, check_finite, float_dtype
from chainrule.errors import DataError, DataTypeError, SettingError


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32"), "<f4", ">f4", "f"])
def test_float32_in_every_spelling(dtype):
    assert float_dtype(dtype) == np.dtype("float32")
    assert float_dtype(dtype).isnative


@pytest.mark.parametrize("dtype", ["float16", "float128", "int64", bool, "complex64", "no such", object, 3])
def test_any_other_dtype_is_refused(dtype):
    with pytest.raises(SettingError, match="dtype: expected one of float32, float64, got"):
        float_dtype(dtype)


def test_numbers_keep_their_dtype():
    for dtype in ("uint8", "int64", "float16", "float32", "bool", ">i4"):
        assert as_numbers(np.ones(2, dtype), "x").dtype == dtype


def test_floats_are_contiguous_native_and_of_the_dtype_asked_for():
    given = np.arange(12, dtype=">i2").reshape(3, 4)[::-1, ::2]
    floats = as_floats(given, "x", np.float32)
    assert floats.dtype == np.dtype("float32")
    assert floats.flags.c_contiguous
    assert np.array_equal(floats, given)


def test_what_is_right_already_is_not_copied():
    x = np.ones((2, 3))
    assert as_floats(x, "x", np.float64) is x or np.shares_memory(as_floats(x, "x", np.float64), x)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (0, 4), (2, 0), (2, 3, 4, 5)])
def test_the_shape_stays(shape):
    assert as_floats(np.ones(shape, np.int8), "x", np.float64).shape == shape


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array(np.nan), "x: values must be finite and fit float64; the first that does not is nan$"),
        (np.array([0, np.inf]), "is inf in row 1$"),
        (np.array([[0, 0], [0, -np.inf]]), r"is -inf in row 1, at \(1, 1\)$"),
        (np.array([[[0, 0], [np.nan, np.nan]]]), r"is nan in row 0, at \(0, 1, 0\)$"),
        (np.array([0, np.nan], np.float32), "fit float32; .* in row 1$"),
    ],
)
def test_the_first_value_that_is_not_finite_is_named(array, message):
    with pytest.raises(DataError, match=message):
        check_finite(array, "x")


def test_finite_values_of_any_kind_pass():
    for dtype in (np.float32, np.float64):
        limits = np.finfo(dtype)
        check_finite(np.array([limits.max, -limits.max, limits.smallest_subnormal, 0], dtype), "x")


def test_a_value_too_large_for_the_dtype_is_named_without_a_warning():
    with pytest.raises(DataError, match="images: values must be finite and fit float32; .* inf in row 2"):
        as_floats([0, 1, 1e300], "images", np.float32)


def test_a_value_too_small_for_the_dtype_becomes_0():
    assert as_floats([1e-300], "x", np.float32) == 0


def test_the_argument_is_named():
    with pytest.raises(DataTypeError, match="^validation x: expected numbers, got text"):
        as_numbers(["a"], "validation x")


def test_errors_are_those_that_python_would_raise_too():
    with pytest.raises(TypeError):
        as_numbers("five", "x")
    with pytest.raises(ValueError, match="finite"):
        as_floats([np.nan], "x", np.float64)
