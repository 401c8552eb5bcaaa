"""Convolution: E2's sum and its three gradients, the layer, and the networks of E2 and E3."""

import runpy
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError
from chainrule.layers import Context
from chainrule.operations import convolution_backward, convolution_backward_parameters, convolution_forward
from chainrule.operations.windows import windows, windows_over, zero_padded
from chainrule.randomness import stream
from chainrule.testing import check_layer, numerical_gradient, relative_error

EXAMPLES = Path(__file__).parent.parent / "examples"

CASES = [  # samples, channels, filters, image, kernel, stride, padding
    (2, 3, 2, (5, 4), (3, 2), (1, 1), (0, 0)),
    (2, 2, 3, (7, 6), (3, 3), (2, 2), (1, 1)),
    (1, 3, 4, (4, 5), (1, 1), (1, 1), (0, 0)),
    (3, 1, 2, (5, 5), (5, 5), (1, 1), (0, 0)),  # one window
    (2, 2, 2, (8, 7), (3, 2), (3, 2), (0, 0)),  # rows and columns left over
    (2, 2, 2, (7, 8), (2, 1), (3, 4), (0, 0)),  # gaps between the windows
    (1, 2, 1, (1, 1), (3, 3), (1, 1), (1, 1)),  # an image of one pixel
    (1, 1, 1, (2, 3), (2, 2), (1, 2), (3, 0)),  # windows that see nothing but padding
    (2, 1, 2, (3, 9), (2, 4), (2, 3), (1, 2)),
]


def drawn(case):
    samples, channels, filters, image, kernel, stride, padding = case
    rng = np.random.default_rng(0)
    x = rng.normal(size=(samples, channels, *image))
    W = rng.normal(size=(filters, channels, *kernel))
    return x, W, rng.normal(size=filters), stride, padding


def terms(x, W, y_shape, stride, padding):
    """Every term of E2's sum: the places in y, W and x that meet; places outside of x are left out, as zeros."""
    for s, oc, i, j in product(*map(range, y_shape)):
        for ic, i_, j_ in product(*map(range, W.shape[1:])):
            row, column = i * stride[0] + i_ - padding[0], j * stride[1] + j_ - padding[1]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                yield (s, oc, i, j), (oc, ic, i_, j_), (s, ic, row, column)


