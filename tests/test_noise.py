"""Gaussian noise and DropConnect: what is drawn, how it is spread, and that only step, seed and place decide it."""

import statistics
import zlib

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers import Context
from chainrule.operations import backend, noise_forward, random_bits

X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)


@pytest.mark.parametrize("name", ["native", "reference"])
def test_noise_is_the_inverse_normal_distribution_of_the_bits(name):
    bits, exact = random_bits(300, 5, 6, 7), statistics.NormalDist().inv_cdf
    with backend(name):
        found = noise_forward(np.zeros((20, 15)), 2.0, 5, 6, 7)
    expected = [2 * exact((int(word) + 0.5) / 2**32) for word in bits]
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-13)


def test_noise_has_mean_0_and_the_deviation_asked_for():
    """Of n draws the mean strays by σ/√n, the variance by σ²√(2/n), the fourth moment by about σ⁴√(96/n)."""
    z = noise_forward(np.zeros((400, 500)), 3.0, 1, 2, 3) / 3
    n = z.size
    assert abs(z.mean()) < 4 / np.sqrt(n)
    assert abs((z**2).mean() - 1) < 4 * np.sqrt(2 / n)
    assert abs((z**4).mean() - 3) < 4 * np.sqrt(96 / n)
    assert abs((z > 1.96).mean() - 0.025) < 4 * np.sqrt(0.025 / n)


def test_noise_in_float32_is_close_to_that_in_float64():
    one, other = (noise_forward(np.zeros((100, 500), dtype), 1.0, 1, 2, 3) for dtype in ("float32", "float64"))
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_each_step_place_and_seed_has_its_own_noise():
    layer, x = cr.GaussianNoise(1.0), np.zeros((4, 8))
    contexts = [Context(True, seed, step, place) for seed in (0, 1) for step in (1, 2) for place in ("layers.0.", "b")]
    drawn = [layer.forward(x, context)[0].tobytes() for context in contexts]
    assert len(set(drawn)) == len(drawn)
    assert [layer.forward(x, context)[0].tobytes() for context in contexts] == drawn


def test_in_prediction_there_is_none():
    for layer in (cr.GaussianNoise(), cr.DropConnect(3)):
        layer.build((6,), np.random.default_rng(0))
        y, _ = layer.forward(X.astype(float), Context())
        expected = X.astype(float) if isinstance(layer, cr.GaussianNoise) else X.astype(float) @ layer.W + layer.b
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14)


def test_dropconnect_leaves_out_weights_and_scales_the_rest():
    layer = cr.DropConnect(5, rate=0.25)
    layer.build((4,), np.random.default_rng(0))
    y, _ = layer.forward(np.eye(4), Context(True, 3, 9, "layers.1."))
    kept = random_bits(20, 3, zlib.crc32(b"layers.1."), 9).reshape(4, 5) >= 2**30
    assert 0 < kept.sum() < 20
    np.testing.assert_allclose(y, np.where(kept, layer.W / 0.75, 0), rtol=1e-14)


@pytest.mark.parametrize("value", [-0.1, float("nan"), "some", True])
def test_settings_that_cannot_be_are_refused(value):
    with pytest.raises(
        cr.errors.SettingError, match="GaussianNoise: deviation: expected a finite number of at least 0"
    ):
        cr.GaussianNoise(value)
    with pytest.raises(cr.errors.SettingError, match="DropConnect: rate: expected a finite number of at least 0"):
        cr.DropConnect(3, value)
