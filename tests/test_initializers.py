"""Where weights start: the distributions promised, and the same numbers for the same seed. Source: mission item B2."""

import json
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.initializers import Initializer, fans
from chainrule.randomness import stream

ALL = [cr.Normal(), cr.Normal(2, 0.5), cr.Glorot(), cr.He(), cr.LeCun(), cr.Zeros(), cr.Orthogonal()]
SHAPE = (300, 200)


def drawn(initializer, shape=SHAPE, seed=0):
    return initializer(stream(seed, "weights"), shape)


def demand_moments(values, mean, deviation):
    """Mean and deviation within 5 standard errors of what is expected."""
    n = values.size
    assert abs(values.mean() - mean) <= 5 * deviation / math.sqrt(n)
    assert abs(values.std() - deviation) <= 5 * deviation / math.sqrt(n)


def test_normal_is_n_0_1_by_default():
    demand_moments(drawn(cr.Normal()), 0, 1)


def test_normal_takes_a_mean_and_a_deviation():
    demand_moments(drawn(cr.Normal(2, 0.5)), 2, 0.5)


def test_glorot_has_variance_2_over_fan_in_plus_fan_out_and_is_uniform():
    values, deviation = drawn(cr.Glorot()), math.sqrt(2 / 500)
    demand_moments(values, 0, deviation)
    assert np.abs(values).max() <= math.sqrt(3) * deviation
    assert np.abs(values).max() > 0.999 * math.sqrt(3) * deviation


def test_he_has_variance_2_over_fan_in():
    demand_moments(drawn(cr.He()), 0, math.sqrt(2 / 300))


def test_lecun_has_variance_1_over_fan_in():
    demand_moments(drawn(cr.LeCun()), 0, math.sqrt(1 / 300))


def test_selu_keeps_mean_and_variance_through_twenty_layers_that_start_by_lecun():
    layers = [layer for _ in range(20) for layer in (cr.Linear(200, weights=cr.LeCun()), cr.SELU())]
    x = np.random.default_rng(0).normal(size=(500, 200)).astype(np.float32)
    y, _ = cr.Network(layers, loss=cr.SquaredError()).build((200,)).forward(x)
    assert y.mean() == pytest.approx(0, abs=0.1)
    assert y.var() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("shape", [(50, 50), (30, 50), (50, 30), (1, 4), (4, 1), (1, 1)])
def test_orthogonal_has_rows_or_columns_at_right_angles_of_length_1(shape):
    Q = drawn(cr.Orthogonal(), shape)
    product = Q @ Q.T if shape[0] <= shape[1] else Q.T @ Q
    assert product == pytest.approx(np.eye(min(shape)), abs=1e-14)


def test_every_rotation_and_reflection_is_equally_likely():
    """Each entry has mean 0 and variance 1/n, the trace and the determinant mean 0, and the trace variance 1."""
    many = np.array([drawn(cr.Orthogonal(), (3, 3), seed) for seed in range(4000)])
    assert np.abs(many.mean(axis=0)).max() < 5 * math.sqrt(1 / 3 / 4000)
    assert np.abs((many**2).mean(axis=0) - 1 / 3).max() < 5 * math.sqrt(4 / 45 / 4000)
    traces = np.trace(many, axis1=1, axis2=2)
    assert abs(traces.mean()) < 5 / math.sqrt(4000)
    assert abs(traces.var() - 1) < 5 * math.sqrt(2 / 4000)
    assert abs(np.linalg.det(many).mean()) < 5 / math.sqrt(4000)


def test_zeros_are_zero():
    assert not drawn(cr.Zeros()).any()


@pytest.mark.parametrize(
    ("shape", "expected"), [((3, 5), (3, 5)), ((8, 2, 3, 3), (18, 72)), ((4,), (4, 4)), ((8, 2, 5), (10, 40))]
)
def test_fans_count_the_terms_per_output_and_per_input(shape, expected):
    assert fans(shape) == expected


@pytest.mark.parametrize("initializer", ALL, ids=repr)
def test_the_same_seed_gives_the_same_bytes(initializer):
    assert drawn(initializer, seed=3).tobytes() == drawn(initializer, seed=3).tobytes()


@pytest.mark.parametrize("initializer", ALL, ids=repr)
def test_gives_float64_of_the_shape_asked_for(initializer):
    values = drawn(initializer, (4, 3))
    assert (values.shape, values.dtype) == ((4, 3), np.float64)


@pytest.mark.parametrize("initializer", ALL, ids=repr)
def test_without_a_generator_gives_a_stand_in_that_takes_no_memory(initializer):
    stand_in = initializer(None, (10**6, 10**9))
    assert stand_in.shape == (10**6, 10**9)
    assert stand_in.strides == (0, 0)


@pytest.mark.parametrize("initializer", ALL, ids=repr)
def test_can_be_written_down_and_built_again(initializer):
    copy = Initializer.from_configuration(json.loads(json.dumps(initializer.configuration())))
    assert np.array_equal(drawn(copy), drawn(initializer))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.Normal(deviation=-1), "Normal: deviation: expected a finite number of at least 0, got -1"),
        (lambda: cr.Normal(mean="0"), "Normal: mean: expected a finite number, got '0'"),
        (lambda: cr.Normal(mean=float("-inf")), "Normal: mean: expected a finite number, got -inf"),
        (lambda: cr.Normal(mean=float("nan")), "Normal: mean"),
    ],
)
def test_a_setting_out_of_range_is_refused(make, message):
    with pytest.raises(cr.errors.SettingError, match=message):
        make()


def test_the_base_class_leaves_the_drawing_to_its_subclasses():
    with pytest.raises(NotImplementedError):
        drawn(Initializer())
