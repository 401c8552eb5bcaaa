"""Every loss passes the common checks; then its link, its decisions, and the targets it understands or refuses."""

from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, DataTypeError, ShapeError
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
]


@pytest.mark.parametrize(("loss", "shape", "targets", "error", "message"), REFUSED)
def test_targets_that_do_not_fit_are_refused_and_named(loss, shape, targets, error, message):
    with pytest.raises(error, match=f"answers: .*{message}"):
        loss.prepare(targets, shape, "answers")


@pytest.mark.parametrize("loss", [cr.CrossEntropy(), cr.BinaryCrossEntropy(), cr.Perceptron()])
def test_a_classifier_needs_a_row_of_scores(loss):
    with pytest.raises(ShapeError, match=rf"{type(loss).__name__}: expected a row of scores \(K,\).*end in a Linear"):
        loss.check_scores((2, 3))


def test_cross_entropy_of_one_class_is_refused_with_a_way_out():
    with pytest.raises(ShapeError, match="at least 2 scores, one per class, got 1;.*use BinaryCrossEntropy"):
        cr.CrossEntropy().check_scores((1,))


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
