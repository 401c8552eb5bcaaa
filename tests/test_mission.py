"""The subject matter, item by item, each with its worked numbers: one test per item or part of an item.

The same items are shown to a reader by the files of examples/.
"""

import itertools
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule import operations as ops
from chainrule.data.mnist import PARTS, find
from chainrule.operations.operation import runs_natively

# A. Decisions: the perceptron

CASES = np.array(list(itertools.product((1, 0), repeat=3)))  # cheap ticket, available, interested: 111, 110, …, 000
WEIGHTS = np.array([1.0, 6.0, 3.0])
GO = {9: {"111", "011"}, 7: {"111", "011", "110"}}  # threshold → the cases decided with 1


def names_of(decided):
    return {"".join(map(str, case)) for case, go in zip(CASES, decided, strict=True) if go}


def test_a1_ticket_decision_scores():
    scores = {"".join(map(str, case)): score for case, score in zip(CASES, CASES @ WEIGHTS, strict=True)}
    assert scores == {"111": 10, "100": 1, "110": 7, "101": 4, "011": 9, "000": 0, "001": 3, "010": 6}


@pytest.mark.parametrize("threshold", [9, 7])
def test_a1_ticket_decision_thresholds(threshold):
    assert names_of(ops.step_forward(CASES @ WEIGHTS - threshold)) == GO[threshold]


@pytest.mark.parametrize("threshold", [9, 7])
def test_a2_bias_form_decides_the_same(threshold):
    by_link = cr.Network([cr.Linear(1)], loss=cr.Perceptron()).build((3,))
    by_layer = cr.Network([cr.Linear(1), cr.Step()], loss=cr.SquaredError()).build((3,))
    for network in (by_link, by_layer):
        network.parameters["layers.0.W"][:, 0] = WEIGHTS
        network.parameters["layers.0.b"][0] = -threshold
        assert names_of(network.predict(CASES)[:, 0]) == GO[threshold]


@pytest.mark.parametrize("threshold", [9, 7])
def test_a3_the_learning_rule_finds_separating_weights(threshold):
    scores = CASES @ WEIGHTS
    labels = scores >= threshold
    network = cr.train_perceptron(CASES, labels)
    assert names_of(network.predict(CASES)[:, 0]) == GO[threshold]


def test_a3_the_learning_rule_says_that_xor_is_not_separable():
    with pytest.raises(cr.errors.NotSeparableError, match="no straight line separates"):
        cr.train_perceptron([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])


X = np.linspace(-20, 20, 4001)  # among them 0
ONE = np.ones_like(X)


def test_a4_step_and_its_derivative():
    assert np.array_equal(ops.step_forward(np.array([-1e-9, 0.0, 1e-9])), [0, 1, 1])
    assert not ops.step_backward(ONE).any()


def test_a4_relu_and_its_derivative():
    y = ops.relu_forward(X)
    assert np.array_equal(y, np.where(X > 0, X, 0))
    assert np.array_equal(ops.relu_backward(ONE, y), (X > 0).astype(float))


def test_a4_softplus_is_the_smooth_form_of_relu():
    y = ops.softplus_forward(X)
    assert np.allclose(y, np.log(1 + np.exp(X)), rtol=0, atol=1e-13)
    assert np.allclose(ops.softplus_backward(ONE, X), ops.sigmoid_forward(X), rtol=1e-14)
    for sharpness in (1, 10, 100):
        smooth, sharp = ops.softplus_forward(sharpness * X), ops.relu_forward(sharpness * X)
        assert (smooth >= sharp).all()
        assert (smooth - sharp).max() == math.log(2)  # at the kink; on the scale of X it is log 2 / sharpness


def test_a4_sigmoid_and_its_derivative():
    y = ops.sigmoid_forward(X)
    assert np.allclose(y, 1 / (1 + np.exp(-X)), rtol=1e-14)
    assert np.allclose(ops.sigmoid_backward(ONE, y), y * (1 - y), rtol=1e-14)
    assert ops.sigmoid_forward(np.array([0.0, 1.0])).round(3).tolist() == [0.5, 0.731]


