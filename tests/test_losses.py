"""Every loss passes the common checks; then its link, its decisions, and the targets it understands or refuses."""

from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, DataTypeError, SettingError, ShapeError
from chainrule.losses import Loss
from chainrule.testing import all_losses, check_loss

LOSSES = all_losses(within="chainrule.")


@pytest.mark.parametrize("cls", LOSSES, ids=lambda cls: cls.__name__)
def test_passes_the_common_checks(cls):
    check_loss(cls())


WITH_OPTIONS = [
    cr.CrossEntropy(label_smoothing=0.1),
    cr.BinaryCrossEntropy(pos_weight=3),
    cr.BinaryFocal(gamma=0),
    cr.BinaryFocal(gamma=0.5, alpha=0.25),
    cr.Focal(gamma=0),
    cr.Focal(gamma=1.5, alpha=0.3),
    cr.Hinge(margin=0.7, power=2),
    cr.WestonWatkins(margin=0.7, power=2),
    cr.CrammerSinger(margin=0.3),
    cr.Huber(delta=0.3),
]


@pytest.mark.parametrize("loss", WITH_OPTIONS, ids=lambda loss: str(loss.configuration()))
def test_passes_the_common_checks_with_other_settings(loss):
    check_loss(loss)


def test_the_losses_of_this_version_are_all_there():
    names = {"SquaredError", "AbsoluteError", "Huber", "Poisson", "BinaryCrossEntropy", "CrossEntropy"}
    names |= {"KullbackLeibler", "BinaryFocal", "Focal", "Perceptron", "Hinge", "CrammerSinger", "WestonWatkins"}
    assert {cls.__name__ for cls in LOSSES} >= names


@pytest.mark.usefixtures("registers")
class TestAnAddedLoss:
    @staticmethod
    def plant(**mistakes):
        """A right loss Σ (f − t)⁴, but for the methods given."""

        @dataclass(eq=False)
        class Quartic(Loss):
            def prepare(self, targets, shape, name):
                return np.asarray(targets)

            def forward(self, f, t):
                return ((f - t.astype(f.dtype)) ** 4).sum(axis=1)

            def backward(self, dloss, f, t):
                return dloss[:, None] * 4 * (f - t.astype(f.dtype)) ** 3

            def link(self, f):
                return f.copy()

            def example_targets(self, rng, samples, outputs):
                return rng.standard_normal((samples, outputs))

        for name, function in mistakes.items():
            setattr(Quartic, name, function)
        return Quartic

    def test_is_found_by_itself_and_passes(self):
        planted = self.plant()
        assert planted in all_losses()
        check_loss(planted())

    @pytest.mark.parametrize(
        ("mistake", "message"),
        [
            ({"backward": lambda self, dloss, f, t: -dloss[:, None] * 4 * (f - t) ** 3}, "df: the derivative is wrong"),
            ({"backward": lambda self, dloss, f, t: dloss[:, None] * 3 * (f - t) ** 3}, "df: the derivative is wrong"),
            ({"backward": lambda self, dloss, f, t: 4 * (f - t) ** 3}, "df: the derivative is wrong"),
            ({"forward": lambda self, f, t: ((f - t) ** 4).sum()}, r"one per sample,: expected shape \(4,\), got \(\)"),
            (
                {"forward": lambda self, f, t: ((f - t) ** 4).sum(axis=1)},
                "loss in float32: expected float32, got float64",
            ),
            ({"count_right": lambda self, f, t: len(f) + 1}, "expected 0 to 0 decided right, got 1"),
            ({"link": lambda self, f: f[:1]}, "expected 4 predictions, got 1|expected 0 predictions"),
        ],
    )
    def test_is_caught_when_wrong(self, mistake, message):
        with pytest.raises(AssertionError, match=message):
            check_loss(self.plant(**mistake)())


def scores(*rows):
    return np.array(rows, np.float64)


CANONICAL = [
    cr.SquaredError,
    cr.BinaryCrossEntropy,
    cr.CrossEntropy,
    cr.KullbackLeibler,
    cr.Poisson,
    cr.Perceptron,
]


