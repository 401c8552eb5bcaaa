"""Samples from a user's file: pictures and .npy arrays, and all that can be wrong with them."""

import os
import pickle
import sys

import numpy as np
import PIL.Image
import pytest

from chainrule.cli.images import read_samples
from chainrule.data import pictures
from chainrule.errors import DataError, MissingExtraError, ShapeError

SHAPE = (4, 5)
INK = np.array(  # light ink on a dark ground, nothing on the border
    [[0, 0, 0, 0, 0], [0, 255, 128, 0, 0], [0, 0, 64, 255, 0], [0, 0, 0, 0, 0]], np.uint8
)


def saved(tmp_path, picture, name="picture.png", **options):
    path = tmp_path / name
    picture.save(path, **options)
    return path


def npy(tmp_path, array, name="array.npy"):
    path = tmp_path / name
    np.save(path, array)
    return path


def test_a_picture_of_the_right_kind_is_taken_as_it_is(tmp_path):
    found = read_samples(saved(tmp_path, PIL.Image.fromarray(INK)), 20, SHAPE)
    np.testing.assert_array_equal(found.x, INK.reshape(1, 20).astype(np.float32) / 255)
    assert found.notes == ()


def test_dark_ink_on_paper_is_inverted_and_said_so(tmp_path):
    found = read_samples(saved(tmp_path, PIL.Image.fromarray(255 - INK)), 20, SHAPE)
    np.testing.assert_array_equal(found.x, INK.reshape(1, 20).astype(np.float32) / 255)
    assert [note.split(":")[0] for note in found.notes] == ["inverted"]


def test_colours_become_grey_and_it_is_said(tmp_path):
    found = read_samples(saved(tmp_path, PIL.Image.fromarray(INK).convert("RGB")), 20, SHAPE)
    np.testing.assert_array_equal(found.x, INK.reshape(1, 20).astype(np.float32) / 255)
    assert found.notes == ("converted to grey",)


def test_a_larger_picture_becomes_the_mean_of_the_pixels_covered(tmp_path):
    large = PIL.Image.fromarray(np.kron(INK, np.ones((6, 6), np.uint8)))
    found = read_samples(saved(tmp_path, large), 20, SHAPE)
    np.testing.assert_array_equal(found.x, INK.reshape(1, 20).astype(np.float32) / 255)
    assert found.notes == ("resized from 30 × 24 to 5 × 4 pixels",)


def test_a_picture_of_other_proportions_is_padded_not_stretched(tmp_path):
    tall = np.zeros((16, 5), np.uint8)
    tall[6:10, 1:4] = 255
    pixels = read_samples(saved(tmp_path, PIL.Image.fromarray(tall)), 20, SHAPE).x.reshape(SHAPE)
    assert pixels[:, [0, 1, 3, 4]].max() == 0  # 5 of 20 columns wide: a quarter of the width
    assert pixels[1:3, 2].min() > 0


def test_what_is_transparent_counts_as_paper(tmp_path):
    drawing = np.zeros((*SHAPE, 4), np.uint8)  # black, where it is anything
    drawing[..., 3] = INK
    found = read_samples(saved(tmp_path, PIL.Image.fromarray(drawing)), 20, SHAPE)
    np.testing.assert_allclose(found.x, INK.reshape(1, 20) / 255, atol=1 / 255)


def test_sixteen_bits_per_pixel_are_understood(tmp_path):
    found = read_samples(saved(tmp_path, PIL.Image.fromarray(INK.astype(np.uint16) * 257)), 20, SHAPE)
    np.testing.assert_array_equal(found.x, INK.reshape(1, 20).astype(np.float32) / 255)


def test_a_palette_and_black_and_white_are_understood(tmp_path):
    picture = PIL.Image.fromarray((INK > 100).astype(np.uint8) * 255)
    for mode in ("1", "P"):
        found = read_samples(saved(tmp_path, picture.convert(mode), f"{mode}.png"), 20, SHAPE)
        np.testing.assert_array_equal(found.x, (INK > 100).reshape(1, 20))


def test_a_picture_is_turned_right_side_up(tmp_path):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    lying = PIL.Image.fromarray(np.rot90(INK))
    path = saved(tmp_path, lying, "turned.png", exif=exif)
    np.testing.assert_array_equal(read_samples(path, 20, SHAPE).x, INK.reshape(1, 20).astype(np.float32) / 255)


def test_a_jpeg_is_a_picture_too(tmp_path):
    large = PIL.Image.fromarray(np.kron(INK, np.ones((16, 16), np.uint8)))
    found = read_samples(saved(tmp_path, large, "picture.jpg", quality=95), 20, SHAPE)
    np.testing.assert_allclose(found.x, INK.reshape(1, 20) / 255, atol=0.02)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x80\x04N.", b"<svg/>", bytes(range(200))])
def test_what_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"picture\.png: neither a picture .* nor a NumPy array"):
        read_samples(path, 20, SHAPE)


def test_a_picture_that_is_cut_short_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (60, 60)).astype(np.uint8)
    path = saved(tmp_path, PIL.Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match="a damaged picture"):
        read_samples(path, 20, SHAPE)


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 100)
    with pytest.raises(DataError, match="more than 100 pixels"):
        read_samples(saved(tmp_path, PIL.Image.new("L", (11, 10))), 20, SHAPE)