def test_a4_tanh_and_its_derivative():
    y = ops.tanh_forward(X)
    assert np.allclose(ops.tanh_backward(ONE, y), 1 - np.tanh(X) ** 2, rtol=0, atol=1e-15)


def test_a4_tanh_is_a_stretched_sigmoid():
    assert np.allclose(ops.tanh_forward(X), 2 * ops.sigmoid_forward(2 * X) - 1, rtol=0, atol=1e-15)


def test_a4_softmax_shares_out_one():
    f = np.array([[1.0, 2.0, 3.0, 0.5], [0.0, 0.0, 0.0, 0.0]])
    p = ops.softmax_forward(f)
    assert np.allclose(p, np.exp(f) / np.exp(f).sum(axis=1, keepdims=True), rtol=1e-14)
    assert np.allclose(p.sum(axis=1), 1, rtol=1e-15)
    assert np.allclose(p[1], 0.25, rtol=1e-15)


# B. The digit network


@pytest.fixture(scope="session")
def digits():
    return cr.data.load_digits()


@pytest.fixture(scope="session")
def mnist():
    missing = [part.name for part in PARTS if find(part) is None]
    if missing:
        pytest.skip(f"MNIST is not on this machine: put {', '.join(missing)} into the folder named by CHAINRULE_DATA")
    return cr.data.load_mnist()


def digit_network(seed=0, inputs=784):
    """784–15–10, all weights and biases from N(0, 1)."""
    start = {"weights": cr.Normal(0, 1), "biases": cr.Normal(0, 1)}
    layers = [cr.Linear(15, **start), cr.Sigmoid(), cr.Linear(10, **start)]
    return cr.Network(layers, loss=cr.CrossEntropy(), seed=seed, dtype="float64").build((inputs,))


@pytest.mark.mnist
def test_b1_mnist_has_60000_and_10000_images_of_28_by_28(mnist):
    (x_train, y_train), (x_test, y_test) = mnist.train, mnist.test
    assert x_train.shape == (60_000, 784)
    assert x_test.shape == (10_000, 784)
    assert mnist.image_shape == (28, 28)
    assert np.array_equal(np.unique(np.rint(255 * x_test)), np.arange(256))  # greys 0…255
    assert np.array_equal(np.unique(y_train), np.arange(10))
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_b2_the_digit_network_has_11775_and_160_parameters():
    summary = digit_network().summary()
    assert [count for _, _, count in summary.rows if count] == [11_775, 160]
    assert "11,775" in str(summary)


def test_b2_all_parameters_start_from_the_standard_normal_distribution():
    drawn = np.concatenate([w.ravel() for w in digit_network().parameters.values()])
    n = len(drawn)
    assert abs(drawn.mean()) < 4 / math.sqrt(n)  # four standard errors
    assert abs(drawn.std() - 1) < 4 / math.sqrt(2 * n)
    assert (np.abs(drawn) < 1).mean() == pytest.approx(0.6827, abs=4 * math.sqrt(0.6827 * 0.3173 / n))


def test_b2_the_forward_pass_by_hand():
    network = digit_network()
    x = np.random.default_rng(0).random(784)
    W, b, W_hat, b_hat = network.parameters.values()
    h = 1 / (1 + np.exp(-(W.T @ x + b)))
    f = W_hat.T @ h + b_hat
    o = np.exp(f) / np.exp(f).sum()
    assert np.allclose(network.predict(x[None])[0], o, rtol=1e-12)


def test_b3_one_hot_targets_and_the_loss_of_the_true_class():
    labels = np.array([3, 0])
    t = ops.one_hot(labels, 10)
    assert np.array_equal(t, np.eye(10)[labels])
    f = np.random.default_rng(0).standard_normal((2, 10))
    o = ops.softmax_forward(f)
    expected = -np.log([o[0, 3], o[1, 0]])  # L = −log o_j
    loss = cr.CrossEntropy()
    assert np.allclose(loss.forward(f, labels), expected, rtol=1e-13)
    assert np.allclose(loss.forward(f, t), expected, rtol=1e-13)


