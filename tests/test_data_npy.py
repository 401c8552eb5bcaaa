"""Arrays in .npy and .npz files, and all that can be wrong with them."""

import io
import zipfile

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError


def packed(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def test_arrays_come_back_under_their_names():
    arrays = {
        "x": np.arange(6.0).reshape(2, 3),
        "y": np.array(["a", "b"]),
        "f": np.asfortranarray(np.ones((2, 3), ">i2")),
    }
    found = cr.data.read_npz(packed(**arrays), "data.npz")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_objects_are_never_unpickled():
    with pytest.raises(DataError, match=r"data\.npz, array 'x': expected numbers or text, got dtype object"):
        cr.data.read_npz(packed(x=np.array([None, {}], object)), "data.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text", packed(x=np.ones(100))[:-30]])
def test_what_is_no_archive_is_refused(content):
    with pytest.raises(DataError, match=r"data\.npz: not an \.npz file, or a damaged one"):
        cr.data.read_npz(content, "data.npz")


def test_a_flipped_byte_is_found():
    content = bytearray(packed(x=np.arange(1000.0)))
    content[len(content) // 2] ^= 1
    with pytest.raises(DataError, match="damaged"):
        cr.data.read_npz(bytes(content), "data.npz")


def test_an_array_that_claims_to_be_huge_is_refused_before_memory_is_asked_for():
    small = io.BytesIO()
    np.save(small, np.zeros(4))
    claim = small.getvalue().replace(b"(4,), }", b"(4000000000000,), }").replace(b"             \n", b"\n")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", claim[:8] + (len(claim) - 32 - 10).to_bytes(2, "little") + claim[10:])
    with pytest.raises(DataError, match="does not fit the file's length|damaged"):
        cr.data.read_npz(file.getvalue(), "data.npz")
