"""Augmentation: where pixels are taken from, what lies outside, what is drawn, and training with it."""

import itertools

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.errors import SettingError, ShapeError
from chainrule.layers import Context
from chainrule.operations import affine_places, cutout_forward, elastic_places, warp_backward, warp_forward
from chainrule.operations.augmentation import smoothing
from chainrule.operations.operation import runs_natively
from chainrule.training.steps import Steps

SAMPLES = 2000
TRAINING = Context(training=True, seed=5, step=3, place="layers.0.")


def still(samples, height, width):
    """The places of images that are not changed."""
    return np.broadcast_to(np.indices((height, width), dtype=float), (samples, 2, height, width))


def affine(shift=0.0, rotation=0.0, scale=0.0, image=(7, 5)):
    return affine_places(np.zeros((SAMPLES, 1, *image)), shift, rotation, scale, 1, 2, 3)


# Places


def test_without_anything_to_draw_each_pixel_stays_in_its_place():
    np.testing.assert_allclose(affine(), still(SAMPLES, 7, 5), atol=1e-14)


def test_a_shift_moves_all_pixels_of_an_image_alike_and_evenly_up_to_the_limit():
    moved = affine(shift=2.0) - still(SAMPLES, 7, 5)
    assert np.ptp(moved, axis=(2, 3)).max() < 1e-12
    down, across = moved[:, :, 0, 0].T
    for way in (down, across):
        assert 1.99 < np.abs(way).max() <= 2
        assert abs(way.mean()) < 4 * 2 / np.sqrt(3 * SAMPLES)  # an even draw from −2 to 2 has the deviation 2/√3
        assert way.std() == pytest.approx(2 / np.sqrt(3), rel=0.03)
    assert abs(np.corrcoef(down, across)[0, 1]) < 4 / np.sqrt(SAMPLES)


def test_a_rotation_keeps_the_middle_and_all_lengths():
    places = affine(rotation=30.0)
    np.testing.assert_allclose(places[:, :, 3, 2], np.broadcast_to([3.0, 2.0], (SAMPLES, 2)), atol=1e-12)
    along = places[:, :, 3, 3] - places[:, :, 3, 2]  # where one pixel to the right has gone
    np.testing.assert_allclose(np.hypot(*along.T), 1, rtol=1e-12)
    angles = np.rad2deg(np.arctan2(along[:, 0], along[:, 1]))
    assert 29.9 < np.abs(angles).max() <= 30
    assert angles.std() == pytest.approx(30 / np.sqrt(3), rel=0.03)


def test_a_scale_changes_all_lengths_from_the_middle():
    along = affine(scale=0.25)[:, 0, 4, 2] - 3
    sizes = 1 / along  # an image twice as large steps by half pixels
    assert 0.75 <= sizes.min() < 0.751
    assert 1.249 < sizes.max() <= 1.25


def test_the_bell_of_a_distortion_has_the_sum_and_deviation_asked_for():
    taps = smoothing(101, 4.0, np.zeros(1))[50]
    assert taps.sum() == pytest.approx(1, rel=1e-12)
    assert np.sqrt(np.sum(taps * np.arange(-50, 51) ** 2)) == pytest.approx(4, rel=0.03)  # the tails are cut off
    assert not taps[:38].any()


def test_a_distortion_is_as_large_and_as_smooth_as_simard_s():
    """α times noise of deviation 1/√3, smoothed: by 1/(2σ√π), far from the edges. Neighbours move almost alike."""
    moved = elastic_places(np.zeros((200, 2, 60, 60)), 34.0, 4.0, 1, 2, 3)[:, :, 15:45, 15:45]
    assert moved.std() == pytest.approx(34 / np.sqrt(3) / (8 * np.sqrt(np.pi)), rel=0.05)
    assert abs(moved.mean()) < 0.1
    for lag, expected in ((1, np.exp(-1 / 64)), (4, np.exp(-1 / 4)), (8, np.exp(-1))):
        found = np.corrcoef(moved[..., lag:].ravel(), moved[..., :-lag].ravel())[0, 1]
        assert found == pytest.approx(expected, abs=0.05)


def test_rows_and_columns_are_distorted_apart():
    moved = elastic_places(np.zeros((200, 2, 20, 20)), 10.0, 2.0, 1, 2, 3)
    assert abs(np.corrcoef(moved[:, 0].ravel(), moved[:, 1].ravel())[0, 1]) < 0.05


