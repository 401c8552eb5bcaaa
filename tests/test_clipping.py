"""Gradient clipping: lengths, directions, and what the history says of them."""

import json

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.operations import clip_norm, clip_value, hypotenuse, norm
from chainrule.operations.operation import backend

GRADIENTS = {"W": np.array([[3.0, 0.0], [0.0, -4.0]]), "b": np.array([12.0])}  # of length 13
X = np.random.default_rng(0).normal(size=(30, 3))
LABELS = np.arange(30) % 2


def trained(dtype="float64", **settings):
    net = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype=dtype)
    settings = {"epochs": 2, "batch_size": 8, "optimizer": cr.SGD(0.1), "progress": False} | settings
    return net, cr.train(net, (X, LABELS), **settings)


def length(gradients):
    return np.sqrt(sum((g * g).sum() for g in gradients.values()))


@pytest.mark.parametrize("limit", [0.5, 6.5, 12.999])
def test_a_long_gradient_keeps_its_direction_and_gets_the_length_of_the_limit(limit):
    clipped, _ = cr.ClipNorm(limit).apply(GRADIENTS)
    assert length(clipped) == pytest.approx(limit, rel=1e-14)
    for name, gradient in GRADIENTS.items():
        np.testing.assert_allclose(clipped[name], gradient * limit / 13, rtol=1e-14)


@pytest.mark.parametrize("limit", [13.0, 100.0])
def test_a_short_gradient_stays_as_it_is(limit):
    clipped, _ = cr.ClipNorm(limit).apply(GRADIENTS)
    assert all(np.array_equal(clipped[name], gradient) for name, gradient in GRADIENTS.items())


def test_zero_stays_zero():
    zero = {"W": np.zeros((2, 2))}
    assert not cr.ClipNorm(1.0).apply(zero)[0]["W"].any()


def test_by_value_each_element_is_clipped_on_its_own():
    clipped, figures = cr.ClipValue(3.5).apply(GRADIENTS)
    assert clipped["W"].tolist() == [[3.0, 0.0], [0.0, -3.5]]
    assert clipped["b"].tolist() == [3.5]
    assert figures == {}


@pytest.mark.parametrize("which", ["native", "reference"])
def test_what_is_not_finite_is_not_hidden(which):
    with backend(which):
        for bad in (np.nan, np.inf):
            gradients = {"W": np.array([[1.0, bad]])}
            assert np.isnan(cr.ClipNorm(1.0).apply(gradients)[0]["W"]).any()
        assert np.isnan(clip_value(np.array([np.nan]), 1.0)[0])


@pytest.mark.parametrize("which", ["native", "reference"])
@pytest.mark.parametrize("size", [1, 3, 31, 32, 33, 4096, 4097, 100_003])
def test_the_length_of_large_float32_numbers_does_not_overflow(which, size):
    x = np.full(size, 1e30, np.float32)
    with backend(which):
        assert norm(x) == pytest.approx(1e30 * np.sqrt(size), rel=1e-6)
        assert hypotenuse(norm(x), norm(x)) == pytest.approx(1e30 * np.sqrt(2 * size), rel=1e-6)
        assert norm(clip_norm(x, norm(x), 2.0)) == pytest.approx(2.0, rel=1e-6)


def test_nothing_at_all_has_length_0():
    assert norm(np.zeros((0, 3))) == 0


def test_a_step_is_no_longer_than_limit_times_rate():
    net = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype="float64").build((3,))
    before = {name: W.copy() for name, W in net.parameters.items()}
    cr.train(net, (X, LABELS), epochs=1, batch_size=None, optimizer=cr.SGD(0.5), clip=cr.ClipNorm(0.01), progress=False)
    moved = {name: W - before[name] for name, W in net.parameters.items()}
    assert length(moved) == pytest.approx(0.005, rel=1e-12)


def test_the_norm_before_clipping_is_in_the_history_where_it_is_asked_for():
    net = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype="float64").build((3,))
    expected = length(net.gradients(X, LABELS))
    settings = {"epochs": 1, "batch_size": None, "progress": False}
    history = cr.train(net, (X, LABELS), clip=cr.ClipNorm(0.01, record=True), **settings)
    assert history["gradient_norm"] == pytest.approx([expected], rel=1e-13)
    assert "gradient_norm" not in trained(clip=cr.ClipNorm(0.01))[1].records[0]


def test_a_penalty_is_clipped_with_the_rest():
    history = trained(clip=cr.ClipNorm(0.01, record=True), penalty=cr.L2(100.0, per="none"), epochs=1)[1]
    assert history["gradient_norm"][0] > 50


def test_a_limit_too_high_to_matter_changes_no_bit():
    plain, clipped = trained()[0], trained(clip=cr.ClipNorm(1e6))[0]
    assert all(np.array_equal(W, clipped.parameters[name]) for name, W in plain.parameters.items())


@pytest.mark.parametrize("clip", [cr.ClipValue(0.5), cr.ClipNorm(2.0), cr.ClipNorm(2.0, record=True)], ids=repr)
def test_it_can_be_written_down_and_built_again(clip):
    copy = cr.Clip.from_configuration(json.loads(json.dumps(clip.configuration())))
    assert type(copy) is type(clip)
    assert copy.configuration() == clip.configuration()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.ClipValue(0), "ClipValue: limit: expected a number above 0"),
        (lambda: cr.ClipNorm(-1), "ClipNorm: limit"),
        (lambda: cr.ClipNorm(1, record="yes"), "ClipNorm: record: expected True or False"),
        (lambda: trained(clip=1.0), r"clip: expected a Clip such as ClipNorm\(1.0\), got 1.0"),
    ],
)
def test_wrong_settings_are_refused(make, message):
    with pytest.raises(SettingError, match=message):
        make()
