"""The model file: what is written comes back, and nothing else is ever accepted, executed or opened."""

import errno
import json
import os
import pickle
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import chainrule as cr
from chainrule import files
from chainrule.errors import DataError, ModelFileError, NotBuiltError
from chainrule.network import model_file


def small_network(dtype="float32"):
    layers = [cr.Linear(3), cr.LeakyReLU(0.2), cr.Sequential([cr.Tanh(), cr.Linear(2, weights=cr.Normal(0, 0.5))])]
    return cr.Network(layers, loss=cr.CrossEntropy(), seed=7, dtype=dtype, metadata={"classes": ["no", "yes"]}).build(
        (4,)
    )


@pytest.fixture
def path(tmp_path):
    small_network().save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def rewrite(path, change):
    """Change the header of a model file as an attacker would, with a checksum that is right again."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    architecture = json.loads(header["__metadata__"]["chainrule"])
    architecture["checksum"] = model_file.NO_CHECKSUM
    data = change(header, architecture) or content[8 + length :]
    header["__metadata__"]["chainrule"] = json.dumps(architecture)
    write_signed(path, json.dumps(header).encode(), data)


def write_signed(path, header, data):
    import hashlib

    content = len(header).to_bytes(8, "little") + header + data
    at = model_file._checksum_place(content)
    digest = hashlib.sha256(content).hexdigest().encode()
    path.write_bytes(content[:at] + digest + content[at + 64 :])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_network_is_the_saved_one(tmp_path, dtype):
    network = small_network(dtype)
    network.save(tmp_path / "model")
    loaded = cr.load(tmp_path / "model")
    assert loaded.metadata == {"classes": ["no", "yes"]}
    assert loaded.seed == 7
    assert loaded.dtype == network.dtype
    assert [layer.configuration() for layer in loaded.layers] == [layer.configuration() for layer in network.layers]
    for name, W in network.parameters.items():
        assert loaded.parameters[name].tobytes() == W.tobytes()
    x = np.linspace(-1, 1, 20).reshape(5, 4)
    assert loaded.predict(x).tobytes() == network.predict(x).tobytes()


def with_note(path, length):
    """The first bytes of a model file with a note of this many letters, after it has been read again."""
    network = cr.Network([cr.Tanh()], loss=cr.CrossEntropy(), metadata={"note": "x" * length}).build((2,))
    network.save(path)
    assert cr.load(path).metadata == network.metadata
    return path.read_bytes()[:8]


def test_a_header_whose_length_begins_like_a_pickle_is_read(tmp_path):
    assert any(with_note(tmp_path / "model", length)[0] == 0x80 for length in range(0, 256, 4))


def test_a_header_whose_length_begins_like_a_zip_archive_is_read(tmp_path):
    missing = int.from_bytes(b"PK", "little") - int.from_bytes(with_note(tmp_path / "model", 0), "little")
    assert with_note(tmp_path / "model", missing)[:2] == b"PK"


def test_a_loaded_network_trains_on(path):
    loaded = cr.load(path)
    cr.train(loaded, (np.eye(4), [0, 1, 0, 1]), epochs=2, progress=False)


def test_the_same_network_gives_the_same_bytes_in_every_process(tmp_path):
    script = (
        "import chainrule as cr, sys; cr.Network([cr.Linear(2)], loss=cr.CrossEntropy()).build((3,)).save(sys.argv[1])"
    )
    for name in "abc":
        subprocess.run([sys.executable, "-c", script, tmp_path / name], check=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


def test_the_safetensors_package_reads_our_tensors(path):
    theirs = safetensors.numpy.load_file(path)
    ours = cr.load(path).parameters
    assert theirs.keys() == ours.keys()
    for name, W in ours.items():
        assert np.array_equal(theirs[name], W)


def test_a_safetensors_file_of_another_program_is_refused(tmp_path):
    safetensors.numpy.save_file({"W": np.zeros((2, 2), np.float32)}, tmp_path / "other")
    with pytest.raises(ModelFileError, match="not a Chainrule model"):
        cr.load(tmp_path / "other")


def test_an_unbuilt_network_cannot_be_saved(tmp_path):
    with pytest.raises(NotBuiltError, match="build"):
        cr.Network([cr.Linear(2)], loss=cr.CrossEntropy()).save(tmp_path / "model")


def test_weights_that_are_not_finite_are_not_saved(path):
    network = small_network()
    network.parameters["layers.0.W"][2, 1] = np.nan
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"layers\.0\.W.*row 2"):
        network.save(path)
    assert path.read_bytes() == before


def test_every_truncation_is_refused(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError):
            cr.load(path)


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80])
def test_every_change_of_one_byte_is_refused(path, flip):
    content = path.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= flip
        with pytest.raises(ModelFileError):
            model_file._parse(bytes(changed))


def test_trailing_bytes_are_refused(path):
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelFileError, match="damaged"):
        cr.load(path)


class Trap:
    def __reduce__(self):
        return (os.mkdir, (os.path.join(os.environ["TRAP_FOLDER"], "sprung"),))


def test_foreign_files_are_refused_by_name_and_nothing_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAP_FOLDER", str(tmp_path))
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelFileError, match="pickle"):
        cr.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(Trap()))
    with pytest.raises(ModelFileError, match="zip"):
        cr.load(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ModelFileError, match="HDF5"):
        cr.load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_foreign_file_of_many_gigabytes_is_refused_without_reading_it(tmp_path):
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(1 << 40)
    with pytest.raises(ModelFileError, match="zip"):
        cr.load(path)


def peak_memory(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_small_file_that_claims_a_huge_tensor_allocates_nothing(path):
    def claim(header, architecture):
        architecture["layers"][0]["out_features"] = 10**9
        header["layers.0.W"]["shape"] = [4, 10**9]

    rewrite(path, claim)

    def attempt():
        with pytest.raises(ModelFileError, match="does not fit its"):
            cr.load(path)

    assert peak_memory(attempt) < 1_000_000


def test_a_small_file_whose_architecture_is_huge_allocates_nothing(path):
    def claim(header, architecture):
        architecture["layers"][0]["out_features"] = 10**9

    rewrite(path, claim)

    def attempt():
        with pytest.raises(ModelFileError, match=r"layers\..*the architecture has shape"):
            cr.load(path)

    assert peak_memory(attempt) < 1_000_000


@pytest.mark.parametrize("size", [10**12, 10**18, 10**30])
def test_impossible_sizes_are_refused(path, size):
    def claim(header, architecture):
        architecture["layers"][0]["out_features"] = size

    rewrite(path, claim)
    with pytest.raises(ModelFileError):
        cr.load(path)


def test_loading_needs_at_most_twice_the_size_of_the_file(tmp_path):
    path = tmp_path / "model"
    cr.Network([cr.Linear(1000)], loss=cr.SquaredError()).build((2000,)).save(path)
    cr.load(path)  # imports and caches
    assert peak_memory(lambda: cr.load(path)) < 2.1 * path.stat().st_size


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, a: a["layers"][0].update({"class": "os.system"}), "'os.system' is not the name of a known Layer"),
        (lambda h, a: a["layers"][0].update({"class": "CrossEntropy"}), "not the name of a known Layer"),
        (lambda h, a: a["layers"][0].update({"command": "rm"}), "Linear has no setting 'command'"),
        (lambda h, a: a["layers"][0].update({"out_features": "three"}), "out_features: expected a whole number"),
        (lambda h, a: a["layers"][0].pop("out_features"), "out_features"),
        (lambda h, a: a.update({"loss": {"class": "Linear", "out_features": 3}}), "not the name of a known Loss"),
        (lambda h, a: a.update({"callback": "x"}), "callback"),
        (lambda h, a: a.pop("seed"), "seed"),
        (lambda h, a: a.update({"format_version": 2}), "format version 2"),
        (lambda h, a: a.update({"dtype": "object"}), "dtype"),
        (lambda h, a: a.update({"input_shape": [5]}), r"the architecture has shape \(5, 3\), the file holds \(4, 3\)"),
        (lambda h, a: a.update({"input_shape": [4, 4]}), r"layer 0 \(Linear\)"),
        (lambda h, a: a.update({"input_shape": None}), "cannot be built"),
        (lambda h, a: a.update({"layers": 3}), "cannot be built"),
        (lambda h, a: a.update({"metadata": 3}), "cannot be built"),
        (lambda h, a: h["layers.0.b"].update({"dtype": "I32"}), "float32 or float64"),
        (lambda h, a: h["layers.0.b"].update({"shape": [-3]}), "float32 or float64"),
        (lambda h, a: h["layers.0.b"].update({"shape": [True]}), "float32 or float64"),
        (lambda h, a: h["layers.0.b"].update({"data_offsets": [0]}), "two whole numbers"),
        (lambda h, a: h["layers.0.b"].update({"extra": 1}), "expected dtype, shape and data_offsets"),
        (lambda h, a: h.pop("layers.0.b"), "gaps"),
        (lambda h, a: h.update({"W": h.pop("layers.0.b")}), "the architecture has shape"),
        (lambda h, a: h["layers.0.b"].update(data_offsets=h["layers.2.layers.1.b"]["data_offsets"]), "fit|overlap"),
    ],
)  # fmt: skip
def test_a_signed_but_wrong_header_is_refused_and_named(path, change, message):
    rewrite(path, lambda header, architecture: (change(header, architecture), None)[1])
    with pytest.raises(ModelFileError, match=message):
        cr.load(path)


def test_weights_that_are_not_finite_are_refused(path):
    def spoil(header, architecture):
        network = small_network()
        content = path.read_bytes()
        data = bytearray(content[8 + int.from_bytes(content[:8], "little") :])
        begin = header["layers.0.W"]["data_offsets"][0]
        data[begin : begin + 4] = np.float32(np.inf).tobytes()
        assert network.parameters["layers.0.W"].shape == (4, 3)
        return bytes(data)

    rewrite(path, spoil)
    with pytest.raises(ModelFileError, match=r"layers\.0\.W.*finite"):
        cr.load(path)


def header_file(path, header):
    path.write_bytes(len(header).to_bytes(8, "little") + header)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b"[" * 10_000 + b"]" * 10_000, "levels deep"),
        (b"[1, 2]", "not a JSON object"),
        (b"not json", "not valid JSON"),
        (b"\xff\xfe", "not text"),
        (b"", "not valid JSON"),
        (b"9" * 5000, "not valid JSON|not a JSON object"),
    ],
)
def test_hostile_headers_are_refused(tmp_path, header, message):
    header_file(tmp_path / "model", header)
    with pytest.raises(ModelFileError, match=message):
        cr.load(tmp_path / "model")


def test_a_header_that_claims_to_be_endless_is_refused(tmp_path):
    (tmp_path / "model").write_bytes(b"\xff" * 8 + b"{}")
    with pytest.raises(ModelFileError, match="header of"):
        cr.load(tmp_path / "model")


def test_loading_opens_one_file_and_imports_nothing(path):
    script = """