@pytest.mark.parametrize("batch_size", [None, 1, 8], ids=["full-batch", "stochastic", "mini-batch"])
def test_b3_the_three_descent_rules(batch_size, digits):
    rate, (x, labels) = 0.5, (digits.train[0][:20], digits.train[1][:20])
    trained, by_hand = digit_network(inputs=64), digit_network(inputs=64)
    optimizer = cr.SGD(rate)
    cr.train(trained, (x, labels), epochs=2, batch_size=batch_size, optimizer=optimizer, shuffle=False, progress=False)

    for _ in range(2):
        for start in range(0, 20, batch_size or 20):
            batch = range(start, min(start + (batch_size or 20), 20))
            single = [by_hand.gradients(x[n : n + 1], labels[n : n + 1]) for n in batch]
            for name, w in by_hand.parameters.items():
                w -= rate / len(batch) * sum(gradients[name] for gradients in single)  # w ← w − (η/m) Σ ∂L/∂w
    for name, w in by_hand.parameters.items():
        assert np.allclose(trained.parameters[name], w, rtol=1e-12, atol=1e-14), name


def test_b4_the_hand_derived_gradients():
    network = cr.Network([cr.Linear(15), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy(), dtype="float64")
    network.build((784,))  # not from N(0, 1): there so many units saturate that 1 − σ keeps few digits
    x, label = np.random.default_rng(1).random(784), 7
    W, b, W_hat, b_hat = network.parameters.values()
    h = 1 / (1 + np.exp(-(x @ W + b)))
    f = h @ W_hat + b_hat
    o, t = np.exp(f) / np.exp(f).sum(), np.eye(10)[label]

    found = network.gradients(x[None], [label])
    for k in range(10):
        assert found["layers.2.b"][k] == pytest.approx(o[k] - t[k], rel=1e-12, abs=0)
        for unit in range(15):
            assert found["layers.2.W"][unit, k] == pytest.approx((o[k] - t[k]) * h[unit], rel=1e-12, abs=0)
    for k in range(15):
        kept = sum((o[i] - t[i]) * W_hat[k, i] for i in range(10)) * h[k] * (1 - h[k])
        assert found["layers.0.b"][k] == pytest.approx(kept, rel=1e-12, abs=0)
        assert np.allclose(found["layers.0.W"][:, k], kept * x, rtol=1e-12, atol=0)


def cost(v):
    """C(v₁, v₂) = ½ v₁² + 3 v₂²."""
    return v[0] ** 2 / 2 + 3 * v[1] ** 2


def slope(v):
    return np.array([v[0], 6 * v[1]])


V = np.array([-4.0, 1.5])


def test_b5_the_gradient_foretells_a_small_change():
    for size in (1e-1, 1e-2, 1e-3):
        step = size * np.array([0.6, 0.8])
        left_over = cost(V + step) - cost(V) - slope(V) @ step
        assert 0 < left_over <= 3 * size**2  # what remains is of second order


def test_b5_no_direction_is_steeper_than_against_the_gradient():
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 10_000)
    slopes = slope(V) @ np.array([np.cos(angles), np.sin(angles)])
    steepest = -np.linalg.norm(slope(V))  # Cauchy–Schwarz: |∇C·d| ≤ |∇C| |d|
    assert slopes.min() >= steepest
    assert slopes.min() == pytest.approx(steepest, rel=1e-6)


def test_b5_gradient_descent_reaches_the_lowest_point():
    v = V
    costs = [cost(v)]
    for _ in range(60):
        v = ops.sgd_update(v, slope(v), 0.27)
        costs.append(cost(v))
    assert all(later < earlier for earlier, later in itertools.pairwise(costs))
    assert np.allclose(v, V * np.array([1 - 0.27, 1 - 6 * 0.27]) ** 60, rtol=1e-11, atol=0)  # its closed form
    assert costs[-1] < 1e-12


