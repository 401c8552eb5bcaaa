import struct
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data.idx import parse_idx, parse_images, parse_labels
from chainrule.errors import DataError


def idx(array, kind=8):
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([5, 0, 4, 1, 9], dtype=np.uint8)


@pytest.mark.parametrize("array", [IMAGES, LABELS], ids=["images", "labels"])
def test_an_idx_file_is_read_as_it_was_written(array):
    found = parse_idx(idx(array), "file")
    assert found.dtype == np.uint8
    assert found.shape == array.shape
    assert (found == array).all()


def test_images_and_labels_are_read_as_such():
    assert (parse_images(idx(IMAGES), "file") == IMAGES).all()
    assert (parse_labels(idx(LABELS), "file") == LABELS).all()


@pytest.mark.parametrize("array", [IMAGES, LABELS], ids=["images", "labels"])
def test_every_truncation_is_refused(array):
    whole = idx(array)
    for length in range(len(whole)):
        with pytest.raises(DataError, match="^file: "):
            parse_idx(whole[:length], "file")


def test_a_truncation_is_called_one():
    with pytest.raises(DataError, match=r"file: truncated: shape \(2, 3, 4\) takes 40 bytes, the file has 39"):
        parse_idx(idx(IMAGES)[:-1], "file")


def test_trailing_bytes_are_refused():
    with pytest.raises(DataError, match=r"file: shape \(5,\) takes 13 bytes, but more follow"):
        parse_idx(idx(LABELS) + b"\0", "file")


def test_a_header_that_claims_too_much_is_refused_before_anything_is_allocated():
    claim = bytes([0, 0, 8, 3]) + b"\xff" * 12 + bytes(100)
    tracemalloc.start()
    with pytest.raises(DataError, match="truncated"):
        parse_idx(claim, "file")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize("shape", [(0,), (0, 28, 28), (5, 0, 28), (2**32 - 1, 0, 0)])
def test_an_empty_dimension_is_refused(shape):
    header = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    with pytest.raises(DataError, match="expected something in every dimension"):
        parse_idx(header, "file")


@pytest.mark.parametrize("content", [b"<!DOCTYPE html>", b"\x1f\x8b\x08\0", b"\0\1\x08\1", b"\x80\x04\x95"])
def test_another_kind_of_file_is_refused_on_its_first_bytes(content):
    with pytest.raises(DataError, match="file: not an IDX file: expected it to begin with 00 00 08"):
        parse_idx(content, "file")


def test_an_empty_file_is_said_to_be_empty():
    with pytest.raises(DataError, match="got an empty file"):
        parse_idx(b"", "file")


@pytest.mark.parametrize("kind", [0, 9, 0x0D, 0x0E])
def test_values_of_another_type_are_refused(kind):
    with pytest.raises(DataError, match=f"unsigned bytes.*got type {kind:02x}"):
        parse_idx(idx(LABELS, kind), "file")


@pytest.mark.parametrize("dimensions", [0, 2, 4, 255])
def test_another_number_of_dimensions_is_refused(dimensions):
    with pytest.raises(DataError, match=rf"expected 3 dimensions \(images\) or 1 \(labels\), got {dimensions}"):
        parse_idx(bytes([0, 0, 8, dimensions]) + b"\0\0\0\1" * dimensions + b"\0", "file")


def test_labels_given_as_images_are_refused():
    with pytest.raises(DataError, match="expected images .* got labels .* mixed up"):
        parse_images(idx(LABELS), "file")


def test_images_given_as_labels_are_refused():
    with pytest.raises(DataError, match="expected labels .* got images .* mixed up"):
        parse_labels(idx(IMAGES), "file")


def test_a_label_above_9_is_refused_with_its_row():
    with pytest.raises(DataError, match="labels must be 0 to 9; row 3 is 10"):
        parse_labels(idx(np.array([1, 2, 9, 10, 255], dtype=np.uint8)), "file")


@given(st.binary(max_size=64))
def test_random_bytes_are_read_or_refused_but_never_crash(content):
    with suppress(DataError):
        assert parse_idx(content, "file").size > 0


@given(st.binary(max_size=24), st.sampled_from([parse_images, parse_labels]), st.sampled_from([1, 3]))
def test_random_bytes_behind_a_right_start_never_crash(content, parse, dimensions):
    with suppress(DataError):
        assert parse(bytes([0, 0, 8, dimensions]) + content, "file").size > 0
