"""Every number of the subject matter, item by item: what is expected, how it is computed, and where it is shown.

A number is computed with the library's own functions, and written in as many digits as are expected. What is expected
of a formula is that nothing is left of its difference from the library: 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import chainrule as cr
from chainrule import operations as ops

EPS = 1e-12  # what is nearer to 0 is rounding


@dataclass(frozen=True)
class Number:
    """One row of the table."""

    item: str  # of the subject matter: "D2"
    what: str
    expected: str
    compute: Callable[[], str]
    shown: str  # a file of examples/ or docs/, or a public name

    @property
    def needs_mnist(self) -> bool:
        """Whether it is about the files of MNIST, which are not on every machine."""
        return self.item == "B1"


NUMBERS: list[Number] = []


def worked(item: str, what: str, expected: str, shown: str) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Puts a function that computes a number into the table."""

    def take(compute: Callable[[], str]) -> Callable[[], str]:
        NUMBERS.append(Number(item, what, expected, compute, shown))
        return compute

    return take


def rest(difference) -> str:
    """What is left of a difference: 0 where it is nothing but rounding, else the largest."""
    largest = float(np.abs(difference).max())
    return "0" if largest < EPS else f"{largest:.1e}"


def listed(values, form="g") -> str:
    return ", ".join(f"{value:{form}}" for value in np.ravel(values)).replace("-0.000,", "0.000,")


# A. Decisions: the perceptron

NAMES = ("111", "100", "110", "101", "011", "000", "001", "010")  # cheap ticket, available, interested
CASES = {name: np.array([float(fact) for fact in name]) for name in NAMES}
TICKETS = np.array([*CASES.values()])
WEIGHTS = np.array([1.0, 6.0, 3.0])


def gone(decided) -> str:
    return ", ".join(name for name, go in zip(CASES, np.ravel(decided), strict=True) if go)


@worked("A1", "w·x of 111, 100, 110, 101, 011, 000, 001, 010", "10, 1, 7, 4, 9, 0, 3, 6", "a1_a2_ticket_decision.py")
def _():
    return listed(ops.linear_forward(TICKETS, WEIGHTS[:, None], np.zeros(1)))


@worked("A1", "cases decided with 1, t = 9", "111, 011", "a1_a2_ticket_decision.py")
def _():
    return gone(ops.step_forward(TICKETS @ WEIGHTS - 9))


@worked("A1", "cases decided with 1, t = 7", "111, 110, 011", "a1_a2_ticket_decision.py")
def _():
    return gone(ops.step_forward(TICKETS @ WEIGHTS - 7))


def bias_form(b) -> str:
    network = cr.Network([cr.Linear(1)], loss=cr.Perceptron()).build((3,))
    network.parameters["layers.0.W"][:, 0] = WEIGHTS
    network.parameters["layers.0.b"][0] = b
    return gone(network.predict(TICKETS))


@worked("A2", "the same by w·x + b ≥ 0, b = −9", "111, 011", "a1_a2_ticket_decision.py")
def _():
    return bias_form(-9)


@worked("A2", "the same by w·x + b ≥ 0, b = −7", "111, 110, 011", "a1_a2_ticket_decision.py")
def _():
    return bias_form(-7)


def found_by_rule(threshold) -> str:
    scores = TICKETS @ WEIGHTS
    return gone(cr.train_perceptron(TICKETS, scores >= threshold).predict(TICKETS))


@worked("A3", "cases decided with 1 after the learning rule, labels of t = 9", "111, 011", "a3_perceptron_rule.py")
def _():
    return found_by_rule(9)


@worked("A3", "cases decided with 1 after the learning rule, labels of t = 7", "111, 110, 011", "a3_perceptron_rule.py")
def _():
    return found_by_rule(7)