def overfitting(digits, *callbacks):
    """A large network on 100 digits, watched on 360 others."""
    x, labels = digits.train
    network = cr.Network([cr.Linear(100), cr.Tanh(), cr.Linear(10)], loss=cr.CrossEntropy())
    history = cr.train(
        network, (x[:100], labels[:100]), validation=digits.test, epochs=60, batch_size=10,
        optimizer=cr.Adam(0.01), callbacks=callbacks, progress=False,
    )  # fmt: skip
    return network, history


def test_b6_overfitting_shows_in_the_curves(digits):
    _, history = overfitting(digits)
    training, validation = history["loss"], history["validation_loss"]
    best = int(np.argmin(validation))
    assert best < 20
    assert training[-1] < 0.1 * training[best]  # the training loss goes on falling
    assert validation[-1] > 1.1 * validation[best]  # while the other rises again


def test_b6_early_stopping_ends_it_with_the_best_weights(digits):
    network, history = overfitting(digits, cr.EarlyStopping(patience=5))
    assert len(history) < 60
    assert "has not improved" in history.stopped
    assert network.evaluate(*digits.test)["loss"] == min(history["validation_loss"])


# C. Softmax and negative log-likelihood

F = np.array([[1.0, 2.0, 3.0, 0.5]])  # four classes
TRUE = np.array([2])  # the third is the true one


def test_c1_the_gradient_is_negative_for_the_true_class_alone():
    p = ops.softmax_forward(F)
    loss = cr.CrossEntropy()
    gradient = loss.backward(np.ones(1), F, TRUE)
    assert loss.forward(F, TRUE)[0] == pytest.approx(-math.log(p[0, 2]), rel=1e-14)
    assert np.allclose(gradient, p - np.eye(4)[TRUE], rtol=1e-14)
    assert np.array_equal(np.sign(gradient[0]), [1, 1, -1, 1])
    assert gradient.sum() == pytest.approx(0, abs=1e-15)


def test_c1_the_softmax_jacobian():
    p = ops.softmax_forward(F)[0]
    J = ops.softmax_jacobian(p[None])[0]
    for i, k in itertools.product(range(4), repeat=2):
        assert J[i, k] == pytest.approx(p[i] * ((i == k) - p[k]), rel=1e-14)


def test_c1_the_jacobian_collapses_to_p_minus_t():
    p, t = ops.softmax_forward(F), np.eye(4)[TRUE]
    dp = -t / p  # ∂L/∂p of L = −log p_true
    assert np.allclose(dp[0] @ ops.softmax_jacobian(p)[0], (p - t)[0], rtol=0, atol=1e-15)
    assert np.allclose(ops.softmax_backward(dp, p), p - t, rtol=0, atol=1e-15)


def test_c2_likelihood_its_negative_log_and_the_batch_gradient():
    x, labels = cr.data.make_blobs(samples=12)
    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64").build((2,))
    p, t = network.predict(x), np.eye(3)[labels]
    likelihood = np.prod(p**t)  # ∏_i ∏_j p_j^{t_j}
    assert network.evaluate(x, labels)["loss"] == pytest.approx(-math.log(likelihood) / 12, rel=1e-13)  # J = (1/m) Σ L
    gradients = network.gradients(x, labels)
    assert np.allclose(gradients["layers.0.b"], (p - t).sum(axis=0) / 12, rtol=1e-12)  # (1/m) Σ (p − t)
    assert np.allclose(gradients["layers.0.W"], x.T.astype(float) @ (p - t) / 12, rtol=1e-12)


# D. Networks by hand, and practice


def test_d1_train_and_predict_are_the_two_functions_of_every_model():
    blobs = cr.data.load("blobs")
    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy())
    cr.train(network, blobs.train, optimizer=cr.Adam(0.05), progress=False)
    x, labels = blobs.test
    p = network.predict(x)
    assert p.shape == (len(x), 3)
    assert np.allclose(p.sum(axis=1), 1, rtol=1e-6)
    assert (p.argmax(axis=1) == labels).mean() > 0.99


