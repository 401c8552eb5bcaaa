import numpy as np
import pytest

from chainrule import data
from chainrule.errors import SettingError

TOYS = ("xor", "rings", "spirals", "blobs", "parabola")


@pytest.fixture
def no_files(tmp_path, monkeypatch):
    monkeypatch.delenv("CHAINRULE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_the_names():
    assert list(data.NAMES) == ["digits", "mnist", *TOYS]


@pytest.mark.parametrize("name", ["digits", *TOYS])
def test_each_name_loads_a_data_set_of_that_name(name):
    found = data.load(name)
    assert found.name == name
    assert found.source
    assert found.licence
    assert found.description


@pytest.mark.parametrize("name", ["digits", *TOYS])
def test_samples_and_targets_are_as_many(name):
    for x, y in (data.load(name).train, data.load(name).test):
        assert len(x) == len(y)


@pytest.mark.parametrize("name", TOYS)
def test_a_made_set_has_400_samples_to_train_and_400_others_to_test(name):
    (x, _), (x_test, _) = data.load(name).train, data.load(name).test
    assert len(x) == len(x_test) == 400
    assert not (x[:, None] == x_test[None]).all(axis=2).any()


@pytest.mark.parametrize("name", ["digits", "xor", "rings", "spirals", "blobs"])
def test_there_is_a_name_for_each_class(name):
    found = data.load(name)
    assert np.unique(found.train[1]).tolist() == list(range(len(found.class_names)))


def test_the_parabola_has_no_classes():
    assert data.load("parabola").class_names is None
    assert repr(data.load("parabola")) == "<DataSet parabola: 400 train, 400 test, 1 feature, a number to predict>"


@pytest.mark.parametrize("name", ["cifar", "", None, ["xor"]])
@pytest.mark.parametrize("function", [data.load, data.where, data.fetch])
def test_an_unknown_name_is_refused_with_the_known_ones(function, name):
    with pytest.raises(SettingError, match="expected one of digits, mnist, xor, rings, spirals, blobs, parabola"):
        function(name)


def test_where_names_the_file_of_the_digits():
    (line,) = data.where("digits")
    assert line.startswith("built in: ")
    assert line.endswith("digits.npz")


@pytest.mark.parametrize("name", TOYS)
def test_where_says_of_a_made_set_that_it_is_made(name):
    assert data.where(name) == ["made from a formula"]


def test_where_says_of_missing_files_where_they_will_be(no_files):
    lines = data.where("mnist")
    assert len(lines) == 4
    assert all(line.startswith(str(no_files / "chainrule" / "mnist")) for line in lines)
    assert all("not there yet" in line for line in lines)


def test_where_changes_nothing_on_disk(no_files):
    data.where("mnist")
    assert list(no_files.iterdir()) == []


@pytest.mark.parametrize("name", ["digits", "xor"])
def test_there_is_nothing_to_fetch_for_what_is_built_in(name):
    assert data.fetch(name) == data.where(name)


def test_every_public_name_is_there_once():
    assert all(hasattr(data, name) for name in data.__all__)
    assert len(set(data.__all__)) == len(data.__all__)