@worked("A3", "the learning rule on XOR", "no straight line separates", "a3_perceptron_rule.py")
def _():
    try:
        cr.train_perceptron([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    except cr.errors.NotSeparableError as error:
        return "no straight line separates" if "no straight line separates" in str(error) else str(error)
    return "found one"


X = np.linspace(-8, 8, 1601)
ONE = np.ones_like(X)


@worked("A4", "step of −1, 0, 1", "0, 1, 1", "a4_activations.py")
def _():
    return listed(ops.step_forward(np.array([-1.0, 0, 1])))


@worked("A4", "max(0, x) of −2, 0, 2", "0, 0, 2", "a4_activations.py")
def _():
    return listed(ops.relu_forward(np.array([-2.0, 0, 2])))


@worked("A4", "softplus of 0: log 2", "0.693", "a4_activations.py")
def _():
    return f"{ops.softplus_forward(np.zeros(1))[0]:.3f}"


@worked("A4", "softplus − log(1 + eˣ)", "0", "a4_activations.py")
def _():
    return rest(ops.softplus_forward(X) - np.log(1 + np.exp(X)))


@worked("A4", "derivative of softplus − σ", "0", "a4_activations.py")
def _():
    return rest(ops.softplus_backward(ONE, X) - ops.sigmoid_forward(X))


@worked("A4", "σ of 0, 1, 2", "0.500, 0.731, 0.881", "a4_activations.py")
def _():
    return listed(ops.sigmoid_forward(np.array([0.0, 1, 2])), ".3f")


@worked("A4", "derivative of σ − σ (1 − σ)", "0", "a4_activations.py")
def _():
    y = 1 / (1 + np.exp(-X))
    return rest(ops.sigmoid_backward(ONE, ops.sigmoid_forward(X)) - y * (1 - y))


@worked("A4", "derivative of tanh − (1 − tanh²)", "0", "a4_activations.py")
def _():
    return rest(ops.tanh_backward(ONE, ops.tanh_forward(X)) - (1 - np.tanh(X) ** 2))


@worked("A4", "tanh(x) − (2σ(2x) − 1)", "0", "a4_activations.py")
def _():
    return rest(ops.tanh_forward(X) - (2 * ops.sigmoid_forward(2 * X) - 1))


@worked("A4", "sum of softmax(1, 2, 3, 0.5)", "1", "a4_activations.py")
def _():
    return f"{ops.softmax_forward(F).sum():.12g}"


# B. The digit network


@worked("B1", "images to learn from, to test", "60000, 10000", "b1_mnist.py")
def _():
    mnist = cr.data.load_mnist()
    return listed([len(mnist.train[0]), len(mnist.test[0])], "d")


@worked("B1", "rows and columns of an image", "28, 28", "b1_mnist.py")
def _():
    return listed(cr.data.load_mnist().image_shape)


@worked("B1", "darkest and lightest grey", "0, 255", "b1_mnist.py")
def _():
    grey = cr.data.load_mnist().train[0].bytes
    return listed([grey.min(), grey.max()], "d")


@worked("B1", "lowest and highest label", "0, 9", "b1_mnist.py")
def _():
    labels = cr.data.load_mnist().train[1]
    return listed([labels.min(), labels.max()], "d")


def digit_network(inputs=784, **start):
    layers = [cr.Linear(15, **start), cr.Sigmoid(), cr.Linear(10, **start)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64").build((inputs,))


@worked("B2", "parameters of the layers of 784–15–10", "11775, 160", "b2_forward_pass.py")
def _():
    return listed([count for _, _, count in digit_network().summary().rows if count], "d")


@worked("B2", "mean and deviation of parameters from N(0, 1), to 1 digit", "0.0, 1.0", "b2_forward_pass.py")
def _():
    network = digit_network(weights=cr.Normal(0, 1), biases=cr.Normal(0, 1))
    drawn = np.concatenate([W.ravel() for W in network.parameters.values()])
    return listed([abs(drawn.mean()), drawn.std()], ".1f")


def by_hand(network, x):
    W, b, W_hat, b_hat = network.parameters.values()
    h = 1 / (1 + np.exp(-(x @ W + b)))
    f = h @ W_hat + b_hat
    return h, np.exp(f) / np.exp(f).sum()


PIXELS = np.random.default_rng(0).random(784)


@worked("B2", "o = softmax(Ŵ σ(Wx + b) + b̂) − network.predict", "0", "b2_forward_pass.py")
def _():
    network = digit_network()
    return rest(by_hand(network, PIXELS)[1] - network.predict(PIXELS[None])[0])


@worked("B3", "one-hot target of label 3 of 5", "0, 0, 0, 1, 0", "b3_descent_rules.py")
def _():
    return listed(ops.one_hot(np.array([3]), 5))


@worked("B3", "L − (−log o_j)", "0", "b3_descent_rules.py")
def _():
    network = digit_network()
    return rest(network.evaluate(PIXELS[None], [3])["loss"] + math.log(by_hand(network, PIXELS)[1][3]))


def one_step(batch_size) -> str:
    digits = cr.data.load_digits()
    x, labels = digits.train[0][:16], digits.train[1][:16]
    trained, hand = digit_network(64), digit_network(64)
    cr.train(
        trained, (x, labels), epochs=1, batch_size=batch_size, optimizer=cr.SGD(0.5), shuffle=False, progress=False
    )
    size = batch_size or 16
    for start in range(0, 16, size):
        single = [hand.gradients(x[n : n + 1], labels[n : n + 1]) for n in range(start, start + size)]
        for name, w in hand.parameters.items():
            w -= 0.5 / size * sum(gradients[name] for gradients in single)  # w ← w − (η/m) Σ ∂L/∂w
    return rest([np.abs(trained.parameters[name] - w).max() for name, w in hand.parameters.items()])


@worked("B3", "w ← w − (η/m) Σ ∂L/∂w − train, full batch", "0", "b3_descent_rules.py")
def _():
    return one_step(None)


@worked("B3", "the same, batches of 4", "0", "b3_descent_rules.py")
def _():
    return one_step(4)


@worked("B3", "the same, sample by sample", "0", "b3_descent_rules.py")
def _():
    return one_step(1)


def gradient_left_over(name) -> str:
    network = digit_network()
    h, o = by_hand(network, PIXELS)
    error = o - np.eye(10)[7]
    kept = (network.parameters["layers.2.W"] @ error) * h * (1 - h)
    expected = {
        "layers.2.b": error,
        "layers.2.W": np.outer(h, error),
        "layers.0.b": kept,
        "layers.0.W": np.outer(PIXELS, kept),
    }
    return rest(network.gradients(PIXELS[None], [7])[name] - expected[name])


@worked("B4", "∂L/∂b̂_k − (o_k − t_k)", "0", "b4_gradients_by_hand.py")
def _():
    return gradient_left_over("layers.2.b")


@worked("B4", "∂L/∂ŵ_kl − (o_k − t_k) h_l", "0", "b4_gradients_by_hand.py")
def _():
    return gradient_left_over("layers.2.W")


@worked("B4", "∂L/∂b_k − [Σ_i (o_i − t_i) ŵ_ik] σ(g_k)(1 − σ(g_k))", "0", "b4_gradients_by_hand.py")
def _():
    return gradient_left_over("layers.0.b")


@worked("B4", "∂L/∂w_kl − [Σ_i (o_i − t_i) ŵ_ik] σ(g_k)(1 − σ(g_k)) x_l", "0", "b4_gradients_by_hand.py")
def _():
    return gradient_left_over("layers.0.W")


def bowl(v):
    return v[0] ** 2 / 2 + 3 * v[1] ** 2


def slope(v):
    return np.array([v[0], 6 * v[1]])


V, STEP = np.array([-4.0, 1.5]), 0.1 * np.array([0.6, 0.8])


@worked("B5", "∇C·Δv of C = ½v₁² + 3v₂² at (−4, 1.5), Δv = 0.1 (0.6, 0.8)", "0.480", "b5_gradient_descent.py")
def _():
    return f"{slope(V) @ STEP:.3f}"


@worked("B5", "ΔC there", "0.501", "b5_gradient_descent.py")
def _():
    return f"{bowl(V + STEP) - bowl(V):.3f}"


@worked(
    "B5", "the steepest slope, −|∇C|, and the steepest of 10,000 directions", "-9.849, -9.849", "b5_gradient_descent.py"
)
def _():
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 10_000)
    slopes = slope(V) @ np.array([np.cos(angles), np.sin(angles)])
    return listed([-np.linalg.norm(slope(V)), slopes.min()], ".3f")


@worked("B5", "v after v ← v − λ∇C, λ = 0.27, once", "-2.92, -0.93", "b5_gradient_descent.py")
def _():
    return listed(ops.sgd_update(V, slope(V), 0.27), ".2f")


@worked("B6", "overfits, seen in the curves; early stopping ends it", "yes, yes", "b6_overfitting.py")
def _():
    digits = cr.data.load_digits()
    data = digits.train[0][:100], digits.train[1][:100]
    settings = {"validation": digits.test, "epochs": 40, "batch_size": 10, "optimizer": cr.Adam(0.01)}

    def trained(*callbacks):
        network = cr.Network([cr.Linear(100), cr.Tanh(), cr.Linear(10)], loss=cr.CrossEntropy())
        return cr.train(network, data, callbacks=callbacks, progress=False, **settings)

    seen = cr.plots.overfitting_epoch(trained()) is not None
    ended = len(trained(cr.EarlyStopping(patience=5))) < 40
    return ", ".join("yes" if fact else "no" for fact in (seen, ended))


# C. Softmax and negative log-likelihood

F = np.array([[1.0, 2.0, 3.0, 0.5]])  # four classes
T = np.eye(4)[[2]]  # the third is the true one


@worked("C1", "p of the scores 1, 2, 3, 0.5", "0.085, 0.232, 0.631, 0.052", "c1_softmax_signs.py")
def _():
    return listed(ops.softmax_forward(F), ".3f")


@worked("C1", "L = −log p₃", "0.461", "c1_softmax_signs.py")
def _():
    return f"{ops.cross_entropy_forward(F, np.array([2]))[0]:.3f}"


@worked("C1", "∂L/∂f = p − t", "0.085, 0.232, -0.369, 0.052", "c1_softmax_signs.py")
def _():
    return listed(ops.cross_entropy_backward(np.ones(1), F, np.array([2])), ".3f")


@worked("C1", "its signs, class 3 being true", "+, +, −, +", "c1_softmax_signs.py")
def _():
    gradient = ops.cross_entropy_backward(np.ones(1), F, np.array([2]))[0]
    return ", ".join("+" if number > 0 else "−" for number in gradient)


@worked("C1", "softmax Jacobian − p_i (δ_ik − p_k)", "0", "c1_softmax_signs.py")
def _():
    p = ops.softmax_forward(F)[0]
    expected = [[p[i] * ((i == k) - p[k]) for k in range(4)] for i in range(4)]
    return rest(ops.softmax_jacobian(p[None])[0] - expected)


@worked("C1", "Jacobian against ∂L/∂p = −t/p, minus (p − t)", "0", "c1_softmax_signs.py")
def _():
    p = ops.softmax_forward(F)
    return rest((-T / p)[0] @ ops.softmax_jacobian(p)[0] - (p - T)[0])


def blobs():
    x, labels = cr.data.make_blobs(samples=12)
    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64").build((2,))
    return network, x.astype(float), labels, network.predict(x), np.eye(3)[labels]


@worked("C2", "J − (−(1/m) log ∏_i ∏_j p_j^{t_j})", "0", "c2_likelihood.py")
def _():
    network, x, labels, p, t = blobs()
    return rest(network.evaluate(x, labels)["loss"] + math.log(np.prod(p**t)) / 12)


@worked("C2", "∂J/∂b − (1/m) Σ (p − t)", "0", "c2_likelihood.py")
def _():
    network, x, labels, p, t = blobs()
    return rest(network.gradients(x, labels)["layers.0.b"] - (p - t).sum(axis=0) / 12)


# D. Networks by hand, and practice


@worked("D1", "train, then predict: share of the blobs told apart", "1.00", "d1_train_and_predict.py")
def _():
    data = cr.data.load("blobs")
    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy())
    cr.train(network, data.train, optimizer=cr.Adam(0.05), progress=False)
    return f"{(network.predict(data.test[0]).argmax(axis=1) == data.test[1]).mean():.2f}"


def two_hidden_units():
    network = cr.Network([cr.Linear(2), cr.Sigmoid(), cr.Linear(1)], loss=cr.BinaryCrossEntropy(), dtype="float64")
    for name, parameter in network.build((2,)).parameters.items():
        parameter[...] = 1 if name.endswith("W") else 0
    return network


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


@worked("D2", "z of x = [0, 1], all W = 1, b = 0, in scalars", "0.731, 0.731", "d2_feed_forward.py")
def _():
    x = [0.0, 1.0]
    return listed([sigmoid(sum(x_i * 1.0 for x_i in x)) for _ in range(2)], ".3f")


@worked("D2", "z by the library", "0.731, 0.731", "d2_feed_forward.py")
def _():
    return listed(ops.sigmoid_forward(ops.linear_forward(np.array([[0.0, 1]]), np.ones((2, 2)), np.zeros(2))), ".3f")


@worked("D2", "p, v = 1, c = 0, in scalars", "0.812", "d2_feed_forward.py")
def _():
    return f"{sigmoid(2 * sigmoid(1.0)):.3f}"


@worked("D2", "p by network.predict", "0.812", "d2_feed_forward.py")
def _():
    return f"{two_hidden_units().predict([[0.0, 1.0]])[0, 0]:.3f}"


@worked("D2", "rows of a matrix X − one vector after the other", "0", "d2_feed_forward.py")
def _():
    X = np.random.default_rng(0).normal(size=(5, 2))
    network = two_hidden_units()
    return rest(network.predict(X) - np.concatenate([network.predict(x[None]) for x in X]))


@worked("D3", "sigmoid of w = w₁ − w₀, minus softmax of both", "0", "d3_sigmoid_is_softmax.py")
def _():
    two = cr.Network([cr.Linear(2, biases=cr.Normal())], loss=cr.CrossEntropy(), dtype="float64").build((5,))
    one = cr.Network([cr.Linear(1)], loss=cr.BinaryCrossEntropy(), dtype="float64").build((5,))
    for name, w in two.parameters.items():
        one.parameters[name][...] = (w[..., 1] - w[..., 0])[..., None]
    x = np.random.default_rng(0).standard_normal((50, 5))
    return rest(one.predict(x)[:, 0] - two.predict(x)[:, 1])


@worked("D4", "where p^H (1 − p)^T is largest, 7 heads, 3 tails", "0.700", "d4_coin_and_die.py")
def _():
    p = np.linspace(0.001, 0.999, 999)
    return f"{p[(p**7 * (1 - p) ** 3).argmax()]:.3f}"


@worked(
    "D4", "what descent on the cross-entropy, ascent on the log-likelihood reach", "0.700, 0.700", "d4_coin_and_die.py"
)
def _():
    tosses = np.array([[1.0]] * 7 + [[0.0]] * 3)
    down = up = np.zeros((1, 1))
    for _ in range(200):
        down = down - 0.1 * ops.binary_cross_entropy_backward(np.ones(10), np.repeat(down, 10, axis=0), tosses).sum()
        up = up + 0.1 * (tosses - sigmoid(up)).sum()
    return listed([sigmoid(down), sigmoid(up)], ".3f")


@worked("D4", "faces of a die thrown 12 times: the indicator matrix, summed", "2, 1, 2, 1, 1, 5", "d4_coin_and_die.py")
def _():
    throws = np.array([1, 6, 3, 6, 2, 4, 6, 5, 3, 6, 1, 6])
    return listed(ops.one_hot(throws - 1, 6).sum(axis=0))


@worked("D5", "δ_l = (δ_{l+1} Wᵀ) z (1 − z) through 6 layers − network.gradients", "0", "d5_backpropagation.py")
def _():
    layers = [layer for size in (5, 6, 7, 6, 5) for layer in (cr.Linear(size), cr.Sigmoid())]
    network = cr.Network([*layers, cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64").build((4,))
    x, label = np.random.default_rng(0).standard_normal((1, 4)), 1
    parameters = list(network.parameters.values())
    weights, biases = parameters[::2], parameters[1::2]
    z = [x]
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        z.append(sigmoid(z[-1] @ W + b))
    delta = network.predict(x) - np.eye(3)[[label]]
    found, apart = network.gradients(x, [label]), []
    for layer in reversed(range(len(weights))):
        apart.append(np.abs(found[f"layers.{2 * layer}.W"] - z[layer].T @ delta).max())
        delta = (delta @ weights[layer].T) * z[layer] * (1 - z[layer])
    return rest(apart)


def told_apart(name, layers) -> float:
    data = cr.data.load(name)
    network = cr.Network(layers, loss=cr.BinaryCrossEntropy())
    cr.train(network, data.train, epochs=100, optimizer=cr.Adam(0.03), progress=False)
    return network.evaluate(*data.test)["accuracy"]


def succeeds(name) -> str:
    logistic = told_apart(name, [cr.Linear(1)]) > 0.75
    network = told_apart(name, [cr.Linear(8), cr.Tanh(), cr.Linear(1)]) > 0.98
    return ", ".join("succeeds" if fact else "fails" for fact in (logistic, network))


@worked("D6", "XOR: logistic regression (above 75%), 2-8-1 (above 98%)", "fails, succeeds", "d6_xor_and_donut.py")
def _():
    return succeeds("xor")


@worked("D6", "donut: logistic regression (above 75%), 2-8-1 (above 98%)", "fails, succeeds", "d6_xor_and_donut.py")
def _():
    return succeeds("rings")


@worked("D7", "derivatives of sigmoid, tanh, ReLU at 0.5", "0.2350, 0.7864, 1.0000", "d7_hidden_units.py")
def _():
    x, one = np.array([[0.5]]), np.ones((1, 1))
    slopes = (
        ops.sigmoid_backward(one, ops.sigmoid_forward(x)),
        ops.tanh_backward(one, ops.tanh_forward(x)),
        ops.relu_backward(one, ops.relu_forward(x)),
    )
    return listed(slopes, ".4f")


@worked(
    "D8",
    "learning rates on a log scale, 10⁻⁷ … 10⁻¹",
    "1e-07, 1e-06, 1e-05, 0.0001, 0.001, 0.01, 0.1",
    "chainrule.selection.LogScale",
)
def _():
    return listed(cr.selection.LogScale(1e-7, 1e-1).grid())


@worked(
    "D8",
    "K = 5 folds: their number; mean and deviation of the scores − cross_validate's",
    "5; 0",
    "chainrule.cross_validate",
)
def _():
    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy())
    found = cr.cross_validate(network, cr.data.make_blobs(samples=60), epochs=2, workers=1)
    mean = found.scores.sum() / 5
    deviation = math.sqrt(((found.scores - mean) ** 2).sum() / 4)
    return f"{found.scores.size}; {rest([found.mean - mean, found.deviation - deviation])}"


@worked(
    "D8",
    "t-test of differences 2, 1, 3, 0, 4: t = d̄ / √(s²/5), and its p",
    "2.828, 0.047",
    "chainrule.selection.paired_t_test",
)
def _():
    test = cr.selection.paired_t_test([2.0, 1, 3, 0, 4])
    return listed([test.statistic, test.p_value], ".3f")


@worked("D9", "too high a rate, with squared error", "stopped: not finite", "docs/training.md")
def _():
    network = cr.Network([cr.Linear(1)], loss=cr.SquaredError())
    try:
        cr.train(network, cr.data.make_parabola(), epochs=200, optimizer=cr.SGD(1e6), progress=False)
    except cr.errors.DivergenceError:
        return "stopped: not finite"
    return "went on"


@worked("D9", "loss of a batch given twice − loss of the batch", "0", "chainrule.Network.evaluate")
def _():
    network, x, labels, *_ = blobs()
    twice = network.evaluate(np.tile(x, (2, 1)), np.tile(labels, 2))["loss"]
    return rest(twice - network.evaluate(x, labels)["loss"])


@worked("D9", "penalty of W beside itself − penalty of W", "0", "chainrule.L2")
def _():
    W = np.random.default_rng(0).normal(size=(3, 4))
    penalty = cr.L2(0.1)
    return rest(penalty.value({"W": np.hstack([W, W])}, 10) - penalty.value({"W": W}, 10))


@worked("D10", "parameters here − in PyTorch, after each of 20 steps", "0", "chainrule.interop.twin")
def _():
    network = cr.Network([cr.Linear(5), cr.Tanh(), cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64")
    return rest(cr.interop.twin(network, cr.data.make_blobs(samples=60), steps=20).largest.size)


@worked("D12", "pixels of a face, classes", "2304, 7", "d12_facial_expressions.py")
def _():
    network = cr.Network([cr.Flatten(), cr.Linear(7)], loss=cr.CrossEntropy()).build((1, 48, 48))
    return listed([network.layers[0].build((1, 48, 48), None)[0], network.output_shape[0]], "d")


@worked(
    "D13", "h(t) = σ(W_x x(t) + W_h h(t−1)), y(t) = σ(W_o h(t)) − network.predict", "0", "d13_recurrent_networks.py"
)
def _():
    output = cr.EachStep(cr.Sequential([cr.Linear(2), cr.Sigmoid()]))
    layers = [cr.RNN(4, "sigmoid", return_sequences=True), output, cr.Flatten()]
    network = cr.Network(layers, loss=cr.SquaredError(), dtype="float64").build((5, 3))
    W_x, W_h, b, W_o, b_o = network.parameters.values()
    x, h, apart = np.random.default_rng(0).normal(size=(2, 5, 3)), np.zeros((2, 4)), []
    y = network.predict(x).reshape(2, 5, 2)
    for t in range(5):
        h = sigmoid(x[:, t] @ W_x + h @ W_h + b)
        apart.append(np.abs(y[:, t] - sigmoid(h @ W_o + b_o)).max())
    return rest(apart)


@worked("D13", "y = σ(W₁ σ(W₂ * x)) − network.predict", "0", "e3_digit_convolution.py")
def _():
    layers = [cr.Conv2D(2, 3), cr.Sigmoid(), cr.Flatten(), cr.Linear(3), cr.Sigmoid()]
    network = cr.Network(layers, loss=cr.SquaredError(), dtype="float64").build((1, 5, 4))
    W2, b2, W1, b1 = network.parameters.values()
    x = np.random.default_rng(0).normal(size=(1, 1, 5, 4))
    inner = np.zeros((2, 3, 2))
    for o, i, j in np.ndindex(2, 3, 2):
        inner[o, i, j] = sigmoid((W2[o, 0] * x[0, 0, i : i + 3, j : j + 3]).sum() + b2[o])
    return rest(network.predict(x)[0] - sigmoid(inner.ravel() @ W1 + b1))


@worked("D14", "mean and deviation of each feature after standardising", "0.00, 1.00", "chainrule.data.Standardizer")
def _():
    x = np.random.default_rng(0).normal(5, 3, (200, 2))
    scaled = cr.data.Standardizer.fit(x).apply(x)
    return listed([abs(scaled.mean()), scaled.std()], ".2f")


@worked("D14", "greys 0, 51, 255 as numbers in 0…1", "0, 0.2, 1", "chainrule.data.Pixels")
def _():
    return listed(np.asarray(cr.data.Pixels(np.array([[0, 51, 255]], np.uint8)), float).round(7))


@worked("D16", "costs that rise while 10 epochs go by", "0", "d16_watch_the_cost.py")
def _():
    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy())
    history = cr.train(network, cr.data.make_blobs(), epochs=10, optimizer=cr.SGD(0.1), progress=False)
    return str(sum(later >= earlier for earlier, later in itertools.pairwise(history["loss"])))


# E. The component functions


@worked("E1", "w₂, w₁, w₀ by descent − by least squares, in 6 digits", "0.000000", "e1_polynomial_regression.py")
def _():
    x, y = (values.astype(np.float64) for values in cr.data.make_parabola(samples=400, noise=0.1))
    network = cr.Network([cr.Linear(1)], loss=cr.SquaredError(), dtype="float64")
    data = (np.hstack([x**2, x]), y)
    cr.train(network, data, epochs=1000, batch_size=None, optimizer=cr.SGD(0.9), progress=False)
    W, b = network.parameters.values()
    return f"{np.abs([W[0, 0], W[1, 0], b[0]] - np.polyfit(x[:, 0], y[:, 0], 2)).max():.6f}"


def images():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 3, 5, 4)), rng.normal(size=(2, 3, 2, 3)), rng.normal(size=2)


@worked("E2", "Σ_{ic,i',j'} w[oc,ic,i',j'] x[s,ic,i+i',j+j'] + b[oc] − convolution", "0", "e2_convolution.py")
def _():
    x, w, b = images()
    y = ops.convolution_forward(x, w, b, (1, 1), (0, 0))
    expected = np.empty_like(y)
    for s, oc, i, j in np.ndindex(*y.shape):
        sums = (w[oc, ic, p, q] * x[s, ic, i + p, j + q] for ic, p, q in np.ndindex(*w.shape[1:]))
        expected[s, oc, i, j] = sum(sums) + b[oc]
    return rest(y - expected)


def convolution_gradient(which) -> str:
    x, w, _ = images()
    dy = np.random.default_rng(1).normal(size=(2, 2, 4, 2))
    expected = {"x": np.zeros_like(x), "w": np.zeros_like(w), "b": dy.sum(axis=(0, 2, 3))}
    for s, oc, i, j in np.ndindex(*dy.shape):
        for ic, p, q in np.ndindex(*w.shape[1:]):
            expected["x"][s, ic, i + p, j + q] += dy[s, oc, i, j] * w[oc, ic, p, q]
            expected["w"][oc, ic, p, q] += dy[s, oc, i, j] * x[s, ic, i + p, j + q]
    found = dict(zip("xwb", ops.convolution_backward(dy, x, w, (1, 1), (0, 0)), strict=True))
    return rest(found[which] - expected[which])


@worked("E2", "convolution: ∂L/∂x − its sum", "0", "e2_convolution.py")
def _():
    return convolution_gradient("x")


@worked("E2", "convolution: ∂L/∂w − its sum", "0", "e2_convolution.py")
def _():
    return convolution_gradient("w")


@worked("E2", "convolution: ∂L/∂b − its sum", "0", "e2_convolution.py")
def _():
    return convolution_gradient("b")


@worked("E2", "linear: ∂L/∂x, ∂L/∂W, ∂L/∂b − dy Wᵀ, xᵀ dy, Σ dy", "0, 0, 0", "e2_convolution.py")
def _():
    rng = np.random.default_rng(0)
    x, W, dy = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
    expected = (np.einsum("no,io->ni", dy, W), np.einsum("ni,no->io", x, dy), dy.sum(axis=0))
    return ", ".join(rest(a - b) for a, b in zip(ops.linear_backward(dy, x, W), expected, strict=True))


@worked("E2", "ReLU: gradients 1, 2, 3, 4 at −2, −0.5, 0.5, 2", "0, 0, 3, 4", "e2_convolution.py")
def _():
    x = np.array([[-2.0, -0.5, 0.5, 2]])
    return listed(ops.relu_backward(np.array([[1.0, 2, 3, 4]]), ops.relu_forward(x)))


POOLED = np.array([[[[1.0, 5, 2, 0], [3, 4, 8, 6]]]])


@worked("E2", "2×2 max pooling of 1 5 2 0 / 3 4 8 6", "5, 8", "e2_convolution.py")
def _():
    return listed(ops.max_pool_forward(POOLED, (2, 2), (2, 2)))


@worked("E2", "and its gradients, 1 and 2", "0, 1, 0, 0, 0, 0, 2, 0", "e2_convolution.py")
def _():
    return listed(ops.max_pool_backward(np.array([[[[1.0, 2]]]]), POOLED, (2, 2), (2, 2)))


@worked("E2", "dropout of ones at rate 0.5: the numbers there are", "0, 2", "e2_convolution.py")
def _():
    y, _ = ops.dropout_forward(np.ones((1, 50)), rate=0.5, seed=0, stream=0, step=1)
    return listed(np.unique(y))


@worked("E2", "dropout: gradient − mask / (1 − rate)", "0", "e2_convolution.py")
def _():
    _, mask = ops.dropout_forward(np.ones((1, 50)), rate=0.5, seed=0, stream=0, step=1)
    return rest(ops.dropout_backward(np.ones((1, 50)), mask, rate=0.5) - 2 * mask)


@worked("E2", "softmax of 1, 2, 0", "0.245, 0.665, 0.090", "e2_convolution.py")
def _():
    return listed(ops.softmax_forward(np.array([[1.0, 2, 0]])), ".3f")


@worked("E2", "NLL∘softmax: −x_t + log Σ e^{x_i} of 1, 2, 0, t = 2", "2.408", "e2_convolution.py")
def _():
    return f"{ops.cross_entropy_forward(np.array([[1.0, 2, 0]]), np.array([2]))[0]:.3f}"


@worked("E2", "its gradient softmax(x) − onehot(t)", "0.245, 0.665, -0.910", "e2_convolution.py")
def _():
    return listed(ops.cross_entropy_backward(np.ones(1), np.array([[1.0, 2, 0]]), np.array([2])), ".3f")


@worked("E3", "softmax(W₁ maxpool(ReLU(W₀ * x))) − network.predict", "0", "e3_digit_convolution.py")
def _():
    layers = [cr.Conv2D(2, 3), cr.ReLU(), cr.MaxPool2D(2), cr.Flatten(), cr.Linear(3)]
    network = cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64").build((1, 6, 6))
    W0, b0, W1, b1 = network.parameters.values()
    x = np.random.default_rng(0).normal(size=(1, 1, 6, 6))
    convolved = np.zeros((2, 4, 4))
    for o, i, j in np.ndindex(2, 4, 4):
        convolved[o, i, j] = max(0, (W0[o, 0] * x[0, 0, i : i + 3, j : j + 3]).sum() + b0[o])
    pooled = convolved.reshape(2, 2, 2, 2, 2).max(axis=(2, 4))
    f = np.exp(pooled.ravel() @ W1 + b1)
    return rest(network.predict(x)[0] - f / f.sum())


@worked("E4", "Σ over all paths x → y of ∂L/∂y ∂y/∂x − one sweep backward", "0", "e4_chain_rule.py")
def _():
    layers = [cr.Linear(4), cr.Sigmoid(), cr.Linear(3), cr.Tanh(), cr.Linear(2)]
    network = cr.Network(layers, loss=cr.SquaredError(), dtype="float64").build((3,))
    x, t = np.array([[0.3, -1.0, 0.8]]), np.array([[1.0, 0.0]])
    W1, b1, W2, b2, W3, b3 = network.parameters.values()
    h = sigmoid(x @ W1 + b1)[0]
    g = np.tanh(h @ W2 + b2)
    f = g @ W3 + b3
    paths = itertools.product(range(4), range(3), range(2))  # x₀ → unit j → unit k → score o → L
    total = sum(
        W1[0, j] * h[j] * (1 - h[j]) * W2[j, k] * (1 - g[k] ** 2) * W3[k, o] * (f[o] - t[0, o]) for j, k, o in paths
    )
    scores, saved = network.forward(x)
    dx, _ = network.body.backward(network.loss.backward(np.ones(1), scores, t), saved)
    return rest(dx[0, 0] - total)


@worked("E5", "cost after one pass over the data: stochastic below full batch", "yes", "e5_update_sooner.py")
def _():
    digits = cr.data.load_digits()

    def cost(batch_size):
        network = cr.Network([cr.Linear(15), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy())
        cr.train(network, digits.train, epochs=1, batch_size=batch_size, optimizer=cr.SGD(0.1), progress=False)
        return network.evaluate(*digits.train)["loss"]

    return "yes" if cost(1) < 0.5 * cost(None) else "no"