def test_d2_worked_numbers_in_scalars_vectors_and_matrices():
    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    x, W, b, v, c = [0.0, 1.0], np.ones((2, 2)), np.zeros(2), np.ones(2), 0.0
    z = [sigmoid(sum(W[i, j] * x[i] for i in range(2)) + b[j]) for j in range(2)]
    p = sigmoid(sum(v[j] * z[j] for j in range(2)) + c)
    assert [round(float(z_j), 3) for z_j in z] == [0.731, 0.731]
    assert round(float(p), 3) == 0.812

    assert np.allclose(sigmoid(W.T @ x + b), z, rtol=1e-15)
    assert sigmoid(v @ sigmoid(W.T @ x + b) + c) == pytest.approx(p, rel=1e-15)

    network = cr.Network([cr.Linear(2), cr.Sigmoid(), cr.Linear(1)], loss=cr.BinaryCrossEntropy(), dtype="float64")
    for name, parameter in network.build((2,)).parameters.items():
        parameter[...] = 1 if name.endswith("W") else 0
    X = np.array([x, [0.0, 0.0], x])  # N × D
    Z = ops.sigmoid_forward(ops.linear_forward(X, W, b))  # N × M
    assert np.allclose(Z[[0, 2]], z, rtol=1e-15)
    assert np.allclose(network.predict(X)[[0, 2], 0], p, rtol=1e-15)


def test_d3_a_sigmoid_is_a_softmax_with_two_outputs():
    two = cr.Network([cr.Linear(2, biases=cr.Normal())], loss=cr.CrossEntropy(), dtype="float64").build((5,))
    one = cr.Network([cr.Linear(1)], loss=cr.BinaryCrossEntropy(), dtype="float64").build((5,))
    for name, w in two.parameters.items():
        one.parameters[name][...] = (w[..., 1] - w[..., 0])[..., None]  # w = w₁ − w₀
    x = np.random.default_rng(0).standard_normal((50, 5))
    labels = x[:, 0] > 0
    assert np.allclose(one.predict(x)[:, 0], two.predict(x)[:, 1], rtol=1e-13)
    assert one.evaluate(x, labels)["loss"] == pytest.approx(two.evaluate(x, labels)["loss"], rel=1e-13)


def test_d3_sigmoid_and_softmax_stay_one_while_they_learn():
    x = np.random.default_rng(0).standard_normal((50, 2))
    labels = x.sum(axis=1) > 0
    two = cr.Network([cr.Linear(2, weights=cr.Zeros())], loss=cr.CrossEntropy(), dtype="float64")
    one = cr.Network([cr.Linear(1, weights=cr.Zeros())], loss=cr.BinaryCrossEntropy(), dtype="float64")
    for network, rate in ((two, 0.5), (one, 1.0)):  # w₁ − w₀ moves by both columns
        cr.train(network, (x, labels), epochs=100, batch_size=None, optimizer=cr.SGD(rate), progress=False)
    assert np.allclose(one.predict(x)[:, 0], two.predict(x)[:, 1], rtol=1e-11)


def test_d4_the_likelihood_of_coin_tosses_is_largest_at_the_share_of_heads():
    heads, tails = 7, 3
    p = np.linspace(0.001, 0.999, 999)
    assert p[(p**heads * (1 - p) ** tails).argmax()] == pytest.approx(heads / (heads + tails), abs=1e-12)


def test_d4_descent_on_cross_entropy_and_ascent_on_log_likelihood_are_one_walk():
    tosses = np.array([[1.0]] * 7 + [[0.0]] * 3)
    down, up = np.zeros((1, 1)), np.zeros((1, 1))
    for _ in range(200):
        cost_slope = ops.binary_cross_entropy_backward(np.ones(10), np.repeat(down, 10, axis=0), tosses).sum()
        likelihood_slope = (tosses - ops.sigmoid_forward(up)).sum()
        down, up = down - 0.1 * cost_slope, up + 0.1 * likelihood_slope
        assert down[0, 0] == pytest.approx(up[0, 0], rel=1e-13)
    assert ops.sigmoid_forward(down)[0, 0] == pytest.approx(0.7, rel=1e-12)


