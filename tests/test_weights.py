"""Sample and class weights: what they mean, where they count, and what is refused."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, DataTypeError, DivergenceError, SettingError, ShapeError

RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(30, 4)), np.repeat([0, 1, 2], [18, 9, 3])
TIMES = np.arange(30) % 3  # a whole weight for each sample; 0 for some


def network(loss=None, scores=3, dtype="float64"):
    return cr.Network([cr.Linear(5), cr.Tanh(), cr.Linear(scores)], loss=loss or cr.CrossEntropy(), dtype=dtype)


def the_same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def trained(data=(X, LABELS), **settings):
    net = network()
    settings = {"epochs": 3, "batch_size": None, "optimizer": cr.SGD(0.3), "progress": False} | settings
    history = cr.train(net, data, **settings)
    return net, history


# --- what they mean ---------------------------------------------------------------------------------------------------


def test_a_weight_is_that_many_copies_of_the_sample():
    repeated = np.repeat(X, TIMES, axis=0), np.repeat(LABELS, TIMES)
    net = network()
    the_same(net.evaluate(X, LABELS, sample_weight=TIMES)["loss"], net.evaluate(*repeated)["loss"])
    found, expected = net.gradients(X, LABELS, sample_weight=TIMES), net.gradients(*repeated)
    for name, gradient in expected.items():
        the_same(found[name], gradient)


def test_a_training_with_weights_is_one_with_copies_in_the_full_batch():
    weighted, history = trained(sample_weight=TIMES)
    copied, expected = trained((np.repeat(X, TIMES, axis=0), np.repeat(LABELS, TIMES)))
    the_same(history["loss"], expected["loss"])
    for name, W in copied.parameters.items():
        the_same(weighted.parameters[name], W)


@pytest.mark.parametrize("class_weight", [None, "balanced", [1e300, 3e300, 1e299]])
def test_only_the_proportions_of_weights_count(class_weight):
    net = network()
    expected = net.evaluate(X, LABELS, sample_weight=TIMES, class_weight=class_weight)["loss"]
    for factor in (1e-300, 0.1, 7, 8e307):
        found = net.evaluate(X, LABELS, sample_weight=TIMES * factor, class_weight=class_weight)["loss"]
        the_same(found, expected)


def test_equal_weights_change_nothing():
    net = network()
    the_same(net.evaluate(X, LABELS, sample_weight=np.full(30, 0.2))["loss"], net.evaluate(X, LABELS)["loss"])
    plain, weighted = trained(batch_size=7)[0], trained(batch_size=7, sample_weight=np.full(30, 4))[0]
    for name, W in plain.parameters.items():
        the_same(weighted.parameters[name], W)


def test_the_loss_of_an_epoch_is_the_weighted_mean_whatever_the_batches():
    """At rate 1e-12 the weights hardly move: what the batches sum to is what one pass over all of them gives."""
    for batch_size in (1, 7, 30):
        _, history = trained(sample_weight=TIMES, batch_size=batch_size, epochs=1, optimizer=cr.SGD(1e-12))
        np.testing.assert_allclose(
            history["loss"], network().evaluate(X, LABELS, sample_weight=TIMES)["loss"], rtol=1e-9
        )


def test_a_batch_s_gradient_is_divided_by_its_size_not_by_its_weights():
    """So its mean over the batches is the gradient of the whole cost."""
    net = network().build((4,))
    w = TIMES / TIMES.mean()
    whole = net.gradients(X, LABELS, sample_weight=TIMES)
    x, t = net.check_data(X, LABELS)
    parts = [
        net.cost_and_gradients(x[rows], t[rows], w[rows])[2] for rows in (slice(0, 10), slice(10, 20), slice(20, 30))
    ]
    for name, gradient in whole.items():
        the_same(sum(part[name] for part in parts) / 3, gradient)


def test_the_weight_of_a_class_is_that_of_each_of_its_samples():
    net, by_class = network(), {0: 0.5, 2: 4}
    expected = net.evaluate(X, LABELS, sample_weight=np.choose(LABELS, [0.5, 1, 4]))
    assert net.evaluate(X, LABELS, class_weight=by_class) == expected
    assert net.evaluate(X, LABELS, class_weight=[0.5, 1, 4]) == expected
    assert net.evaluate(X, LABELS, class_weight=np.array([5, 10, 40], np.int8)) == pytest.approx(expected, rel=1e-15)


def test_sample_and_class_weights_multiply():
    net = network()
    both = net.evaluate(X, LABELS, sample_weight=TIMES, class_weight=[0.5, 1, 4])
    assert both == net.evaluate(X, LABELS, sample_weight=TIMES * np.choose(LABELS, [0.5, 1, 4]))


def test_balanced_classes_count_alike():
    net = network()
    rows = [np.flatnonzero(k == LABELS) for k in range(3)]
    means = [net.evaluate(X[own], LABELS[own])["loss"] for own in rows]
    the_same(net.evaluate(X, LABELS, class_weight="balanced")["loss"], np.mean(means))


def test_balanced_counts_samples_with_their_weights():
    net, repeated = network(), (np.repeat(X, TIMES, axis=0), np.repeat(LABELS, TIMES))
    found = net.evaluate(X, LABELS, sample_weight=TIMES, class_weight="balanced")["loss"]
    the_same(found, net.evaluate(*repeated, class_weight="balanced")["loss"])


def test_a_class_without_samples_has_weight_1_when_balanced():
    net = network().build((4,))
    assert net.check_class_weights("balanced", np.array([0, 0, 2]), None, "").tolist() == [0.75, 1, 1.5]


def test_weights_do_not_touch_the_accuracy():
    net = network()
    assert net.evaluate(X, LABELS, sample_weight=TIMES)["accuracy"] == net.evaluate(X, LABELS)["accuracy"]


ONE_CLASS_EACH = [
    (cr.CrossEntropy(), 3, LABELS),
    (cr.CrossEntropy(), 3, np.eye(3)[LABELS]),
    (cr.CrossEntropy(label_smoothing=0.1), 3, np.eye(3)[LABELS]),
    (cr.KullbackLeibler(), 3, np.eye(3)[LABELS]),
    (cr.Focal(), 3, LABELS),
    (cr.CrammerSinger(), 3, LABELS),
    (cr.WestonWatkins(), 3, LABELS[:, None]),
    (cr.SquaredError(), 3, LABELS),
    (cr.BinaryCrossEntropy(), 1, LABELS == 2),
    (cr.BinaryFocal(), 1, (LABELS == 2)[:, None]),
    (cr.Perceptron(), 1, LABELS == 2),
    (cr.Hinge(), 1, np.where(LABELS == 2, 1, -1)),
]


@pytest.mark.parametrize(("loss", "scores", "targets"), ONE_CLASS_EACH, ids=lambda value: type(value).__name__)
def test_every_loss_of_classes_knows_them(loss, scores, targets):
    net, classes = network(loss, scores), LABELS if scores == 3 else LABELS == 2
    by_class = [0.5, 1, 4][: max(2, scores)]
    expected = net.evaluate(X, targets, sample_weight=np.array(by_class)[classes.astype(int)])
    assert net.evaluate(X, targets, class_weight=by_class) == expected
    assert expected["loss"] != net.evaluate(X, targets)["loss"]


NO_CLASSES = [
    (cr.SquaredError(), 1, LABELS),
    (cr.Poisson(), 1, LABELS > 1),
    (cr.CrossEntropy(), 3, np.full((30, 3), 1 / 3)),
    (cr.BinaryCrossEntropy(), 1, np.full(30, 0.5)),
    (cr.BinaryCrossEntropy(), 3, np.ones((30, 3))),
    (cr.Huber(), 3, np.eye(3)[LABELS]),
]


@pytest.mark.parametrize(("loss", "scores", "targets"), NO_CLASSES, ids=lambda value: type(value).__name__)
def test_class_weights_where_there_is_no_class_are_refused_with_a_way_out(loss, scores, targets):
    with pytest.raises(SettingError, match="class_weight: the targets do not name one class.*use sample_weight"):
        network(loss, scores).evaluate(X, targets, class_weight="balanced")


# --- in training ------------------------------------------------------------------------------------------------------


def test_rare_classes_are_found_more_often_where_classes_count_alike():
    rng = np.random.default_rng(3)
    labels = (rng.random(2000) < 0.05).astype(int)
    x = rng.normal(size=(2000, 2)) + 1.2 * labels[:, None]

    def found(**settings):
        net = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy(), seed=0)
        cr.train(net, (x, labels), epochs=20, optimizer=cr.SGD(0.3), progress=False, **settings)
        return (net.predict(x[labels == 1]).argmax(axis=1) == 1).mean()

    assert found() < 0.3
    assert found(class_weight="balanced") > 0.7


def test_samples_of_weight_0_teach_nothing():
    wrong = np.where(TIMES == 0, 2, LABELS)
    one, other = trained(sample_weight=TIMES)[0], trained((X, wrong), sample_weight=TIMES)[0]
    for name, W in one.parameters.items():
        assert np.array_equal(other.parameters[name], W)


def test_weights_go_with_their_samples_when_some_are_held_back():
    seen = []

    class Watch(cr.Callback):
        def on_train_end(self, run):
            seen.append(run.history.records[-1])

    settings = {"validation": 0.3, "epochs": 1, "optimizer": cr.SGD(1e-12), "callbacks": [Watch()]}
    net, _ = trained(sample_weight=TIMES, **settings)
    rows = np.arange(30)
    (kept, _), (held, _) = cr.data.split(rows, rows, 0.3, cr.randomness.stream(0, "validation"))
    expected = [net.evaluate(X[part], LABELS[part], sample_weight=TIMES[part])["loss"] for part in (kept, held)]
    np.testing.assert_allclose([seen[0]["loss"], seen[0]["validation_loss"]], expected, rtol=1e-9)


def test_validation_may_have_weights_of_its_own():
    net, history = trained(validation=(X, LABELS, TIMES), epochs=2)
    assert history["validation_loss"][-1] == net.evaluate(X, LABELS, sample_weight=TIMES)["loss"]


def test_class_weights_of_the_training_samples_count_in_validation_too():
    few = X[:20], LABELS[:20]
    net, history = trained(validation=few, class_weight="balanced", epochs=2)
    by_class = [30 / 3 / 18, 30 / 3 / 9, 30 / 3 / 3]
    the_same(history["validation_loss"][-1], net.evaluate(*few, class_weight=by_class)["loss"])


def test_a_weighted_training_that_diverges_says_so():
    net = cr.Network([cr.Linear(3)], loss=cr.SquaredError())
    settings = {"sample_weight": TIMES, "optimizer": cr.SGD(1e30), "epochs": 100, "progress": False}
    with pytest.raises(DivergenceError, match="is not finite"):
        cr.train(net, (X, RNG.normal(size=(30, 3))), **settings)


# --- what is refused --------------------------------------------------------------------------------------------------

REFUSED_SAMPLE_WEIGHTS = [
    (np.ones(29), ShapeError, r"expected one weight for each of the 30 samples, got an array \(29,\)"),
    (np.ones((30, 1)), ShapeError, r"got an array \(30, 1\)"),
    (2, ShapeError, r"got an array \(\)"),
    (np.where(np.arange(30) == 7, -1, 1), DataError, "weights must be 0 or more; row 7 has -1"),
    (np.where(np.arange(30) == 4, np.nan, 1), DataError, "the first that does not is nan in row 4"),
    (np.where(np.arange(30) == 4, np.inf, 1), DataError, "the first that does not is inf in row 4"),
    (["much"] * 30, DataTypeError, "expected numbers, got text"),
]


@pytest.mark.parametrize(("weights", "error", "message"), REFUSED_SAMPLE_WEIGHTS)
def test_sample_weights_that_do_not_fit_are_refused_and_named(weights, error, message):
    for call in (network().evaluate, network().gradients, lambda x, t, **w: cr.train(network(), (x, t), **w)):
        with pytest.raises(error, match=f"sample_weight: .*{message}"):
            call(X, LABELS, sample_weight=weights)


def test_weights_that_are_all_0_are_refused():
    for class_weight in (None, "balanced"):
        with pytest.raises(DataError, match="sample_weight: the weights of all samples are zero"):
            network().evaluate(X, LABELS, sample_weight=np.zeros(30), class_weight=class_weight)
    with pytest.raises(DataError, match="the weights of all samples are zero"):
        cr.train(network(), (X, LABELS), class_weight=[0, 0, 0])


REFUSED_CLASS_WEIGHTS = [
    ("balance", SettingError, "expected \"balanced\".*, got 'balance'"),
    ({3: 1.0}, SettingError, "expected classes from 0 to 2, got 3"),
    ({"cat": 1.0}, SettingError, "expected classes from 0 to 2, got 'cat'"),
    ({True: 1.0}, SettingError, "got True"),
    ({1: -2}, SettingError, "of class 1: expected a finite number of at least 0, got -2"),
    ({1: np.nan}, SettingError, "of class 1: expected a finite number of at least 0, got nan"),
    ({1: "much"}, SettingError, "of class 1: expected a finite number"),
    ({1: [1, 2]}, SettingError, "of class 1: expected a finite number"),
    ([1, 2], ShapeError, r"expected one weight for each of the 3 classes, got an array \(2,\)"),
    (3.0, ShapeError, r"got an array \(\)"),
    ([1, np.inf, 1], DataError, "is inf in row 1"),
    ([1, 2, -1], DataError, "class 2 has -1"),
]


@pytest.mark.parametrize(("weights", "error", "message"), REFUSED_CLASS_WEIGHTS)
def test_class_weights_that_do_not_fit_are_refused_and_named(weights, error, message):
    for call in (network().evaluate, network().gradients, lambda x, t, **w: cr.train(network(), (x, t), **w)):
        with pytest.raises(error, match=f"class_weight.*{message}"):
            call(X, LABELS, class_weight=weights)


def test_an_error_in_weights_leaves_the_network_as_it_was():
    net = network().build((4,))
    before = [W.copy() for W in net.parameters.values()]
    with pytest.raises(DataError, match="validation sample_weight: weights must be 0 or more; row 0"):
        cr.train(net, (X, LABELS), validation=(X[:2], LABELS[:2], [-1, 1]), progress=False)
    assert all(np.array_equal(a, b) for a, b in zip(before, net.parameters.values(), strict=True))
