"""Embedding: rows for words, gradients that add up, and words that there are not."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError
from chainrule.layers import Context
from chainrule.operations import backend, embedding_backward, embedding_forward, whole_numbers

RNG = np.random.default_rng(0)
WORDS = RNG.integers(0, 7, size=(40, 5))
LABELS = (WORDS == 3).any(axis=1).astype(int)


def network():
    return cr.Network([cr.Embedding(7, 3), cr.Flatten(), cr.Linear(2)], loss=cr.CrossEntropy())


def test_each_word_becomes_its_row():
    layer = cr.Embedding(3, 2)
    assert layer.build((4,), np.random.default_rng(0)) == (4, 2)
    layer.W[...] = [[0, 1], [2, 3], [4, 5]]
    y, _ = layer.forward(np.array([[2.0, 0, 1, 2]]), Context())
    assert y.tolist() == [[[4, 5], [0, 1], [2, 3], [4, 5]]]


@pytest.mark.parametrize("name", ["native", "reference"])
def test_what_is_no_whole_number_is_no_word(name):
    x = np.array([0.0, -0.0, 3, 0.5, -1, 2**31, 2.0**31 - 1, np.nan, np.inf, -np.inf, 1e300])
    with backend(name):
        assert whole_numbers(x).tolist() == [0, 0, 3, -1, -1, -1, 2**31 - 1, -1, -1, -1, -1]


@pytest.mark.parametrize("name", ["native", "reference"])
def test_a_word_that_is_not_there_is_nan_and_has_no_gradient(name):
    W, index = np.ones((2, 3)), np.array([[0, -1], [2, 1]])
    with backend(name):
        y = embedding_forward(index, W)
        dW = embedding_backward(np.ones((2, 2, 3)), index, W)
    assert np.isnan(y).all(axis=2).tolist() == [[False, True], [True, False]]
    assert dW.tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_a_word_add_up_place_by_place(dtype):
    index, dy = RNG.integers(0, 5, size=(60, 9)), RNG.normal(size=(60, 9, 70)).astype(dtype)
    dW = np.zeros((5, 70), dtype)
    for word, slope in zip(index.ravel(), dy.reshape(-1, 70), strict=True):
        dW[word] += slope
    assert embedding_backward(dy, index, np.zeros((5, 70), dtype)).tobytes() == dW.tobytes()


def test_it_learns_which_word_decides():
    net = network()
    cr.train(net, (WORDS, LABELS), epochs=60, batch_size=None, optimizer=cr.Adam(0.05), progress=False)
    assert net.evaluate(WORDS, LABELS)["accuracy"] == 1


@pytest.mark.parametrize("wrong", [7, -1, 0.5])
def test_a_word_that_cannot_be_is_refused_with_its_row(wrong):
    words = WORDS.astype(float)
    words[11, 2] = wrong
    for use in (network().predict, lambda x: cr.train(network(), (x, LABELS), progress=False)):
        with pytest.raises(DataError, match=rf"x: expected whole numbers from 0 to 6; .* is {wrong} in row 11"):
            use(words)


def test_a_prediction_by_tape_still_looks_at_the_words():
    """Step makes 0 of NaN, so that the scores do not show that there was no such word."""
    net = cr.Network([cr.Embedding(7, 3), cr.Step(), cr.Flatten(), cr.Linear(2)], loss=cr.CrossEntropy())
    words = WORDS.astype(np.float32)
    for _ in range(5):
        net.predict(words)
    words[11, 2] = 7
    with pytest.raises(DataError, match="x: expected whole numbers from 0 to 6"):
        net.predict(words)


def test_behind_parallel_branches_the_smallest_vocabulary_counts():
    both = cr.Parallel((cr.Embedding(7, 3), cr.Embedding(5, 3)))
    net = cr.Network([both, cr.Flatten(), cr.Linear(2)], loss=cr.CrossEntropy())
    with pytest.raises(DataError, match="whole numbers from 0 to 4"):
        net.predict(np.full((2, 3), 6))


def test_words_behind_a_change_of_shape_are_looked_at_too():
    net = cr.Network([cr.Reshape((-1,)), *network().layers], loss=cr.CrossEntropy())
    with pytest.raises(DataError, match="7"):
        net.predict(np.full((2, 5, 1), 7.0))