@pytest.mark.parametrize("cls", CANONICAL, ids=lambda cls: cls.__name__)
def test_with_the_canonical_link_the_gradient_is_prediction_minus_target(cls):
    """B4, C1, D3 and D5 are one fact."""
    loss, rng = cls(), np.random.default_rng(0)
    f = rng.standard_normal((5, 3))
    targets = loss.example_targets(rng, 5, 3)
    t = loss.prepare(targets, (3,), "targets")
    rows = np.eye(3)[t] if t.ndim == 1 else t
    assert loss.backward(np.ones(5), f, t) == pytest.approx(loss.link(f) - rows, abs=1e-15)


def test_the_links():
    f = scores([0, np.log(3)])
    for same in (cr.AbsoluteError(), cr.Huber()):
        assert np.array_equal(same.link(f), f)
    assert cr.Poisson().link(f) == pytest.approx(scores([1, 3]))
    assert cr.BinaryFocal().link(f) == pytest.approx(scores([0.5, 0.75]))
    for softmax in (cr.Focal(), cr.KullbackLeibler()):
        assert softmax.link(f) == pytest.approx(scores([0.25, 0.75]))
    assert cr.Hinge().link(f - 0.5).tolist() == [[0, 1]]
    for decided in (cr.CrammerSinger(), cr.WestonWatkins()):
        assert decided.link(f).tolist() == [[0, 1]]
    assert np.array_equal(cr.SquaredError().link(f), f)
    assert cr.BinaryCrossEntropy().link(f) == pytest.approx(scores([0.5, 0.75]))
    assert cr.CrossEntropy().link(f) == pytest.approx(scores([0.25, 0.75]))
    assert cr.Perceptron().link(f).tolist() == [[1, 1]]


def test_squared_error_reads_labels_as_one_hot_rows():
    loss, f = cr.SquaredError(), scores([0.5, 0.25, 0], [1, 0, 0])
    labels = loss.prepare([1, 0], (3,), "targets")
    rows = loss.prepare([[0, 1, 0], [1, 0, 0]], (3,), "targets")
    assert np.array_equal(loss.forward(f, labels), loss.forward(f, rows))
    assert np.array_equal(loss.backward(np.ones(2), f, labels), loss.backward(np.ones(2), f, rows))
    assert loss.count_right(f, labels) == 1
    assert loss.count_right(f, rows) is None


def test_squared_error_of_images_adds_over_all_their_pixels():
    loss = cr.SquaredError()
    f = np.arange(12.0).reshape(2, 2, 3)
    t = loss.prepare(np.zeros((2, 2, 3)), (2, 3), "targets")
    assert loss.forward(f, t).tolist() == [55 / 2, (506 - 55) / 2]
    assert np.array_equal(loss.backward(np.ones(2), f, t), f)


def test_binary_cross_entropy_is_right_when_every_answer_is():
    loss = cr.BinaryCrossEntropy()
    t = loss.prepare([[1, 0], [1, 1]], (2,), "targets")
    assert loss.count_right(scores([2, -1], [2, -1]), t) == 1


def test_multi_label_accuracy_asks_for_every_answer_of_a_sample_or_for_each_alone():
    x = scores([2, -1, 1], [-2, -1, 1], [2, 1, 1], [2, -1, -1])
    targets = [[1, 0, 1], [1, 0, 1], [1, 0, 1], [1, 0, 1]]
    network = cr.Network([cr.Identity()], loss=cr.BinaryCrossEntropy(), dtype="float64")
    assert network.evaluate(x, targets)["accuracy"] == 1 / 4
    assert cr.evaluation.accuracy_per_label(targets, network.predict(x)).tolist() == [3 / 4, 3 / 4, 3 / 4]


@pytest.mark.parametrize(
    "loss", [cr.CrossEntropy(), cr.Focal(), cr.CrammerSinger(), cr.WestonWatkins(), cr.KullbackLeibler()], ids=repr
)
def test_classifiers_of_several_classes_decide_for_the_largest_score(loss):
    t = loss.prepare(np.eye(3)[[1, 2]], (3,), "targets")
    assert loss.count_right(scores([1, 3, 2], [1, 3, 2]), t) == 1


@pytest.mark.parametrize("loss", [cr.BinaryFocal(), cr.Hinge(), cr.Perceptron()], ids=repr)
def test_yes_and_no_are_decided_at_0(loss):
    t = loss.prepare([[1, 0], [1, 0]], (2,), "targets")
    assert loss.count_right(scores([0.5, -0.5], [-0.5, -0.5]), t) == 1


