"""The full chain to one number as a sum over paths, mission E4: it is the kernels' gradient, and what J does."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DerivationError
from chainrule.testing import all_layers

CAMPAIGN = Path(__file__).parents[1] / "benchmarks" / "explain.py"


def campaign():
    spec = importlib.util.spec_from_file_location("explain_campaign", CAMPAIGN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def chain_of(layers, x, target, loss=None, **asked):
    network = cr.Network(layers, loss=loss or cr.CrossEntropy(), dtype="float64")
    return network.explain(np.asarray(x, float), target, **asked).chain


def check(chain):
    """Path sum, gradient and finite difference are one number, at every layer on the way."""
    assert chain.walk.sum == pytest.approx(chain.gradient, rel=1e-10, abs=1e-300)
    assert chain.difference.value == pytest.approx(chain.gradient, rel=1e-6, abs=1e-10)
    for stage in chain.walk.stages:
        assert stage.sum == pytest.approx(chain.gradient, rel=1e-10, abs=1e-300)
        assert sum(t.product for t in stage.terms) + stage.rest.total == pytest.approx(stage.sum, abs=1e-14)


@pytest.mark.parametrize("seed", range(len(all_layers("chainrule."))))  # each begins with another layer
def test_paths_gradient_and_finite_difference_agree_in_random_networks(seed):
    room = campaign()
    _, derivation = room.explained(seed)
    path, difference = room.errors(derivation.chain)
    assert path < 1e-10
    assert difference < 1e-6


def test_every_path_is_the_product_of_its_derivatives():
    chain = chain_of(
        [cr.Linear(5), cr.Tanh(), cr.Linear(3)], [[1, 2]], [0], parameter="layers[0].W", index=(1, 2), terms=9
    )
    assert chain.walk.count == 3
    for path in chain.walk.largest:
        assert path.product == pytest.approx(np.prod([node.slope for node in path.nodes]) * path.last_slope, rel=1e-14)
        assert [node.place for node in path.nodes] == ["layers.0", "layers.1", "layers.2"]
    assert sum(path.product for path in chain.walk.largest) == pytest.approx(chain.gradient, rel=1e-12)


def test_paths_are_sorted_by_size_and_the_smaller_ones_folded_with_their_total():
    x = np.random.default_rng(0).normal(size=(1, 6))
    chain = chain_of(
        [cr.Linear(7), cr.Tanh(), cr.Linear(8), cr.Tanh(), cr.Linear(3)], x, [1], parameter="x", index=4, terms=6
    )
    assert chain.walk.count == 7 * 8 * 3
    sizes = [abs(path.product) for path in chain.walk.largest]
    assert sizes == sorted(sizes, reverse=True)
    assert chain.walk.rest.count == 168 - 6
    assert sum(p.product for p in chain.walk.largest) + chain.walk.rest.total == pytest.approx(
        chain.gradient, rel=1e-12
    )
    everything = all_products(x, chain)
    assert sizes == pytest.approx(everything[:6], rel=1e-12)


def all_products(x, chain):
    """The sizes of all 168 products, by hand."""
    network = cr.Network(
        [cr.Linear(7), cr.Tanh(), cr.Linear(8), cr.Tanh(), cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64"
    )
    network.build((6,))
    V, W, U = (network.parameters[f"layers.{k}.W"] for k in (0, 2, 4))
    a = np.tanh(x @ V)[0]
    b = np.tanh(a @ W)
    df = network.predict(x)[0] - np.eye(3)[1]
    products = np.einsum("i,i,ij,j,jk,k->ijk", V[4], 1 - a**2, W, 1 - b**2, U, df)
    return sorted(np.abs(products).ravel(), reverse=True)


def test_the_terms_over_a_layer_are_what_its_outputs_pass_on():
    chain = chain_of([cr.Linear(4), cr.Sigmoid(), cr.Linear(3)], [[1, 2]], [0], parameter="layers[0].W", index=(1, 2))
    first, _, last = chain.walk.stages
    assert [term.index for term in first.terms] == [(0, 2)]
    assert first.terms[0].inner == 2  # ∂y/∂W is x
    assert (last.outputs, last.reached) == (3, 3)
    assert [t.outer * t.inner for t in last.terms] == pytest.approx([t.product for t in last.terms], rel=1e-15)


# Every kind of layer that shares, picks, drops or repeats


def test_a_weight_of_a_convolution_is_used_in_every_window():
    x = np.random.default_rng(1).normal(size=(1, 1, 5, 4))
    chain = chain_of(
        [cr.Conv2D(2, 3), cr.Flatten(), cr.Linear(3)], x, [1], parameter="layers[0].W", index=(1, 0, 2, 0), terms=6
    )
    check(chain)
    terms = chain.walk.stages[0].terms
    assert {term.index for term in terms} == {(0, 1, i, j) for i in range(3) for j in range(2)}
    for term in terms:  # the pixel that the weight meets in this window
        assert term.inner == x[0, 0, term.index[2] + 2, term.index[3]]


def test_a_pixel_reaches_only_the_windows_that_it_won():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    layers = [cr.MaxPool2D(2), cr.Flatten(), cr.Linear(3)]
    winner = chain_of(layers, x, [1], parameter="x", index=(0, 1, 3))
    check(winner)
    assert [term.index for term in winner.walk.stages[0].terms] == [(0, 0, 0, 1)]
    loser = chain_of([cr.MaxPool2D(2), cr.Flatten(), cr.Linear(3)], x, [1], parameter="x", index=(0, 0, 2))
    assert (loser.gradient, loser.walk.count) == (0, 0)


def test_no_path_leads_through_what_was_dropped():
    network = cr.Network([cr.Linear(8), cr.Dropout(0.5), cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64")
    chain = network.explain(np.ones((1, 2)), [0], parameter="x", index=0, training=True, seed=3, step=2, terms=99).chain
    check(chain)
    kept = [term.index[1] for term in chain.walk.stages[1].terms]
    place = cr.layers.Context(training=True, seed=3, step=2, place="layers.1.")
    _, (mask,) = network.layers[1].forward(np.ones((1, 8)), place)
    assert sorted(kept) == np.flatnonzero(mask[0]).tolist()


@pytest.mark.parametrize("layer", [cr.RNN(3), cr.LSTM(3), cr.GRU(3)])
def test_a_recurrent_weight_is_used_in_every_step(layer):
    x = np.random.default_rng(2).normal(size=(2, 4, 2))
    chain = chain_of([layer, cr.Linear(3)], x, [1, 0], parameter="layers[0].U", index=(1, 2), terms=8)
    check(chain)
    assert chain.uses.letters == "nt"
    assert {use.at for use in chain.uses.terms} == {(n, t) for n in range(2) for t in range(4)}
    assert sum(use.product for use in chain.uses.terms) == pytest.approx(chain.gradient, rel=1e-12)
    assert all(use.product == 0 for use in chain.uses.terms if use.at[1] == 0)  # h(0) = 0


def test_normalization_reaches_every_sample_of_the_batch():
    x = np.random.default_rng(3).normal(size=(4, 3))
    chain = chain_of(
        [cr.BatchNorm(), cr.Linear(3)], x, [0, 1, 2, 0], parameter="x", index=(1, 2), training=True, terms=4
    )
    check(chain)
    assert {term.index for term in chain.walk.stages[0].terms} == {(n, 2) for n in range(4)}


def test_a_word_is_used_at_every_place_that_holds_it():
    words = np.array([[3, 1, 3, 0]])
    chain = chain_of(
        [cr.Embedding(5, 2), cr.Flatten(), cr.Linear(3)], words, [1], parameter="layers[0].W", index=(3, 1)
    )
    check(chain)
    assert {term.index for term in chain.walk.stages[0].terms} == {(0, 0, 1), (0, 2, 1)}
    assert (
        chain_of([cr.Embedding(5, 2), cr.Flatten(), cr.Linear(3)], words, [1], parameter="x", index=2).difference
        is None
    )


def test_a_sequential_within_is_opened_and_a_residual_is_one_step():
    inner = cr.Sequential((cr.Linear(3), cr.Tanh()))
    chain = chain_of([inner, cr.Residual((cr.Linear(3), cr.Tanh())), cr.Linear(3)], [[1, 2]], [0],
                     parameter="layers.0.layers.0.W", index=(0, 1))  # fmt: skip
    check(chain)
    assert [stage.place for stage in chain.walk.stages] == [
        "layers.0.layers.0",
        "layers.0.layers.1",
        "layers.1",
        "layers.2",
    ]


@dataclass(eq=False)
class Half(cr.Layer):
    """A user's own layer, in plain NumPy and with a parameter."""

    parameter_names: ClassVar[tuple[str, ...]] = ("s",)

    def build(self, input_shape, rng):
        self.s = np.full(input_shape, 0.5)
        return input_shape

    def forward(self, x, context):
        return x * self.s, (x,)

    def backward(self, dy, saved):
        return dy * self.s, {"s": (dy * saved[0]).sum(axis=0)}


