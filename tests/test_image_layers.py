"""Transposed, depthwise and one-dimensional convolution, and enlarged images: values, gradients, layers, training."""

import hashlib
import inspect
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.errors import SettingError, ShapeError
from chainrule.layers import Context
from chainrule.operations import (
    convolution_forward,
    depthwise_forward,
    transposed_convolution_forward,
    upsample_bilinear_forward,
    upsample_nearest_backward,
    upsample_nearest_forward,
)
from chainrule.operations.operation import runs_natively
from chainrule.randomness import stream
from chainrule.testing import check_layer, relative_error
from chainrule.training.steps import Steps

RNG = np.random.default_rng(0)

CASES = [  # channels, filters, image, kernel, stride, padding, output padding
    (3, 2, (4, 3), (3, 2), (1, 1), (0, 0), (0, 0)),
    (2, 3, (3, 4), (4, 4), (2, 2), (1, 1), (0, 0)),
    (1, 4, (3, 2), (3, 2), (3, 2), (1, 0), (2, 1)),
    (2, 1, (2, 3), (1, 1), (3, 2), (0, 0), (0, 1)),  # gaps between the stamps
    (2, 2, (1, 1), (5, 3), (1, 1), (2, 1), (0, 0)),
    (2, 2, (3, 5), (2, 2), (1, 1), (1, 1), (0, 0)),  # smaller than x
]


def extent_of(image, kernel, stride, padding, more):
    return tuple(
        (n - 1) * s - 2 * p + k + m for n, s, p, k, m in zip(image, stride, padding, kernel, more, strict=True)
    )


