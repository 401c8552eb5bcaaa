"""Random numbers: one stream per seed and purpose, and nothing global."""

import random

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.randomness import stream


def numbers(seed, purpose="weights"):
    return stream(seed, purpose).random(8).tolist()


def test_the_same_seed_and_purpose_give_the_same_numbers():
    assert numbers(5) == numbers(5)
    assert numbers(np.int64(5)) == numbers(5)


def test_another_seed_or_purpose_gives_others():
    streams = [numbers(seed, purpose) for seed in (0, 1, 2**32, 2**200) for purpose in ("weights", "shuffle")]
    assert len({tuple(found) for found in streams}) == 8


def test_no_seed_gives_fresh_numbers_each_time():
    assert numbers(None) != numbers(None)


def test_the_numbers_of_a_seed_are_fixed_for_ever():
    """Golden values: the first weights of every network made with a seed depend on them."""
    assert stream(0, "weights").bit_generator.random_raw(3).tolist() == [
        2499875479756816945,
        6223881813442500005,
        14066869814059413557,
    ]


@pytest.mark.parametrize("seed", [-1, 1.0, "1", True, [1], np.float64(3)])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(SettingError, match="seed: expected a whole number of at least 0, or None, got"):
        stream(seed, "weights")


def test_nothing_reads_or_changes_the_global_generators():
    def answers():
        network = cr.Network([cr.Linear(3), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy())
        return network.predict(np.ones((2, 4))).tobytes()

    np.random.seed(1)
    random.seed(1)
    before, other = np.random.get_state()[1].tobytes(), random.getstate()
    first = answers()
    assert np.random.get_state()[1].tobytes() == before
    assert random.getstate() == other
    np.random.seed(2)
    assert answers() == first
