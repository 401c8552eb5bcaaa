"""MNIST without the network: small stand-ins for its files, mirrors on this machine, the real files if there."""

import gzip
import hashlib
import http.server
import os
import struct
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from chainrule import data
from chainrule.data import mnist
from chainrule.data.idx import parse_images, parse_labels
from chainrule.data.mnist import Part, unpack
from chainrule.errors import DataError, DownloadError
from chainrule.randomness import stream


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def random_images(count):
    return stream(count, "test").integers(0, 256, (count, 28, 28), dtype=np.uint8)


def random_labels(count):
    return stream(count, "test").integers(0, 10, count, dtype=np.uint8)


ARRAYS = [random_images(6), random_labels(6), random_images(2), random_labels(2)]
CONTENTS = {part.name: idx(array) for part, array in zip(mnist.PARTS, ARRAYS, strict=True)}
PARTS = tuple(
    Part(part.name, len(content), hashlib.sha256(content).hexdigest(), part.parse)
    for part, content in zip(mnist.PARTS, CONTENTS.values(), strict=True)
)
IMAGES, LABELS, *_ = PARTS
FILES = [f"{name}.gz" for name in CONTENTS]
OTHER_IMAGES = idx(255 - ARRAYS[0])  # as sound, as large, and not MNIST's


