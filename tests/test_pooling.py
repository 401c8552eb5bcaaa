"""Max and average pooling: values, gradients, ties, overlapping windows, rows and columns left over."""

from itertools import product

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError
from chainrule.layers import Context
from chainrule.operations import (
    average_pool_backward,
    average_pool_forward,
    max_pool_backward,
    max_pool_forward,
)
from chainrule.randomness import stream
from chainrule.testing import check_layer, numerical_gradient, relative_error

CASES = [  # image, size, stride
    ((4, 6), (2, 2), (2, 2)),
    ((5, 7), (2, 2), (2, 2)),  # a row and a column left over
    ((5, 6), (3, 3), (1, 1)),  # windows overlap
    ((6, 7), (3, 2), (2, 1)),
    ((8, 5), (2, 1), (3, 2)),  # gaps between the windows
    ((3, 4), (3, 4), (1, 1)),  # one window
    ((1, 1), (1, 1), (1, 1)),
    ((7, 7), (3, 3), (5, 5)),
]
ALL = pytest.mark.parametrize(("image", "size", "stride"), CASES, ids=str)


def drawn(image):
    return np.random.default_rng(0).normal(size=(2, 3, *image))


def corners(image, size, stride):
    """(i, j) and the rows and columns of each window."""
    down = range(0, image[0] - size[0] + 1, stride[0])
    across = range(0, image[1] - size[1] + 1, stride[1])
    for (i, top), (j, left) in product(enumerate(down), enumerate(across)):
        yield (i, j), slice(top, top + size[0]), slice(left, left + size[1])


@ALL
def test_forward_takes_the_largest_or_the_mean_of_each_window(image, size, stride):
    x = drawn(image)
    largest, mean = max_pool_forward(x, size, stride), average_pool_forward(x, size, stride)
    count = 0
    for (i, j), rows, columns in corners(image, size, stride):
        count += 1
        assert np.array_equal(largest[:, :, i, j], x[:, :, rows, columns].max(axis=(2, 3)))
        np.testing.assert_allclose(mean[:, :, i, j], x[:, :, rows, columns].mean(axis=(2, 3)), rtol=1e-13, atol=1e-15)
    assert largest[0, 0].size == mean[0, 0].size == count


def backward_by_loops(dy, x, size, stride):
    """Both gradients, window by window; within a window from its top left, row by row."""
    largest, mean = np.zeros_like(x), np.zeros_like(x)
    for (i, j), rows, columns in corners(x.shape[2:], size, stride):
        mean[:, :, rows, columns] += dy[:, :, i, j, None, None] / (size[0] * size[1])
        for n, c in np.ndindex(x.shape[:2]):
            window = x[n, c, rows, columns]
            place = next(place for place in np.ndindex(size) if window[place] == window.max())
            largest[n, c, rows, columns][place] += dy[n, c, i, j]
    return largest, mean


