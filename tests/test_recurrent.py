"""Recurrent layers: PyTorch's numbers, the formulas step by step, masks, both directions, and whole networks."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import operations as ops
from chainrule.errors import SettingError, ShapeError
from chainrule.initializers import Orthogonal
from chainrule.layers import Context
from chainrule.operations.operation import runs_natively
from chainrule.randomness import stream
from chainrule.testing import numerical_gradient, relative_error
from chainrule.training.steps import Steps

FILL = 9.0  # of steps that do not count, in the oracle's sequences and in those below
KINDS = [cr.RNN, cr.LSTM, cr.GRU]
BACKENDS = ("native", "reference")


def built(layer, input_shape):
    """A built layer in float64, all of its parameters a little off their start."""
    layer.build(input_shape, stream(0, "weights"))
    rng = np.random.default_rng(5)
    layer.replace_parameters(lambda _, start: start + rng.normal(0, 0.3, start.shape))
    return layer


def forward(layer, x):
    return layer.forward(np.asarray(x, float), Context())[0]


# --- against PyTorch --------------------------------------------------------------------------------------------------


ORACLE = json.loads((Path(__file__).parent / "oracle" / "recurrent.json").read_text())
del ORACLE["made with"]
CASES = {case: {name: np.array(array) for name, array in arrays.items()} for case, arrays in ORACLE.items()}


def layer_of(case, *, return_sequences):
    kind, *settings = case.split(" ")
    fill = {"mask_value": FILL} if "unequal" in settings else {}
    hidden = CASES[case]["ahead.U"].shape[0]
    if kind in ("lstm", "gru"):
        layer = {"lstm": cr.LSTM, "gru": cr.GRU}[kind](hidden, return_sequences=return_sequences, **fill)
    else:
        layer = cr.RNN(hidden, kind, return_sequences=return_sequences, **fill)
    return cr.Bidirectional(layer) if "both" in settings else layer


def names_in_the_oracle(layer):
    """The names of a layer's parameters, and those of the oracle."""
    return {name: name if "." in name else f"ahead.{name}" for name in layer.parameters}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", ["every step", "the last step"])
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_pytorch_to_1e_12(case, way, backend):
    known, every = CASES[case], way == "every step"
    layer = layer_of(case, return_sequences=every)
    layer.build(known["x"].shape[1:], None)
    names = names_in_the_oracle(layer)
    layer.replace_parameters(lambda name, _: known[names[name]])
    r, d = ("r", "d") if every else ("r_last", "dlast.")
    with cr.backend(backend):
        y, saved = layer.forward(known["x"], Context())
        dx, gradients = layer.backward(known[r], saved)
    assert relative_error(y, known["y" if every else "last"]) < 1e-12
    assert relative_error(dx, known[f"{d}x"]) < 1e-12
    for name, gradient in gradients.items():
        assert relative_error(gradient, known[d + names[name]]) < 1e-12, name


# --- the formulas, number by number -----------------------------------------------------------------------------------


def test_d13_two_steps_of_one_unit_by_hand():
    """h(1) = σ(2 · 1 + 0.5), h(2) = σ(2 · −1 + 3 h(1) + 0.5)."""
    layer = built(cr.RNN(1, "sigmoid", return_sequences=True), (2, 1))
    layer.W[:], layer.U[:], layer.b[:] = 2, 3, 0.5
    first = 1 / (1 + math.exp(-2.5))
    second = 1 / (1 + math.exp(-(-2 + 3 * first + 0.5)))
    assert forward(layer, [[[1], [-1]]]).ravel().tolist() == pytest.approx([first, second], rel=1e-14)


