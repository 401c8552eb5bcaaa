"""Dropout: random bits from a counter, the mask, the layer, and training with it."""

import math
import zlib
from dataclasses import replace

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DivergenceError, SettingError
from chainrule.layers import Context
from chainrule.operations import backend, dropout_backward, dropout_forward, random_bits
from chainrule.operations.philox import philox
from chainrule.testing import check_layer, check_operation

# Counter, key and result of Philox-4x32-10 from the file tests/kat_vectors of Random123 (D. E. Shaw Research).
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text):
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(counter, key, result):
    found = philox(np.array(words(counter), np.uint64)[:, None], np.array(words(key), np.uint64))
    assert found[:, 0].tolist() == words(result)


def philox_in_whole_numbers(counter, key):
    """Philox-4x32-10 as the paper writes it, with Python's whole numbers."""
    a, b, c, d = counter
    k, m = key
    for _ in range(10):
        high, low = divmod(0xD2511F53 * a, 2**32)
        high2, low2 = divmod(0xCD9E8D57 * c, 2**32)
        a, b, c, d = high2 ^ b ^ k, low2, high ^ d ^ m, low
        k, m = (k + 0x9E3779B9) % 2**32, (m + 0xBB67AE85) % 2**32
    return [a, b, c, d]


@pytest.mark.parametrize("name", ["native", "reference"])
@pytest.mark.parametrize(
    ("seed", "stream", "step"), [(0, 0, 0), (1, 2, 3), (2**40 + 5, 2**32 - 1, 77), (2**64 - 1, 9, 2**31)]
)
def test_the_words_are_all_the_first_then_all_the_second_words_of_the_counters(name, seed, stream, step):
    key = seed % 2**32, seed // 2**32
    with backend(name):
        for count in (0, 1, 3, 4, 5, 18, 64, 67, 300):
            blocks = [philox_in_whole_numbers((i, 0, step, stream), key) for i in range((count + 3) // 4)]
            bits = random_bits(count, seed, stream, step)
            assert bits.dtype == np.uint32
            assert bits.tolist() == [block[j] for j in range(4) for block in blocks][:count]


def test_of_larger_numbers_the_low_bits_count():
    assert np.array_equal(random_bits(9, 3, 1, 2), random_bits.reference(9, 2**64 + 3, 2**32 + 1, 2**32 + 2))


def test_the_bits_are_even():
    """Of 32 · 2¹⁷ fair bits the share of ones has a standard deviation of 1/4096; each of the 32 places, of 1/724."""
    bits = random_bits(2**17, 11, 0, 1)
    ones = np.unpackbits(bits.view(np.uint8)).reshape(-1, 32)
    assert abs(ones.mean() - 0.5) < 4 / 4096
    assert np.abs(ones.mean(axis=0) - 0.5).max() < 4.5 / 724
    assert len(np.unique(bits)) > 2**17 - 2 - 20  # birthdays: about 2 pairs are expected


# The operation


def test_an_element_is_kept_when_its_word_reaches_the_threshold():
    x = np.arange(1.0, 25).reshape(2, 3, 4)
    y, mask = dropout_forward(x, 0.3, 5, 6, 7)
    kept = random_bits(24, 5, 6, 7).reshape(x.shape) >= math.floor(0.3 * 2**32)
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, kept)
    np.testing.assert_allclose(y, np.where(kept, x / 0.7, 0), rtol=1e-15)


def test_elements_are_counted_in_the_order_of_the_axes_however_they_lie_in_memory():
    x = np.arange(1.0, 25).reshape(2, 3, 4)
    y, mask = dropout_forward(x, 0.5, 0, 0, 1)
    for other in (np.asfortranarray(x), x[::-1].copy()[::-1]):
        y_other, mask_other = dropout_forward(other, 0.5, 0, 0, 1)
        assert np.array_equal(y_other, y)
        assert np.array_equal(mask_other, mask)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_the_share_kept_is_one_minus_the_rate(rate):
    """A binomial count strays by more than 4 standard deviations once in 16,000 seeds; this seed does not."""
    n = 100_000
    _, mask = dropout_forward(np.ones((100, 1000)), rate, 42, 1, 1)
    assert abs(int(mask.sum()) - n * (1 - rate)) < 4 * math.sqrt(n * rate * (1 - rate))


def test_the_mean_stays():
    y, _ = dropout_forward(np.full((400, 500), 3.0), 0.25, 1, 2, 3)
    assert y.mean() == pytest.approx(3, abs=4 * 3 * math.sqrt(0.25 / 0.75 / y.size))


def test_nothing_is_dropped_at_rate_zero():
    x = np.random.default_rng(0).normal(size=(50, 50))
    y, mask = dropout_forward(x, 0.0, 0, 0, 0)
    assert np.array_equal(y, x)
    assert mask.all()


def test_the_largest_rate_below_one_is_understood():
    rate = math.nextafter(1, 0)
    y, mask = dropout_forward(np.ones((30, 30)), rate, 0, 0, 0)
    assert not mask.any()
    assert not y.any()


def test_what_is_dropped_is_zero_whatever_it_was():
    x = np.full((4, 5), np.inf)
    y, mask = dropout_forward(x, 0.5, 0, 0, 1)
    assert 0 < mask.sum() < 20
    assert (y[mask == 0] == 0).all()
    assert not np.isnan(dropout_backward(x, mask, 0.5)).any()


@pytest.mark.parametrize("operation", [random_bits, dropout_forward, dropout_backward], ids=lambda o: o.name)
def test_passes_the_common_checks(operation):
    check_operation(operation)


# The layer


def mask(seed=0, step=1, place="", size=64, rate=0.5):
    context = Context(training=True, seed=seed, step=step, place=place)
    return cr.Dropout(rate).forward(np.ones((2, size)), context)[0].tobytes()


def test_the_same_seed_step_and_place_give_the_same_mask():
    assert mask(seed=3, step=4, place="layers.1.") == mask(seed=3, step=4, place="layers.1.")


@pytest.mark.parametrize("other", [{"seed": 1}, {"step": 2}, {"place": "layers.0."}, {"seed": 2**32}], ids=str)
def test_another_seed_step_or_place_gives_another_mask(other):
    assert mask(**other) != mask()


def test_the_stream_is_made_of_the_place():
    x = np.ones((3, 5))
    y, _ = cr.Dropout(0.5).forward(x, Context(training=True, seed=1, step=2, place="layers.4."))
    assert np.array_equal(y, dropout_forward(x, 0.5, 1, zlib.crc32(b"layers.4."), 2)[0])


@pytest.mark.parametrize("shape", [(1,), (7,), (2, 3, 4)])
def test_the_layer_passes_the_common_checks(shape):
    check_layer(cr.Dropout(0.4), shape)


def test_in_prediction_nothing_is_dropped():
    x = np.random.default_rng(0).normal(size=(5, 4))
    layer = cr.Dropout(0.9)
    y, saved = layer.forward(x, Context(seed=1, step=1))
    assert np.array_equal(y, x)
    assert np.array_equal(layer.backward(x, saved)[0], x)


@pytest.mark.parametrize("rate", [1, 1.5, -0.1, float("nan"), "half", None, True])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(SettingError, match="Dropout: rate: expected a finite number of at least 0 and below 1"):
        cr.Dropout(rate)


# Places in a network


class Recorder(cr.Layer):
    """Notes the place it is called at."""

    def __init__(self, places):
        self.places = places

    def forward(self, x, context):
        self.places.append(context.place)
        return x, ()


def test_every_layer_is_told_its_own_place():
    places = []
    inner = cr.Sequential((Recorder(places), Recorder(places)))
    body = cr.Sequential((Recorder(places), inner, Recorder(places)))
    body.build((2,), None)
    body.forward(np.ones((1, 2)), Context(training=True, seed=5, step=6))
    assert places == ["layers.0.", "layers.1.layers.0.", "layers.1.layers.1.", "layers.2."]


def test_a_place_keeps_the_seed_and_the_step():
    context = Context(training=True, seed=5, step=6)
    assert context.at(3) == replace(context, place="layers.3.")


def test_two_dropout_layers_of_one_network_draw_different_masks():
    layers = cr.Sequential((cr.Dropout(0.5), cr.Dropout(0.5)))
    layers.build((64,), None)
    _, ((first,), (second,)) = layers.forward(np.ones((2, 64)), Context(training=True, seed=0, step=1))
    assert not np.array_equal(first, second)


# Training


def digits():
    x, labels = cr.data.load_digits().train
    return x[:200], labels[:200]


def network(**settings):
    layers = [cr.Linear(16), cr.ReLU(), cr.Dropout(0.5), cr.Linear(16), cr.ReLU(), cr.Dropout(0.25), cr.Linear(10)]
    return cr.Network(layers, loss=cr.CrossEntropy(), **settings)


def trained(seed, **settings):
    made = network()
    cr.train(made, digits(), epochs=2, seed=seed, progress=False, **settings)
    return b"".join(W.tobytes() for W in made.parameters.values())


def test_the_same_seed_trains_to_the_same_bytes():
    assert trained(1) == trained(1)


def test_another_seed_drops_others():
    assert trained(1, shuffle=False) != trained(2, shuffle=False)


def test_no_seed_drops_others_each_time():
    assert trained(None, shuffle=False) != trained(None, shuffle=False)


@pytest.mark.parametrize("seed", [-1, 1.5, "one", True])
def test_a_wrong_seed_is_refused_before_anything_is_drawn(seed):
    with pytest.raises(SettingError, match="seed: expected a whole number of at least 0, or None"):
        cr.train(network(), digits(), seed=seed, shuffle=False, progress=False)


def test_a_seed_of_any_size_is_understood():
    assert trained(2**70) == trained(2**70)


def test_each_step_drops_others():
    """The weights hardly move, so that only the mask can change the cost of the one batch."""
    costs = []

    class Costs(cr.Callback):
        def on_step_end(self, run):
            costs.append(run.loss)

    still = {"optimizer": cr.SGD(1e-30), "batch_size": None, "shuffle": False}
    cr.train(network(), digits(), epochs=5, callbacks=[Costs()], progress=False, **still)
    assert len(set(costs)) == 5


def test_the_gradients_are_those_of_the_cost_with_the_same_mask():
    made = network(dtype="float64").build((64,))
    x, t = made.check_data(*digits())
    context = Context(training=True, seed=3, step=8)
    _, _, gradients, _ = made.cost_and_gradients(x, t, context=context)
    W = made.parameters["layers.3.W"]
    h = 1e-6
    for place in ((0, 0), (3, 7), (15, 2)):
        start, costs = W[place], []
        for value in (start + h, start - h):
            W[place] = value
            costs.append(made.cost_and_gradients(x, t, context=context)[0])
        W[place] = start
        assert gradients["layers.3.W"][place] == pytest.approx((costs[0] - costs[1]) / (2 * h), rel=1e-6, abs=1e-9)


def test_training_is_told_apart_from_prediction():
    made = network(dtype="float64").build((64,))
    x, t = made.check_data(*digits())
    with_dropout, _, _, _ = made.cost_and_gradients(x, t, training=True)
    without, _, _, _ = made.cost_and_gradients(x, t)
    assert with_dropout != without
    assert without == pytest.approx(made.evaluate(x, t)["loss"], rel=1e-12)
    assert np.array_equal(made.predict(x), made.predict(x))


def test_divergence_is_looked_for_with_the_mask_of_the_step_that_failed():
    """Whether the one input is kept decides whether the huge weight overflows; with another mask it would not."""
    named = []
    for seed in range(20):
        made = cr.Network([cr.Dropout(0.5), cr.Linear(1)], loss=cr.SquaredError(), dtype="float64").build((1,))
        made.parameters["layers.1.W"][...] = 1e308
        try:
            cr.train(made, ([[4.0]], [0.0]), epochs=1, seed=seed, progress=False)
            named.append("")
        except DivergenceError as error:
            named.append(error.layer)
    assert set(named) == {"", "layer 1 (Linear)"}


def test_a_network_with_dropout_goes_through_its_file(tmp_path):
    made = network().build((64,))
    made.save(tmp_path / "model.safetensors")
    copy = cr.load(tmp_path / "model.safetensors")
    assert [layer.rate for layer in copy.layers if isinstance(layer, cr.Dropout)] == [0.5, 0.25]
    assert np.array_equal(copy.predict(digits()[0]), made.predict(digits()[0]))