# Transposed convolution


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_pixel_stamps_its_filter(case):
    channels, filters, image, kernel, stride, padding, more = case
    x, W, b = (
        RNG.normal(size=(2, channels, *image)),
        RNG.normal(size=(channels, filters, *kernel)),
        RNG.normal(size=filters),
    )
    extent = extent_of(image, kernel, stride, padding, more)
    whole = np.zeros((2, filters, *(e + 2 * p for e, p in zip(extent, padding, strict=True))))
    for n, c, i, j in np.ndindex(x.shape):
        top, left = i * stride[0], j * stride[1]
        whole[n, :, top : top + kernel[0], left : left + kernel[1]] += x[n, c, i, j] * W[c]
    expected = whole[:, :, padding[0] :, padding[1] :][:, :, : extent[0], : extent[1]] + b[:, None, None]
    assert relative_error(transposed_convolution_forward(x, W, b, stride, padding, extent), expected) < 1e-14


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_the_adjoint_of_convolution(case):
    """For all x and y: Σ x · convolution(y) = Σ y · transposed(x)."""
    channels, filters, image, kernel, stride, padding, more = case
    x, W = RNG.normal(size=(2, channels, *image)), RNG.normal(size=(channels, filters, *kernel))
    extent = extent_of(image, kernel, stride, padding, more)
    y = RNG.normal(size=(2, filters, *extent))
    one = np.sum(x * convolution_forward(y, W, np.zeros(channels), stride, padding))
    assert one == pytest.approx(
        np.sum(y * transposed_convolution_forward(x, W, np.zeros(filters), stride, padding, extent)), rel=1e-12
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_transposed_layer_passes_the_common_checks(case):
    channels, filters, image, kernel, stride, padding, more = case
    check_layer(cr.ConvTranspose2D(filters, kernel, stride, padding, more), (channels, *image))


def test_a_kernel_of_4_with_stride_2_and_padding_1_doubles_an_image():
    assert cr.ConvTranspose2D(3, 4, stride=2, padding=1).build((5, 7, 9), stream(0, "weights")) == (3, 14, 18)


def test_transposed_filters_start_as_those_of_a_convolution_do():
    layer = cr.ConvTranspose2D(50, 3, weights=cr.He())
    layer.build((40, 8, 8), stream(0, "weights"))
    assert layer.W.shape == (40, 50, 3, 3)
    assert layer.W.std() == pytest.approx(np.sqrt(2 / (40 * 3 * 3)), rel=0.02)


# Depthwise convolution


@pytest.mark.parametrize("multiplier", [1, 2, 5])
@pytest.mark.parametrize(("stride", "padding"), [((1, 1), (0, 0)), ((2, 3), (1, 2))])
def test_each_channel_is_convolved_alone(multiplier, stride, padding):
    x, W = RNG.normal(size=(2, 3, 7, 6)), RNG.normal(size=(3 * multiplier, 1, 3, 2))
    b = RNG.normal(size=3 * multiplier)
    y = depthwise_forward(x, W, b, stride, padding)
    for o in range(3 * multiplier):
        c = o // multiplier
        alone = convolution_forward(x[:, c : c + 1], W[o : o + 1], b[o : o + 1], stride, padding)
        np.testing.assert_allclose(y[:, o], alone[:, 0], rtol=1e-12, atol=1e-14)


# Convolution along a sequence


def test_a_sequence_is_correlated_with_the_filters():
    layer = cr.Conv1D(4, 3)
    assert layer.build((2, 9), stream(0, "weights")) == (4, 7)
    x = RNG.normal(size=(5, 2, 9))
    y, _ = layer.forward(x, Context())
    for n, o in np.ndindex(5, 4):
        expected = sum(np.correlate(x[n, c], layer.W[o, c], "valid") for c in range(2)) + layer.b[o]
        np.testing.assert_allclose(y[n, o], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("layer", "input_shape", "output_shape"),
    [
        (cr.Conv1D(3, 5, padding="same"), (2, 11), (3, 11)),
        (cr.Conv1D(3, 4, stride=3, padding=1), (1, 10), (3, 3)),
        (cr.DepthwiseConv2D(3, padding="same"), (4, 5, 6), (4, 5, 6)),
        (cr.DepthwiseConv2D(2, 3, stride=2), (2, 5, 6), (6, 2, 3)),
        (cr.Upsample2D((2, 3)), (4, 5, 6), (4, 10, 18)),
        (cr.ConvTranspose2D(2, (3, 1), stride=(2, 1), output_padding=(1, 0)), (1, 4, 4), (2, 10, 4)),
    ],
    ids=str,
)
def test_sizes_are_worked_out(layer, input_shape, output_shape):
    assert layer.build(input_shape, stream(0, "weights")) == output_shape
    assert layer.forward(np.ones((2, *input_shape)), Context())[0].shape == (2, *output_shape)


# Enlarged images


def test_the_nearest_pixel_is_repeated():
    x = RNG.normal(size=(2, 3, 4, 5))
    assert np.array_equal(upsample_nearest_forward(x, (2, 3)), np.kron(x, np.ones((1, 1, 2, 3))))
    assert np.array_equal(upsample_nearest_backward(np.ones((1, 2, 6, 8)), (3, 2)), np.full((1, 2, 2, 4), 6.0))


def test_between_two_pixels_the_large_image_runs_straight():
    x = np.array([[[[0.0, 4.0, 0.0]]]])
    assert upsample_bilinear_forward(x, (1, 2))[0, 0].tolist() == [[0, 1, 3, 3, 1, 0]]


def test_a_slope_stays_a_slope_within_the_image():
    x = np.add.outer(3 * np.arange(4.0), 5 * np.arange(6.0))[None, None]
    y = upsample_bilinear_forward(x, (3, 2))
    np.testing.assert_allclose(np.diff(y[0, 0], axis=0)[1:-1], 1, rtol=1e-12)
    np.testing.assert_allclose(np.diff(y[0, 0], axis=1)[:, 1:-1], 2.5, rtol=1e-12)


@pytest.mark.parametrize("enlarge", [upsample_nearest_forward, upsample_bilinear_forward])
def test_factors_of_one_change_nothing(enlarge):
    x = RNG.normal(size=(2, 3, 4, 5))
    assert np.array_equal(enlarge(x, (1, 1)), x)


# Settings and shapes


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: cr.ConvTranspose2D(0, 3),
            "ConvTranspose2D: out_channels: expected a whole number of at least 1, got 0",
        ),
        (lambda: cr.ConvTranspose2D(1, 3, padding="same"), "ConvTranspose2D: padding: expected a whole number"),
        (
            lambda: cr.ConvTranspose2D(1, 3, stride=2, output_padding=(1, 2)),
            r"ConvTranspose2D: output_padding: expected less than the stride \(2, 2\), got \(1, 2\)",
        ),
        (lambda: cr.ConvTranspose2D(1, 3, weights=cr.He), r"ConvTranspose2D: weights: .*; write He\(\)"),
        (lambda: cr.DepthwiseConv2D(3, 0), "DepthwiseConv2D: depth_multiplier: expected a whole number of at least 1"),
        (lambda: cr.DepthwiseConv2D(2, padding="same"), "DepthwiseConv2D: padding 'same' needs stride 1 and an odd"),
        (lambda: cr.Conv1D(1, (3, 3)), "Conv1D: kernel_size: expected a whole number of at least 1, got"),
        (lambda: cr.Conv1D(1, 3, padding="causal"), "Conv1D: padding: expected a whole number or 'same', got 'causal'"),
        (
            lambda: cr.Conv1D(1, 3, stride=2, padding="same"),
            "'same' needs stride 1 and an odd kernel_size, got 2 and 3",
        ),
        (lambda: cr.Upsample2D(1.5), "Upsample2D: factor: expected a whole number of at least 1, got 1.5"),
        (lambda: cr.Upsample2D(2, "cubic"), "interpolation: expected one of nearest, bilinear, got 'cubic'"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(SettingError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "input_shape", "message"),
    [
        (
            cr.ConvTranspose2D(1, 1, padding=2),
            (1, 4, 9),
            r"layer 0 \(ConvTranspose2D\): padding \(2, 2\) cuts an image of",
        ),
        (cr.DepthwiseConv2D(3), (64,), r"layer 0 \(DepthwiseConv2D\): expected an image \(channels, height, width\)"),
        (cr.Upsample2D(), (4, 4), r"layer 0 \(Upsample2D\): .* put Reshape\(\(1, 4, 4\)\) before it"),
        (cr.Conv1D(1, 3), (8,), r"layer 0 \(Conv1D\): expected a sequence .* put Reshape\(\(1, 8\)\) before it"),
        (
            cr.Conv1D(1, 5, padding=1),
            (1, 2),
            r"layer 0 \(Conv1D\): a window of 5 does not fit a sequence of 2 with its",
        ),
    ],
)
def test_a_shape_that_does_not_fit_is_named_with_its_layer(layer, input_shape, message):
    with pytest.raises(ShapeError, match=message):
        cr.Network([layer], loss=cr.SquaredError()).build(input_shape)


