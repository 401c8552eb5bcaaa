"""Folders of pictures, a folder for each class."""

import numpy as np
import PIL.Image
import pytest

import chainrule as cr
from chainrule.errors import DataError


def draw(path, size=(6, 4), colour=200, mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new(mode, size, colour).save(path)


@pytest.fixture
def folder(tmp_path):
    for name, grey in (("cat", 10), ("dog", 200)):
        for n in range(3):
            draw(tmp_path / name / f"{n}.png", colour=grey + n)
    return tmp_path


def test_each_folder_is_a_class(folder):
    found = cr.data.read_image_folder(folder)
    assert found.images.shape == (6, 1, 4, 6)
    assert found.images.dtype == np.uint8
    assert found.images[:, 0, 0, 0].tolist() == [10, 11, 12, 200, 201, 202]
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.class_names == ("cat", "dog")
    assert [str(path.relative_to(folder)) for path in found.files][:2] == ["cat/0.png", "cat/1.png"]
    assert found.notes == ()


def test_folders_within_a_class_belong_to_it_and_hidden_files_do_not_count(folder):
    draw(folder / "dog" / "puppies" / "9.jpg")
    (folder / "dog" / ".DS_Store").write_bytes(b"x")
    (folder / ".git").mkdir()
    assert cr.data.read_image_folder(folder).labels.tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_one_picture_in_colour_makes_all_of_them_so(folder):
    draw(folder / "cat" / "red.png", colour=(250, 20, 0), mode="RGB")
    found = cr.data.read_image_folder(folder)
    assert found.images.shape == (7, 3, 4, 6)
    assert found.images[3, :, 0, 0].tolist() == [250, 20, 0]
    assert found.images[0, :, 0, 0].tolist() == [10, 10, 10]


def test_pictures_of_other_sizes_are_brought_to_the_commonest_with_a_border(folder):
    draw(folder / "cat" / "wide.png", size=(12, 4), colour=100)
    found = cr.data.read_image_folder(folder)
    assert found.notes == ("1 of 7 pictures resized to 6 × 4 pixels",)
    assert found.images[3, 0, :, 0].tolist() == [0, 100, 100, 0]


def test_large_pictures_are_made_smaller(tmp_path):
    for name in ("a", "b"):
        draw(tmp_path / name / "1.png", size=(640, 480))
    found = cr.data.read_image_folder(tmp_path)
    assert found.images.shape == (2, 1, 48, 64)
    assert found.notes == ("2 of 2 pictures resized to 64 × 48 pixels",)


def test_a_shape_can_be_asked_for(folder):
    draw(folder / "cat" / "red.png", colour=(255, 0, 0), mode="RGB")
    found = cr.data.read_image_folder(folder, (1, 4, 6))
    assert found.images.shape == (7, 1, 4, 6)
    assert found.notes == ("1 picture converted to grey",)


def test_what_is_transparent_is_white_and_16_bits_are_scaled(tmp_path):
    draw(tmp_path / "a" / "1.png", colour=(9, 9, 9, 0), mode="RGBA")
    (tmp_path / "b").mkdir()
    PIL.Image.fromarray(np.full((4, 6), 65535, np.uint16)).save(tmp_path / "b" / "1.png")
    assert (cr.data.read_image_folder(tmp_path).images == 255).all()


def test_a_file_that_is_no_picture_is_named(folder):
    (folder / "dog" / "notes.txt").write_text("fed at six")
    with pytest.raises(DataError, match=r"dog/notes\.txt: neither a picture"):
        cr.data.read_image_folder(folder)


def test_a_damaged_picture_is_named(folder):
    path = folder / "dog" / "2.png"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match=r"dog/2\.png: a damaged picture"):
        cr.data.read_image_folder(folder)


def test_a_folder_that_is_no_set_of_classes_is_refused(tmp_path):
    with pytest.raises(DataError, match="a folder for each class, at least two, with its pictures; there is none"):
        cr.data.read_image_folder(tmp_path)
    draw(tmp_path / "cat" / "1.png")
    with pytest.raises(DataError, match="there is one"):
        cr.data.read_image_folder(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(DataError, match="dog: there is no file in this folder; expected the pictures of class 'dog'"):
        cr.data.read_image_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        cr.data.read_image_folder(tmp_path / "none")