def test_d4_cross_entropy_for_binary_targets_is_the_negative_log_likelihood():
    f, t = np.linspace(-3, 3, 7)[:, None], np.array([[1], [0], [1], [1], [0], [0], [1]])
    p = ops.sigmoid_forward(f)
    likelihood = np.prod(p**t * (1 - p) ** (1 - t))
    loss = cr.BinaryCrossEntropy().forward(f, t)
    assert loss.sum() == pytest.approx(-math.log(likelihood), rel=1e-13)


def test_d4_a_die_by_its_indicator_matrix():
    throws = np.array([1, 6, 3, 6, 2, 4, 6, 5, 3, 6, 1, 6])
    indicator = ops.one_hot(throws - 1, 6)
    assert indicator.sum(axis=0).tolist() == [2, 1, 2, 1, 1, 5]
    network = cr.Network([cr.Linear(6)], loss=cr.CrossEntropy(), dtype="float64")
    nothing = np.zeros((12, 1))  # no input tells one throw from another: only the biases learn
    cr.train(network, (nothing, indicator), epochs=500, batch_size=None, optimizer=cr.SGD(1.0), progress=False)
    assert np.allclose(network.predict(nothing)[0], [2 / 12, 1 / 12, 2 / 12, 1 / 12, 1 / 12, 5 / 12], rtol=1e-9)


@pytest.mark.parametrize("hidden", [(), (5,), (5, 6), (5, 6, 7, 6), (4,) * 8], ids=lambda hidden: f"{len(hidden) + 1}")
def test_d5_back_propagation_as_a_recursion_through_any_number_of_layers(hidden):
    layers = [layer for size in hidden for layer in (cr.Linear(size), cr.Sigmoid())]
    network = cr.Network([*layers, cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64").build((4,))
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((20, 4)), rng.integers(0, 3, 20)
    parameters = list(network.parameters.values())
    weights, biases = parameters[::2], parameters[1::2]

    z = [x]
    for W, b in zip(weights, biases, strict=True):
        z.append(1 / (1 + np.exp(-(z[-1] @ W + b))))
    a = z[-2] @ weights[-1] + biases[-1]
    delta = (np.exp(a) / np.exp(a).sum(axis=1, keepdims=True) - np.eye(3)[labels]) / 20
    found = network.gradients(x, labels)
    for layer in reversed(range(len(weights))):
        scale = np.abs(found[f"layers.{2 * layer}.W"]).max()
        assert np.allclose(found[f"layers.{2 * layer}.W"], z[layer].T @ delta, rtol=0, atol=1e-13 * scale)
        assert np.allclose(found[f"layers.{2 * layer}.b"], delta.sum(axis=0), rtol=0, atol=1e-13 * scale)
        if layer > 0:
            delta = (delta @ weights[layer].T) * z[layer] * (1 - z[layer])


SEEDS = range(20)
PROBLEMS = {"xor": cr.data.make_xor, "rings": cr.data.make_rings}


def accuracies(problem, layers, seed):
    """After training on 400 points: the share decided right of these, and of 2,000 others."""
    make = PROBLEMS[problem]
    training, new = make(samples=400, seed=seed), make(samples=2000, seed=1000 + seed)
    network = cr.Network(layers, loss=cr.BinaryCrossEntropy(), seed=seed)
    cr.train(network, training, epochs=100, optimizer=cr.Adam(0.03), seed=seed, progress=False)
    return network.evaluate(*training)["accuracy"], network.evaluate(*new)["accuracy"]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_d6_logistic_regression_fails(problem):
    reached = [accuracies(problem, [cr.Linear(1)], seed) for seed in SEEDS]
    print(f"{problem}: logistic regression, highest accuracy of 20 seeds {np.max(reached):.1%}")
    assert np.max(reached) < 0.75


@pytest.mark.parametrize("problem", PROBLEMS)
def test_d6_a_small_network_succeeds(problem):
    reached = [accuracies(problem, [cr.Linear(8), cr.Tanh(), cr.Linear(1)], seed)[1] for seed in SEEDS]
    print(f"{problem}: 2-8-1 network on new points, lowest {min(reached):.2%}, median {np.median(reached):.2%}")
    assert sum(accuracy <= 0.99 for accuracy in reached) <= 1


@pytest.mark.parametrize("hidden", [cr.Sigmoid, cr.Tanh, cr.ReLU], ids=lambda hidden: hidden.__name__)
def test_d7_hidden_units_are_exchangeable(hidden, digits):
    network = cr.Network([cr.Linear(30), hidden(), cr.Linear(10)], loss=cr.CrossEntropy())
    cr.train(network, digits.train, epochs=20, optimizer=cr.Adam(0.01), progress=False)
    assert network.evaluate(*digits.test)["accuracy"] > 0.95


def test_d13_recurrent_networks():
    """h(t) = σ(W_x x(t) + W_h h(t−1)), y(t) = σ(W_o h(t))."""
    output = cr.EachStep(cr.Sequential([cr.Linear(2), cr.Sigmoid()]))
    layers = [cr.RNN(4, "sigmoid", return_sequences=True), output, cr.Flatten()]
    network = cr.Network(layers, loss=cr.SquaredError(), dtype="float64").build((5, 3))
    W_x, W_h, b, W_o, b_o = network.parameters.values()
    x, h = np.random.default_rng(0).normal(size=(2, 5, 3)), np.zeros((2, 4))
    y = network.predict(x).reshape(2, 5, 2)
    for t in range(5):
        h = 1 / (1 + np.exp(-(x[:, t] @ W_x + h @ W_h + b)))
        assert y[:, t] == pytest.approx(1 / (1 + np.exp(-(h @ W_o + b_o))), rel=1e-13)


def test_d16_the_cost_is_watched_while_it_falls(capsys):
    seen = []

    class Watch(cr.Callback):
        def on_epoch_end(self, run):
            seen.append(run.loss)

    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy())
    history = cr.train(network, cr.data.make_blobs(), epochs=5, optimizer=cr.SGD(0.1), callbacks=[Watch()])
    assert seen == history["loss"]
    assert all(later < earlier for earlier, later in itertools.pairwise(seen))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("   ")[0] for line in lines] == [f"epoch {epoch}/5" for epoch in range(1, 6)]
    assert all(f"loss {loss:.4g}" in line for loss, line in zip(seen, lines, strict=True))