# Warping


def test_an_image_at_its_own_places_stays_as_it_is():
    x = np.random.default_rng(0).normal(size=(3, 2, 7, 5))
    assert np.array_equal(warp_forward(x, np.array(still(3, 7, 5)), 0.5), x)


def test_a_place_between_four_pixels_takes_of_each():
    x = np.array([[[[1.0, 2], [4, 8]]]])
    places = np.array(still(1, 2, 2))
    places[0, :, 0, 0] = [0.25, 0.5]
    assert warp_forward(x, places, 0.0)[0, 0, 0, 0] == 0.75 * (0.5 * 1 + 0.5 * 2) + 0.25 * (0.5 * 4 + 0.5 * 8)


@pytest.mark.parametrize(
    ("place", "expected"),
    [((-0.5, 0), 0.5 * 1 + 0.5 * 9), ((1, 1.75), 0.25 * 8 + 0.75 * 9), ((-1, 0), 9), ((5, 5), 9), ((-1e30, 1e30), 9)],
)
def test_outside_of_the_image_is_the_fill(place, expected):
    x = np.array([[[[1.0, 2], [4, 8]]]])
    places = np.array(still(1, 2, 2))
    places[0, :, 1, 0] = place
    assert warp_forward(x, places, 9.0)[0, 0, 1, 0] == pytest.approx(expected, rel=1e-15)


def test_what_is_taken_twice_gets_both_gradients_and_what_is_not_taken_none():
    places = np.zeros((1, 2, 2, 2))  # all four from the first pixel
    dy = np.array([[[[1.0, 2], [3, 4]]]])
    assert warp_backward(dy, places)[0, 0].tolist() == [[10, 0], [0, 0]]
    assert not warp_backward(dy, places - 5).any()


@pytest.mark.skipif(not runs_natively(), reason="formulas give NaN")
def test_a_place_that_is_no_number_is_never_looked_up():
    places = np.array(still(1, 2, 2))
    places[0, 0, 0, 0] = np.nan
    places[0, 1, 1, 1] = np.inf
    assert warp_forward(np.ones((1, 1, 2, 2)), places, 7.0)[0, 0].tolist() == [[7, 1], [1, 7]]


# Cut-out


def test_a_square_is_covered_anywhere():
    x = np.ones((SAMPLES, 2, 6, 8))
    y, mask = cutout_forward(x, 3, 0.25, 1, 2, 3)
    assert np.array_equal(y, np.where(mask[:, None], x, 0.25))
    covered = mask == 0
    for n in range(50):
        rows, columns = np.flatnonzero(covered[n].any(axis=1)), np.flatnonzero(covered[n].any(axis=0))
        assert covered[n].sum() == len(rows) * len(columns)
        assert np.ptp(rows) == len(rows) - 1 < 3
        assert np.ptp(columns) == len(columns) - 1 < 3
    assert covered[:, 1:-1, 1:-1].mean() == pytest.approx(9 / 48, rel=0.05)  # as often as its middle is near
    assert covered[:, 0, 0].mean() == pytest.approx(4 / 48, rel=0.3)


# The layer

EVERYTHING = {"shift": 1, "rotation": 15, "scale": 0.1, "elastic": 6, "smoothness": 2, "cutout": 3, "fill": -0.5}


def images(samples=40, dtype="float32"):
    x = cr.data.load_digits().train[0][:samples]
    return np.ascontiguousarray(x.reshape(-1, 1, 8, 8), dtype=dtype)


def augmented(context, **settings):
    return cr.Augment(**settings).forward(images(), context)[0]


@pytest.mark.parametrize("name", ["shift", "rotation", "scale", "elastic", "cutout"])
def test_each_setting_changes_images_in_training_alone(name):
    settings = {name: EVERYTHING[name]}
    assert np.array_equal(augmented(Context(), **settings), images())
    changed = np.any(augmented(TRAINING, **settings) != images(), axis=(1, 2, 3))
    assert changed.mean() > 0.6  # a square may cover nothing but black


def test_without_settings_nothing_is_changed():
    assert np.array_equal(augmented(TRAINING), images())


