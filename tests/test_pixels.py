"""Images held as bytes: what they read as, and that a network takes them as it takes the floats."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.data import Pixels
from chainrule.errors import DataError, DataTypeError, ShapeError
from chainrule.operations import backend, gather_bytes
from chainrule.operations.operation import runs_natively
from chainrule.training.steps import Steps

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 6, 5), dtype=np.uint8)
FLOATS = np.divide(IMAGES, 255, dtype=np.float32)
LABELS = np.arange(90) % 3


# --- what the bytes read as -------------------------------------------------------------------------------------------

EVERY_BYTE = np.arange(256, dtype=np.uint8)[:, None]
QUOTIENTS = (EVERY_BYTE.astype(np.float64) / 255).astype(np.float32)  # rounded once more, which changes none of them


def test_a_byte_reads_as_the_quotient_by_255():
    assert np.asarray(Pixels(EVERY_BYTE)).tobytes() == QUOTIENTS.tobytes()
    assert EVERY_BYTE.astype(np.float32).tobytes() == (QUOTIENTS * np.float32(255)).tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_formula_of_a_batch_reads_them_so(dtype):
    read = gather_bytes.reference(EVERY_BYTE, np.arange(256), np.ones((), dtype))
    assert read.tobytes() == QUOTIENTS.astype(dtype).tobytes()


@pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here")
@pytest.mark.parametrize("instruction_set", kernels.instruction_sets())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("features", [1, 5, 31, 64, 100])
def test_the_kernel_of_a_batch_reads_them_so(dtype, instruction_set, features):
    before = kernels.info().instruction_set
    kernels.set_instruction_set(instruction_set)
    images = np.repeat(EVERY_BYTE, features, axis=1)
    read = gather_bytes(images, np.arange(256), np.ones((), dtype))
    kernels.set_instruction_set(before)
    assert read.tobytes() == np.repeat(QUOTIENTS, features, axis=1).astype(dtype).tobytes()


# --- an array of floats, held as bytes --------------------------------------------------------------------------------


def test_it_has_the_shape_of_its_bytes_and_the_dtype_it_reads_as():
    x = Pixels(IMAGES)
    assert (x.shape, x.ndim, len(x), x.dtype) == ((90, 6, 5), 3, 90, np.float32)
    assert x.bytes is IMAGES
    assert repr(x) == "<Pixels (90, 6, 5): bytes that read as float32 in 0…1>"


SAMPLES = {
    "a slice": slice(3, 40, 2),
    "a slice backwards": slice(None, None, -1),
    "all": slice(None),
    "none": slice(5, 5),
    "row numbers": np.array([4, 4, 89, -1]),
    "a list": [7, 3],
    "a mask": LABELS == 1,
    "a list of yes and no": (LABELS == 2).tolist(),
}


@pytest.mark.parametrize("key", SAMPLES.values(), ids=SAMPLES.keys())
def test_picking_samples_keeps_the_bytes(key):
    picked = Pixels(IMAGES)[key]
    assert isinstance(picked, Pixels)
    assert np.array_equal(picked, FLOATS[key])


def test_a_slice_is_a_view():
    assert np.shares_memory(Pixels(IMAGES)[10:20].bytes, IMAGES)


@pytest.mark.parametrize(
    "key",
    [0, np.int64(-1), np.array(2), (3, 4, 1), (slice(None), 2), ..., None, np.arange(4).reshape(2, 2), FLOATS > 0.5],
    ids=str,
)
def test_every_other_key_gives_floats(key):
    picked = Pixels(IMAGES)[key]
    assert not isinstance(picked, Pixels)
    assert picked.dtype == np.float32
    assert np.array_equal(picked, FLOATS[key])


@pytest.mark.parametrize(
    ("key", "error"),
    [(90, IndexError), (slice(None, None, 0), ValueError), ([True, False], IndexError), ("x", IndexError)],
)
def test_a_key_that_an_array_does_not_take_is_refused_as_there(key, error):
    for x in (FLOATS, Pixels(IMAGES)):
        with pytest.raises(error):
            x[key]


def test_reshape_keeps_the_samples():
    x = Pixels(IMAGES)
    for flat in (x.reshape(90, 30), x.reshape(-1, 30), x.reshape((90, -1))):
        assert isinstance(flat, Pixels)
        assert np.array_equal(flat, FLOATS.reshape(90, 30))
        assert np.shares_memory(flat.bytes, IMAGES)


@pytest.mark.parametrize("shape", [-1, (45, 60), (1, 90, 30)])
def test_a_shape_with_another_first_axis_is_refused(shape):
    with pytest.raises(ShapeError, match=r"does not keep the 90 samples; numpy.asarray\(x\).reshape"):
        Pixels(IMAGES).reshape(shape)


def test_numpy_sees_floats():
    x = Pixels(IMAGES)
    assert np.array_equal(np.array(x), FLOATS)
    assert np.array_equal(np.asarray(x, np.float64), FLOATS.astype(np.float64))
    assert np.mean(x, dtype=np.float64) == FLOATS.mean(dtype=np.float64)
    assert np.array_equal(np.concatenate([x, x]), np.concatenate([FLOATS, FLOATS]))
    with pytest.raises(ValueError, match="without a copy"):
        np.array(x, copy=False)


def test_arithmetic_and_comparison_are_those_of_floats():
    x = Pixels(IMAGES)
    for found, expected in (
        (x - 0.5, FLOATS - 0.5),
        (255 * x, 255 * FLOATS),
        (x + x, FLOATS + FLOATS),
        (x > 0.5, FLOATS > 0.5),
        (x == 1, FLOATS == 1),
        (FLOATS[0] / (x + 1), FLOATS[0] / (FLOATS + 1)),
        (np.exp(x), np.exp(FLOATS)),
        (np.add.reduce(x), np.add.reduce(FLOATS)),
    ):
        assert type(found) is np.ndarray
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected)


def test_copies_hold_the_same_bytes():
    for other in (copy.copy(Pixels(IMAGES)), copy.deepcopy(Pixels(IMAGES)), pickle.loads(pickle.dumps(Pixels(IMAGES)))):
        assert np.array_equal(other.bytes, IMAGES)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (FLOATS, "images: expected bytes .*, got float32; pass floats as they are"),
        (IMAGES.astype(int), "got int64"),
        (IMAGES.astype(np.int8), "got int8"),
        (IMAGES > 7, "got bool"),
        ([[1, 2], [3, 4]], "got int64"),
        ("digits", "images: expected numbers, got text"),
        (np.ma.masked_array(IMAGES, IMAGES > 7), "masked arrays are not understood"),
        (Pixels(IMAGES), "got float32"),
    ],
)
def test_what_is_not_bytes_is_refused(images, message):
    with pytest.raises(DataTypeError, match=message):
        Pixels(images)


def test_a_single_number_is_refused():
    with pytest.raises(ShapeError, match="expected samples along the first axis"):
        Pixels(np.uint8(3))


# --- in a network -----------------------------------------------------------------------------------------------------


def network(dtype="float32", seed=0):
    layers = [cr.Flatten(), cr.Linear(8), cr.Tanh(), cr.Dropout(0.2), cr.Linear(3)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype=dtype, seed=seed)


def read_only(images):
    images = images.copy()
    images.flags.writeable = False
    return images


HELD = {
    "as they are": IMAGES,
    "read-only": read_only(IMAGES),
    "Fortran-ordered": np.asfortranarray(IMAGES),
    "backwards": IMAGES[::-1].copy()[::-1],
    "a part of something larger": np.repeat(IMAGES, 2, axis=2)[:, :, ::2],
}


@pytest.mark.parametrize("images", HELD.values(), ids=HELD.keys())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_answers_and_gradients_are_those_of_the_floats(dtype, images):
    made, x = network(dtype).build((6, 5)), Pixels(images)
    for size in (512, 32, 7):
        assert made.predict(x, batch_size=size).tobytes() == made.predict(FLOATS, batch_size=size).tobytes()
        assert made.evaluate(x, LABELS, batch_size=size) == made.evaluate(FLOATS, LABELS, batch_size=size)
    expected = made.gradients(FLOATS, LABELS)
    for name, gradient in made.gradients(x, LABELS).items():
        assert gradient.tobytes() == expected[name].tobytes()


def trained(x, dtype="float32", validation=None, **settings):
    made = network(dtype)
    history = cr.train(made, (x, LABELS), validation=validation, epochs=3, progress=False, **settings)
    figures = [{name: value for name, value in r.items() if not name.startswith("s")} for r in history.records]
    return b"".join(W.tobytes() for W in made.parameters.values()), figures


PLANS = {
    "batches": {"batch_size": 32},
    "in order": {"batch_size": 32, "shuffle": False},
    "batches that come out even": {"batch_size": 30},
    "one at a time": {"batch_size": 1},
    "the full batch": {"batch_size": None},
    "a larger batch than there is": {"batch_size": 1000},
    "float64": {"batch_size": 32, "dtype": "float64"},
    "a share held back": {"batch_size": 32, "validation": 0.3},
    "weights": {"batch_size": 32, "validation": 0.3, "sample_weight": LABELS + 1.0},
    "L-BFGS": {"batch_size": None, "optimizer": cr.LBFGS()},
}


@pytest.mark.parametrize("by", ["tape", "Python", "formulas"])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_a_training_on_them_is_one_on_the_floats(plan, by, monkeypatch):
    if by == "Python":
        monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    with backend("reference" if by == "formulas" else "native"):
        assert trained(Pixels(IMAGES), **plan) == trained(FLOATS, **plan)


def test_validation_takes_them():
    plan = {"batch_size": 32, "validation": (FLOATS[:40], LABELS[:40])}
    held = {"batch_size": 32, "validation": (Pixels(IMAGES[:40]), LABELS[:40])}
    assert trained(Pixels(IMAGES), **held) == trained(FLOATS, **plan)


@pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here: nothing is recorded")
def test_a_training_on_them_is_recorded(monkeypatch):
    record, programs = Steps._recorded, []
    monkeypatch.setattr(Steps, "_recorded", lambda steps: programs.append(record(steps)) or programs[-1])
    trained(Pixels(IMAGES), batch_size=32)
    assert [program is not None for program in programs] == [True]


def test_an_autoencoder_takes_them_as_targets():
    def rebuilt(x):
        made = cr.Network([cr.Linear(4), cr.Linear(30)], loss=cr.SquaredError())
        cr.train(made, (x, x), epochs=1, progress=False)
        return made.predict(x).tobytes()

    assert rebuilt(Pixels(IMAGES).reshape(90, 30)) == rebuilt(FLOATS.reshape(90, 30))


def test_split_holds_back_bytes():
    (x, y), (x_held_back, y_held_back) = cr.data.split(Pixels(IMAGES), LABELS, 0.2, np.random.default_rng(3))
    (floats, _), (floats_held_back, _) = cr.data.split(FLOATS, LABELS, 0.2, np.random.default_rng(3))
    assert isinstance(x, Pixels)
    assert isinstance(x_held_back, Pixels)
    assert np.array_equal(x, floats)
    assert np.array_equal(x_held_back, floats_held_back)
    assert (len(y), len(y_held_back)) == (72, 18)


def test_the_floats_are_never_made_all_at_once():
    images = np.random.default_rng(1).integers(0, 256, (20_000, 200), dtype=np.uint8)
    labels = np.arange(20_000) % 3
    made = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy()).build((200,))
    made.evaluate(images[:10], labels[:10])
    tracemalloc.start()
    cr.train(made, (Pixels(images), labels), validation=(Pixels(images), labels), epochs=1, progress=False)
    made.predict(Pixels(images))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < images.nbytes  # as floats they would take four times as much


def test_images_of_another_shape_are_refused():
    made = network().build((6, 5))
    with pytest.raises(ShapeError, match=r"^x: expected samples of shape \(6, 5\), got \(30,\)"):
        made.predict(Pixels(IMAGES).reshape(90, 30))
    with pytest.raises(ShapeError, match=r"expected samples along the first axis, got an array \(30,\); pass"):
        made.predict(Pixels(IMAGES[0].reshape(30)))


def test_no_images_are_refused():
    with pytest.raises(DataError, match="expected at least one sample, got none"):
        cr.train(network(), (Pixels(IMAGES[:0]), []), progress=False)


def test_a_plain_array_of_uint8_is_taken_for_its_numbers():
    made = network().build((6, 5))
    assert made.predict(IMAGES).tobytes() == made.predict(IMAGES.astype(np.float32)).tobytes()