def shape_of_y(x, W, stride, padding):
    lengths = [(x.shape[a] + 2 * padding[a - 2] - W.shape[a]) // stride[a - 2] + 1 for a in (2, 3)]
    return (len(x), len(W), *lengths)


def forward_by_loops(x, W, b, stride, padding):
    y = np.zeros(shape_of_y(x, W, stride, padding)) + b[:, None, None]
    for at_y, at_w, at_x in terms(x, W, y.shape, stride, padding):
        y[at_y] += W[at_w] * x[at_x]
    return y


def backward_by_loops(dy, x, W, stride, padding):
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros(len(W))
    for at_y, at_w, at_x in terms(x, W, dy.shape, stride, padding):
        dx[at_x] += dy[at_y] * W[at_w]
        dW[at_w] += dy[at_y] * x[at_x]
    for at_y in np.ndindex(dy.shape):
        db[at_y[1]] += dy[at_y]
    return dx, dW, db


@pytest.mark.parametrize("case", CASES, ids=str)
def test_forward_is_the_sum_of_e2(case):
    x, W, b, stride, padding = drawn(case)
    expected = forward_by_loops(x, W, b, stride, padding)
    assert convolution_forward(x, W, b, stride, padding).shape == expected.shape
    assert relative_error(convolution_forward(x, W, b, stride, padding), expected) < 1e-14


@pytest.mark.parametrize("case", CASES, ids=str)
def test_backward_is_the_sum_over_the_same_terms(case):
    x, W, _, stride, padding = drawn(case)
    dy = np.random.default_rng(1).normal(size=shape_of_y(x, W, stride, padding))
    expected = backward_by_loops(dy, x, W, stride, padding)
    for found, gradient in zip(convolution_backward(dy, x, W, stride, padding), expected, strict=True):
        assert found.shape == gradient.shape
        assert relative_error(found, gradient) < 1e-14


@pytest.mark.parametrize("case", CASES, ids=str)
def test_backward_agrees_with_central_differences(case):
    x, W, b, stride, padding = drawn(case)
    r = np.random.default_rng(1).normal(size=shape_of_y(x, W, stride, padding))
    dx, dW, db = convolution_backward(r, x, W, stride, padding)
    for gradient, at, y in (
        (dx, x, lambda x: convolution_forward(x, W, b, stride, padding)),
        (dW, W, lambda W: convolution_forward(x, W, b, stride, padding)),
        (db, b, lambda b: convolution_forward(x, W, b, stride, padding)),
    ):
        assert relative_error(gradient, numerical_gradient(lambda value, y=y: np.sum(r * y(value)), at)) < 1e-7


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_first_layer_gets_the_same_gradients_of_its_parameters(case):
    x, W, _, stride, padding = drawn(case)
    dy = np.random.default_rng(1).normal(size=shape_of_y(x, W, stride, padding))
    _, dW, db = convolution_backward(dy, x, W, stride, padding)
    found = convolution_backward_parameters(dy, x, W.shape[2:], stride, padding)
    assert all(np.array_equal(a, b) for a, b in zip(found, (dW, db), strict=True))


def test_the_filter_is_not_flipped():
    x = np.arange(12.0).reshape(1, 1, 3, 4)
    W = np.array([[[[0, 1], [0, 0]]]])  # takes the pixel to the right
    assert convolution_forward(x, W, np.zeros(1), (1, 1), (0, 0))[0, 0].tolist() == [[1, 2, 3], [5, 6, 7]]


def test_a_small_case_by_hand():
    x = np.array([[[[1.0, 2, 3], [4, 5, 6]], [[1, 0, 1], [0, 1, 0]]]])  # two channels
    W = np.array([[[[1.0, -1]], [[2, 3]]]])  # one filter of 1 × 2 over both
    # top left: 1·1 − 1·2 + 2·1 + 3·0 + ½ = 1½, and so on
    assert convolution_forward(x, W, np.array([0.5]), (1, 1), (0, 0))[0, 0].tolist() == [[1.5, 2.5], [2.5, 1.5]]


def test_a_filter_of_one_pixel_is_a_linear_map_of_the_channels():
    x, W, b, stride, padding = drawn((2, 3, 4, (3, 5), (1, 1), (1, 1), (0, 0)))
    y = np.einsum("nchw,oc->nohw", x, W[:, :, 0, 0]) + b[:, None, None]
    np.testing.assert_allclose(convolution_forward(x, W, b, stride, padding), y, rtol=1e-13)


def test_a_filter_as_large_as_the_image_is_a_linear_layer():
    x, W, b, stride, padding = drawn((3, 2, 4, (3, 4), (3, 4), (1, 1), (0, 0)))
    y = cr.operations.linear_forward(x.reshape(3, 24), W.reshape(4, 24).T, b)
    np.testing.assert_allclose(convolution_forward(x, W, b, stride, padding)[:, :, 0, 0], y, rtol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_windows_over_finds_for_each_pixel_the_windows_that_see_it(case):
    """For all a and b: Σ windows(a) · (one value per window) = Σ a · (what its pixels are reached by)."""
    x, W, _, stride, padding = drawn(case)
    x = zero_padded(x, padding)
    seen = windows(x, W.shape[2:], stride)
    values = np.random.default_rng(1).normal(size=seen.shape[:4])
    reached = windows_over(values, W.shape[2:], stride, x.shape[2:])
    for p, q in np.ndindex(W.shape[2:]):
        assert np.sum(seen[..., p, q] * values) == pytest.approx(np.sum(x * reached[..., p, q]), rel=1e-12, abs=1e-12)


# The layer


def built(layer, input_shape):
    layer.build(input_shape, stream(0, "weights"))
    return layer


@pytest.mark.parametrize(
    ("layer", "input_shape", "output_shape"),
    [
        (cr.Conv2D(8, 3), (1, 28, 28), (8, 26, 26)),
        (cr.Conv2D(32, 5, padding=2), (3, 28, 20), (32, 28, 20)),
        (cr.Conv2D(4, (3, 1), stride=(2, 1)), (2, 8, 5), (4, 3, 5)),
        (cr.Conv2D(4, 2, stride=2, padding=(0, 1)), (1, 5, 5), (4, 2, 3)),
        (cr.Conv2D(6, (5, 3), padding="same"), (1, 7, 4), (6, 7, 4)),
        (cr.Conv2D(1, [1, 2]), (1, 1, 2), (1, 1, 1)),
    ],
)
def test_sizes_are_worked_out(layer, input_shape, output_shape):
    assert layer.build(input_shape, stream(0, "weights")) == output_shape
    assert layer.forward(np.ones((2, *input_shape)), Context())[0].shape == (2, *output_shape)
    assert layer.W.shape[:2] == (output_shape[0], input_shape[0])
    assert layer.b.shape == output_shape[:1]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_layer_passes_the_common_checks(case):
    _, channels, filters, image, kernel, stride, padding = case
    check_layer(cr.Conv2D(filters, kernel, stride, padding), (channels, *image))


def test_padding_same_says_what_the_number_says():
    same, counted = cr.Conv2D(2, (3, 5), padding="same"), cr.Conv2D(2, (3, 5), padding=(1, 2))
    x = np.random.default_rng(0).normal(size=(2, 1, 4, 4))
    y, y_counted = (built(layer, (1, 4, 4)).forward(x, Context())[0] for layer in (same, counted))
    assert np.array_equal(y, y_counted)
    assert same.configuration()["padding"] == "same"


def test_starts_from_its_initializers():
    layer = built(cr.Conv2D(50, 3, weights=cr.He(), biases=cr.Normal(2, 0)), (40, 8, 8))
    assert layer.W.std() == pytest.approx(np.sqrt(2 / (40 * 3 * 3)), rel=0.02)  # fan_in: terms of one output
    assert layer.b.tolist() == [2] * 50


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"out_channels": 0}, "Conv2D: out_channels: expected a whole number of at least 1, got 0"),
        ({"kernel_size": 0}, "Conv2D: kernel_size: expected a whole number of at least 1, got 0"),
        ({"kernel_size": (3, 0)}, "Conv2D: kernel_size: expected a whole number of at least 1, got 0"),
        (
            {"kernel_size": (3, 3, 3)},
            r"Conv2D: kernel_size: expected a whole number or a pair \(height, width\), got \(3",
        ),
        ({"kernel_size": 2.5}, "Conv2D: kernel_size: expected a whole number of at least 1, got 2.5"),
        ({"stride": 0}, "Conv2D: stride: expected a whole number of at least 1, got 0"),
        ({"stride": (1, -1)}, "Conv2D: stride: expected a whole number of at least 1, got -1"),
        ({"stride": ()}, r"Conv2D: stride: expected a whole number or a pair \(height, width\), got \(\)"),
        ({"padding": -1}, "Conv2D: padding: expected a whole number of at least 0, got -1"),
        ({"padding": "valid"}, "Conv2D: padding: expected a whole number, a pair or 'same', got 'valid'"),
        ({"padding": "same", "stride": 2}, r"Conv2D: padding 'same' needs stride 1 .*, got \(2, 2\) and \(3, 3\)"),
        (
            {"padding": "same", "kernel_size": (3, 2)},
            r"Conv2D: padding 'same' needs .* odd kernel_size, got \(1, 1\) and",
        ),
        ({"weights": cr.Glorot}, r"Conv2D: weights: expected an Initializer, .*; write Glorot\(\)"),
        ({"biases": 0}, "Conv2D: biases: expected an Initializer, got 0"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(SettingError, match=message):
        cr.Conv2D(**{"out_channels": 2, "kernel_size": 3, **settings})


@pytest.mark.parametrize(
    ("layers", "input_shape", "message"),
    [
        (
            [cr.Conv2D(2, 3)],
            (64,),
            r"layer 0 \(Conv2D\): expected an image \(channels, height, width\) per sample, got shape \(64,\); put",
        ),
        ([cr.Conv2D(2, 3)], (8, 8), r"layer 0 \(Conv2D\): .* got shape \(8, 8\); put Reshape\(\(1, 8, 8\)\) before it"),
        (
            [cr.Conv2D(2, 3), cr.Conv2D(2, 3), cr.Conv2D(2, 3)],
            (1, 8, 6),
            r"layer 2 \(Conv2D\): a window of \(3, 3\) \(height, width\) does not fit an image of \(4, 2\);",
        ),
        ([cr.Conv2D(2, 9, padding=1)], (1, 8, 6), r"does not fit an image of \(8, 6\), \(10, 8\) with its padding"),
        ([cr.Conv2D(2, 3), cr.Linear(10)], (1, 8, 8), r"layer 1 \(Linear\): .* got shape \(2, 6, 6\); put Flatten\(\)"),
    ],
)
def test_a_shape_that_does_not_fit_is_named_with_its_layer(layers, input_shape, message):
    with pytest.raises(ShapeError, match=message):
        cr.Network(layers, loss=cr.SquaredError()).build(input_shape)


def test_images_of_other_channels_than_built_for_are_refused():
    network = cr.Network([cr.Conv2D(2, 3), cr.Flatten(), cr.Linear(1)], loss=cr.SquaredError()).build((3, 5, 5))
    with pytest.raises(ShapeError, match=r"x: expected samples of shape \(3, 5, 5\), got \(1, 5, 5\)"):
        network.predict(np.ones((2, 1, 5, 5)))


def image_network(dtype="float64"):
    layers = [cr.Conv2D(3, 3, padding=1), cr.ReLU(), cr.MaxPool2D(2), cr.Conv2D(4, 2), cr.Flatten(), cr.Linear(3)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype=dtype)


def test_the_gradients_of_a_whole_network_agree_with_central_differences():
    x, labels = np.random.default_rng(0).normal(size=(4, 2, 6, 5)), [0, 1, 2, 1]
    network = image_network().build((2, 6, 5))
    gradients = network.gradients(x, labels)
    for name, W in network.parameters.items():
        start = W.copy()

        def cost(value, W=W):
            W[...] = value
            return network.evaluate(x, labels)["loss"]

        assert relative_error(gradients[name], numerical_gradient(cost, start)) < 1e-7, name
        W[...] = start


def test_a_row_alone_gives_what_it_gives_in_a_batch():
    x = np.random.default_rng(0).normal(size=(9, 2, 6, 5))
    network = image_network()
    together = network.predict(x)
    alone = np.concatenate([network.predict(row[None]) for row in x])
    np.testing.assert_allclose(alone, together, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_convolutional_network_goes_through_its_file(tmp_path, dtype):
    network = image_network(dtype).build((2, 6, 5))
    network.save(tmp_path / "images.safetensors")
    copy = cr.load(tmp_path / "images.safetensors")
    x = np.random.default_rng(0).normal(size=(3, 2, 6, 5))
    assert np.array_equal(copy.predict(x), network.predict(x))
    assert [str(layer) for layer in copy.layers] == [str(layer) for layer in network.layers]


# The examples


def test_e2_every_gradient_of_the_component_functions_agrees_with_finite_differences(capsys):
    worst = runpy.run_path(str(EXAMPLES / "e2_convolution.py"))["main"]()
    assert worst < 1e-7
    printed = capsys.readouterr().out
    for name in ("convolution", "linear", "ReLU", "2×2 max pooling", "dropout", "softmax", "negative log-likelihood"):
        assert f"\n{name}:" in printed


def test_e3_softmax_of_linear_of_max_pooling_of_relu_of_convolution_reads_digits(capsys):
    accuracy = runpy.run_path(str(EXAMPLES / "e3_digit_convolution.py"))["main"]()
    assert accuracy >= 0.96
    assert f"{accuracy:.1%} are read right" in capsys.readouterr().out
