"""Confusion matrices, decisions, mistakes, R²."""

import numpy as np
import pytest
from sklearn import metrics

import chainrule as cr
from chainrule.errors import DataError, DataTypeError, SettingError, ShapeError
from chainrule.evaluation import (
    ConfusedPair,
    Mistake,
    accuracy_per_label,
    confusion_matrix,
    decide,
    misclassified,
    most_confused_pairs,
    r_squared,
)


def test_rows_are_true_classes_and_columns_predicted_ones():
    matrix = confusion_matrix([0, 0, 1, 2], [0, 1, 1, 0], 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert matrix.dtype == np.int64


def test_the_confusion_matrix_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 7, 500), rng.integers(0, 7, 500)
    np.testing.assert_array_equal(confusion_matrix(true, predicted, 7), metrics.confusion_matrix(true, predicted))


def test_a_class_that_never_comes_has_a_row_of_zeros():
    assert confusion_matrix([0], [0], 3).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_no_samples_give_a_matrix_of_zeros():
    assert confusion_matrix(np.zeros(0, int), np.zeros(0, int), 2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("wrong", [[0, 3], [0, -1], [0, 0.5]])
def test_what_is_not_a_class_is_refused_with_its_row(wrong):
    with pytest.raises(DataError, match=r"labels: classes must be whole numbers from 0 to 2; row 1 is"):
        confusion_matrix(wrong, [0, 0], 3)
    with pytest.raises(DataError, match="predicted: classes must be"):
        confusion_matrix([0, 0], wrong, 3)


def test_text_labels_are_refused():
    with pytest.raises(DataTypeError, match="labels: expected numbers, got text"):
        confusion_matrix(["cat", "dog"], [0, 1], 2)


def test_rows_of_different_length_are_refused():
    with pytest.raises(ShapeError, match="labels has 2 samples, predicted 3"):
        confusion_matrix([0, 1], [0, 1, 1], 2)


def test_labels_in_columns_are_refused():
    with pytest.raises(ShapeError, match=r"labels: expected one class per sample \(N,\), got an array \(2, 1\)"):
        confusion_matrix([[0], [1]], [0, 1], 2)


def test_the_number_of_classes_must_be_one():
    with pytest.raises(SettingError, match="classes: expected a whole number"):
        confusion_matrix([0], [0], 0)


def test_the_most_confused_pairs_come_most_frequent_first_without_the_diagonal():
    matrix = [[90, 2, 0], [5, 80, 1], [0, 7, 70]]
    assert most_confused_pairs(matrix, most=3) == [ConfusedPair(2, 1, 7), ConfusedPair(1, 0, 5), ConfusedPair(0, 1, 2)]


def test_pairs_confused_equally_often_keep_the_order_of_the_classes():
    assert most_confused_pairs([[0, 1], [1, 0]]) == [ConfusedPair(0, 1, 1), ConfusedPair(1, 0, 1)]


def test_pairs_that_were_never_confused_are_not_listed():
    assert most_confused_pairs(np.diag([3, 4])) == []


def test_a_matrix_that_is_not_square_is_refused():
    with pytest.raises(ShapeError, match="as many rows as columns"):
        most_confused_pairs([[1, 2]])


def test_the_largest_of_several_answers_wins():
    classes, confidence = decide([[0.2, 0.5, 0.3], [0.9, 0.1, 0.0]])
    assert classes.tolist() == [1, 0]
    assert confidence.tolist() == [0.5, 0.9]


def test_a_single_answer_decides_for_class_one_from_a_half_on():
    classes, confidence = decide([[0.5], [0.25], [1.0]])
    assert classes.tolist() == [1, 0, 1]
    assert confidence.tolist() == [0.5, 0.75, 1.0]


@pytest.mark.parametrize("answers", [[0.1, 0.9], np.zeros((2, 0)), np.zeros((2, 2, 2))])
def test_answers_of_another_shape_are_refused(answers):
    with pytest.raises(ShapeError, match="answers: expected one row of answers per sample"):
        decide(answers)


def scores_as_answers(outputs, loss):
    """A network whose scores are its inputs."""
    network = cr.Network([cr.Linear(outputs)], loss=loss, dtype="float64").build((outputs,))
    network.parameters["layers.0.W"][...] = np.eye(outputs)
    return network


def test_mistakes_come_surest_first_with_what_was_decided_and_how_surely():
    network = scores_as_answers(3, cr.CrossEntropy())
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.05, 0.05, 0.9], [0.3, 0.4, 0.3]])
    found = misclassified(network, np.log(p), [0, 2, 1, 0])
    assert [(m.index, m.true, m.predicted) for m in found] == [(2, 1, 2), (1, 2, 1), (3, 0, 1)]
    np.testing.assert_allclose([m.confidence for m in found], [0.9, 0.6, 0.4], rtol=1e-12)


