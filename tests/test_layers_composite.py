"""Residual and Parallel: detours and branches."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError
from chainrule.layers import Context


def forward(layer, x):
    x = np.asarray(x, np.float64)
    layer.build(x.shape[1:], np.random.default_rng(0))
    return layer.forward(x, Context())[0]


def test_residual_adds_what_its_layers_make():
    layer = cr.Residual((cr.Linear(2, weights=cr.Ones()), cr.ReLU()))
    assert forward(layer, [[1, 2], [-3, 1]]).tolist() == [[4, 5], [-3, 1]]


def test_parallel_adds_what_its_layers_make():
    assert forward(cr.Parallel((cr.Identity(), cr.ReLU(), cr.Identity())), [[1, -2]]).tolist() == [[3, -4]]


def test_parallel_sets_features_side_by_side():
    layer = cr.Parallel([cr.Identity(), cr.ReLU(), cr.Linear(1, weights=cr.Ones())], "concatenate")
    assert forward(layer, [[1, -2]]).tolist() == [[1, -2, 1, 0, -1]]


def test_parallel_sets_channels_side_by_side():
    x = np.arange(8.0).reshape(1, 2, 2, 2) - 3
    y = forward(cr.Parallel((cr.ReLU(), cr.Identity()), "concatenate"), x)
    assert np.array_equal(y, np.concatenate([np.maximum(x, 0), x], axis=1))


def test_parameters_are_named_by_their_place():
    net = cr.Network([cr.Residual((cr.Linear(4),)), cr.Parallel((cr.Linear(3), cr.Linear(3)))], loss=cr.CrossEntropy())
    names = {name.rsplit(".", 1)[0] for name in net.build((4,)).parameters}
    assert names == {"layers.0.layers.0", "layers.1.layers.0", "layers.1.layers.1"}


def test_two_dropouts_side_by_side_draw_different_bits():
    layer = cr.Parallel((cr.Dropout(), cr.Dropout()), "concatenate")
    layer.build((50,), np.random.default_rng(0))
    y, _ = layer.forward(np.ones((4, 50)), Context(training=True))
    assert not np.array_equal(y[:, :50], y[:, 50:])


def test_a_detour_around_a_change_of_shape_is_refused():
    with pytest.raises(ShapeError, match=r"the layers make \(3,\) of \(4,\).*write Parallel"):
        cr.Residual((cr.Linear(3),)).build((4,), None)


def test_sums_of_different_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"layer 1 \(Identity\): gives \(4,\) per sample, layer 0 \(3,\)"):
        cr.Parallel((cr.Linear(3), cr.Identity())).build((4,), None)


def test_images_of_different_sizes_are_not_set_side_by_side():
    with pytest.raises(ShapeError, match=r"layer 1 \(MaxPool2D\): gives \(2, 2, 2\).*all but the first"):
        cr.Parallel((cr.Identity(), cr.MaxPool2D()), "concatenate").build((2, 4, 4), None)


def test_another_join_is_refused():
    with pytest.raises(SettingError, match="Parallel: join: expected one of sum, concatenate, got 'mean'"):
        cr.Parallel((cr.Tanh(),), "mean")


def test_no_branches_are_refused():
    with pytest.raises(SettingError, match="Parallel: expected at least one layer, got none"):
        cr.Parallel(())


def test_a_layer_in_two_branches_is_refused():
    layer = cr.Linear(3)
    with pytest.raises(SettingError, match="layer 1: the same Linear object stands here twice"):
        cr.Parallel((layer, layer))