def test_losses_of_numbers_decide_nothing():
    for loss in (cr.SquaredError(), cr.AbsoluteError(), cr.Huber(), cr.Poisson()):
        t = loss.prepare([[1.0, 2.0]], (2,), "targets")
        assert loss.count_right(scores([1, 2]), t) is None
        assert not loss.decides


def test_label_smoothing_is_part_of_the_loss_and_not_of_the_accuracy():
    f, labels = scores([1, 3, 2], [9, 0, 0]), np.array([1, 0])
    plain, smoothed = cr.CrossEntropy(), cr.CrossEntropy(label_smoothing=0.3)
    rows = np.eye(3)[labels] * 0.7 + 0.1
    assert smoothed.forward(f, labels) == pytest.approx(plain.forward(f, rows), rel=1e-14)
    assert smoothed.forward(f, np.eye(3)[labels]) == pytest.approx(plain.forward(f, rows), rel=1e-14)
    assert smoothed.count_right(f, labels) == plain.count_right(f, labels)


def test_without_gamma_and_alpha_focal_losses_are_cross_entropies():
    f, labels = scores([1, 3, 2], [9, 0, 0]), np.array([1, 2])
    t = np.eye(3)[labels]
    assert cr.Focal(gamma=0).forward(f, labels) == pytest.approx(cr.CrossEntropy().forward(f, labels), rel=1e-14)
    assert cr.BinaryFocal(gamma=0).forward(f, t) == pytest.approx(cr.BinaryCrossEntropy().forward(f, t), rel=1e-14)


def test_a_focal_loss_of_two_classes_is_that_of_yes_and_no():
    """Softmax with two scores is the sigmoid of their difference (D3)."""
    f, labels = scores([1, 3], [9, 0], [0.2, 0]), np.array([1, 1, 0])
    two, one = cr.Focal(gamma=1.5, alpha=(0.7, 0.3)), cr.BinaryFocal(gamma=1.5, alpha=0.3)
    expected = one.forward(f[:, 1:] - f[:, :1], labels[:, None].astype(float))
    assert two.forward(f, labels) == pytest.approx(expected, rel=1e-13)


def test_a_pos_weight_counts_yes_so_many_times():
    f, t = scores([0.5, -1], [2, 1]), scores([1, 0], [1, 1])
    loss = cr.BinaryCrossEntropy(pos_weight=[3, 1])
    p = 1 / (1 + np.exp(-f))
    each = -(np.array([3, 1]) * t * np.log(p) + (1 - t) * np.log(1 - p))
    assert loss.forward(f, t) == pytest.approx(each.sum(axis=1), rel=1e-14)


def test_where_a_slope_jumps_0_is_taken():
    ones = np.ones(1)
    assert cr.AbsoluteError().backward(ones, scores([2]), scores([2])).tolist() == [[0]]
    assert cr.Hinge().backward(ones, scores([1]), scores([1])).tolist() == [[0]]
    assert cr.CrammerSinger().backward(ones, scores([1, 2]), np.array([1])).tolist() == [[0, 0]]
    assert cr.WestonWatkins().backward(ones, scores([1, 2]), np.array([1])).tolist() == [[0, 0]]


def test_of_two_equal_rivals_the_first_is_pushed_down():
    assert cr.CrammerSinger().backward(np.ones(1), scores([1, 3, 1, 3]), np.array([0])).tolist() == [[-1, 1, 0, 0]]


@pytest.mark.parametrize("loss", [cr.AbsoluteError(), cr.Huber(0.5), cr.Poisson()], ids=repr)
def test_losses_of_images_of_numbers_add_over_all_their_pixels(loss):
    f, t = np.arange(12.0).reshape(2, 2, 3) / 5, np.ones((2, 2, 3))
    flat = loss.forward(f.reshape(2, 6), t.reshape(2, 6))
    assert np.array_equal(loss.forward(f, loss.prepare(t, (2, 3), "targets")), flat)
    assert np.array_equal(
        loss.backward(np.ones(2), f, t), loss.backward(np.ones(2), f.reshape(2, 6), t.reshape(2, 6)).reshape(f.shape)
    )