def test_back_propagation_through_two_steps_by_hand():
    """∂h(2)/∂U = h' (h(1) + U ∂h(1)/∂U), where h(0) = 0 leaves the second term out; ∂h(2)/∂x(1) = h'(2) U h'(1) W."""
    layer = built(cr.RNN(1), (2, 1))
    layer.W[:], layer.U[:], layer.b[:] = 0.7, -0.4, 0.1
    first = math.tanh(0.7 * 0.5 + 0.1)
    second = math.tanh(0.7 * -1 - 0.4 * first + 0.1)
    slope, earlier = 1 - second**2, 1 - first**2
    y, saved = layer.forward(np.array([[[0.5], [-1.0]]]), Context())
    dx, gradients = layer.backward(np.ones_like(y), saved)
    assert dx.ravel().tolist() == pytest.approx([slope * -0.4 * earlier * 0.7, slope * 0.7], rel=1e-13)
    assert gradients["U"].item() == pytest.approx(slope * first, rel=1e-13)
    assert gradients["W"].item() == pytest.approx(slope * (-1 - 0.4 * earlier * 0.5), rel=1e-13)
    assert gradients["b"].item() == pytest.approx(slope * (1 - 0.4 * earlier), rel=1e-13)


def test_relu_has_slope_0_at_its_kink():
    x, zero, mask = np.zeros((1, 2, 1)), np.zeros((1, 1)), np.ones((1, 2), np.uint8)
    h = ops.relu_rnn_forward(x, zero, zero, np.zeros(1), mask)
    assert not any(gradient.any() for gradient in ops.relu_rnn_backward(np.ones_like(h), x, h, zero, zero, mask))


def test_an_lstm_whose_gates_are_wide_open_adds_up_its_input():
    """i = f = o = 1 (for large biases): c(t) = c(t−1) + tanh(x(t))."""
    layer = built(cr.LSTM(1, return_sequences=True), (4, 1))
    layer.W[:], layer.U[:], layer.b[:] = [[0, 0, 1, 0]], 0, [50, 50, 0, 50]
    x = np.array([0.3, -0.2, 0.9, 0.1])
    assert forward(layer, x.reshape(1, 4, 1)).ravel() == pytest.approx(np.tanh(np.cumsum(np.tanh(x))), rel=1e-14)


def test_a_gru_whose_update_gate_is_shut_keeps_its_state():
    """z = 1: h(t) = h(t−1) = 0, whatever comes; z = 0 and r = 0: h(t) = tanh(x(t))."""
    layer = built(cr.GRU(1, return_sequences=True), (3, 1))
    x = np.array([[[0.3], [-0.2], [0.9]]])
    layer.W[:], layer.U[:], layer.b[:] = [[0, 0, 1]], 0.6, [-50, 50, 0]
    assert np.abs(forward(layer, x)).max() < 1e-20
    layer.U[:], layer.b[:] = [[0, 0, 0.6]], [-50, -50, 0]
    assert forward(layer, x) == pytest.approx(np.tanh(x), rel=1e-14)


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_step_is_the_default_and_every_step_can_be_had(kind):
    x = np.random.default_rng(0).normal(size=(3, 5, 2))
    every, last = built(kind(4, return_sequences=True), (5, 2)), built(kind(4), (5, 2))
    assert forward(every, x).shape == (3, 5, 4)
    assert np.array_equal(forward(last, x), forward(every, x)[:, -1])


@pytest.mark.parametrize(("kind", "gates"), [(cr.RNN, 1), (cr.LSTM, 4), (cr.GRU, 3)])
def test_parameters_hold_the_gates_side_by_side(kind, gates):
    layer = kind(5)
    layer.build((7, 3), stream(0, "weights"))
    shapes = {name: W.shape for name, W in layer.parameters.items()}
    assert shapes == {"W": (3, 5 * gates), "U": (5, 5 * gates), "b": (5 * gates,)} | (
        {"v": (5,)} if kind is cr.GRU else {}
    )


@pytest.mark.parametrize(("kind", "gates"), [(cr.RNN, 1), (cr.LSTM, 4), (cr.GRU, 3)])
def test_each_gate_starts_by_itself(kind, gates):
    """Within Glorot's limit for one gate, of which a wide matrix would have less, and at right angles."""
    layer = kind(40)
    layer.build((7, 30), stream(0, "weights"))
    limit = math.sqrt(6 / 70)
    for W, U in zip(np.split(layer.W, gates, axis=1), np.split(layer.U, gates, axis=1), strict=True):
        assert 0.98 * limit < np.abs(W).max() <= limit
        assert pytest.approx(np.eye(40), abs=1e-13) == U.T @ U