import sys, chainrule as cr
cr.load(sys.argv[1])
seen = []
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)) if event in WATCHED else None)
WATCHED = {"open", "import", "exec", "compile", "os.system", "subprocess.Popen", "socket.connect"}
cr.load(sys.argv[1])
assert [event for event, _ in seen] == ["open", "open"], seen  # the path, and the file object on its descriptor
assert seen[0][1][0] == sys.argv[1]
"""
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def test_folders_pipes_and_devices_are_refused_and_links_followed(path, tmp_path):
    with pytest.raises(ModelFileError, match="a folder"):
        cr.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="a pipe"):
        cr.load(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="a device"):
        cr.load("/dev/zero")
    (tmp_path / "link").symlink_to(path)
    assert cr.load(tmp_path / "link").input_shape == (4,)
    with pytest.raises(FileNotFoundError):
        cr.load(tmp_path / "nothing")


def test_saving_through_a_link_keeps_the_link(path, tmp_path):
    (tmp_path / "link").symlink_to(path)
    network = small_network()
    network.parameters["layers.0.b"][:] = 5
    network.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert cr.load(path).parameters["layers.0.b"].tolist() == [5, 5, 5]


def test_saving_onto_a_folder_or_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for target in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(DataError, match="expected the path of a file"):
            small_network().save(target)


def test_saving_into_a_missing_folder_names_the_path(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        small_network().save(tmp_path / "missing" / "model")


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file(path, monkeypatch, call):
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "write":
        monkeypatch.setattr(files.os, "fdopen", fail)
    else:
        monkeypatch.setattr(files.os, call, fail)
    with pytest.raises(OSError, match="nothing was changed") as caught:
        small_network().save(path)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [p.name for p in Path(path.parent).iterdir()] == ["model.safetensors"]


def test_a_network_with_a_layer_of_the_users_own_comes_back_where_its_class_is_known(tmp_path):
    from dataclasses import dataclass

    from chainrule.configuration import Configurable

    @dataclass(eq=False)
    class Doubled(cr.Tanh):
        pass

    try:
        cr.Network([cr.Linear(2), Doubled()], loss=cr.SquaredError()).build((2,)).save(tmp_path / "model")
        assert type(cr.load(tmp_path / "model").layers[1]) is Doubled
    finally:
        del Configurable.register["Doubled"]
    with pytest.raises(ModelFileError, match="'Doubled' is not the name of a known Layer"):
        cr.load(tmp_path / "model")