def test_a_hinge_takes_minus_1_and_1_for_no_and_yes():
    loss = cr.Hinge()
    assert loss.prepare([-1, 1, 1], (1,), "targets").tolist() == [[0], [1], [1]]
    assert loss.prepare([[1, -1]], (2,), "targets").tolist() == [[1, 0]]


@pytest.mark.parametrize("loss", [cr.Focal(), cr.CrammerSinger(), cr.WestonWatkins()], ids=repr)
@pytest.mark.parametrize("targets", [[2, 0, 1], [[2], [0], [1]], np.eye(3)[[2, 0, 1]], np.float16([2, 0, 1])], ids=repr)
def test_losses_of_labels_understand_labels_and_one_hot_rows(loss, targets):
    assert loss.prepare(targets, (3,), "targets").tolist() == [2, 0, 1]


def test_cross_entropy_decides_for_the_largest_score():
    loss, f = cr.CrossEntropy(), scores([1, 3, 2], [1, 3, 2])
    assert loss.count_right(f, loss.prepare([1, 2], (3,), "targets")) == 1
    assert loss.count_right(f, loss.prepare([[0, 1, 0], [0, 0.1, 0.9]], (3,), "targets")) == 1


# One fact in the forms that users write it in.

LABEL_FORMS = [
    [2, 0, 1],
    (2, 0, 1),
    np.array([2, 0, 1], np.uint8),
    np.array([2, 0, 1], ">i4"),
    np.array([2.0, 0.0, 1.0]),
    np.array([2, 0, 1], np.float16),
    np.array([[2], [0], [1]]),
    np.eye(3)[[2, 0, 1]],
    np.eye(3, dtype=bool)[[2, 0, 1]],
    np.eye(3, dtype=int)[[2, 0, 1]].tolist(),
]


@pytest.mark.parametrize(
    "targets", LABEL_FORMS, ids=lambda t: f"{type(t).__name__} {np.asarray(t).dtype} {np.shape(t)}"
)
def test_cross_entropy_understands_every_form_of_label(targets):
    loss, f = cr.CrossEntropy(), scores([1, 2, 0.5], [0, 1, -1], [2, 2, 2])
    t = loss.prepare(targets, (3,), "targets")
    expected = loss.forward(f, np.array([2, 0, 1]))
    assert loss.forward(f, t) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("targets", [[1, 0, 1], [[1], [0], [1]], np.array([True, False, True]), np.float16([1, 0, 1])])
@pytest.mark.parametrize("loss", [cr.BinaryCrossEntropy(), cr.Perceptron(), cr.SquaredError()])
def test_a_single_score_takes_targets_in_a_row_or_a_column(loss, targets):
    assert loss.prepare(targets, (1,), "targets").tolist() == [[1], [0], [1]]


