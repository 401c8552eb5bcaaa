import numpy as np
import pytest

from chainrule.data import make_blobs, make_hills, make_parabola, make_rings, make_sine, make_spirals, make_xor
from chainrule.errors import SettingError

TWO_CLASSES = [make_xor, make_rings, make_spirals]
ALL = [*TWO_CLASSES, make_blobs, make_parabola, make_sine, make_hills]


def best_straight_line(x, y):
    """The accuracy of the best straight line of 180 directions, each with every threshold."""
    best = 0.0
    for angle in np.linspace(0, np.pi, 180, endpoint=False):
        ordered = y[np.argsort(x @ [np.cos(angle), np.sin(angle)])]
        zeros_before = np.concatenate([[0], np.cumsum(ordered == 0)])
        ones_after = (ordered == 1).sum() - np.concatenate([[0], np.cumsum(ordered == 1)])
        right = (zeros_before + ones_after) / len(y)
        best = max(best, right.max(), (1 - right).max())
    return best


@pytest.mark.parametrize("make", TWO_CLASSES)
@pytest.mark.parametrize("samples", [1, 2, 7, 400])
def test_two_classes_have_two_features_and_whole_number_labels(make, samples):
    x, y = make(samples)
    assert (x.shape, x.dtype) == ((samples, 2), np.float32)
    assert (y.shape, y.dtype) == ((samples,), np.int64)


@pytest.mark.parametrize("make", TWO_CLASSES)
@pytest.mark.parametrize("samples", [7, 400, 401])
def test_two_classes_are_balanced(make, samples):
    zeros, ones = np.bincount(make(samples)[1])
    assert abs(zeros - ones) <= 1


@pytest.mark.parametrize("make", ALL)
def test_the_same_seed_gives_the_same_bytes(make):
    (x, y), (x_again, y_again) = make(seed=7), make(seed=7)
    assert x.tobytes() == x_again.tobytes()
    assert y.tobytes() == y_again.tobytes()


@pytest.mark.parametrize("make", ALL)
def test_another_seed_gives_other_samples(make):
    assert not np.isin(make(seed=0)[0], make(seed=1)[0]).any()


@pytest.mark.parametrize("make", ALL)
def test_no_seed_gives_fresh_samples_each_time(make):
    assert (make(seed=None)[0] != make(seed=None)[0]).any()


def test_each_function_has_a_random_stream_of_its_own():
    orders = {make.__name__: make(400, seed=0)[1].tobytes() for make in TWO_CLASSES}
    assert len(set(orders.values())) == len(TWO_CLASSES)


@pytest.mark.parametrize("make", ALL)
def test_numpy_s_global_random_state_is_neither_read_nor_changed(make):
    np.random.seed(1)
    before = np.random.get_state()
    x, _ = make(seed=0)
    after = np.random.get_state()
    assert (before[1] == after[1]).all()
    assert before[2:] == after[2:]
    np.random.seed(2)
    assert make(seed=0)[0].tobytes() == x.tobytes()


@pytest.mark.parametrize("make", [*TWO_CLASSES, make_blobs])
def test_the_classes_come_in_random_order(make):
    y = make(400)[1]
    assert 100 < np.count_nonzero(np.diff(y)) < 350


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("samples", [0, -1, 2.5, "10", None, True])
def test_a_wrong_number_of_samples_is_refused(make, samples):
    with pytest.raises(SettingError, match=f"{make.__name__}: samples: expected a whole number of at least 1"):
        make(samples)


@pytest.mark.parametrize("make", [*TWO_CLASSES, make_parabola])
@pytest.mark.parametrize("noise", [-0.1, float("nan"), float("inf"), "much", None])
def test_wrong_noise_is_refused(make, noise):
    with pytest.raises(SettingError, match=f"{make.__name__}: noise: expected a finite number of at least 0"):
        make(noise=noise)


@pytest.mark.parametrize("make", ALL)
def test_a_wrong_seed_is_refused(make):
    with pytest.raises(SettingError, match="seed: expected a whole number"):
        make(seed=-1)


@pytest.mark.parametrize("make", TWO_CLASSES)
def test_no_straight_line_gets_three_quarters_right(make):
    assert best_straight_line(*make(400)) < 0.75


