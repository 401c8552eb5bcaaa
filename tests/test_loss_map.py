"""map_loss: the loss around a solution. Source of the directions: Li et al. 2018."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError
from chainrule.training.loss_map import _filter_normalised

DATA = cr.data.make_xor(samples=60)


def trained(epochs=4, **settings):
    net = cr.Network([cr.Linear(5), cr.Tanh(), cr.Linear(1)], loss=cr.BinaryCrossEntropy(), dtype="float64")
    path = cr.WeightPath()
    cr.train(net, DATA, epochs=epochs, optimizer=cr.Adam(0.05), callbacks=[path], progress=False, **settings)
    return net, path


def test_the_middle_is_the_solution_and_its_loss_the_network_s_own():
    net, _ = trained()
    found = cr.map_loss(net, DATA, points=3, reach=0.5)
    assert found.losses[1, 1] == pytest.approx(net.evaluate(*DATA)["loss"], rel=1e-14)
    assert list(found.first) == [-0.5, 0, 0.5]
    assert found.path.tolist() == [[0, 0]]
    assert found.explained is None


def test_the_network_keeps_its_weights():
    net, path = trained()
    before = {name: W.tobytes() for name, W in net.parameters.items()}
    cr.map_loss(net, DATA, path, points=3)
    assert {name: W.tobytes() for name, W in net.parameters.items()} == before


def test_the_path_keeps_the_start_and_every_epoch():
    net, path = trained(epochs=4)
    assert len(path.weights) == 5
    for name, W in net.parameters.items():
        np.testing.assert_array_equal(path.weights[-1][name], W)
        assert not np.array_equal(path.weights[0][name], W)


def test_the_plane_of_a_path_holds_as_much_of_it_as_any_plane_can():
    net, path = trained(epochs=6)
    found = cr.map_loss(net, DATA, path, points=3)
    offsets = np.array([np.concatenate([(m[k] - net.parameters[k]).ravel() for k in m]) for m in path.weights])
    variation = np.linalg.eigvalsh(offsets @ offsets.T)[::-1]  # eigenvalues: what each principal direction holds
    np.testing.assert_allclose(found.explained, variation[:2] / variation.sum(), rtol=1e-9)
    assert (found.path**2).sum() == pytest.approx(variation[:2].sum(), rel=1e-9)
    assert np.abs(found.path[-1]).max() == 0


def test_the_plane_covers_the_whole_path_and_lies_in_the_space_of_weights():
    interpolate = pytest.importorskip("scipy.interpolate")
    net, path = trained(epochs=2)  # the start and two epochs, seen from the last: two directions hold it all
    found = cr.map_loss(net, DATA, path, points=41)
    assert sum(found.explained) == pytest.approx(1, rel=1e-12)
    assert found.first[0] < found.path[:, 0].min()
    assert found.second[-1] > found.path[:, 1].max()
    start, _ = trained(epochs=1)
    for name, W in start.parameters.items():
        W[...] = path.weights[0][name]
    a, b = found.path[0]
    between = interpolate.RectBivariateSpline(found.second, found.first, found.losses)
    assert float(between(b, a)[0, 0]) == pytest.approx(start.evaluate(*DATA)["loss"], rel=1e-6)


def test_a_random_direction_has_the_norm_of_each_filter_and_leaves_biases_alone():
    rng = np.random.default_rng(0)
    center = {"linear": rng.normal(size=(4, 3)), "filters": rng.normal(size=(5, 2, 3, 3)), "b": rng.normal(size=3)}
    direction = _filter_normalised(center, rng)
    np.testing.assert_allclose(
        np.linalg.norm(direction["linear"], axis=0), np.linalg.norm(center["linear"], axis=0), rtol=1e-13
    )
    for o in range(5):
        assert np.linalg.norm(direction["filters"][o]) == pytest.approx(np.linalg.norm(center["filters"][o]), rel=1e-13)
    assert not direction["b"].any()


def test_the_same_seed_gives_the_same_map():
    net, _ = trained()
    one, again, other = (cr.map_loss(net, DATA, points=3, seed=seed).losses for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_path_that_is_too_short_or_another_network_s_is_refused():
    net, path = trained(epochs=1)
    with pytest.raises(SettingError, match="expected the start and two epochs at least, got 2"):
        cr.map_loss(net, DATA, path)
    other = cr.Network([cr.Linear(1)], loss=cr.BinaryCrossEntropy()).build((2,))
    with pytest.raises(ShapeError, match="not those of this network"):
        cr.map_loss(other, DATA, trained(epochs=3)[1])


@pytest.mark.parametrize("settings", [{"points": 1}, {"reach": 0}, {"seed": -1}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(SettingError, match=next(iter(settings))):
        cr.map_loss(trained(epochs=1)[0], DATA, **settings)