def test_the_forget_gate_starts_open():
    layer, shut = cr.LSTM(2), cr.LSTM(2, biases=cr.Normal(3, 0), forget_bias=-1)
    for one in (layer, shut):
        one.build((2, 2), stream(0, "weights"))
    assert layer.b.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert shut.b.tolist() == [3, 3, 2, 2, 3, 3, 3, 3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.RNN(0), "RNN: hidden_size: expected a whole number of at least 1, got 0"),
        (lambda: cr.LSTM(2.5), "LSTM: hidden_size: expected a whole number"),
        (lambda: cr.RNN(2, "swish"), "RNN: activation: expected one of tanh, sigmoid, relu, got 'swish'"),
        (lambda: cr.RNN(2, ["tanh"]), "RNN: activation: expected one of tanh, sigmoid, relu, got "),
        (lambda: cr.GRU(2, return_sequences=1), "GRU: return_sequences: expected True or False, got 1"),
        (lambda: cr.GRU(2, mask_value="0"), "GRU: mask_value: expected a finite number, got '0'"),
        (lambda: cr.LSTM(2, mask_value=float("nan")), "LSTM: mask_value: expected a finite number, got nan"),
        (lambda: cr.LSTM(2, forget_bias=None), "LSTM: forget_bias: expected a finite number, got None"),
        (lambda: cr.LSTM(2, recurrent_weights=Orthogonal), r"LSTM: recurrent_weights: .*write Orthogonal\(\)"),
        (lambda: cr.Bidirectional(cr.Linear(2)), r"Bidirectional: expected a recurrent layer such as LSTM\(64\)"),
        (lambda: cr.Bidirectional(cr.LSTM), "Bidirectional: expected a recurrent layer such as"),
        (lambda: cr.EachStep(cr.Linear), r"EachStep: expected a Layer, got .*; write Linear\(...\)"),
        (lambda: cr.EachStep(3), "EachStep: expected a Layer, got 3"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(SettingError, match=message):
        make()


@pytest.mark.parametrize("layer", [cr.RNN(2), cr.LSTM(2), cr.GRU(2), cr.EachStep(cr.Linear(2))])
def test_what_is_no_sequence_is_refused_with_advice(layer):
    with pytest.raises(ShapeError, match=r"layer 0 \(\w+\): expected a sequence \(steps, features\) .*put a Reshape"):
        cr.Network([layer, cr.Linear(1)], loss=cr.SquaredError()).build((784,))


def test_a_step_must_stay_a_row_of_features():
    with pytest.raises(ShapeError, match="expected a layer that gives a row of features per step"):
        cr.EachStep(cr.Reshape((1, 3))).build((2, 3), None)


# --- masks ------------------------------------------------------------------------------------------------------------

COUNTS = np.array([[1, 1, 0, 1, 1, 0], [0, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]], bool)  # (N, T)


def filled():
    """Sequences with steps that do not count, at the end, at the beginning, between, and all of them."""
    x = np.random.default_rng(1).normal(size=(4, 6, 2))
    x[~COUNTS] = FILL
    return x


def layers(kind, **settings):
    """The layer with and without a mask, of the same parameters."""
    return built(kind(3, mask_value=FILL, **settings), (6, 2)), built(kind(3, **settings), (6, 2))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_skipped_step_is_as_if_it_were_not_there(kind, backend):
    """For output and gradients alike, bit for bit where the kernels run."""
    masked, plain = layers(kind)
    x = filled()
    with cr.backend(backend):
        y, saved = masked.forward(x, Context())
        dx, gradients = masked.backward(np.ones_like(y), saved)
        sums = {name: np.zeros_like(W) for name, W in plain.parameters.items()}
        for row, counts in zip(range(3), COUNTS, strict=False):
            short = built(kind(3), (int(counts.sum()), 2))
            alone, kept = short.forward(x[row : row + 1, counts], Context())
            dshort, found = short.backward(np.ones_like(alone), kept)
            if backend == "native" and runs_natively():
                assert np.array_equal(y[row], alone[0])
                assert np.array_equal(dx[row, counts], dshort[0])
            assert relative_error(y[row], alone[0]) < 1e-14
            assert relative_error(dx[row, counts], dshort[0]) < 1e-13
            sums = {name: sums[name] + found[name] for name in sums}
    assert not dx[~COUNTS].any()
    assert not y[3].any()
    for name, total in sums.items():
        assert relative_error(gradients[name], total) < 1e-13


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradients_of_parameters_with_a_mask_agree_with_central_differences(kind):
    layer, _ = layers(kind, return_sequences=True)
    x, r = filled(), np.random.default_rng(2).normal(size=(4, 6, 3))
    _, saved = layer.forward(x, Context())
    _, gradients = layer.backward(r, saved)
    for name, W in layer.parameters.items():
        start = W.copy()

        def s(value, W=W):
            W[...] = value
            return np.sum(r * forward(layer, x))

        assert relative_error(gradients[name], numerical_gradient(s, start)) < 1e-7
        W[...] = start


@pytest.mark.parametrize("kind", KINDS)
def test_a_skipped_step_gives_the_mask_value_so_that_the_next_layer_skips_it_too(kind):
    first, _ = layers(kind, return_sequences=True)
    second = built(kind(2, mask_value=FILL), (6, 3))
    x = filled()
    between = forward(first, x)
    assert (between[~COUNTS] == FILL).all()
    assert (np.abs(between[COUNTS]) < 1).all()
    y = forward(second, between)
    for row, counts in zip(range(3), COUNTS, strict=False):
        short = [built(kind(3, return_sequences=True), (6, 2)), built(kind(2), (6, 3))]
        alone = forward(short[1], forward(short[0], x[row : row + 1, counts]))
        assert y[row] == pytest.approx(alone[0], rel=1e-13)


def test_only_a_step_all_of_whose_features_are_the_mask_value_is_skipped():
    x = np.array([[[0.0, 0], [0, 1], [1, 0], [0, 0]]])
    assert ops.unmasked_steps(x, 0.0).tolist() == [[0, 1, 1, 0]]
    assert ops.unmasked_steps(x, float("nan")).tolist() == [[1, 1, 1, 1]]


def test_a_mask_value_that_float32_rounds_is_found_in_float32():
    x = np.full((1, 2, 3), 0.1, np.float32)
    assert ops.unmasked_steps(x, 0.1).tolist() == [[0, 0]]


# --- both directions, and each step -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_both_directions_are_two_layers_of_which_one_reads_backwards(kind):
    x = np.random.default_rng(0).normal(size=(3, 5, 2))
    both = built(cr.Bidirectional(kind(4, return_sequences=True)), (5, 2))
    ahead, back = kind(4, return_sequences=True), kind(4, return_sequences=True)
    for layer, part in ((ahead, "ahead"), (back, "back")):
        layer.build((5, 2), None)
        layer.replace_parameters(lambda name, _, part=part: both.parameters[f"{part}.{name}"])
    y = forward(both, x)
    assert np.array_equal(y[:, :, :4], forward(ahead, x))
    assert np.array_equal(y[:, :, 4:], forward(back, x[:, ::-1])[:, ::-1])


def test_the_last_states_of_both_directions_have_both_read_everything():
    every, last = (built(cr.Bidirectional(cr.GRU(2, return_sequences=s)), (4, 3)) for s in (True, False))
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    y = forward(every, x)
    assert np.array_equal(forward(last, x), np.concatenate([y[:, -1, :2], y[:, 0, 2:]], axis=1))


def test_both_directions_start_apart():
    both = cr.Bidirectional(cr.LSTM(3))
    both.build((4, 2), stream(0, "weights"))
    assert not np.array_equal(both.parameters["ahead.W"], both.parameters["back.W"])


def test_each_step_goes_through_the_same_layer():
    layer = built(cr.EachStep(cr.Sequential((cr.Linear(3), cr.Sigmoid()))), (4, 2))
    x = np.random.default_rng(0).normal(size=(5, 4, 2))
    y = forward(layer, x)
    for t in range(4):
        assert y[:, t] == pytest.approx(forward(layer.layer, x[:, t]), rel=1e-14)


# --- whole networks ---------------------------------------------------------------------------------------------------


def network(*body, dtype="float64"):
    return cr.Network([cr.Reshape((8, 8)), *body, cr.Linear(10)], loss=cr.CrossEntropy(), dtype=dtype)


BODIES = {
    "RNN": lambda: [cr.RNN(12)],
    "sigmoid and ReLU": lambda: [cr.RNN(9, "sigmoid", return_sequences=True), cr.RNN(8, "relu")],
    "LSTM with a mask": lambda: [cr.LSTM(10, mask_value=0.0)],
    "GRU in both directions": lambda: [cr.Bidirectional(cr.GRU(7, return_sequences=True)), cr.Flatten()],
    "stacked": lambda: [cr.GRU(6, return_sequences=True, mask_value=0.0), cr.Bidirectional(cr.LSTM(5, mask_value=0.0))],
    "each step": lambda: [cr.LSTM(6, return_sequences=True), cr.EachStep(cr.Linear(4)), cr.Tanh(), cr.Flatten()],
}


@pytest.fixture(scope="module")
def digits():
    train = cr.data.load_digits().train
    return train[0][:200], train[1][:200]


@pytest.mark.parametrize("body", BODIES)
def test_the_gradients_of_a_whole_network_agree_with_central_differences(body, digits):
    net, (x, labels) = network(*BODIES[body]()).build((64,)), (digits[0][:5], digits[1][:5])
    gradients = net.gradients(x, labels)
    rng = np.random.default_rng(0)
    for name, W in net.parameters.items():
        for place in {tuple(int(rng.integers(n)) for n in W.shape) for _ in range(6)}:
            start, h = W[place], 1e-5
            W[place] = start + h
            above = net.evaluate(x, labels)["loss"]
            W[place] = start - h
            slope = (above - net.evaluate(x, labels)["loss"]) / (2 * h)
            W[place] = start
            assert gradients[name][place] == pytest.approx(slope, rel=1e-5, abs=1e-9), (name, place)


@pytest.mark.parametrize("body", BODIES)
def test_a_saved_network_comes_back_and_says_the_same(body, digits, tmp_path):
    net = network(*BODIES[body](), dtype="float32").build((64,))
    net.save(tmp_path / "model.safetensors")
    loaded = cr.load(tmp_path / "model.safetensors")
    assert list(loaded.parameters) == list(net.parameters)
    assert loaded.predict(digits[0]).tobytes() == net.predict(digits[0]).tobytes()


@pytest.mark.parametrize("body", BODIES)
def test_learns_by_tape_what_it_learns_by_python(body, digits, monkeypatch):
    def trained():
        net = network(*BODIES[body](), dtype="float32")
        history = cr.train(net, digits, epochs=3, batch_size=64, optimizer=cr.Adam(0.01), progress=False)
        return net, history

    record, recorded = Steps._recorded, []
    monkeypatch.setattr(Steps, "_recorded", lambda steps: recorded.append(record(steps)) or recorded[-1])
    net, history = trained()
    assert history.records[-1]["loss"] < history.records[0]["loss"]
    assert recorded[0] is not None or not runs_natively()
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    by_python, _ = trained()
    for name, W in net.parameters.items():
        assert W.tobytes() == by_python.parameters[name].tobytes(), name


def test_the_page_about_them_shows_code_that_runs(capsys):
    page = (Path(__file__).parents[1] / "docs" / "recurrent.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(block.replace("epochs=25", "epochs=1"), {"cr": cr})


def test_a_network_remembers_what_came_first():
    """The sign of the first of ten numbers decides, the others are noise: only a state that is kept can know it."""
    x = np.random.default_rng(0).normal(size=(400, 10, 1))
    net = cr.Network([cr.LSTM(8), cr.Linear(1)], loss=cr.BinaryCrossEntropy())
    settings = {"epochs": 40, "batch_size": 20, "optimizer": cr.Adam(0.01), "progress": False}
    cr.train(net, (x[:300], x[:300, 0] > 0), **settings)
    assert net.evaluate(x[300:], x[300:, 0] > 0)["accuracy"] > 0.9