def test_a_picture_that_pillow_itself_calls_a_bomb_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path, PIL.Image.new("L", (30, 10)))
    for pixels in (200, 100):  # a warning of Pillow's, and an error
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", pixels)
        with pytest.raises(DataError, match="make it smaller"):
            read_samples(path, 20, SHAPE)


def test_a_network_that_takes_no_images_takes_no_picture(tmp_path):
    with pytest.raises(DataError, match="takes 2 numbers per sample, not pictures; give it an .npy file"):
        read_samples(saved(tmp_path, PIL.Image.fromarray(INK)), 2, None)


def test_without_pillow_the_error_names_the_extra(tmp_path, monkeypatch):
    path = saved(tmp_path, PIL.Image.fromarray(INK))
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingExtraError, match=r"chainrule\[images\]"):
        read_samples(path, 20, SHAPE)


@pytest.mark.parametrize("shape", [(20,), (4, 5), (3, 20), (3, 4, 5), (1, 20)])
def test_an_array_of_one_sample_or_of_many_is_understood(tmp_path, shape):
    array = np.random.default_rng(0).random(shape)
    found = read_samples(npy(tmp_path, array), 20, SHAPE)
    np.testing.assert_array_equal(found.x, array.reshape(-1, 20))
    assert found.notes == ()


def test_an_array_in_fortran_order_and_big_endian_is_understood(tmp_path):
    array = np.random.default_rng(0).random((3, 20))
    found = read_samples(npy(tmp_path, np.asfortranarray(array.astype(">f8"))), 20, SHAPE)
    np.testing.assert_array_equal(found.x, array)


def test_bytes_are_greys_up_to_255(tmp_path):
    found = read_samples(npy(tmp_path, INK), 20, SHAPE)
    np.testing.assert_array_equal(found.x, INK.reshape(1, 20).astype(np.float32) / 255)
    assert found.notes == ("divided by 255: the network takes greys from 0 to 1",)


def test_values_beyond_the_greys_are_taken_and_said(tmp_path):
    found = read_samples(npy(tmp_path, INK / 16), 20, SHAPE)
    assert found.notes == ("values from 0 to 15.9375; the network takes greys from 0 to 1",)


def test_bytes_are_just_numbers_for_a_network_without_images(tmp_path):
    found = read_samples(npy(tmp_path, np.array([[3, 200]], np.uint8)), 2, None)
    assert found.x.tolist() == [[3, 200]]


@pytest.mark.parametrize("shape", [(5, 4), (3, 19), (2, 3, 4, 5), (), (0, 20), (21,)])
def test_an_array_of_another_shape_is_refused_with_what_was_expected(tmp_path, shape):
    with pytest.raises(ShapeError, match=r"expected samples of shape \(N, 20\), \(N, 4, 5\) or \(4, 5\), got an array"):
        read_samples(npy(tmp_path, np.zeros(shape)), 20, SHAPE)


class Bomb:
    """Something that runs when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (os.environ["CHAINRULE_TEST_BOMB"],)


def test_a_pickle_inside_an_npy_is_refused_and_never_run(tmp_path, monkeypatch):
    fuse = tmp_path / "ran"
    monkeypatch.setenv("CHAINRULE_TEST_BOMB", str(fuse))
    path = tmp_path / "array.npy"
    np.save(path, np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="expected an array of numbers, got dtype object; it was not opened"):
        read_samples(path, 20, SHAPE)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match="neither a picture"):
        read_samples(path, 20, SHAPE)
    assert not fuse.exists()


@pytest.mark.parametrize("array", [np.array(["a"]), np.zeros(2, complex), np.zeros(2, "datetime64[s]")])
def test_an_array_of_anything_but_numbers_is_refused(tmp_path, array):
    with pytest.raises(DataError, match="expected an array of numbers"):
        read_samples(npy(tmp_path, array), 20, SHAPE)


def test_every_truncation_of_an_npy_is_refused(tmp_path):
    content = npy(tmp_path, np.zeros((2, 20))).read_bytes()
    path = tmp_path / "cut.npy"
    for length in (*range(6, 140), len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            read_samples(path, 20, SHAPE)


def header(text):
    """An .npy file with this header and no data."""
    body = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 64)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 64)}",
        "{'descr': '|V0', 'fortran_order': False, 'shape': (2, 64)}",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': 'no', 'fortran_order': False, 'shape': (2,)}",
        "__import__('os').mkdir('ran')",
        "((((((((((",
    ],
)
def test_a_hostile_header_is_refused_without_taking_memory(tmp_path, text):
    path = tmp_path / "array.npy"
    path.write_bytes(header(text))
    with pytest.raises(DataError, match="array.npy: "):
        read_samples(path, 20, SHAPE)


def test_an_unknown_version_of_npy_is_refused(tmp_path):
    path = tmp_path / "array.npy"
    path.write_bytes(b"\x93NUMPY\x09\x00" + bytes(120))
    with pytest.raises(DataError, match="damaged .npy"):
        read_samples(path, 20, SHAPE)


def test_a_folder_and_a_pipe_are_refused_and_nothing_hangs(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path, tmp_path / "pipe.png"):
        with pytest.raises(DataError, match="expected a file, got a"):
            read_samples(path, 20, SHAPE)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_samples(tmp_path / "nothing.png", 20, SHAPE)


def test_reading_says_nothing_to_the_screen(tmp_path, capsys):
    read_samples(saved(tmp_path, PIL.Image.fromarray(INK)), 20, SHAPE)
    assert capsys.readouterr() == ("", "")