# E. The component functions


def test_e1_polynomial_regression_by_gradient_descent():
    x, y = (values.astype(np.float64) for values in cr.data.make_parabola(samples=400, noise=0.1))
    network = cr.Network([cr.Linear(1)], loss=cr.SquaredError(), dtype="float64")
    features = np.hstack([x**2, x])
    cr.train(network, (features, y), epochs=1000, batch_size=None, optimizer=cr.SGD(0.9), progress=False)
    W, b = network.parameters.values()
    found = [W[0, 0], W[1, 0], b[0]]  # w₂, w₁, w₀
    assert np.allclose(found, np.polyfit(x[:, 0], y[:, 0], 2), rtol=0, atol=1e-6)
    assert np.allclose(found, [2, -1, 0.5], rtol=0, atol=0.05)  # what the points were made with


def test_e4_a_gradient_is_the_sum_over_all_paths():
    network = cr.Network([cr.Linear(4), cr.Sigmoid(), cr.Linear(3), cr.Tanh(), cr.Linear(2)], loss=cr.SquaredError())
    network = cr.Network(network.layers, loss=network.loss, dtype="float64").build((3,))
    x, t = np.array([[0.3, -1.0, 0.8]]), np.array([[1.0, 0.0]])
    W1, b1, W2, b2, W3, b3 = network.parameters.values()
    h = 1 / (1 + np.exp(-(x @ W1 + b1)))[0]
    g = np.tanh(h @ W2 + b2)
    f = g @ W3 + b3
    for i in range(3):
        paths = itertools.product(range(4), range(3), range(2))  # x_i → unit j → unit k → score o → L
        total = sum(
            W1[i, j] * h[j] * (1 - h[j]) * W2[j, k] * (1 - g[k] ** 2) * W3[k, o] * (f[o] - t[0, o]) for j, k, o in paths
        )
        scores, saved = network.forward(x)
        dx, _ = network.body.backward(network.loss.backward(np.ones(1), scores, t), saved)
        assert dx[0, i] == pytest.approx(total, rel=1e-12)