@pytest.fixture
def small(monkeypatch, tmp_path):
    """MNIST of 6 and 2 samples, none on this machine, no mirror; the cache is in `tmp_path`."""
    monkeypatch.setattr(mnist, "PARTS", PARTS)
    monkeypatch.setattr(mnist, "MIRRORS", ())
    monkeypatch.delenv("CHAINRULE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path


def put(folder, pack=gzip.compress, suffix=".gz"):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENTS.items():
        (folder / f"{name}{suffix}").write_bytes(pack(content))


def check_small(found):
    for (x, y), images, labels in zip((found.train, found.test), ARRAYS[::2], ARRAYS[1::2], strict=True):
        assert (x * 255).round().astype(np.uint8).tobytes() == images.tobytes()
        assert y.tolist() == labels.tolist()


# Found on this machine


@pytest.mark.parametrize("folder", [".", "mnist"])
@pytest.mark.parametrize(("pack", "suffix"), [(gzip.compress, ".gz"), (bytes, "")], ids=["gzipped", "plain"])
def test_the_files_are_found_in_chainrule_data_or_its_mnist_folder(small, monkeypatch, folder, pack, suffix):
    put(small / "data" / folder, pack, suffix)
    monkeypatch.setenv("CHAINRULE_DATA", str(small / "data"))
    check_small(data.load_mnist())


def test_the_files_are_found_in_the_cache(small):
    put(small / "cache" / "chainrule" / "mnist")
    check_small(data.load_mnist())


def test_a_file_that_was_unpacked_without_losing_its_gz_is_understood(small, monkeypatch):
    put(small, bytes, ".gz")
    monkeypatch.setenv("CHAINRULE_DATA", str(small))
    check_small(data.load_mnist())


def test_the_files_may_lie_in_different_places(small, monkeypatch):
    put(small / "data" / "mnist")
    put(small / "cache" / "chainrule" / "mnist")
    monkeypatch.setenv("CHAINRULE_DATA", str(small / "data"))
    (small / "data" / "mnist" / FILES[0]).unlink()
    check_small(data.load_mnist())


def test_where_names_the_files_that_are_there(small, monkeypatch):
    put(small)
    monkeypatch.setenv("CHAINRULE_DATA", str(small))
    assert data.where("mnist") == [str(small / file) for file in FILES]


def test_the_form_of_the_data_set(small, monkeypatch):
    put(small)
    monkeypatch.setenv("CHAINRULE_DATA", str(small))
    found = data.load("mnist")
    (x, y), (x_test, y_test) = found.train, found.test
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((6, 784), np.float32, (6,), np.int64)
    assert (x_test.shape, x_test.dtype, y_test.shape, y_test.dtype) == ((2, 784), np.float32, (2,), np.int64)
    assert found.image_shape == (28, 28)
    assert found.class_names == tuple("0123456789")


packed_images = gzip.compress(CONTENTS[IMAGES.name])
DAMAGED = {
    "empty": (b"", "not an IDX file"),
    "a web page": (b"<!DOCTYPE html><title>Not here</title>", "not an IDX file"),
    "gzip cut short": (packed_images[:-1000], "truncated"),
    "gzip with a bit flipped": (
        packed_images[:2000] + bytes([packed_images[2000] ^ 1]) + packed_images[2001:],
        "damaged gzip",
    ),
    "gzip of nothing": (gzip.compress(b""), "not an IDX file"),
    "gzip header alone": (packed_images[:10], "not an IDX file"),
    "not really gzip": (b"\x1f\x8b" + bytes(100), "damaged gzip"),
    "plain cut short": (CONTENTS[IMAGES.name][:-1], "truncated"),
    "a byte too many": (gzip.compress(CONTENTS[IMAGES.name] + b"\0"), "longer than MNIST's train-images"),
    "far too many bytes": (CONTENTS[IMAGES.name] + bytes(10**6), "longer than MNIST's train-images"),
    "labels": (gzip.compress(CONTENTS[LABELS.name]), "mixed up"),
    "other images": (gzip.compress(OTHER_IMAGES), "not MNIST's train-images-idx3-ubyte"),
}


@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_wrong_file_in_chainrule_data_is_refused_by_its_name(small, monkeypatch, content, message):
    put(small)
    (small / FILES[0]).write_bytes(content)
    monkeypatch.setenv("CHAINRULE_DATA", str(small))
    with pytest.raises(DataError, match=message) as refused:
        data.load_mnist()
    assert str(refused.value).startswith(f"{small / FILES[0]}: ")


def test_images_in_the_place_of_labels_are_refused(small, monkeypatch):
    put(small)
    (small / FILES[1]).write_bytes(packed_images)
    monkeypatch.setenv("CHAINRULE_DATA", str(small))
    with pytest.raises(DataError, match="longer than MNIST's train-labels.* mixed up"):
        data.load_mnist()


@pytest.mark.parametrize(("make", "kind"), [(Path.mkdir, "a folder"), (os.mkfifo, "a pipe")])
def test_a_folder_or_pipe_in_the_place_of_a_file_is_refused(small, monkeypatch, make, kind):
    put(small)
    (small / FILES[0]).unlink()
    make(small / FILES[0])
    monkeypatch.setenv("CHAINRULE_DATA", str(small))
    with pytest.raises(DataError, match=f"expected a file, got {kind}"):
        data.load_mnist()


def test_a_gzip_bomb_is_not_unpacked():
    bomb = gzip.compress(CONTENTS[IMAGES.name] + bytes(30_000_000))
    tracemalloc.start()
    with pytest.raises(DataError, match="longer than MNIST's train-images"):
        unpack(bomb, IMAGES, "bomb")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500_000


# Downloads, from servers on this machine


class Mirrors:
    """A server whose folders are mirrors, each with its own fault; keeps what it was asked for and how much it sent."""

    def __init__(self):
        self.asked = []
        self.sent = 0
        mirrors = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                mirrors.asked.append(self.path)
                _, kind, file = self.path.split("/")
                mirrors.answer(self, kind, CONTENTS[file.removesuffix(".gz")])

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def answer(self, handler, kind, content):
        packed = gzip.compress(content)
        body = {
            "good": packed,
            "plain": content,
            "garbage": b"<html>Please log in to the network</html>",
            "short": packed[: len(packed) // 2],
            "broken-off": packed[: len(packed) // 2],
            "other": gzip.compress(idx(255 - ARRAYS[0]) if len(content) > 100 else content),
            "bomb": gzip.compress(content + bytes(10**7)),
        }.get(kind, b"")
        handler.send_response(404 if kind == "missing" else 200)
        if kind == "encoded":  # an unasked-for second layer, which requests takes off
            body = gzip.compress(packed)
            handler.send_header("Content-Encoding", "gzip")
        if kind == "broken-off":
            handler.send_header("Content-Length", str(len(packed)))
        handler.end_headers()
        try:
            handler.wfile.write(body)
            while kind == "endless" and self.sent < 2**30:
                self.sent += handler.wfile.write(bytes(2**16))
        except ConnectionError:  # the other side has had enough
            pass

    def url(self, kind):
        return f"http://127.0.0.1:{self.server.server_port}/{kind}/"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def mirrors(small, monkeypatch):
    server = Mirrors()
    yield lambda *kinds: monkeypatch.setattr(mnist, "MIRRORS", tuple(server.url(kind) for kind in kinds)) or server
    server.close()


FAULTS = {
    "missing": "answered 404 Not Found",
    "garbage": "not an IDX file",
    "short": "truncated",
    "broken-off": "IncompleteRead",
    "other": "not MNIST's train-images-idx3-ubyte",
    "bomb": "longer than MNIST's train-images",
    "endless": "longer than the .* bytes",
}


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["good", "plain", "encoded"])
def test_missing_files_are_downloaded_into_the_cache_and_nowhere_else(small, mirrors, kind):
    mirrors(kind)
    check_small(data.load_mnist())
    assert files_under(small) == sorted(f"cache/chainrule/mnist/{file}" for file in FILES)


def test_what_was_downloaded_is_not_asked_for_again(mirrors):
    server = mirrors("good")
    data.fetch("mnist")
    assert server.asked == [f"/good/{file}" for file in FILES]
    check_small(data.load_mnist())
    assert len(server.asked) == 4


def test_only_missing_files_are_downloaded(small, mirrors, monkeypatch):
    server = mirrors("good")
    put(small / "data")
    (small / "data" / FILES[2]).unlink()
    monkeypatch.setenv("CHAINRULE_DATA", str(small / "data"))
    check_small(data.load_mnist())
    assert server.asked == [f"/good/{FILES[2]}"]


def test_fetch_says_where_the_files_are(small, mirrors):
    mirrors("good")
    assert data.fetch("mnist") == [str(small / "cache" / "chainrule" / "mnist" / file) for file in FILES]


def test_a_download_prints_nothing(mirrors, capfd):
    mirrors("garbage", "good")
    data.load_mnist()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("fault", FAULTS)
def test_when_one_mirror_fails_the_next_is_asked(small, mirrors, fault):
    mirrors(fault, "good")
    check_small(data.load_mnist())
    assert files_under(small) == sorted(f"cache/chainrule/mnist/{file}" for file in FILES)


@pytest.mark.parametrize(("fault", "reason"), FAULTS.items(), ids=FAULTS.keys())
def test_a_download_that_fails_says_why_and_keeps_nothing(small, mirrors, fault, reason):
    mirrors(fault)
    with pytest.raises(DownloadError, match=reason):
        data.load_mnist()
    assert files_under(small) == []


def test_when_every_mirror_fails_all_are_named_with_the_way_out(mirrors):
    server = mirrors("missing", "garbage")
    with pytest.raises(DownloadError, match="from any mirror") as failed:
        data.load_mnist()
    message = str(failed.value)
    assert f"{server.url('missing')}{FILES[0]}: answered 404 Not Found" in message
    assert f"{server.url('garbage')}{FILES[0]}: not an IDX file" in message
    assert "set CHAINRULE_DATA" in message
    assert all(file in message for file in FILES)


def test_without_a_connection_it_is_said_so(mirrors, monkeypatch):
    server = mirrors()
    address = server.url("good")
    server.server.socket.close()  # nobody answers at this port any more
    monkeypatch.setattr(mnist, "MIRRORS", (address,))
    with pytest.raises(DownloadError, match=f"{address}{FILES[0]}: no connection"):
        data.load_mnist()


def test_an_endless_answer_is_cut_off_early(mirrors):
    server = mirrors("endless")
    with pytest.raises(DownloadError):
        data.load_mnist()
    assert server.sent < 2**25  # what the system buffers, and no more


def test_a_cache_that_cannot_be_written_is_named(small, mirrors):
    mirrors("good")
    (small / "cache").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=f"could not keep it in {small / 'cache' / 'chainrule' / 'mnist'}"):
        data.load_mnist()


# The real thing


@pytest.fixture(scope="module")
def real():
    if "CHAINRULE_DATA" not in os.environ:
        pytest.skip("the variable CHAINRULE_DATA is not set")
    folder = Path(os.environ["CHAINRULE_DATA"])
    for part in mnist.PARTS:
        path = mnist.find(part)
        if path is None or folder not in path.parents:
            pytest.skip(f"{part.name} is not in CHAINRULE_DATA")
    return data.load_mnist()


@pytest.mark.mnist
def test_mnist_has_60000_and_10000_samples(real):
    (x, y), (x_test, y_test) = real.train, real.test
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((60_000, 784), np.float32, (60_000,), np.int64)
    assert (x_test.shape, x_test.dtype, y_test.shape, y_test.dtype) == ((10_000, 784), np.float32, (10_000,), np.int64)


@pytest.mark.mnist
def test_mnist_begins_with_its_well_known_labels(real):
    assert real.train[1][:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert real.test[1][:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


@pytest.mark.mnist
def test_mnist_has_its_well_known_class_counts(real):
    assert np.bincount(real.train[1]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(real.test[1]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.mnist
def test_mnist_has_its_well_known_mean_and_deviation(real):
    x = real.train[0]
    assert np.mean(x, dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert np.std(x, dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)


@pytest.mark.mnist
def test_mnist_pixels_are_their_bytes_divided_by_255(real):
    x = real.test[0]
    assert (x == x.bytes.astype(np.float32) / np.float32(255)).all()
    assert (np.min(x), np.max(x)) == (0, 1)


@pytest.mark.mnist
def test_mnist_is_held_as_its_bytes(real):
    assert [x.bytes.nbytes for x, _ in (real.train, real.test)] == [47_040_000, 7_840_000]


def test_the_parts_take_images_and_labels_in_turn():
    assert [part.parse for part in mnist.PARTS] == [parse_images, parse_labels] * 2