def test_xor_is_1_where_just_one_coordinate_is_positive():
    x, y = make_xor()
    assert (y == ((x[:, 0] > 0) != (x[:, 1] > 0))).all()
    assert np.abs(x).max() <= 1


def test_xor_fills_its_four_quadrants_equally():
    x, _ = make_xor(400)
    assert np.bincount(2 * (x[:, 0] > 0) + (x[:, 1] > 0)).tolist() == [100] * 4


def test_xor_noise_moves_points_over_the_axes_but_not_their_classes():
    x, y = make_xor(noise=0.5)
    wrong = y != ((x[:, 0] > 0) != (x[:, 1] > 0))
    assert 0.1 < wrong.mean() < 0.5
    assert np.bincount(y).tolist() == [200, 200]


def test_rings_without_noise_are_two_circles():
    x, y = make_rings(noise=0)
    radius = np.hypot(*x.T)
    assert np.allclose(radius, np.where(y == 0, 0.5, 1), atol=1e-6)


def test_rings_are_apart_at_the_usual_noise():
    x, y = make_rings()
    assert ((np.hypot(*x.T) > 0.75) == y).mean() > 0.99


def test_spiral_arms_are_each_other_turned_by_half():
    x, y = make_spirals(noise=0)
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    expected = 3 * np.pi * radius + np.pi * y
    assert np.abs(np.exp(1j * angle) - np.exp(1j * expected)).max() < 1e-5


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_blobs_have_one_cloud_per_class_on_the_unit_circle(classes):
    x, y = make_blobs(samples=700 * classes, classes=classes, spread=0.1)
    assert np.bincount(y).tolist() == [700] * classes
    centres = np.array([x[y == k].mean(axis=0) for k in range(classes)])
    angles = 2 * np.pi * np.arange(classes) / classes
    assert np.abs(centres - np.stack([np.cos(angles), np.sin(angles)], axis=1)).max() < 0.02
    assert np.allclose([x[y == k].std(axis=0) for k in range(classes)], 0.1, atol=0.01)


@pytest.mark.parametrize("classes", [1, 0, 2.5])
def test_blobs_refuse_fewer_than_two_classes(classes):
    with pytest.raises(SettingError, match="make_blobs: classes: expected a whole number of at least 2"):
        make_blobs(classes=classes)


def test_blobs_refuse_a_negative_spread():
    with pytest.raises(SettingError, match="make_blobs: spread"):
        make_blobs(spread=-1)


def test_the_parabola_has_one_feature_and_one_value():
    x, y = make_parabola(50)
    assert (x.shape, x.dtype) == ((50, 1), np.float32)
    assert (y.shape, y.dtype) == ((50, 1), np.float32)


def test_the_parabola_without_noise_is_its_formula():
    x, y = make_parabola(noise=0)
    assert np.abs(y - (2 * x**2 - x + 0.5)).max() < 1e-6
    assert np.abs(x).max() <= 1


def test_the_parabola_s_noise_is_as_large_as_said():
    x, y = make_parabola(10_000, noise=0.1)
    assert (y - (2 * x**2 - x + 0.5)).std() == pytest.approx(0.1, rel=0.05)


def test_the_sine_goes_up_and_down_one_and_a_half_times():
    x, y = make_sine(2000, noise=0)
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((2000, 1), (2000, 1), np.float32, np.float32)
    ordered = y[np.argsort(x[:, 0]), 0]
    assert (np.diff(np.sign(ordered)) != 0).sum() == 1 + 2 * 1
    np.testing.assert_allclose(y, np.sin(1.5 * np.pi * x), atol=1e-6)


def test_the_hill_and_the_hollow_are_where_they_are_said_to_be():
    x, y = make_hills(5000, noise=0)
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((5000, 2), (5000, 1), np.float32, np.float32)
    np.testing.assert_allclose(x[y.argmax()], [0.5, 0.5], atol=0.1)
    np.testing.assert_allclose(x[y.argmin()], [-0.5, -0.5], atol=0.1)
    assert 0.95 < y.max() <= 1
    assert -1 <= y.min() < -0.95