@pytest.mark.mnist
@pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here: it would take too long")
def test_e3_softmax_of_pooled_convolutions_on_mnist(mnist):
    layers = [cr.Reshape((1, 28, 28)), cr.Conv2D(20, 5), cr.ReLU(), cr.MaxPool2D(2), cr.Flatten(), cr.Linear(10)]
    network = cr.Network(layers, loss=cr.CrossEntropy(), seed=0)
    settings = {"epochs": 2, "batch_size": 100, "optimizer": cr.Adam(0.015), "schedule": cr.OneCycle()}
    cr.train(network, mnist.train, progress=False, **settings)
    assert network.evaluate(*mnist.test)["accuracy"] >= 0.985


def test_e5_update_sooner_rather_than_later(digits):
    def costs(batch_size, rate):
        network = cr.Network([cr.Linear(15), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy())
        settings = {"epochs": 5, "batch_size": batch_size, "optimizer": cr.SGD(rate), "progress": False}
        return cr.train(network, digits.train, validation=digits.train, **settings)["validation_loss"]

    stochastic = costs(1, 0.1)
    for rate in (0.1, 0.3, 1.0, 3.0):  # whatever rate gradient descent takes
        assert all(sooner < 0.5 * later for sooner, later in zip(stochastic, costs(None, rate), strict=True))


# What a training of MNIST reaches, and that it can be repeated


def accuracy_reached(mnist, network, rate):
    """Test accuracy, the mean of the last five of 30 epochs in batches of 10: single ones move by 0.2% either way."""
    history = cr.train(
        network, mnist.train, validation=mnist.test, epochs=30, batch_size=10, optimizer=cr.SGD(rate), progress=False
    )
    measured = history["validation_accuracy"]
    print(f"{network}: {measured[-1]:.2%} at the end, {np.mean(measured[-5:]):.2%} over the last five epochs")
    return np.mean(measured[-5:])


@pytest.mark.mnist
def test_mnist_784_30_10_with_squared_error_and_the_plain_start(mnist):
    start = {"weights": cr.Normal(0, 1), "biases": cr.Normal(0, 1)}
    reached = []
    for seed in range(3):  # the plain start is a lottery: from seed to seed it ends between 94.6% and 95.5%
        layers = [cr.Linear(30, **start), cr.Sigmoid(), cr.Linear(10, **start), cr.Sigmoid()]
        reached.append(accuracy_reached(mnist, cr.Network(layers, loss=cr.SquaredError(), seed=seed), 3.0))
    assert np.median(reached) >= 0.95


@pytest.mark.mnist
def test_mnist_784_30_10_with_cross_entropy_and_a_sensible_start(mnist):
    layers = [cr.Linear(30), cr.Sigmoid(), cr.Linear(10)]
    assert accuracy_reached(mnist, cr.Network(layers, loss=cr.CrossEntropy(), seed=0), 0.2) >= 0.96


@pytest.mark.mnist
def test_mnist_784_100_10(mnist):
    layers = [cr.Linear(100), cr.Sigmoid(), cr.Linear(10)]
    assert accuracy_reached(mnist, cr.Network(layers, loss=cr.CrossEntropy(), seed=0), 0.2) >= 0.975


def test_the_same_seed_gives_the_same_bytes(digits):
    def weights(seed):
        network = cr.Network([cr.Linear(30), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy(), seed=seed)
        cr.train(network, digits.train, validation=0.2, epochs=3, seed=seed, progress=False)
        return [w.tobytes() for w in network.parameters.values()]

    assert weights(1) == weights(1)
    assert all(one != other for one, other in zip(weights(1), weights(2), strict=True))


def test_a_row_alone_is_predicted_as_in_a_batch(digits):
    network = digit_network(inputs=64)
    x, _ = digits.test
    together = network.predict(x)
    alone = np.concatenate([network.predict(row[None]) for row in x])
    assert np.allclose(alone, together, rtol=0, atol=1e-12)