REFUSED = [
    (cr.CrossEntropy(), (3,), [0, 3], DataError, "labels must be whole numbers from 0 to 2; row 1 is 3"),
    (cr.CrossEntropy(), (3,), [0, 1, -1], DataError, "row 2 is -1"),
    (cr.CrossEntropy(), (3,), [0.5, 1], DataError, "row 0 is 0.5"),
    (cr.CrossEntropy(), (3,), [[0, 1], [1, 0]], ShapeError, r"expected rows of shape \(3,\).* got an array \(2, 2\)"),
    (cr.CrossEntropy(), (3,), [[0.5, 0.5, 0.5]], DataError, "must sum to 1; row 0 sums to 1.5"),
    (cr.CrossEntropy(), (3,), [[0, 1, 0], [0, 2, -1]], DataError, "expected 0, 1 or probabilities between; row 1"),
    (cr.CrossEntropy(), (3,), [0, np.nan], DataError, "values must be finite.* is nan in row 1"),
    (cr.CrossEntropy(), (3,), 2, ShapeError, r"got an array \(\)"),
    (cr.CrossEntropy(), (3,), np.nan, DataError, "the first that does not is nan"),
    (cr.CrossEntropy(), (3,), ["cat", "dog"], DataTypeError, r"expected numbers, got text.*numpy.unique"),
    (cr.CrossEntropy(), (3,), [None, 1], DataTypeError, "expected numbers, got Python objects"),
    (cr.CrossEntropy(), (3,), [1j, 1], DataTypeError, "expected numbers, got complex numbers"),
    (cr.CrossEntropy(), (3,), [[0], [1, 2]], DataTypeError, "rows of equal length"),
    (cr.BinaryCrossEntropy(), (1,), [0, 1, 2], DataError, "expected 0, 1 or probabilities between; row 2"),
    (cr.BinaryCrossEntropy(), (2,), [0, 1], ShapeError, r"expected rows of shape \(2,\)"),
    (cr.BinaryCrossEntropy(), (1,), [[0, 1]], ShapeError, r"expected rows of shape \(1,\).* got an array \(1, 2\)"),
    (cr.SquaredError(), (2,), [0.5, 1.5], ShapeError, r"expected rows of shape \(2,\).* got an array \(2,\)"),
    (cr.SquaredError(), (2,), [0, 2], DataError, "labels must be whole numbers from 0 to 1; row 1 is 2"),
    (cr.SquaredError(), (2,), [[1], [2]], ShapeError, r"got an array \(2, 1\)"),
    (cr.SquaredError(), (1,), [[1, 2]], ShapeError, r"got an array \(1, 2\)"),
    (cr.SquaredError(), (1,), [1, np.inf], DataError, "is inf in row 1"),
    (cr.SquaredError(), (2, 3), np.zeros((4, 3, 2)), ShapeError, r"expected rows of shape \(2, 3\)"),
    (cr.Perceptron(), (1,), [0, 0.5], DataError, "decisions must be 0 or 1; row 1"),
    (cr.Perceptron(), (1,), [0, -1], DataError, "decisions must be 0 or 1; row 1"),
    (cr.Perceptron(), (2,), [0, 1], ShapeError, r"expected rows of shape \(2,\)"),
    (cr.Hinge(), (1,), [0, 1, -1], DataError, r"decisions must be 0 or 1; row 2 is \[-1"),
    (cr.Hinge(), (1,), [0.5, 1], DataError, "decisions must be 0 or 1; row 0"),
    (cr.BinaryFocal(), (1,), [0, 0.5], DataError, "decisions must be 0 or 1; row 1"),
    (cr.Focal(), (3,), [0, 3], DataError, "labels must be whole numbers from 0 to 2; row 1 is 3"),
    (cr.Focal(), (3,), [[0.5, 0.5, 0]], DataError, "expected labels, or one-hot rows; row 0"),
    (cr.CrammerSinger(), (3,), [[1, 1, 0]], DataError, "expected labels, or one-hot rows; row 0"),
    (cr.WestonWatkins(), (3,), [[1, 0]], ShapeError, r"expected rows of shape \(3,\).* got an array \(1, 2\)"),
    (cr.WestonWatkins(), (3,), 1, ShapeError, r"expected one label per sample \(N,\), got an array \(\)"),
    (
        cr.KullbackLeibler(),
        (3,),
        [0, 1],
        DataError,
        r"expected rows of probabilities \(N, 3\); for labels use CrossEntropy",
    ),
    (cr.KullbackLeibler(), (3,), [[0.5, 0.2, 0.2]], DataError, "must sum to 1; row 0 sums to 0.9"),
    (cr.Poisson(), (1,), [0, 3, -1], DataError, "expected counts, 0 or more; row 2"),
    (cr.Huber(), (2,), [0, 1], ShapeError, r"expected rows of shape \(2,\)"),
    (cr.AbsoluteError(), (1,), [1, np.inf], DataError, "is inf in row 1"),
]

