"""`network.explain`: a pass by the operations' own source, held against the kernels. Mission items B4, C1, D5."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, DerivationError, SettingError
from chainrule.explain.formula import LATEX, TEXT, Formula
from chainrule.explain.statements import run
from chainrule.operations import OPERATIONS, operation, recorded_calls
from chainrule.operations.linear import linear_forward

X, LABEL = np.array([0.3, -0.7, 0.2]), 2


def small(layers=None, **settings):
    layers = layers or [cr.Linear(4), cr.Sigmoid(), cr.Linear(3)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64", **settings).build((3,))


def statement(derivation, place, source):
    """The statement of the steps at `place` whose Python text begins with `source`."""
    steps = [step for step in derivation.to_dict()["steps"] if step["place"] == place]
    (found,) = [s for step in steps for s in step["statements"] if s["source"].startswith(source)]
    return found


# The steps


def test_a_pass_is_forward_loss_backward_and_update():
    steps = small().explain(X, LABEL).steps
    phases = [step.phase for step in steps]
    assert list(dict.fromkeys(phases)) == ["forward", "loss", "backward", "update"]
    assert [step.kind for step in steps if step.phase == "forward"] == ["Linear", "Sigmoid", "Linear"]
    assert [step.place for step in steps if step.phase == "update"] == [
        "layers.0.W",
        "layers.0.b",
        "layers.2.W",
        "layers.2.b",
    ]


def test_the_results_are_those_of_the_network():
    network = small()
    derivation = network.explain(X, LABEL)
    gradients = network.gradients(X[None], [LABEL])
    assert derivation.loss == network.evaluate(X[None], [LABEL])["loss"]
    assert np.array_equal(derivation.prediction, network.predict(X[None]))
    found = {step.place: step.arguments[1].value for step in derivation.steps if step.phase == "update"}
    assert found.keys() == gradients.keys()
    assert all(np.array_equal(found[name], gradients[name]) for name in gradients)


def test_every_statement_of_an_operation_is_there_with_formula_numbers_and_result():
    network = small()
    found = statement(network.explain(X, LABEL), "layers.0", "y = x @ W + b")
    assert (found["left"], found["formula"]) == ("y", "x W + b")
    assert found["numbers"].startswith("[0.3 −0.7 0.2] · [")
    assert found["results"]["y"]["shape"] == [1, 4]
    expected, _ = network.layers[0].forward(X[None], cr.layers.Context())
    assert found["results"]["y"]["numbers"][0] == pytest.approx(expected[0], rel=1e-14)


def test_the_gradient_at_the_scores_is_p_minus_t():
    network = small()
    derivation = network.explain(X, LABEL)
    found = statement(derivation, "loss", "df = ")
    assert (found["left"], found["formula"]) == ("∂J/∂f", "∂J/∂L ⊙ (p − t)")
    expected = network.predict(X[None])[0] - np.eye(3)[LABEL]
    assert found["results"]["df"]["numbers"][0] == pytest.approx(expected, rel=1e-14)


def test_one_element_can_be_followed_with_a_calculator():
    network = small()
    element = statement(network.explain(X, LABEL, parameter="layers.0.W", index=(1, 3)), "layers.0", "dW = ")["element"]
    x, dy = (float(part) for part in element["text"].replace("−", "-").replace("(", "").replace(")", "").split(" · "))
    assert element["index"] == [1, 3]
    assert x * dy == pytest.approx(element["value"], rel=1e-3)


def test_the_update_ends_with_the_optimizer_s_numbers():
    network = small()
    W, gradient = network.parameters["layers.0.W"][1, 3], network.gradients(X[None], [LABEL])["layers.0.W"][1, 3]
    derivation = network.explain(X, LABEL, parameter="layers[0].W", index=(1, 3), optimizer=cr.SGD(0.25))
    found = statement(derivation, "layers.0.W", "W = ")
    assert found["formula"] == "W − η · ∂J/∂W"
    assert found["element"]["value"] == pytest.approx(W - 0.25 * gradient, rel=1e-14)
    assert network.parameters["layers.0.W"][1, 3] == W


@pytest.mark.parametrize("optimizer", [cr.Adam(), cr.Nadam(), cr.RMSprop(centered=True), cr.Adadelta(), cr.Lion()])
def test_every_optimizer_shows_its_own_step(optimizer):
    steps = [s for s in small().explain(X, LABEL, optimizer=optimizer).steps if s.phase == "update"]
    assert {step.kind for step in steps} == {type(optimizer).__name__}
    assert all(step.statements for step in steps)


def test_parameters_that_are_frozen_are_not_updated():
    network = small().freeze("layers.0")
    derivation = network.explain(X, LABEL)
    assert [step.place for step in derivation.steps if step.phase == "update"] == ["layers.2.W", "layers.2.b"]
    assert "layers.0" not in {step.place for step in derivation.steps if step.phase == "backward"}


def test_a_frozen_parameter_can_be_asked_for():
    network = small()
    gradient = network.gradients(X[None], [LABEL])["layers.0.b"][1]
    chain = network.freeze("layers.0").explain(X, LABEL, parameter="layers[0].b", index=1).chain
    assert chain.gradient == gradient


def test_loops_are_shown_turn_by_turn_and_folded_between():
    network = cr.Network([cr.LSTM(2), cr.Linear(1)], loss=cr.SquaredError(), dtype="float64")
    text = str(network.explain(np.ones((1, 6, 3)), [[1.0]]))
    assert "t = 0:" in text
    assert "t = 5:" in text
    assert "t = 2:" not in text
    assert "… 4 more turns like it …" in text


def test_dropout_shows_what_was_dropped_in_that_step_of_training():
    network = small([cr.Linear(8), cr.Dropout(0.5), cr.Linear(3)])
    derivation = network.explain(X, LABEL, training=True, seed=4, step=7)
    mask = np.array(statement(derivation, "layers.1", "mask = ")["results"]["mask"]["numbers"])
    _, (expected,) = network.layers[1].forward(
        np.ones((1, 8)), cr.layers.Context(training=True, seed=4, step=7, place="layers.1.")
    )
    assert np.array_equal(mask, expected)
    assert 0 < mask.sum() < 8


def test_a_layer_that_calls_no_operation_says_so():
    network = small([cr.Dropout(), cr.Linear(3)])
    step = network.explain(X, LABEL).steps[0]
    assert step.operation == ""
    assert "calls no operation" in step.about


def test_a_formula_whose_source_cannot_be_read_still_shows_its_result(registers):
    room = {}
    exec("def triple_it(x): return 3 * x", room)
    tripled = operation(room["triple_it"])

    class Triple(cr.Layer):
        def forward(self, x, context):
            return tripled(x), ()

        def backward(self, dy, saved):
            return tripled(dy), {}

    step = small([Triple(), cr.Linear(3)]).explain(X, LABEL).steps[0]
    assert step.statements == ()
    assert np.allclose(step.results["y"], 3 * X)


def odd_one(x, s):  # x (N, I), s (I,)
    """Written in a way of its own."""
    y = x * s if len(s) else x
    y += np.sqrt((x**2).sum(axis=-1, keepdims=True)) // 1  # in place
    if y.ndim > 1:
        y = np.array([(lambda row: row - 1)(row) for row in y])
    for k in range(3):
        y[:, 0] = y[:, 0] + k
    return y


def by_with(x):
    """Not straight-line."""
    with np.errstate(all="ignore"):
        return x + 1


def test_formulas_written_in_other_ways_are_run_all_the_same():
    x, s = np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([2.0, 0.5])
    ran = run(odd_one, {"x": x, "s": s})
    assert np.array_equal(ran.result, odd_one(x, s))
    assert [list(statement.results) for statement in ran.statements][:3] == [["y"], ["y"], ["y"]]
    first = ran.statements[0]
    assert np.array_equal(first.results["y"], x * s)  # what comes later changes nothing in it
    for style in (TEXT, LATEX):
        assert all(Formula(one, style, numbers=n).right() for one in ran.statements for n in (False, True))


def test_a_formula_that_is_not_straight_line_is_run_as_a_whole():
    ran = run(by_with, {"x": np.ones(2)})
    assert ran.statements == ()
    assert ran.result.tolist() == [2, 2]


# Held against the kernels


def test_the_differences_from_the_kernels_are_rounding():
    for dtype, limit in (("float64", 1e-14), ("float32", 1e-5)):
        network = cr.Network([cr.Linear(20), cr.GELU(), cr.Linear(3)], loss=cr.CrossEntropy(), dtype=dtype)
        steps = network.explain(np.linspace(-1, 1, 30).reshape(2, 15), [0, 2]).steps
        assert max(step.difference for step in steps) < limit


def test_a_kernel_that_is_not_its_formula_is_found_out(monkeypatch):
    network = small()
    kernel = linear_forward.kernel
    monkeypatch.setattr(linear_forward, "kernel", lambda x, W, b: kernel(x, W, b) * (1 + 1e-6))
    with pytest.raises(DerivationError, match="linear_forward: kernel and formula differ by"):
        network.explain(X, LABEL)


def test_the_formulas_alone_can_be_explained_too():
    network = small()
    with cr.backend("reference"):
        assert max(step.difference for step in network.explain(X, LABEL).steps) == 0


def test_a_derivation_stays_as_it_was_when_the_network_learns_on():
    network, x = small(), X[None].copy()
    derivation = network.explain(x, [LABEL], parameter="layers[0].W", index=(1, 3))
    before = str(derivation)
    cr.train(network, (x, [LABEL]), epochs=2, progress=False)
    x += 1
    assert str(derivation) == before


# The recorder


def test_calls_are_recorded_in_their_order_with_arguments_and_result():
    x, W, b = np.ones((1, 2)), np.ones((2, 3)), np.zeros(3)
    with recorded_calls() as calls:
        y = linear_forward(x, W, b=b)
    linear_forward(x, W, b)
    (call,) = calls
    assert call.operation is linear_forward
    assert list(call.arguments) == ["x", "W", "b"]
    assert call.arguments["x"] is x
    assert call.result is y


def test_only_the_thread_that_asked_is_recorded():
    x, W, b = np.ones((1, 2)), np.ones((2, 3)), np.zeros(3)
    with recorded_calls() as calls, ThreadPoolExecutor() as others:
        others.submit(linear_forward, x, W, b).result()
    assert calls == []


def test_recording_changes_no_bit():
    network, rng = small(), np.random.default_rng(0)
    x = rng.normal(size=(5, 3))
    expected = network.forward(x)[0]
    with recorded_calls() as calls:
        found = network.forward(x)[0]
    assert [call.operation.name for call in calls] == ["linear_forward", "sigmoid_forward", "linear_forward"]
    assert np.array_equal(found, expected)


def test_recordings_may_be_nested():
    with recorded_calls() as outer, recorded_calls() as inner:
        linear_forward(np.ones((1, 2)), np.ones((2, 3)), np.zeros(3))
    assert (len(outer), len(inner)) == (0, 1)


def test_every_operation_can_be_copied_by_its_name():
    import copy
    import pickle

    for found in OPERATIONS.values():
        if found.__module__.startswith("chainrule."):
            assert copy.deepcopy(found) is found
            assert pickle.loads(pickle.dumps(found)) is found


# What is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parameter": "layers[0].V", "index": 0}, r"there is no 'layers\[0\].V'; there are x, layers.0.W, "),
        ({"parameter": "layers[0].W"}, "give both"),
        ({"index": 3}, "give both"),
        ({"parameter": "layers[0].W", "index": (3, 0)}, r"expected a place in layers.0.W \(3, 4\), got \(3, 0\)"),
        ({"parameter": "layers[0].W", "index": (0,)}, "expected a place in"),
        ({"parameter": "layers[0].W", "index": (0.5, 1)}, "expected a place in"),
        ({"optimizer": cr.LBFGS()}, "expected one that takes single steps"),
        ({"optimizer": "sgd"}, "expected one that takes single steps"),
        ({"terms": 0}, "terms: expected a whole number of at least 1"),
        ({"training": 1}, "training: expected True or False"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        small().explain(X, LABEL, **settings)


def test_a_loss_that_is_not_finite_is_refused():
    network = cr.Network([cr.Linear(1)], loss=cr.Poisson(), dtype="float64").build((1,))
    network.parameters["layers.0.W"][...] = 1e6  # whose exponential is too large
    with pytest.raises(DataError, match="came out as inf"):
        network.explain([[1.0]], [[1.0]])


# The dictionary


def test_the_dictionary_is_json_and_says_what_it_is():
    derivation = small().explain(X, LABEL, parameter="x", index=1)
    found = json.loads(derivation.to_json())
    assert found == derivation.to_dict()
    assert list(found) == [
        "format", "network", "dtype", "samples", "training", "loss", "prediction", "target", "steps", "paths",
    ]  # fmt: skip
    assert found["format"] == 1


def test_large_arrays_are_never_dumped():
    network = cr.Network([cr.Linear(300), cr.ReLU(), cr.Linear(10)], loss=cr.CrossEntropy()).build((784,))
    derivation = network.explain(np.linspace(0, 1, 784), 3, parameter="layers[0].W", index=(400, 7))
    assert len(derivation.to_json()) < 500_000
    assert len(str(derivation)) < 20_000
    value = derivation.to_dict()["steps"][0]["arguments"][1]["value"]
    assert value["numbers"] is None
    assert np.shape(value["tiles"]) == (1, 28, 28)
