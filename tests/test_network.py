"""A network as a whole: shapes, parameters, prediction, evaluation, gradients."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import NotBuiltError, SettingError
from chainrule.testing import numerical_gradient, relative_error


def digit_network(**settings):
    return cr.Network([cr.Linear(15), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy(), **settings)


def samples(n, width=784):
    return np.random.default_rng(0).random((n, width))


def test_parameters_have_names_by_place_and_the_shapes_of_the_notes():
    shapes = {name: W.shape for name, W in digit_network().build((784,)).parameters.items()}
    assert shapes == {
        "layers.0.W": (784, 15),
        "layers.0.b": (15,),
        "layers.2.W": (15, 10),
        "layers.2.b": (10,),
    }


def test_parameters_are_live():
    network = digit_network(dtype="float64").build((4,))
    x = samples(3, 4)
    network.parameters["layers.2.b"][...] = 1000 * np.eye(10)[7]
    assert network.predict(x).argmax(axis=1).tolist() == [7, 7, 7]


def test_parameters_are_of_the_network_s_dtype_and_its_own():
    for dtype in ("float32", "float64"):
        for W in digit_network(dtype=dtype).build((4,)).parameters.values():
            assert W.dtype == dtype
            assert W.flags.writeable
            assert W.flags.c_contiguous
            assert W.ctypes.data % 64 == 0  # on a cache line


def test_float32_is_the_default():
    assert digit_network().dtype == np.float32


def test_the_byte_order_asked_for_makes_no_difference():
    assert digit_network(dtype=">f8").dtype == np.dtype("float64")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    def content(seed):
        return [W.tobytes() for W in digit_network(seed=seed).build((8,)).parameters.values()]

    assert content(3) == content(3)
    assert content(3) != content(4)
    assert content(None) != content(None)


def test_building_again_with_the_same_shape_changes_nothing():
    network = digit_network().build((4,))
    before = network.parameters["layers.0.W"]
    assert network.build((4,)).parameters["layers.0.W"] is before


def test_the_first_data_builds():
    network = digit_network()
    network.predict(samples(2, 6))
    assert network.input_shape == (6,)
    assert network.output_shape == (10,)


def test_output_is_one_row_of_probabilities_per_sample():
    p = digit_network().predict(samples(5))
    assert p.shape == (5, 10)
    assert p.dtype == np.float32
    assert p.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-6)


@pytest.mark.parametrize(
    ("loss", "outputs"),
    [(cr.CrossEntropy(), 4), (cr.BinaryCrossEntropy(), 3), (cr.SquaredError(), 2), (cr.Perceptron(), 2)],
)
def test_a_row_alone_gives_what_it_gives_in_a_batch(loss, outputs):
    network = cr.Network([cr.Linear(30), cr.Tanh(), cr.Linear(outputs)], loss=loss, dtype="float64")
    x = samples(50, 20) - 0.5
    together = network.predict(x)
    for row in range(50):
        assert relative_error(network.predict(x[row : row + 1]), together[row : row + 1]) <= 1e-12


def test_the_batch_size_of_a_prediction_makes_no_difference():
    network = digit_network(dtype="float64")
    x = samples(10)
    for size in (1, 3, 10, 100):
        assert relative_error(network.predict(x, batch_size=size), network.predict(x)) <= 1e-12


def test_a_prediction_of_no_rows_has_no_rows():
    network = digit_network()
    assert network.predict(np.zeros((0, 784))).shape == (0, 10)


def test_samples_may_have_any_shape():
    network = cr.Network([cr.Tanh(), cr.Flatten(), cr.Linear(2)], loss=cr.CrossEntropy())
    assert network.predict(np.zeros((5, 3, 4, 2))).shape == (5, 2)


def test_evaluate_reports_mean_loss_and_accuracy():
    network = cr.Network([cr.Identity()], loss=cr.CrossEntropy(), dtype="float64")
    f = np.log([[1.0, 3.0], [1.0, 1.0], [1.0, 3.0]])
    report = network.evaluate(f, [1, 1, 0])
    assert report["loss"] == pytest.approx((np.log(4 / 3) + np.log(2) + np.log(4)) / 3, rel=1e-14)
    assert report["accuracy"] == 1 / 3
    assert set(report) == {"loss", "accuracy"}


def test_evaluate_of_a_regression_reports_no_accuracy():
    network = cr.Network([cr.Linear(1)], loss=cr.SquaredError())
    assert set(network.evaluate([[1.0], [2.0]], [0.5, 1])) == {"loss"}


def test_evaluate_does_not_depend_on_how_samples_are_batched():
    network, x, labels = digit_network(dtype="float64"), samples(10), np.arange(10)
    expected = network.evaluate(x, labels)["loss"]
    assert network.evaluate(x, labels, batch_size=3)["loss"] == pytest.approx(expected, rel=1e-13)


def test_a_loss_that_does_not_fit_is_said_rather_than_reported():
    network = cr.Network([cr.Linear(2, weights=cr.Normal(0, 1e30))], loss=cr.CrossEntropy())
    with pytest.raises(cr.errors.DataError, match="the loss does not fit float32, it came out as nan"):
        network.evaluate([[1e30, 1e30]], [0])


def test_a_prediction_that_does_not_fit_is_said_rather_than_reported():
    network = cr.Network([cr.Linear(2, weights=cr.Normal(1e30, 0))], loss=cr.SquaredError())
    with pytest.raises(
        cr.errors.DataError, match="the scores: values must be finite and fit float32; the first .* inf in row 0"
    ):
        network.predict([[1e30, 1e30]])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("loss", [cr.CrossEntropy(), cr.SquaredError(), cr.BinaryCrossEntropy(), cr.Perceptron()])
def test_a_weight_that_is_not_finite_is_named(loss, bad):
    network = cr.Network([cr.Linear(3), cr.Identity(), cr.Linear(2)], loss=loss).build((4,))
    network.parameters["layers.2.W"][1, 0] = bad
    x, targets = np.ones((2, 4)), [0, 1] if isinstance(loss, cr.CrossEntropy) else [[0, 1], [1, 0]]
    asked = (lambda: network.predict(x), lambda: network.evaluate(x, targets), lambda: network.gradients(x, targets))
    for ask in asked:
        with pytest.raises(
            cr.errors.DataError, match=rf"layers.2.W: values must be finite.* {bad} in row 1, at \(1, 0\)"
        ):
            ask()


def test_initial_weights_that_do_not_fit_are_named():
    network = cr.Network([cr.Linear(2, weights=cr.Normal(0, 1e300))], loss=cr.SquaredError())
    with pytest.raises(cr.errors.DataError, match=r"layers.0.W: values must be finite and fit float32"):
        network.build((2,))


DEEP = [cr.Linear(5), cr.Tanh(), cr.Linear(4), cr.Softplus(), cr.Linear(3)]


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (cr.CrossEntropy(), [0, 2, 1, 1]),
        (cr.CrossEntropy(), np.eye(3)[[0, 2, 1, 1]]),
        (cr.BinaryCrossEntropy(), [[0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 0, 1]]),
        (cr.SquaredError(), [[0.1, 2, -1], [1, 1, 0], [0, 0.5, 0], [1, 0, 3]]),
        (cr.SquaredError(), [2, 0, 1, 1]),
    ],
)
def test_gradients_are_those_of_the_loss_that_evaluate_reports(loss, targets):
    network = cr.Network([type(layer)(**vars_of(layer)) for layer in DEEP], loss=loss, dtype="float64")
    x = samples(4, 6)
    gradients = network.gradients(x, targets)
    assert list(gradients) == list(network.parameters)
    for name, W in network.parameters.items():
        start = W.copy()

        def reported(value, W=W):
            W[...] = value
            return network.evaluate(x, targets)["loss"]

        assert relative_error(gradients[name], numerical_gradient(reported, start)) <= 1e-7
        W[...] = start


def vars_of(layer):
    return {"out_features": layer.out_features} if isinstance(layer, cr.Linear) else {}


def test_gradients_of_a_batch_are_the_mean_of_those_of_its_samples():
    """∂J/∂w = (1/m) Σ ∂L/∂w (B3, C2)."""
    network, x, labels = digit_network(dtype="float64"), samples(6, 5), np.array([3, 1, 4, 1, 5, 9])
    together = network.gradients(x, labels)
    for name, gradient in together.items():
        alone = [network.gradients(x[n : n + 1], labels[n : n + 1])[name] for n in range(6)]
        assert relative_error(gradient, np.mean(alone, axis=0)) <= 1e-13


def test_gradients_change_nothing():
    network, x = digit_network(), samples(3, 5).astype("float32")
    network.build((5,))
    before = [W.tobytes() for W in network.parameters.values()]
    inputs = x.tobytes()
    network.gradients(x, [1, 2, 3])
    assert [W.tobytes() for W in network.parameters.values()] == before
    assert x.tobytes() == inputs


def test_gradients_are_asked_for_as_often_as_one_likes():
    network, x = digit_network(), samples(3, 5)
    first, second = network.gradients(x, [1, 2, 3]), network.gradients(x, [1, 2, 3])
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_a_network_without_parameters_has_no_gradients():
    network = cr.Network([cr.Tanh()], loss=cr.SquaredError())
    assert network.gradients([[1.0]], [0.5]) == {}


def test_what_needs_parameters_says_when_there_are_none_yet(tmp_path):
    network = digit_network()
    for ask in (
        lambda: network.parameters,
        lambda: network.output_shape,
        lambda: network.summary(),
        lambda: network.save(tmp_path / "model.safetensors"),
    ):
        with pytest.raises(NotBuiltError, match=r"call network.build\(input_shape\), or give it data"):
            ask()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.Network([cr.Linear], loss=cr.CrossEntropy()), r"layer 0: expected a Layer, .*write Linear\(...\)"),
        (lambda: cr.Network([cr.Tanh(), "relu"], loss=cr.CrossEntropy()), "layer 1: expected a Layer, got 'relu'"),
        (lambda: cr.Network(None, loss=cr.CrossEntropy()), "layer 0: expected a Layer, got None"),
        (lambda: cr.Network([], loss=cr.CrossEntropy), r"loss: expected a Loss, .*write CrossEntropy\(\)"),
        (lambda: cr.Network([], loss="mse"), r"loss: expected a Loss, got 'mse', such as CrossEntropy\(\)"),
        (lambda: digit_network(seed=-1), "seed: expected a whole number of at least 0"),
        (lambda: digit_network(seed=1.5), "seed: expected a whole number of at least 0"),
        (lambda: digit_network(dtype="float16"), "dtype: expected one of float32, float64, got 'float16'"),
        (lambda: digit_network(dtype="int64"), "dtype: expected one of"),
        (lambda: digit_network(dtype="no such"), "dtype: expected one of"),
        (lambda: digit_network(metadata=["digits"]), "metadata: expected a dict"),
        (lambda: digit_network().build(784), r"input_shape: expected a shape such as \(784,\), got 784"),
        (lambda: digit_network().build((0,)), "input_shape: expected a whole number of at least 1, got 0"),
        (lambda: digit_network().build((2.5,)), "input_shape: expected a whole number"),
        (lambda: digit_network().predict(np.zeros((2, 3)), batch_size=0), "batch_size: expected a whole number"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(SettingError, match=message):
        make()


def test_one_layer_object_in_two_places_is_refused_however_deep():
    layer = cr.Linear(3)
    network = cr.Network([layer, cr.Sequential((cr.Tanh(), layer))], loss=cr.CrossEntropy())
    with pytest.raises(SettingError, match=r"layers.0.W and layers.1.layers.1.W are one array"):
        network.build((3,))


def test_layers_may_come_from_a_generator():
    network = cr.Network((cr.Linear(n) for n in (4, 3)), loss=cr.CrossEntropy())
    assert [layer.out_features for layer in network.layers] == [4, 3]


def test_shows_what_it_is_made_of():
    assert repr(digit_network()) == "<Network [Linear, Sigmoid, Linear] with CrossEntropy, float32>"


def test_metadata_is_kept_apart_from_what_was_given():
    given = {"classes": 10}
    network = digit_network(metadata=given)
    given["classes"] = 3
    assert network.metadata == {"classes": 10}


def test_a_layer_belongs_to_one_network():
    shared = cr.Linear(2)
    first = cr.Network([shared], loss=cr.SquaredError()).build((3,))
    before = shared.W.copy()
    with pytest.raises(SettingError, match=r"layer 0 \(Linear\) belongs to another network"):
        cr.Network([shared], loss=cr.SquaredError(), seed=1).build((3,))
    assert np.array_equal(first.parameters["layers.0.W"], before)
