"""Data larger than memory: written piece by piece, never in memory as a whole."""

import tracemalloc

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, DataTypeError, ShapeError


def pieces(count=5, rows=30):
    rng = np.random.default_rng(0)
    for _ in range(count):
        x = rng.normal(size=(rows, 3))
        yield x, (x[:, 0] > 0).astype(int)


def whole():
    xs, ts = zip(*pieces(), strict=True)
    return np.concatenate(xs).astype(np.float32), np.concatenate(ts)


def trained(data, **settings):
    network = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy())
    history = cr.train(network, data, epochs=2, progress=False, **settings)
    return b"".join(W.tobytes() for W in network.parameters.values()), history


def test_what_a_generator_yields_comes_back_as_arrays_in_files(tmp_path):
    for stored, expected in zip(cr.data.store(pieces(), tmp_path), whole(), strict=True):
        assert isinstance(stored, np.memmap)
        assert not stored.flags.writeable
        assert stored.dtype == expected.dtype
        np.testing.assert_array_equal(stored, expected)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["targets.npy", "x.npy"]


def test_pieces_may_have_any_number_of_rows(tmp_path):
    x = np.arange(2500.0)[:, None]
    stored, _ = cr.data.store(((x[i:j], x[i:j]) for i, j in ((0, 1), (1, 1), (1, 1200), (1200, 2500))), tmp_path)
    np.testing.assert_array_equal(stored, x)


def test_training_on_files_gives_the_bytes_of_training_in_memory(tmp_path):
    assert trained(cr.data.store(pieces(), tmp_path))[0] == trained(whole())[0]


def test_a_checkpoint_of_data_in_files_is_one_of_data_in_memory(tmp_path):
    run = tmp_path / "run.safetensors"
    trained(whole(), checkpoint=run)
    assert trained(cr.data.store(pieces(), tmp_path), checkpoint=run, resume=True)[0] == trained(whole())[0]


def test_bytes_stay_bytes(tmp_path):
    x, _ = cr.data.store([(np.full((2, 3), 255), [0, 1])], tmp_path, dtype="uint8")
    assert x.dtype == np.uint8
    assert x.tolist() == [[255] * 3] * 2


def test_after_an_error_the_old_files_are_intact(tmp_path):
    def broken():
        yield from pieces(1)
        raise RuntimeError("the disk with the images is gone")

    cr.data.store(pieces(), tmp_path)
    with pytest.raises(RuntimeError, match="is gone"):
        cr.data.store(broken(), tmp_path)
    assert len(np.load(tmp_path / "x.npy")) == 150
    assert sorted(file.name for file in tmp_path.iterdir()) == ["targets.npy", "x.npy"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([], DataError, "expected at least one sample"),
        ([(np.ones((2, 3)), [1])], ShapeError, "expected as many rows in both"),
        ([(1.0, 1.0)], ShapeError, "expected as many rows in both"),
        ([(np.ones((2, 3)), [0, 1]), (np.ones((2, 4)), [0, 1])], ShapeError, r"x: expected rows of shape \(3,\)"),
        ([(["a"], [1])], DataTypeError, "x: expected numbers, got text"),
    ],
)
def test_what_cannot_be_stored_is_refused(tmp_path, given, error, message):
    with pytest.raises(error, match=message):
        cr.data.store(given, tmp_path)


def test_a_memory_mapped_array_is_never_in_memory_as_a_whole(tmp_path):
    """Of 64 MB in a file, training, validation, a checkpoint and prediction hold less than a tenth at any time."""
    x = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.float32, shape=(16384, 1024))
    labels = np.arange(len(x)) % 2
    network = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy()).build((1024,))
    tracemalloc.start()
    try:
        cr.train(
            network,
            (x, labels),
            validation=(x[:8192], labels[:8192]),
            epochs=1,
            batch_size=128,
            checkpoint=tmp_path / "run.safetensors",
            progress=False,
        )
        network.predict(x[4096:])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6.4e6


@pytest.mark.parametrize("place", [(0, 0), (7, 3), (299, 999)])
def test_the_first_value_that_is_not_finite_is_found_in_whichever_block(place):
    x = np.zeros((300, 1000), np.float32)
    x[place] = np.nan
    x[299, 999] = np.inf
    network = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy())
    with pytest.raises(DataError, match=f"in row {place[0]}, at \\({place[0]}, {place[1]}\\)"):
        network.predict(x)