def test_what_is_drawn_depends_on_seed_step_and_place_alone():
    first = augmented(TRAINING, **EVERYTHING)
    assert np.array_equal(augmented(TRAINING, **EVERYTHING), first)
    others = [Context(True, 6, 3, "layers.0."), Context(True, 5, 4, "layers.0."), Context(True, 5, 3, "layers.1.")]
    for other in others:
        assert not np.array_equal(augmented(other, **EVERYTHING), first)


def test_images_of_a_batch_are_changed_each_in_its_own_way():
    x = np.repeat(images(1), 30, axis=0)
    y, _ = cr.Augment(shift=2, cutout=2).forward(x, TRAINING)
    assert len({image.tobytes() for image in y}) == 30


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shift": -1}, "Augment: shift: expected a finite number of at least 0, got -1"),
        ({"rotation": 181}, "Augment: rotation: expected at most 180 degrees either way, got 181"),
        ({"scale": 1}, "Augment: scale: expected a finite number of at least 0 and below 1, got 1"),
        ({"elastic": "much"}, "Augment: elastic: expected a finite number of at least 0, got 'much'"),
        ({"smoothness": 0}, "Augment: smoothness: expected a finite number of at least 0.1, got 0"),
        ({"cutout": 1.5}, "Augment: cutout: expected a whole number of at least 0, got 1.5"),
        ({"fill": float("nan")}, "Augment: fill: expected a finite number, got nan"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(SettingError, match=message):
        cr.Augment(**settings)


def test_what_is_no_image_is_refused_by_name():
    network = cr.Network([cr.Augment(shift=1), cr.Linear(2)], loss=cr.CrossEntropy())
    with pytest.raises(ShapeError, match=r"layer 0 \(Augment\): expected an image .* got shape \(64,\)"):
        network.build((64,))


# Training


def network(dtype="float32"):
    layers = [cr.Reshape((1, 8, 8)), cr.Augment(**EVERYTHING), cr.Conv2D(5, 3), cr.ReLU(), cr.Flatten(), cr.Linear(10)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype=dtype)


def trained(seed=0, form=np.asarray):
    made = network()
    x, labels = (array[:150] for array in cr.data.load_digits().train)
    cr.train(made, (form(x), labels), epochs=3, batch_size=32, seed=seed, progress=False)
    return b"".join(W.tobytes() for W in made.parameters.values())


def test_the_seed_of_the_training_decides():
    assert trained(seed=1) == trained(seed=1)
    assert trained(seed=1) != trained(seed=2)


def test_bytes_are_changed_as_the_floats_that_they_stand_for(monkeypatch):
    images_as_bytes = (lambda x: cr.data.Pixels(np.uint8(x * 255)), lambda x: np.uint8(x * 255) / np.float32(255))
    by_tape = {trained(form=form) for form in images_as_bytes}
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    by_python = {trained(form=form) for form in images_as_bytes}
    assert len(by_tape) == 1
    assert by_tape == by_python


@pytest.mark.skipif(not runs_natively(), reason="formulas give close numbers, not the kernels' bits")
def test_a_training_is_recorded_and_ends_in_the_same_bytes_everywhere(monkeypatch):
    record, before = Steps._recorded, kernels.info()

    def recorded(steps):
        program = record(steps)
        assert program is not None, "this training was expected to be recorded"
        return program

    found = set()
    try:
        for threads, isa in itertools.product((1, 3), kernels.instruction_sets()):
            kernels.set_threads(threads)
            kernels.set_instruction_set(isa)
            for steps in (recorded, lambda steps: None):  # by tape, by Python
                monkeypatch.setattr(Steps, "_recorded", steps)
                found.add(trained())
    finally:
        kernels.set_threads(before.threads)
        kernels.set_instruction_set(before.instruction_set)
    assert len(found) == 1


def test_prediction_and_evaluation_see_the_images_as_they_are():
    made = network().build((64,))
    x = images().reshape(-1, 64)
    plain = cr.Network([cr.Reshape((1, 8, 8)), *network().layers[2:]], loss=cr.CrossEntropy()).build((64,))
    for W, other in zip(plain.parameters.values(), made.parameters.values(), strict=True):
        W[...] = other
    assert np.array_equal(made.predict(x), plain.predict(x))


def test_the_layer_goes_through_a_file(tmp_path):
    made = network().build((64,))
    made.save(tmp_path / "model.safetensors")
    assert str(cr.load(tmp_path / "model.safetensors").layers[1]) == str(made.layers[1])