@ALL
def test_backward_goes_to_the_largest_or_to_all_alike(image, size, stride):
    x = drawn(image)
    dy = np.random.default_rng(1).normal(size=max_pool_forward(x, size, stride).shape)
    largest, mean = backward_by_loops(dy, x, size, stride)
    np.testing.assert_allclose(max_pool_backward(dy, x, size, stride), largest, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(average_pool_backward(dy, image, size, stride), mean, rtol=1e-13, atol=1e-15)


@ALL
def test_backward_agrees_with_central_differences(image, size, stride):
    x = drawn(image)
    r = np.random.default_rng(1).normal(size=max_pool_forward(x, size, stride).shape)
    for dx, forward in (
        (max_pool_backward(r, x, size, stride), max_pool_forward),
        (average_pool_backward(r, image, size, stride), average_pool_forward),
    ):
        numeric = numerical_gradient(lambda x, forward=forward: np.sum(r * forward(x, size, stride)), x)
        assert relative_error(dx, numeric) < 1e-7


def test_among_equals_the_first_row_by_row_gets_the_whole_gradient():
    x = np.array([[[[1.0, 2, 5, 5], [2, 0, 5, 5]]]])
    dx = max_pool_backward(np.array([[[[3.0, 7]]]]), x, (2, 2), (2, 2))
    assert dx[0, 0].tolist() == [[0, 3, 7, 0], [0, 0, 0, 0]]


@ALL
def test_ties_go_to_the_first_in_every_window(image, size, stride):
    x = np.random.default_rng(2).integers(0, 2, (2, 3, *image)).astype(float)
    dy = np.random.default_rng(1).normal(size=max_pool_forward(x, size, stride).shape)
    largest, _ = backward_by_loops(dy, x, size, stride)
    np.testing.assert_allclose(max_pool_backward(dy, x, size, stride), largest, rtol=1e-13, atol=1e-15)


def test_no_gradient_is_lost_in_ties_or_overlaps():
    x, dy = np.zeros((1, 1, 5, 5)), np.arange(1.0, 10).reshape(1, 1, 3, 3)
    dx = max_pool_backward(dy, x, (3, 3), (1, 1))
    assert np.array_equal(dx[:, :, :3, :3], dy)  # each window's first pixel is its corner
    assert dx.sum() == dy.sum()


def test_a_pixel_that_is_largest_in_several_windows_gets_the_sum():
    x = np.array([[[[0.0, 9, 0]]]])
    assert max_pool_backward(np.array([[[[2.0, 3]]]]), x, (1, 2), (1, 1))[0, 0].tolist() == [[0, 5, 0]]


def test_what_no_window_sees_gets_no_gradient():
    x = np.full((1, 1, 5, 5), 1.0)
    x[:, :, 4, :] = x[:, :, :, 4] = 100  # beyond the last whole window
    dy = np.ones((1, 1, 2, 2))
    assert max_pool_forward(x, (2, 2), (2, 2)).max() == 1
    for dx in (max_pool_backward(dy, x, (2, 2), (2, 2)), average_pool_backward(dy, (5, 5), (2, 2), (2, 2))):
        assert dx.sum() == 4
        assert not dx[:, :, 4, :].any()
        assert not dx[:, :, :, 4].any()


def test_negative_images_pool_to_negative_numbers():
    x = -1 - np.arange(4.0).reshape(1, 1, 2, 2)
    assert max_pool_forward(x, (2, 2), (2, 2)).tolist() == [[[[-1]]]]
    assert average_pool_forward(x, (2, 2), (2, 2)).tolist() == [[[[-2.5]]]]


def test_a_pixel_that_is_not_a_number_is_not_hidden():
    x = np.array([[[[1.0, np.nan], [3, 2]]]])
    assert np.isnan(max_pool_forward(x, (2, 2), (2, 2))).all()


# The layers

BOTH = pytest.mark.parametrize("layer", [cr.MaxPool2D, cr.AvgPool2D])


@ALL
@BOTH
def test_the_layer_passes_the_common_checks(layer, image, size, stride):
    check_layer(layer(size, stride), (2, *image))


@BOTH
@pytest.mark.parametrize(
    ("settings", "input_shape", "output_shape"),
    [
        ((), (16, 26, 26), (16, 13, 13)),
        ((2,), (3, 7, 5), (3, 3, 2)),
        ((3, 2), (3, 7, 6), (3, 3, 2)),
        (((1, 4),), (1, 3, 8), (1, 3, 2)),
        (((2, 3), (1, 2)), (1, 4, 9), (1, 3, 4)),
    ],
)
def test_sizes_are_worked_out(layer, settings, input_shape, output_shape):
    made = layer(*settings)
    assert made.build(input_shape, stream(0, "weights")) == output_shape
    assert made.forward(np.ones((2, *input_shape)), Context())[0].shape == (2, *output_shape)
    assert made.parameters == {}


@BOTH
@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", (2, 0), (1, 2, 3), True])
def test_a_size_or_stride_that_is_none_is_refused(layer, wrong):
    with pytest.raises(SettingError, match=f"{layer.__name__}: size: expected a whole number"):
        layer(wrong)
    with pytest.raises(SettingError, match=f"{layer.__name__}: stride: expected a whole number"):
        layer(2, stride=wrong)


@BOTH
def test_a_window_larger_than_the_image_is_refused_by_name(layer):
    network = cr.Network([cr.Tanh(), layer(3)], loss=cr.SquaredError())
    message = rf"layer 1 \({layer.__name__}\): a window of \(3, 3\) \(height, width\) does not fit an image of \(4, 2\)"
    with pytest.raises(ShapeError, match=message):
        network.build((1, 4, 2))


@BOTH
def test_what_is_no_image_is_refused_by_name(layer):
    network = cr.Network([layer()], loss=cr.SquaredError())
    with pytest.raises(
        ShapeError, match=rf"layer 0 \({layer.__name__}\): expected an image .* put Reshape\(\(1, 6, 4\)\)"
    ):
        network.build((6, 4))


def test_what_the_pooling_layers_share_is_no_layer_for_a_model():
    with pytest.raises(SettingError, match="Pooling cannot be described"):
        cr.Layer.from_configuration({"class": "Pooling"})
