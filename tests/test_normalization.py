"""BatchNorm and LayerNorm: what they make of numbers; statistics that follow the training and stay with the model."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.errors import DivergenceError, SettingError, ShapeError
from chainrule.layers import Context
from chainrule.operations.operation import runs_natively
from chainrule.training.steps import Steps

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, size=(50, 4)).astype(np.float32)
LABELS = RNG.integers(0, 3, 50)
TRAINING = Context(training=True)


def built(layer, input_shape):
    layer.build(input_shape, np.random.default_rng(0))
    return layer


def network(*layers, seed=0, dtype="float32"):
    return cr.Network([*layers, cr.Linear(3)], loss=cr.CrossEntropy(), seed=seed, dtype=dtype)


def trained(*layers, x=X, epochs=3, batch_size=16, dtype="float32", **settings):
    net = network(*layers, dtype=dtype)
    cr.train(net, (x, LABELS), epochs=epochs, batch_size=batch_size, progress=False, **settings)
    return net


def content(net):
    return {name: array.tobytes() for name, array in net.arrays.items()}


# --- what comes out ---------------------------------------------------------------------------------------------------


def test_in_training_every_feature_has_mean_0_and_variance_1():
    y, _ = built(cr.BatchNorm(epsilon=1e-12), (4,)).forward(X.astype(float), TRAINING)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=0), 1, rtol=1e-9)


def test_of_images_every_channel_has():
    images = RNG.normal(5, 3, size=(6, 2, 3, 4))
    y, _ = built(cr.BatchNorm(epsilon=1e-12), (2, 3, 4)).forward(images, TRAINING)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 2, 3)), 1, rtol=1e-9)


def test_layer_norm_does_it_for_every_sample():
    y, _ = built(cr.LayerNorm(epsilon=1e-12), (4,)).forward(X.astype(float), Context())
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=1), 1, rtol=1e-9)


def test_numbers_far_from_0_keep_their_digits():
    """float32 holds numbers near 10,000 in steps of 0.001, sums of 64 in steps of 0.06; Σx² − (Σx)² has no digit."""
    far = (10_000 + RNG.normal(size=(64, 3))).astype(np.float32)
    y, _ = built(cr.BatchNorm(), (3,)).forward(far, TRAINING)
    exact = (far.astype(float) - far.astype(float).mean(axis=0)) / far.astype(float).std(axis=0)
    np.testing.assert_allclose(y, exact, atol=5e-3)


def test_one_sample_alone_gives_beta_and_no_nan():
    layer = built(cr.BatchNorm(), (4,))
    layer.beta[...] = [1, 2, 3, 4]
    y, saved = layer.forward(X[:1].astype(float), TRAINING)
    assert y.tolist() == [[1, 2, 3, 4]]
    assert layer.next_state(saved)["running_variance"].tolist() == [0.9] * 4


# --- the running statistics -------------------------------------------------------------------------------------------


def test_they_follow_the_batches():
    layer = built(cr.BatchNorm(momentum=0.3), (4,))
    x = X.astype(float)
    _, saved = layer.forward(x, TRAINING)
    state = layer.next_state(saved)
    np.testing.assert_allclose(state["running_mean"], 0.3 * x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(state["running_variance"], 0.7 + 0.3 * x.var(axis=0, ddof=1), rtol=1e-13)


def test_a_training_leaves_what_its_batches_say():
    net = trained(cr.BatchNorm(0.2), x=X.astype(float), epochs=2, batch_size=25, shuffle=False, dtype="float64")
    mean, variance = np.zeros(4), np.ones(4)
    for rows in (slice(0, 25), slice(25, 50)) * 2:
        batch = X[rows].astype(float)
        mean, variance = 0.8 * mean + 0.2 * batch.mean(axis=0), 0.8 * variance + 0.2 * batch.var(axis=0, ddof=1)
    np.testing.assert_allclose(net.state["layers.0.running_mean"], mean, rtol=1e-13)
    np.testing.assert_allclose(net.state["layers.0.running_variance"], variance, rtol=1e-13)


def test_prediction_uses_them_so_that_a_sample_is_answered_alone_as_beside_others():
    net = trained(cr.BatchNorm(), cr.Linear(5), cr.BatchNorm(), cr.Tanh(), dtype="float64")
    together = net.predict(X)
    np.testing.assert_allclose(net.predict(X[7:8]), together[7:8], rtol=1e-13)


def test_prediction_and_gradients_change_nothing():
    net = trained(cr.BatchNorm())
    before = content(net)
    net.predict(X), net.evaluate(X, LABELS), net.gradients(X, LABELS)
    assert content(net) == before


def test_they_are_no_parameters():
    net = network(cr.BatchNorm()).build((4,))
    assert net.state.keys() == {"layers.0.running_mean", "layers.0.running_variance"}
    assert not net.state.keys() & net.parameters.keys()
    assert net.arrays.keys() == net.state.keys() | net.parameters.keys()
    assert net.summary().parameters == 8 + 15


def test_they_are_saved_and_loaded(tmp_path):
    net = trained(cr.Residual((cr.BatchNorm(), cr.Tanh())), cr.Parallel((cr.BatchNorm(), cr.Identity()), "concatenate"))
    net.save(tmp_path / "net.safetensors")
    again = cr.load(tmp_path / "net.safetensors")
    assert content(again) == content(net)
    assert again.predict(X).tobytes() == net.predict(X).tobytes()


def test_training_on_from_a_saved_model_is_training_on(tmp_path):
    net = trained(cr.BatchNorm(), cr.Linear(4), cr.ReLU())
    net.save(tmp_path / "net.safetensors")
    again = cr.load(tmp_path / "net.safetensors")
    for one in (net, again):
        cr.train(one, (X, LABELS), epochs=2, seed=5, progress=False)
    assert content(again) == content(net)


def test_early_stopping_puts_them_back():
    class Keep(cr.Callback):
        after = []

        def on_epoch_end(self, run):
            self.after.append(content(run.network))

    stopping = cr.EarlyStopping("loss", patience=2)
    net = trained(cr.BatchNorm(), epochs=40, callbacks=[Keep(), stopping], optimizer=cr.SGD(30.0))
    assert content(net) == Keep.after[stopping.best_epoch - 1]


def test_a_loaded_file_without_them_is_refused(tmp_path):
    from chainrule.network import model_file

    net = network(cr.BatchNorm()).build((4,))
    tensors = dict(net.parameters)
    with pytest.raises(cr.errors.ModelFileError, match=r"layers.0.running_.*: the architecture has shape \(4,\)"):
        model_file._network(model_file._architecture(net), tensors)


# --- by tape ----------------------------------------------------------------------------------------------------------


NORMALIZED = {
    "rows": lambda: [cr.Linear(6), cr.BatchNorm(), cr.ReLU(), cr.LayerNorm()],
    "images": lambda: [cr.Reshape((1, 2, 2)), cr.Conv2D(3, 1), cr.BatchNorm(), cr.ReLU(), cr.Flatten()],
    "nested": lambda: [cr.Residual((cr.Linear(4), cr.BatchNorm())), cr.Sequential((cr.BatchNorm(),))],
}


@pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here: nothing is recorded")
@pytest.mark.parametrize("layers", NORMALIZED.values(), ids=NORMALIZED)
def test_they_are_written_by_the_tape_with_the_bytes_of_python(layers, recorded, monkeypatch):
    by_tape = trained(*layers(), optimizer=cr.Momentum(0.05))
    assert recorded == [True]
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    assert content(trained(*layers(), optimizer=cr.Momentum(0.05))) == content(by_tape)


@pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here: there are no threads")
@pytest.mark.parametrize("layers", NORMALIZED.values(), ids=NORMALIZED)
def test_threads_and_instruction_sets_change_no_byte(layers):
    before, found = kernels.info(), []
    try:
        for threads in (1, 3):
            for instruction_set in kernels.instruction_sets():
                kernels.set_threads(threads)
                kernels.set_instruction_set(instruction_set)
                found.append(content(trained(*layers())))
    finally:
        kernels.set_threads(before.threads)
        kernels.set_instruction_set(before.instruction_set)
    assert all(one == found[0] for one in found)


def test_a_step_that_diverges_leaves_them_as_they_were():
    class Keep(cr.Callback):
        last = None

        def on_step_end(self, run):
            self.last = content(run.network)

    keep, net = Keep(), network(cr.BatchNorm(), cr.Linear(4), cr.Softplus())
    with pytest.raises(DivergenceError):
        cr.train(net, (X, LABELS), optimizer=cr.SGD(1e30), epochs=50, callbacks=[keep], progress=False)
    assert all(np.isfinite(array).all() for array in net.arrays.values())
    assert keep.last in (None, content(net))


def test_l_bfgs_moves_them_once_a_step():
    net = network(cr.BatchNorm(momentum=0.5), dtype="float64")
    cr.train(net, (X, LABELS), optimizer=cr.LBFGS(), batch_size=None, epochs=3, progress=False)
    expected = (1 - 0.5**3) * X.astype(float).mean(axis=0)
    np.testing.assert_allclose(net.state["layers.0.running_mean"], expected, rtol=1e-13)


def test_penalties_leave_gamma_and_beta_alone():
    net = network(cr.BatchNorm()).build((4,))
    with_penalty = net.gradients(X, LABELS, penalty=cr.L2(0.1))
    without = net.gradients(X, LABELS)
    assert np.array_equal(with_penalty["layers.0.gamma"], without["layers.0.gamma"])
    assert not np.array_equal(with_penalty["layers.1.W"], without["layers.1.W"])


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [-0.1, 1.1, float("nan"), "much", True])
def test_a_momentum_that_is_no_share_is_refused(momentum):
    with pytest.raises(SettingError, match="BatchNorm: momentum: expected a"):
        cr.BatchNorm(momentum)


@pytest.mark.parametrize("layer", [cr.BatchNorm, cr.LayerNorm])
def test_an_epsilon_of_0_is_refused(layer):
    with pytest.raises(SettingError, match=f"{layer.__name__}: epsilon: expected a number above 0"):
        layer(epsilon=0)


@pytest.mark.parametrize("layer", [cr.BatchNorm, cr.LayerNorm])
def test_single_numbers_are_refused(layer):
    with pytest.raises(ShapeError, match="got single numbers"):
        layer().build((), None)