@dataclass(eq=False)
class Wrong(Half):
    """The same with a derivative that is none."""

    def backward(self, dy, saved):
        return dy * self.s, {"s": (dy * dy * saved[0]).sum(axis=0)}


def test_a_layer_that_a_user_adds_is_explained_like_all_others():
    check(chain_of([cr.Linear(4), Half(), cr.Linear(3)], [[1, 2]], [0], parameter="layers[1].s", index=2))


def test_a_backward_that_is_no_derivative_is_found_out():
    with pytest.raises(DerivationError, match=r"layers.1 \(Wrong\): the sum over its outputs is"):
        chain_of([cr.Linear(4), Wrong(), cr.Linear(3)], [[1, 2]], [0], parameter="layers[1].s", index=2)


# The finite difference


def test_float32_networks_are_moved_in_float64():
    network = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(3)], loss=cr.CrossEntropy())
    chain = network.explain(np.ones((1, 2)), [0], parameter="layers[0].W", index=(1, 2)).chain
    assert network.dtype == np.float32
    assert chain.difference.value == pytest.approx(chain.gradient, rel=1e-5)


def test_a_kink_at_the_very_place_is_named():
    network = cr.Network([cr.Linear(4), cr.ReLU(), cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64")
    derivation = network.explain(
        np.zeros((1, 2)), [0], parameter="layers[0].b", index=2
    )  # W 0 + b = 0, where ReLU bends
    assert derivation.chain.has_kink
    assert derivation.chain.gradient in [pytest.approx(s, abs=1e-5) for s in derivation.chain.difference.slopes]
    assert "J has a kink at this very θ" in str(derivation)


def test_explaining_changes_nothing():
    network = cr.Network([cr.Linear(4), cr.Dropout(), cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64").build(
        (2,)
    )
    before, x = {name: W.copy() for name, W in network.parameters.items()}, np.ones((1, 2))
    network.explain(x, [0], parameter="layers[0].W", index=(1, 2), training=True)
    assert all(np.array_equal(before[name], W) for name, W in network.parameters.items())
    assert np.array_equal(x, np.ones((1, 2)))