# Whole networks

IMAGES, LABELS = (array[:200] for array in cr.data.load_digits().train)


def autoencoder():
    layers = [cr.Reshape((1, 8, 8)), cr.Conv2D(6, 3, stride=2, padding=1), cr.ReLU()]
    layers += [cr.ConvTranspose2D(5, 4, stride=2, padding=1), cr.ReLU(), cr.Conv2D(1, 3, padding="same"), cr.Flatten()]
    return cr.Network(layers, loss=cr.BinaryCrossEntropy()), IMAGES


def upsampling(interpolation):
    layers = [cr.Reshape((1, 8, 8)), cr.Conv2D(4, 3, stride=2, padding=1), cr.Tanh(), cr.Upsample2D(2, interpolation)]
    return cr.Network([*layers, cr.Conv2D(1, 3, padding="same"), cr.Flatten()], loss=cr.SquaredError()), IMAGES


def separable():
    layers = [
        cr.Reshape((1, 8, 8)),
        cr.DepthwiseConv2D(3, 4),
        cr.ReLU(),
        cr.Conv2D(6, 1),
        cr.DepthwiseConv2D(3, padding=1),
    ]
    return cr.Network([*layers, cr.ReLU(), cr.Flatten(), cr.Linear(10)], loss=cr.CrossEntropy()), LABELS


def sequences():
    layers = [cr.Reshape((8, 8)), cr.Conv1D(12, 3, padding="same"), cr.ReLU(), cr.Conv1D(9, 2, stride=2), cr.Tanh()]
    return cr.Network([*layers, cr.Flatten(), cr.Linear(10)], loss=cr.CrossEntropy()), LABELS


NETWORKS = {
    "autoencoder": autoencoder,
    "nearest": lambda: upsampling("nearest"),
    "bilinear": lambda: upsampling("bilinear"),
    "separable": separable,
    "sequences": sequences,
}


def trained(make):
    network, targets = make()
    history = cr.train(network, (IMAGES, targets), epochs=2, optimizer=cr.Adam(0.01), batch_size=48, progress=False)
    assert history["loss"][-1] < history["loss"][0]
    return hashlib.sha256(b"".join(W.tobytes() for W in network.parameters.values())).hexdigest()


@pytest.mark.skipif(not runs_natively(), reason="formulas give close numbers, not the kernels' bits")
@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_is_recorded_and_ends_in_the_same_bytes_everywhere(name, monkeypatch):
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
                found.add(trained(NETWORKS[name]))
    finally:
        kernels.set_threads(before.threads)
        kernels.set_instruction_set(before.instruction_set)
    assert len(found) == 1


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_goes_through_its_file(name, tmp_path):
    network, _ = NETWORKS[name]()
    network.build((64,)).save(tmp_path / "model.safetensors")
    copy = cr.load(tmp_path / "model.safetensors")
    assert [str(layer) for layer in copy.layers] == [str(layer) for layer in network.layers]
    assert np.array_equal(copy.predict(IMAGES[:9]), network.predict(IMAGES[:9]))


# The docs

PAGE = (Path(__file__).parents[1] / "docs" / "images.md").read_text()
DOCUMENTED = (cr.Conv2D, cr.Conv1D, cr.DepthwiseConv2D, cr.ConvTranspose2D, cr.Upsample2D, cr.Augment)


@pytest.mark.parametrize("cls", DOCUMENTED, ids=lambda cls: cls.__name__)
def test_a_layer_is_in_the_table_with_settings_that_it_has(cls):
    (found, *_) = re.findall(rf"`{cls.__name__}\(([^)]*)\)`", PAGE)
    settings = inspect.signature(cls).parameters
    for setting in found.split(", "):
        name, _, value = setting.partition("=")
        assert name in settings
        assert not value or settings[name].default == eval(value), f"{cls.__name__}: {setting}"


def test_the_examples_of_the_docs_run():
    room = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(code, room)
    assert room["autoencoder"].output_shape == (64,)
    assert room["network"].evaluate(*room["digits"].test)["accuracy"] > 0.85
    assert room["changed"].shape == (10, 1, 8, 8)
    assert not np.array_equal(room["changed"], room["x"])
