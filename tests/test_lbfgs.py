"""L-BFGS: its direction, its line search, and trainings with it. Source: Nocedal & Wright 2006."""

import itertools

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.errors import DivergenceError, SettingError
from chainrule.optimizers.lbfgs import CURVATURE, DECREASE, Evaluation, Line, Point, lowest_between, newton_direction

X = np.random.default_rng(0).normal(size=(40, 3))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


def network(dtype="float64", seed=0):
    return cr.Network([cr.Linear(6), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype=dtype, seed=seed)


def trained(net=None, optimizer=None, **settings):
    net = net or network()
    settings = {"epochs": 300, "penalty": cr.L2(0.01, per="none"), "progress": False} | settings
    return net, cr.train(net, (X, LABELS), batch_size=None, optimizer=optimizer or cr.LBFGS(), **settings)


def weights(net):
    return b"".join(W.tobytes() for W in net.parameters.values())


def minimize(cost, gradient, w, steps, optimizer=None):
    """The costs on the way, and where it ends."""
    optimizer, pairs, costs = optimizer or cr.LBFGS(), [], []

    def evaluate(w):
        return Evaluation(cost(w), gradient(w))

    here = evaluate(w)
    for _ in range(steps):
        costs.append(here.cost)
        found, pairs = optimizer.step(evaluate, w, here, pairs, 1.0)
        w, here = found.w, found.there
    return costs, w


# --- the direction ----------------------------------------------------------------------------------------------------


def test_without_pairs_it_is_the_steepest_descent():
    g = np.array([1.0, -2.0])
    assert np.array_equal(newton_direction(g, []), -g)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_two_loops_multiply_by_the_inverse_hessian_of_bfgs(count):
    """H ← (1 − ρ s yᵀ) H (1 − ρ y sᵀ) + ρ s sᵀ with ρ = 1 / yᵀs (equation 6.17), as a matrix."""
    rng = np.random.default_rng(count)
    A = rng.normal(size=(4, 4))
    A = A @ A.T + np.eye(4)
    pairs = [(s, A @ s) for s in rng.normal(size=(count, 4))]
    s, y = pairs[-1]
    H = (s @ y) / (y @ y) * np.eye(4)
    for s, y in pairs:
        left = np.eye(4) - np.outer(s, y) / (y @ s)
        H = left @ H @ left.T + np.outer(s, s) / (y @ s)
    g = rng.normal(size=4)
    np.testing.assert_allclose(newton_direction(g, pairs), -H @ g, rtol=1e-11)


def test_the_last_pair_is_met_exactly():
    """The secant equation H y = s (6.6)."""
    rng = np.random.default_rng(3)
    pairs = [(s, s * [1, 2, 3]) for s in rng.normal(size=(3, 3))]
    s, y = pairs[-1]
    np.testing.assert_allclose(newton_direction(-y, pairs), s, rtol=1e-13)


# --- the line search --------------------------------------------------------------------------------------------------

CURVES = {  # C(t), C'(t), on t ≥ 0
    "a parabola": (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    "far away": (lambda t: (t - 5000) ** 2, lambda t: 2 * (t - 5000)),
    "close by": (lambda t: (t - 1e-5) ** 2, lambda t: 2 * (t - 1e-5)),
    "waves on a slope": (lambda t: 0.1 * t * t - t - np.sin(7 * t), lambda t: 0.2 * t - 1 - 7 * np.cos(7 * t)),
    "Moré & Thuente 1": (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
    "steep, then flat": (lambda t: np.exp(-10 * t) + 0.01 * t, lambda t: -10 * np.exp(-10 * t) + 0.01),
    "not finite beyond 1": (
        lambda t: -t + t**3 / 2 if t <= 1 else np.nan,
        lambda t: -1 + 1.5 * t * t if t <= 1 else np.nan,
    ),
    "infinite beyond 1": (lambda t: -t + t**3 / 2 if t <= 1 else np.inf, lambda t: -1 + 1.5 * t * t),
}


def search(cost, slope, first, evaluations=40):
    tried = []

    def evaluate(w):
        tried.append(float(w[0]))
        return Evaluation(float(cost(w[0])), np.array([slope(w[0])], float))

    w = np.zeros(1)
    start = Point(0.0, float(slope(0.0)), w, Evaluation(float(cost(0.0)), np.array([slope(0.0)])))
    return Line(evaluate, start, np.ones(1), evaluations).search(first), tried


@pytest.mark.parametrize("first", [1e-6, 0.01, 0.3, 1.0, 2.0, 50.0, 1e4])
@pytest.mark.parametrize("curve", CURVES)
def test_the_point_it_finds_meets_both_of_wolfe_s_conditions(curve, first):
    cost, slope = CURVES[curve]
    found, tried = search(cost, slope, first)
    assert found.t > 0
    assert cost(found.t) <= cost(0) + DECREASE * found.t * slope(0)
    assert abs(slope(found.t)) <= CURVATURE * abs(slope(0))
    assert found.t in tried


@pytest.mark.parametrize("evaluations", [1, 2, 3])
def test_where_the_evaluations_do_not_suffice_it_gives_the_best_it_found_or_the_start(evaluations):
    found, tried = search(*CURVES["far away"], 1e-3, evaluations)
    assert len(tried) == evaluations
    assert found.t == max(tried)
    found, tried = search(*CURVES["close by"], 1e4, evaluations)
    assert len(tried) == evaluations
    assert found.t == 0


def test_the_lowest_place_of_a_cubic_is_found_exactly():
    def point(t):
        return Point(t, 3 * t * t - 6 * t, np.zeros(1), Evaluation(t**3 - 3 * t * t, np.zeros(1)))

    for a, b in ((0.5, 3.0), (3.0, 0.5), (1.2, 1.3)):
        assert lowest_between(point(a), point(b), 0.0, 4.0) == pytest.approx(2.0, rel=1e-12)
    assert lowest_between(point(0.5), point(3.0), 2.5, 2.9) == 2.5
    assert lowest_between(point(0.5), point(3.0), 0.5, 1.0) == 1.0


def test_where_a_cubic_has_no_lowest_place_it_is_the_middle():
    falling = [Point(t, -1.0, np.zeros(1), Evaluation(-t, np.zeros(1))) for t in (0.0, 1.0)]
    assert lowest_between(*falling, 2.0, 4.0) == 3.0
    infinite = Point(1.0, np.nan, np.zeros(1), Evaluation(np.nan, np.zeros(1)))
    assert lowest_between(falling[0], infinite, 0.1, 0.9) == 0.5


# --- functions of vectors ---------------------------------------------------------------------------------------------


def test_it_finds_the_bottom_of_the_banana_valley():
    """Rosenbrock 1960: C = (1 − a)² + 100 (b − a²)², from (−1.2, 1)."""

    def gradient(w):
        a, b = w
        return np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])

    costs, w = minimize(lambda w: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2, gradient, np.array([-1.2, 1.0]), 45)
    np.testing.assert_allclose(w, [1, 1], rtol=1e-8)
    assert all(later <= earlier for earlier, later in itertools.pairwise(costs))


def test_a_bowl_of_many_dimensions_needs_few_steps():
    scales = np.logspace(0, 2, 50)
    costs, w = minimize(lambda w: (scales * w * w).sum() / 2, lambda w: scales * w, np.ones(50), 100)
    assert np.abs(w).max() < 1e-6
    assert costs[-1] < 1e-12 * costs[0]


def test_pairs_that_lead_nowhere_are_forgotten():
    """As if the curvature were 1e-30: the length 1e30 is not brought down to 1 in 25 trials."""
    w = np.array([1.0, 2.0])
    misleading = [(np.full(2, 1e15), np.full(2, 1e-15))]
    found, pairs = cr.LBFGS().step(lambda w: Evaluation(float(w @ w / 2), w), w, Evaluation(2.5, w), misleading, 1.0)
    assert found.cost < 2.5
    assert len(pairs) == 1


def test_where_the_gradient_is_zero_nothing_moves():
    costs, w = minimize(lambda w: 1.0, lambda w: np.zeros(3), np.ones(3), 3)
    assert costs == [1.0, 1.0, 1.0]
    assert np.array_equal(w, np.ones(3))


def test_it_changes_nothing_in_place():
    w, g = np.ones(3), np.array([1.0, 2.0, 3.0])
    pairs = [(np.ones(3), g.copy())]
    for array in (w, g, *pairs[0]):
        array.flags.writeable = False
    found, _ = cr.LBFGS().step(
        lambda w: Evaluation(float((w * w * g).sum() / 2), w * g), w, Evaluation(3.0, g), pairs, 1.0
    )
    assert found.cost < 3


# --- trainings --------------------------------------------------------------------------------------------------------


def test_a_training_ends_at_a_minimum_and_says_so():
    net, history = trained()
    assert history.stopped == "at a minimum: no gradient is larger than 1e-07"
    assert len(history) < 300
    gradients = net.gradients(X, LABELS, penalty=cr.L2(0.01, per="none"))
    assert max(np.abs(g).max() for g in gradients.values()) <= 1e-7
    assert all(later <= earlier for earlier, later in itertools.pairwise(history["loss"]))


def test_it_beats_adam_in_as_many_epochs():
    by_adam = trained(optimizer=cr.Adam(0.01), epochs=60)[1]
    assert trained(epochs=60)[1]["loss"][-1] < by_adam["loss"][-1]


def test_the_loss_of_an_epoch_is_that_before_its_step():
    net = network().build((3,))
    before = net.evaluate(X, LABELS)
    _, history = trained(net, epochs=1, penalty=None)
    assert history["loss"] == pytest.approx([before["loss"]], rel=1e-13)
    assert history["accuracy"] == [before["accuracy"]]
    assert "penalty" not in history.records[0]


def test_where_the_last_step_led_is_not_evaluated_again(monkeypatch):
    """Two evaluations in the first epoch, and one in most others."""
    calls = []
    evaluate = cr.Network.cost_and_gradients
    monkeypatch.setattr(
        cr.Network, "cost_and_gradients", lambda *args, **settings: calls.append(1) or evaluate(*args, **settings)
    )
    _, history = trained(epochs=20)
    assert len(history) == 20
    assert len(calls) < 32


def test_what_a_callback_does_to_the_weights_counts():
    class Reset(cr.Callback):
        def on_epoch_end(self, run):
            if run.epoch == 5:
                for name, W in run.network.parameters.items():
                    W[...] = start[name]

    start = {name: W.copy() for name, W in network().build((3,)).parameters.items()}
    history = trained(callbacks=[Reset()], epochs=7)[1]
    assert history["loss"][5] == pytest.approx(history["loss"][0], rel=1e-13)
    assert history["loss"][6] < history["loss"][5]


def test_what_a_callback_does_to_the_penalty_counts():
    class Stronger(cr.Callback):
        def on_epoch_end(self, run):
            run.penalty.strength = 1.0

    history = trained(callbacks=[Stronger()], epochs=2, penalty=cr.L2(0.01, per="none"))[1]
    plain = trained(epochs=2)[1]
    assert history["penalty"][1] == pytest.approx(100 * plain["penalty"][1], rel=1e-13)


def test_its_memory_is_in_the_slots_so_that_a_training_may_go_on_from_them():
    """10 epochs at once, and 4 and then 6 with weights, slots and step number carried over."""

    class CarryOver(cr.Callback):
        def on_train_start(self, run):
            if self.kept:
                for name, array in {**run.network.parameters, **run.slot_arrays}.items():
                    array[...] = self.kept[name]
                run.step = self.step

        def on_train_end(self, run):
            arrays = {**run.network.parameters, **run.slot_arrays}
            self.kept, self.step = {name: array.copy() for name, array in arrays.items()}, run.step

    carry = CarryOver()
    carry.kept = {}
    trained(epochs=4, callbacks=[carry])
    resumed = trained(epochs=6, callbacks=[carry])[0]
    assert weights(resumed) == weights(trained(epochs=10)[0])


def test_early_stopping_and_validation_work():
    stopping = cr.EarlyStopping(patience=3)
    _, history = trained(validation=(X[:10], 1 - LABELS[:10]), callbacks=[stopping])
    assert len(history) == stopping.best_epoch + 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_change_no_bit(dtype):
    before = kernels.threads()
    try:
        found = set()
        for count in (1, 3):
            kernels.set_threads(count)
            found.add(weights(trained(network(dtype), epochs=30)[0]))
    finally:
        kernels.set_threads(before)
    assert len(found) == 1


def test_in_float32_it_ends_where_rounding_hides_what_is_lower():
    _, history = trained(network("float32"))
    exact = trained()[1]
    assert history["loss"][-1] == pytest.approx(exact["loss"][-1], rel=1e-4)
    assert len(history) < 300
    assert "no lower cost was found" in history.stopped or "at a minimum" in history.stopped


def test_an_interruption_leaves_the_last_whole_step(monkeypatch):
    whole = network().build((3,))
    trained(whole, epochs=3)
    evaluate, calls = cr.Network.cost_and_gradients, []

    def interrupted(network, *arguments, **settings):
        calls.append(weights(network))
        if calls.count(weights(whole)) and calls[-1] != weights(whole):  # the first try after the third step
            raise KeyboardInterrupt
        return evaluate(network, *arguments, **settings)

    monkeypatch.setattr(cr.Network, "cost_and_gradients", interrupted)
    torn = network().build((3,))
    with pytest.raises(KeyboardInterrupt):
        trained(torn, epochs=10)
    assert weights(torn) == weights(whole)


def test_a_cost_that_is_not_finite_at_the_start_is_a_divergence():
    net = cr.Network([cr.Linear(1)], loss=cr.SquaredError())
    with pytest.raises(DivergenceError, match="epoch 1, step 1: the loss is not finite"):
        cr.train(net, (np.full((4, 2), 1e30), np.ones(4)), batch_size=None, optimizer=cr.LBFGS(), progress=False)
    assert all(np.isfinite(W).all() for W in net.parameters.values())


def test_a_cost_that_overflows_on_the_way_is_stepped_back_from():
    x = np.linspace(-1, 1, 20)[:, None]
    net = cr.Network([cr.Linear(8), cr.ReLU(), cr.Linear(1)], loss=cr.SquaredError(), dtype="float64")
    settings = {"batch_size": None, "epochs": 200, "optimizer": cr.LBFGS(learning_rate=1e12), "progress": False}
    history = cr.train(net, (x, x[:, 0] ** 2), **settings)
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 32}, "LBFGS compares costs of all samples: pass batch_size=None"),
        ({"batch_size": None, "clip": cr.ClipNorm(1.0)}, "clip: LBFGS finds the length of its steps by itself"),
    ],
)
def test_what_does_not_go_with_it_is_refused(settings, message):
    net = network().build((3,))
    before = weights(net)
    with pytest.raises(SettingError, match=message):
        cr.train(net, (X, LABELS), optimizer=cr.LBFGS(), progress=False, **settings)
    assert weights(net) == before


def test_a_batch_as_large_as_the_data_is_the_full_batch():
    full = network()
    cr.train(full, (X, LABELS), epochs=5, batch_size=40, optimizer=cr.LBFGS(), progress=False)
    assert weights(full) == weights(trained(epochs=5, penalty=None)[0])


def test_a_training_of_one_weight_and_of_no_samples_left_over():
    net = cr.Network([cr.Linear(1)], loss=cr.SquaredError(), dtype="float64")
    x = np.array([[1.0], [2.0]])
    cr.train(net, (x, 3 * x[:, 0] + 1), epochs=20, batch_size=None, optimizer=cr.LBFGS(), progress=False)
    assert net.parameters["layers.0.W"][0, 0] == pytest.approx(3, rel=1e-6)
    assert net.parameters["layers.0.b"][0] == pytest.approx(1, rel=1e-6)
