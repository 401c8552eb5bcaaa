"""A network's gradients against the mathematics of the notes, written out independently: E4, D2, D3, D5, B4."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.layers import Context
from chainrule.testing import numerical_gradient, relative_error


def sigma(x):
    return 1 / (1 + math.exp(-x))


# Activation layer → its derivative at x, by school mathematics.
SLOPES = {
    cr.Identity: lambda x: 1.0,
    cr.Sigmoid: lambda x: sigma(x) * (1 - sigma(x)),
    cr.Tanh: lambda x: 1 / math.cosh(x) ** 2,
    cr.Softplus: sigma,
    cr.ReLU: lambda x: float(x > 0),
    cr.LeakyReLU: lambda x: 1.0 if x > 0 else 0.01,
}


def alternating(activations, widths, seed):
    """Linear, activation, Linear, activation, …, Linear, with squared error."""
    layers = []
    for width, activation in itertools.zip_longest(widths, activations):
        layers += [cr.Linear(width, cr.Normal(), cr.Normal())] + ([activation()] if activation else [])
    return cr.Network(layers, loss=cr.SquaredError(), seed=seed, dtype="float64")


@st.composite
def small_networks(draw):
    depth = draw(st.integers(1, 4))
    widths = draw(st.lists(st.integers(1, 3), min_size=depth, max_size=depth))
    activations = [draw(st.sampled_from(list(SLOPES))) for _ in range(depth - 1)]
    seed = draw(st.integers(0, 1000))
    network = alternating(activations, widths, seed)
    rng = np.random.default_rng(seed)
    return network, activations, rng.standard_normal((1, draw(st.integers(1, 3)))), rng.standard_normal((1, widths[-1]))


def sums_over_paths(network, activations, x, t):
    """∂L/∂W_io = x_i Σ over all paths from unit o to the loss, of the product of all derivatives along the path."""
    linears = network.layers[::2]
    inputs, before = [x[0]], []  # of each Linear: its input, its output before the activation
    for position, linear in enumerate(linears):
        before.append(inputs[-1] @ linear.W + linear.b)
        if position < len(activations):
            inputs.append(network.layers[2 * position + 1].forward(before[-1][None], Context())[0][0])
    last = len(linears) - 1

    def along(path, start):
        """∂L/∂(unit path[0] of Linear `start`), along one path of units up to the scores."""
        product = before[last][path[-1]] - t[0, path[-1]]  # ∂L/∂f
        for step, (unit, following) in enumerate(itertools.pairwise(path), start):
            product *= SLOPES[activations[step]](before[step][unit]) * linears[step + 1].W[unit, following]
        return product

    gradients = {}
    for position, linear in enumerate(linears):
        onward = [range(linears[later].out_features) for later in range(position + 1, last + 1)]
        db = np.array(
            [
                math.fsum(along((unit, *rest), position) for rest in itertools.product(*onward))
                for unit in range(linear.out_features)
            ]
        )
        gradients[f"layers.{2 * position}.W"] = inputs[position][:, None] * db
        gradients[f"layers.{2 * position}.b"] = db
    return gradients


@settings(max_examples=200)
@given(small_networks())
def test_a_gradient_is_the_sum_over_all_paths_to_the_loss(drawn):
    """E4, the chain rule without indices: what x affects, times how that affects L, summed over all that x affects."""
    network, activations, x, t = drawn
    gradients = network.gradients(x, t)
    for name, expected in sums_over_paths(network, activations, x, t).items():
        assert relative_error(gradients[name], expected) <= 1e-10


@pytest.mark.parametrize("depth", range(1, 7))
def test_backpropagation_is_one_recursion_through_any_number_of_layers(depth):
    """D5: δ at the scores is p − t; one layer down it is (Ŵ δ) h (1 − h); the gradients are h δ and δ."""
    widths = [5, 4, 6, 3, 5, 4][: depth - 1]
    hidden = [layer for width in widths for layer in (cr.Linear(width, cr.Normal()), cr.Sigmoid())]
    network = cr.Network([*hidden, cr.Linear(3, cr.Normal())], loss=cr.CrossEntropy(), dtype="float64").build((4,))
    x, labels = np.random.default_rng(depth).standard_normal((7, 4)), np.arange(7) % 3
    found = network.gradients(x, labels)

    linears, h = network.layers[::2], [x]
    for linear in linears[:-1]:
        h.append(1 / (1 + np.exp(-(h[-1] @ linear.W + linear.b))))
    delta = (network.predict(x) - np.eye(3)[labels]) / 7
    for position in reversed(range(depth)):
        assert relative_error(found[f"layers.{2 * position}.W"], h[position].T @ delta) <= 1e-12
        assert relative_error(found[f"layers.{2 * position}.b"], delta.sum(axis=0)) <= 1e-12
        delta = delta @ linears[position].W.T * h[position] * (1 - h[position])


@pytest.mark.parametrize("depth", range(1, 7))
def test_differences_agree_at_any_depth(depth):
    hidden = [layer for _ in range(depth - 1) for layer in (cr.Linear(4), cr.Tanh())]
    network = cr.Network([*hidden, cr.Linear(2)], loss=cr.BinaryCrossEntropy(), dtype="float64").build((3,))
    x, t = np.random.default_rng(depth).standard_normal((5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]
    for name, W in network.parameters.items():
        start = W.copy()

        def cost(value, W=W):
            W[...] = value
            return network.evaluate(x, t)["loss"]

        assert relative_error(network.gradients(x, t)[name], numerical_gradient(cost, start)) <= 1e-7
        W[...] = start


class TestOneOutputByHand:
    """D2: x = [0, 1], all W = 1, v = 1, b = c = 0 gives z = 0.731, 0.731 and p = 0.812."""

    @pytest.fixture
    def network(self):
        ones = cr.Normal(1, 0)
        layers = [cr.Linear(2, weights=ones), cr.Sigmoid(), cr.Linear(1, weights=ones)]
        return cr.Network(layers, loss=cr.BinaryCrossEntropy(), dtype="float64").build((2,))

    def test_the_library(self, network):
        g, _ = network.layers[0].forward(np.array([[0.0, 1.0]]), Context())
        z, _ = network.layers[1].forward(g, Context())
        assert np.round(z, 3).tolist() == [[0.731, 0.731]]
        assert np.round(network.predict([[0, 1]]), 3).tolist() == [[0.812]]

    def test_scalar_vector_and_matrix_notation_agree(self, network):
        X = np.array([[0.0, 1.0], [1.0, 0.0], [-2.0, 0.5]])  # (N, D)
        (W, b), (v, c) = ((layer.W, layer.b) for layer in network.layers[::2])

        def scalar(x):
            z = [sigma(sum(W[i, j] * x[i] for i in range(2)) + b[j]) for j in range(2)]
            return sigma(sum(v[j, 0] * z[j] for j in range(2)) + c[0])

        def vector(x):
            z = cr.operations.sigmoid_forward(W.T @ x + b)
            return cr.operations.sigmoid_forward(v[:, 0] @ z + c)[0]

        Z = cr.operations.sigmoid_forward(X @ W + b)  # (N, M)
        matrix = cr.operations.sigmoid_forward(Z @ v + c)[:, 0]
        assert matrix == pytest.approx([scalar(x) for x in X], rel=1e-15)
        assert matrix == pytest.approx([vector(x) for x in X], rel=1e-15)
        assert network.predict(X)[:, 0] == pytest.approx(matrix, rel=1e-15)


@given(st.integers(0, 1000))
def test_a_sigmoid_with_one_output_is_a_softmax_with_two(seed):
    """D3, with w = w₁ − w₀: the same answers, and ∂L/∂w = ∂L/∂w₁ = −∂L/∂w₀."""
    rng = np.random.default_rng(seed)
    x, labels = rng.standard_normal((6, 3)), rng.integers(0, 2, 6)
    two = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy(), dtype="float64", seed=seed).build((3,))
    one = cr.Network([cr.Linear(1)], loss=cr.BinaryCrossEntropy(), dtype="float64").build((3,))
    W = two.parameters["layers.0.W"]
    one.parameters["layers.0.W"][:, 0] = W[:, 1] - W[:, 0]
    assert one.predict(x)[:, 0] == pytest.approx(two.predict(x)[:, 1], rel=1e-13)
    assert one.evaluate(x, labels)["loss"] == pytest.approx(two.evaluate(x, labels)["loss"], rel=1e-13)
    dw, dW = one.gradients(x, labels)["layers.0.W"][:, 0], two.gradients(x, labels)["layers.0.W"]
    assert relative_error(dW[:, 1], dw) <= 1e-12
    assert relative_error(dW[:, 0], -dw) <= 1e-12


def test_the_gradients_of_the_digit_network_as_derived_by_hand():
    """B4, one sample, index by index: g = W x + b, h = σ(g), f = Ŵ h + b̂, o = softmax(f)."""
    layers = [cr.Linear(15, cr.Normal(), cr.Normal()), cr.Sigmoid(), cr.Linear(10, cr.Normal(), cr.Normal())]
    network = cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64").build((784,))
    x = np.random.default_rng(0).random(784) * (np.arange(784) % 13 == 0)
    gradients = network.gradients(x[None], [3])

    g = x @ layers[0].W + layers[0].b
    o, t = network.predict(x[None])[0], np.eye(10)[3]
    h = [sigma(value) for value in g]
    hat_w, w = layers[2].W, gradients["layers.0.W"]  # hat_w[l, k] is ŵ_kl; w[l, k] is ∂L/∂w_kl
    for k in range(10):
        assert gradients["layers.2.b"][k] == pytest.approx(o[k] - t[k], rel=1e-12)
        for unit in range(15):
            assert gradients["layers.2.W"][unit, k] == pytest.approx((o[k] - t[k]) * h[unit], rel=1e-12)
    for k in range(15):
        back = sum((o[i] - t[i]) * hat_w[k, i] for i in range(10)) * sigma(g[k]) * (1 - sigma(g[k]))
        assert gradients["layers.0.b"][k] == pytest.approx(back, rel=1e-10)
        assert relative_error(w[:, k], back * x) <= 1e-10


@pytest.mark.parametrize("label", range(4))
def test_cross_entropy_pulls_the_right_score_up_and_all_others_down(label):
    """C1 through a network: the gradient at the scores is negative for the true class, positive elsewhere."""
    network = cr.Network([cr.Linear(4, cr.Normal(), cr.Normal())], loss=cr.CrossEntropy(), dtype="float64").build((2,))
    gradient = network.gradients([[0.3, -0.7]], [label])["layers.0.b"]
    p = network.predict([[0.3, -0.7]])[0]
    assert gradient == pytest.approx(p - np.eye(4)[label], rel=1e-14)
    assert (gradient < 0).tolist() == [k == label for k in range(4)]