REFUSED_SETTINGS = [
    (lambda: cr.CrossEntropy(label_smoothing=1), "CrossEntropy: label_smoothing: expected .* below 1, got 1"),
    (lambda: cr.CrossEntropy(label_smoothing=-0.1), "label_smoothing: expected .* at least 0"),
    (lambda: cr.BinaryCrossEntropy(pos_weight=-1), "pos_weight: expected a finite number of at least 0, got -1"),
    (lambda: cr.BinaryCrossEntropy(pos_weight=[1, "much"]), "pos_weight: expected a finite number .* got 'much'"),
    (lambda: cr.BinaryCrossEntropy(pos_weight=[[1, 2]]), "pos_weight: expected a finite number"),
    (lambda: cr.Huber(delta=0), "Huber: delta: expected a number above 0"),
    (lambda: cr.Hinge(margin=0), "Hinge: margin: expected a number above 0"),
    (lambda: cr.Hinge(power=3), r"Hinge: power: expected 1 \(hinge\) or 2 \(squared hinge\), got 3"),
    (lambda: cr.WestonWatkins(power=1.5), "WestonWatkins: power: expected a whole number"),
    (lambda: cr.CrammerSinger(margin=np.nan), "CrammerSinger: margin: expected a finite number"),
    (lambda: cr.Focal(gamma=-1), "Focal: gamma: expected a finite number of at least 0"),
    (lambda: cr.Focal(alpha=[0.5, -1]), "Focal: alpha: expected a finite number of at least 0"),
    (lambda: cr.BinaryFocal(alpha=1.5), "BinaryFocal: alpha: expected a share from 0 to 1, got 1.5"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED_SETTINGS)
def test_settings_out_of_their_range_are_refused_and_named(make, message):
    with pytest.raises(SettingError, match=message):
        make()


@pytest.mark.parametrize("loss", [cr.Focal(alpha=[1, 2, 3]), cr.BinaryCrossEntropy(pos_weight=np.ones(3))], ids=repr)
def test_a_number_for_each_score_must_be_as_many_as_scores(loss):
    network = cr.Network([cr.Linear(2)], loss=loss)
    with pytest.raises(ShapeError, match="one for each of the 2 scores, got 3"):
        network.build((4,))


@pytest.mark.parametrize("loss", [*WITH_OPTIONS, cr.Focal(alpha=[1, 2, 3]), cr.BinaryCrossEntropy([1, 2, 3])], ids=repr)
def test_settings_are_in_the_model_file(loss, tmp_path):
    network = cr.Network([cr.Linear(3)], loss=loss).build((2,))
    network.save(tmp_path / "model.safetensors")
    loaded = cr.load(tmp_path / "model.safetensors")
    assert loaded.loss.configuration() == loss.configuration()
    x, targets = np.ones((3, 2)), loss.example_targets(np.random.default_rng(0), 3, 3)
    assert loaded.evaluate(x, targets) == network.evaluate(x, targets)


@pytest.mark.parametrize(("loss", "shape", "targets", "error", "message"), REFUSED)
def test_targets_that_do_not_fit_are_refused_and_named(loss, shape, targets, error, message):
    with pytest.raises(error, match=f"answers: .*{message}"):
        loss.prepare(targets, shape, "answers")


CLASSIFIERS = [cls() for cls in LOSSES if cls.decides]


@pytest.mark.parametrize("loss", CLASSIFIERS, ids=repr)
def test_a_classifier_needs_a_row_of_scores(loss):
    with pytest.raises(ShapeError, match=rf"{type(loss).__name__}: expected a row of scores \(K,\).*end in a Linear"):
        loss.check_scores((2, 3))


def test_cross_entropy_of_one_class_is_refused_with_a_way_out():
    with pytest.raises(ShapeError, match="at least 2 scores, one per class, got 1;.*use BinaryCrossEntropy"):
        cr.CrossEntropy().check_scores((1,))
    with pytest.raises(ShapeError, match="WestonWatkins.*use Hinge"):
        cr.WestonWatkins().check_scores((1,))
    with pytest.raises(ShapeError, match="Focal.*use BinaryFocal"):
        cr.Focal().check_scores((1,))


def test_the_base_class_leaves_the_mathematics_to_its_subclasses():
    base, f = Loss(), scores([1])
    for unwritten in (
        lambda: base.prepare([1], (1,), "t"),
        lambda: base.forward(f, f),
        lambda: base.backward(f, f, f),
        lambda: base.link(f),
        lambda: base.example_targets(np.random.default_rng(0), 1, 1),
    ):
        with pytest.raises(NotImplementedError):
            unwritten()
    assert base.count_right(f, f) is None


@pytest.mark.parametrize("cls", LOSSES, ids=lambda cls: cls.__name__)
def test_says_its_formula_link_and_targets(cls):
    assert "L = " in cls.__doc__
    assert "link: " in cls.__doc__
    assert "argets: " in cls.__doc__