def test_a_network_with_one_score_is_sure_of_no_as_well_as_of_yes():
    network = scores_as_answers(1, cr.BinaryCrossEntropy())
    found = misclassified(network, [[-2.0], [3.0], [1.0]], [1, 1, 0])
    assert [(m.index, m.true, m.predicted) for m in found] == [(0, 1, 0), (2, 0, 1)]
    np.testing.assert_allclose([m.confidence for m in found], 1 / (1 + np.exp([-2.0, -1.0])), rtol=1e-12)


def test_mistakes_equally_sure_keep_the_order_of_the_samples():
    network = scores_as_answers(2, cr.CrossEntropy())
    assert [m.index for m in misclassified(network, [[1.0, 0.0]] * 3, [1, 0, 1])] == [0, 2]


def test_a_network_that_is_always_right_makes_no_mistakes():
    network = scores_as_answers(2, cr.CrossEntropy())
    assert misclassified(network, [[1.0, 0.0], [0.0, 1.0]], [0, 1]) == []


def test_the_mistakes_are_those_that_evaluate_counts():
    digits = cr.data.load_digits()
    network = cr.Network([cr.Linear(10)], loss=cr.CrossEntropy())
    cr.train(network, digits.train, epochs=2, progress=False)
    x, labels = digits.test
    found = misclassified(network, x, labels)
    assert 1 - len(found) / len(x) == pytest.approx(network.evaluate(x, labels)["accuracy"], abs=1e-12)
    assert all(isinstance(m, Mistake) and labels[m.index] == m.true != m.predicted for m in found)


def test_mistakes_need_as_many_labels_as_samples():
    network = scores_as_answers(2, cr.CrossEntropy())
    with pytest.raises(ShapeError, match="x has 1 samples, labels 2"):
        misclassified(network, [[1.0, 0.0]], [0, 1])


def test_r_squared_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    t = rng.normal(size=50)
    y = t + rng.normal(0, 0.3, 50)
    assert r_squared(t, y) == pytest.approx(metrics.r2_score(t, y), rel=1e-12)


def test_r_squared_is_one_when_perfect_and_zero_for_the_mean():
    assert r_squared([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 1
    assert r_squared([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) == 0


def test_a_row_and_a_column_of_values_go_together():
    assert r_squared([1.0, 2.0], [[1.0], [2.0]]) == 1


def test_r_squared_needs_a_spread_to_explain():
    with pytest.raises(DataError, match="at least two different values"):
        r_squared([1.0, 1.0], [1.0, 2.0])


def test_r_squared_refuses_shapes_that_differ():
    with pytest.raises(ShapeError, match="expected the same shape"):
        r_squared([1.0, 2.0], [1.0, 2.0, 3.0])


def test_accuracy_per_label_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    targets, answers = rng.integers(0, 2, (40, 3)), rng.random((40, 3))
    found = accuracy_per_label(targets, answers)
    assert found.shape == (3,)
    assert found.mean() == pytest.approx(1 - metrics.hamming_loss(targets, answers >= 0.5), rel=1e-14)
    assert accuracy_per_label([1, 0], [[0.7], [0.6]]).tolist() == [0.5]


@pytest.mark.parametrize(
    ("targets", "answers", "error", "message"),
    [
        ([[1, 0]], [[0.5, 0.5], [1, 0]], ShapeError, "answers has 2 samples, targets 1"),
        ([[1, 0, 1]], [[0.5, 0.5]], ShapeError, r"expected rows of shape \(2,\)"),
        ([[1, 0.3]], [[0.5, 0.5]], DataError, "decisions must be 0 or 1; row 0"),
        ([1], [0.5], ShapeError, r"answers: expected a row of answers for each sample \(N, K\), got an array \(1,\)"),
    ],
)
def test_accuracy_per_label_refuses_what_does_not_fit(targets, answers, error, message):
    with pytest.raises(error, match=message):
        accuracy_per_label(targets, answers)
