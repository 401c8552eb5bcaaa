"""One set of bits: threads, instruction sets, tape or Python, alone or in a batch change not one of them.

`golden.json` holds the digests of some short trainings. Where arithmetic is changed on purpose they are renewed with

    python tests/test_kernels_bits.py
"""

import contextlib
import hashlib
import itertools
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.operations import OPERATIONS, backend, linear_backward, linear_forward
from chainrule.operations.operation import runs_natively
from chainrule.operations.signatures import draw, read_signature
from chainrule.testing import all_operations
from chainrule.training.steps import Steps

pytestmark = pytest.mark.skipif(not runs_natively(), reason="formulas give close numbers, not the kernels' bits")

ALL = all_operations(within="chainrule.")
THREADS = (1, 2, 3, 4, 7)
GOLDEN = Path(__file__).with_name("golden.json")


@contextlib.contextmanager
def machine(threads, instruction_set):
    """Within the block, run on so many threads of this instruction set."""
    before = kernels.info()
    kernels.set_threads(threads)
    kernels.set_instruction_set(instruction_set)
    try:
        yield
    finally:
        kernels.set_threads(before.threads)
        kernels.set_instruction_set(before.instruction_set)


MACHINES = list(itertools.product(THREADS, kernels.instruction_sets()))


# --- single operations ------------------------------------------------------------------------------------------------


def large_arguments(operation, dtype, share_of_zeros):
    """Enough of everything that the work is shared out among threads, in sizes that no tile or chunk divides."""
    signature = read_signature(operation)
    shapes = [*(a.shape for a in signature.arguments), *signature.result_shapes.values()]
    large = any(shape.count(",") > 1 for shape in shapes)  # images, or a matrix for each row
    sizes = dict.fromkeys(signature.dimensions, 23 if large else 67)
    first = "N" if "N" in sizes else next(iter(sizes), "")
    sizes |= {first: 1031 if large else 4099} if first else {}
    rng = np.random.default_rng(0)
    for name, value in draw(signature, rng, sizes).items():
        if not isinstance(value, np.ndarray):
            yield 200_003 if name == "count" else value
        elif value.dtype.kind == "f":
            yield np.where(rng.random(value.shape) < share_of_zeros, 0, value).astype(dtype)
        else:
            bytes_are_meant = any(a.name == name and a.rule in ("< 2", "< 256") for a in signature.arguments)
            yield value.astype(np.uint8) if bytes_are_meant else value


@pytest.mark.parametrize("share_of_zeros", [0.0, 0.8])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_an_operation_gives_the_same_bytes_on_every_machine(operation, dtype, share_of_zeros):
    arguments = list(large_arguments(operation, dtype, share_of_zeros))
    digests = {}
    for threads, instruction_set in MACHINES:
        with machine(threads, instruction_set), backend("native"):
            found = operation(*arguments)
        digests[threads, instruction_set] = digest(found if isinstance(found, tuple) else (found,))
    assert len(set(digests.values())) == 1, digests


def digest(arrays):
    found = hashlib.sha256()
    for array in arrays:
        found.update(array.tobytes())
    return found.hexdigest()


# --- products, as sums of fused multiply-adds in the order of the formula ---------------------------------------------


def fused(a, b, c):
    """A · b + c, rounded once."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def chain(a, b):
    """Σ_k a_k b_k from k = 0 on."""
    total = 0.0
    for one, other in zip(a.tolist(), b.tolist(), strict=True):
        total = fused(one, other, total)
    return total


@pytest.mark.parametrize("share_of_zeros", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("N", "I", "outputs"), [(37, 43, 3), (5, 230, 3), (1, 1100, 2), (40, 30, 1), (2, 9, 70)])
def test_a_product_is_a_chain_of_fused_multiply_adds_and_zeros_make_no_difference(N, I, outputs, share_of_zeros):  # noqa: E741
    rng = np.random.default_rng(1)
    x, W, b = rng.normal(size=(N, I)), rng.normal(size=(I, outputs)), rng.normal(size=outputs)
    x[rng.random(x.shape) < share_of_zeros] = 0
    y = linear_forward(x, W, b)
    assert np.array_equal(y, [[chain(row, column) + bias for column, bias in zip(W.T, b, strict=True)] for row in x])
    dy = rng.normal(size=(N, outputs))
    dx, dW, db = linear_backward(dy, x, W)
    assert np.array_equal(dx, [[chain(row, weights) for weights in W] for row in dy])
    assert np.array_equal(dW, [[chain(column, slopes) for slopes in dy.T] for column in x.T])
    assert np.array_equal(db, [chain(slopes, np.ones(N)) for slopes in dy.T])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_zeros_beside_others_do_not_change_them(dtype):
    """Whether zeros are left out is decided for a whole batch: each of its rows must come out alike either way."""
    rng = np.random.default_rng(2)
    x, W, b = (rng.normal(size=shape).astype(dtype) for shape in ((64, 100), (100, 33), (33,)))
    x[rng.random(x.shape) < 0.3] = 0
    alone = linear_forward(x, W, b)
    beside = linear_forward(np.concatenate([np.zeros((500, 100), dtype), x]), W, b)[500:]
    assert alone.tobytes() == beside.tobytes()


# --- whole trainings --------------------------------------------------------------------------------------------------

DIGITS = cr.data.load_digits()
IMAGES, LABELS = DIGITS.train[0][:401], DIGITS.train[1][:401]  # 401: the last batch is smaller


def mlp(dtype="float32"):
    layers = [cr.Linear(100), cr.ReLU(), cr.Dropout(0.2), cr.Linear(90), cr.Tanh(), cr.Dropout(0.3), cr.Linear(10)]
    return fixed_weights(cr.Network(layers, loss=cr.CrossEntropy(), dtype=dtype), (64,))


def cnn(dtype="float32"):
    layers = [cr.Reshape((1, 8, 8)), cr.Conv2D(12, 3, padding="same"), cr.ReLU(), cr.Conv2D(17, 3), cr.ReLU()]
    layers += [cr.MaxPool2D(2), cr.Dropout(0.25), cr.Flatten(), cr.Linear(10)]
    return fixed_weights(cr.Network(layers, loss=cr.CrossEntropy(), dtype=dtype), (64,))


def averaging(dtype="float32"):
    layers = [cr.Reshape((1, 8, 8)), cr.Conv2D(5, (2, 3), stride=(2, 1), padding=(1, 0)), cr.LeakyReLU(0.1)]
    layers += [cr.AvgPool2D(2), cr.Flatten(), cr.Linear(20), cr.Softplus(), cr.Linear(10), cr.Sigmoid()]
    return fixed_weights(cr.Network(layers, loss=cr.SquaredError(), dtype=dtype), (64,))


def normalized(dtype="float32"):
    layers = [cr.Reshape((1, 8, 8)), cr.Conv2D(12, 3, padding="same"), cr.BatchNorm(), cr.GELU()]
    layers += [cr.Residual([cr.Conv2D(12, 3, padding="same"), cr.BatchNorm(), cr.SiLU()])]
    layers += [cr.Parallel([cr.MaxPool2D(2), cr.AvgPool2D(2)], join="concatenate"), cr.Maxout(2)]
    layers += [cr.GaussianNoise(0.1), cr.GlobalAvgPool2D(), cr.DropConnect(20), cr.LayerNorm(), cr.ELU(), cr.Linear(10)]
    return fixed_weights(cr.Network(layers, loss=cr.CrossEntropy(), dtype=dtype), (64,))


def recurrent(dtype="float32"):
    every = {"return_sequences": True, "mask_value": 0.0}  # many pairs of pixels are 0
    layers = [
        cr.Reshape((32, 2)),
        cr.LSTM(33, **every),
        cr.Bidirectional(cr.GRU(17, **every)),
        cr.RNN(37),
        cr.Linear(10),
    ]
    return fixed_weights(cr.Network(layers, loss=cr.CrossEntropy(), dtype=dtype), (64,))


def fixed_weights(network, shape):
    """First weights from the library's own random words: NumPy's may change from version to version."""
    network.build(shape)
    for stream, W in enumerate(network.parameters.values()):
        words = OPERATIONS["random_bits"].reference(W.size, 7, stream, 0).reshape(W.shape)
        W[...] = (words / 2**32 - 0.5) / max(1, W[0].size) ** 0.5
    return network


TRAININGS = {
    "MLP with dropout, Adam, float32": (mlp, "float32", cr.Adam(0.003), 64),
    "MLP with dropout, Nesterov, float64": (mlp, "float64", cr.Nesterov(0.01), 100),
    "CNN with dropout, Adam, float32": (cnn, "float32", cr.Adam(0.003), 64),
    "RNN, LSTM and GRU, Adam, float32": (recurrent, "float32", cr.Adam(0.003), 64),
    "RNN, LSTM and GRU, momentum, float64": (recurrent, "float64", cr.Momentum(0.05), 100),
    "CNN of averages, momentum, float64": (averaging, "float64", cr.Momentum(0.05), 50),
    "CNN with normalization, Adam, float32": (normalized, "float32", cr.Adam(0.003), 64),
    "CNN with normalization, momentum, float64": (normalized, "float64", cr.Momentum(0.05), 50),
}


def train(name, *, epochs=2):
    make, dtype, optimizer, batch_size = TRAININGS[name]
    network = make(dtype)
    targets = np.eye(10)[LABELS] if isinstance(network.loss, cr.SquaredError) else LABELS
    settings = {"batch_size": batch_size, "optimizer": optimizer, "seed": 5, "progress": False}
    history = cr.train(network, (IMAGES, targets), epochs=epochs, **settings)
    return network, history


def digest_of(name):
    return digest(train(name)[0].arrays.values())


@pytest.fixture
def by_python(monkeypatch):
    """No training is recorded within the test: Python takes every step."""
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)


@pytest.fixture
def by_tape(monkeypatch):
    """Fails where a training is not recorded."""
    record = Steps._recorded

    def recorded(steps):
        program = record(steps)
        assert program is not None, "this training was expected to be recorded"
        return program

    monkeypatch.setattr(Steps, "_recorded", recorded)


@pytest.mark.usefixtures("by_tape")
@pytest.mark.parametrize(("threads", "instruction_set"), MACHINES)
@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_ends_in_the_golden_bytes_on_every_machine(name, threads, instruction_set):
    with machine(threads, instruction_set):
        assert digest_of(name) == json.loads(GOLDEN.read_text())[name]


@pytest.mark.usefixtures("by_python")
@pytest.mark.parametrize("name", TRAININGS)
def test_steps_by_python_end_in_the_same_bytes_as_by_tape(name):
    assert digest_of(name) == json.loads(GOLDEN.read_text())[name]


@pytest.mark.parametrize("name", TRAININGS)
def test_the_history_is_the_same_by_tape_and_by_python(name, monkeypatch):
    def figures():
        return [(r["epoch"], r["loss"], r.get("accuracy")) for r in train(name)[1].records]

    by_tape = figures()
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    assert figures() == by_tape


def range_of_ten():
    return [0.5 + k / 10 for k in range(10)]


LOSSES = {
    "labels": (cr.CrossEntropy(), lambda y: y),
    "rows of probabilities": (cr.CrossEntropy(), lambda y: np.eye(10)[y] * 0.9 + 0.01),
    "yes or no": (cr.BinaryCrossEntropy(), lambda y: np.eye(10)[y]),
    "numbers": (cr.SquaredError(), lambda y: np.eye(10)[y] - 0.1),
    "labels as numbers": (cr.SquaredError(), lambda y: y),
    "decisions": (cr.Perceptron(), lambda y: np.eye(10)[y]),
    "smoothed labels": (cr.CrossEntropy(label_smoothing=0.1), lambda y: y),
    "smoothed rows": (cr.CrossEntropy(label_smoothing=0.1), lambda y: np.eye(10)[y]),
    "yes counts more": (cr.BinaryCrossEntropy(pos_weight=range_of_ten()), lambda y: np.eye(10)[y]),
    "distributions": (cr.KullbackLeibler(), lambda y: np.eye(10)[y] * 0.9 + 0.01),
    "hard labels": (cr.Focal(1.5, alpha=range_of_ten()), lambda y: y),
    "hard decisions": (cr.BinaryFocal(2, alpha=0.25), lambda y: np.eye(10)[y]),
    "margins": (cr.Hinge(power=2), lambda y: np.eye(10)[y]),
    "the strongest rival": (cr.CrammerSinger(), lambda y: y),
    "every rival": (cr.WestonWatkins(0.5), lambda y: y),
    "distances": (cr.AbsoluteError(), lambda y: np.eye(10)[y] - 0.1),
    "robust": (cr.Huber(0.3), lambda y: np.eye(10)[y] - 0.1),
    "counts": (cr.Poisson(), lambda y: np.eye(10)[y] * 3),
}


def trained_by(loss, targets, optimizer, **settings):
    """The bytes of the weights after three epochs, in different batches."""
    for shuffle, batch_size in ((True, 32), (False, 7), (True, None)):
        network = cr.Network([cr.Linear(9), cr.Sigmoid(), cr.Linear(10)], loss=loss, seed=1)
        given = {"optimizer": optimizer, "shuffle": shuffle, "batch_size": batch_size, "progress": False} | settings
        cr.train(network, (IMAGES[:90], targets(LABELS[:90])), epochs=3, **given)
        yield digest(network.parameters.values())


OPTIMIZERS = [
    cr.SGD(0.05),
    cr.Momentum(0.02),
    cr.Nesterov(0.02),
    cr.Adam(0.01),
    cr.RMSprop(),
    cr.RMSprop(centered=True),
    cr.Adagrad(),
    cr.Adadelta(),
    cr.AdamW(0.01),
    cr.Nadam(),
    cr.Lion(weight_decay=0.1),
]


@pytest.mark.usefixtures("by_tape")
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("kind", LOSSES)
def test_every_loss_and_optimizer_by_tape_and_by_python(kind, optimizer, monkeypatch):
    by_tape = list(trained_by(*LOSSES[kind], optimizer))
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    assert list(trained_by(*LOSSES[kind], optimizer)) == by_tape


@pytest.mark.usefixtures("by_tape")
@pytest.mark.parametrize("kind", LOSSES)
def test_weighted_samples_by_tape_and_by_python(kind, monkeypatch):
    settings = {"optimizer": cr.Momentum(0.02), "sample_weight": np.linspace(0, 2, 90)}
    by_tape = list(trained_by(*LOSSES[kind], **settings))
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    assert list(trained_by(*LOSSES[kind], **settings)) == by_tape


EXTRAS = {
    "L2": {"penalty": cr.L2(0.5)},
    "L1 of biases too": {"penalty": cr.L1(3.0, per="sample", biases=True)},
    "elastic": {"penalty": cr.ElasticNet(0.001, per="none")},
    "clip by value": {"clip": cr.ClipValue(0.001)},
    "clip by norm": {"clip": cr.ClipNorm(0.1)},
    "norm and penalty on record": {"penalty": cr.L2(0.5), "clip": cr.ClipNorm(0.1, record=True)},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("extra", EXTRAS)
def test_penalties_and_clipping_give_the_same_bytes_and_figures_on_every_machine(extra, dtype, by_tape, monkeypatch):
    def trained():
        network = mlp(dtype)
        settings = {"batch_size": 64, "optimizer": cr.Nadam(0.003), "progress": False, **EXTRAS[extra]}
        history = cr.train(network, (IMAGES, LABELS), epochs=2, **settings)
        timed = ("seconds", "samples_per_second")
        figures = [{name: r[name] for name in r if name not in timed} for r in history.records]
        return digest(network.parameters.values()), figures

    expected = trained()
    for threads, instruction_set in MACHINES:
        with machine(threads, instruction_set):
            assert trained() == expected
    monkeypatch.setattr(Steps, "_recorded", lambda steps: None)
    assert trained() == expected


# --- one sample beside others -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", [mlp, cnn, averaging, normalized, recurrent])
def test_a_row_alone_gets_the_bytes_it_gets_in_any_batch(make, dtype):
    network, x = make(dtype), DIGITS.test[0][:150]
    together = network.predict(x)
    for row in (0, 1, 17, 149):
        assert network.predict(x[row : row + 1]).tobytes() == together[row : row + 1].tobytes()
    for size in (1, 2, 3, 7, 12, 64, 149):
        assert network.predict(x, batch_size=size).tobytes() == together.tobytes()
    assert network.predict(x[::-1])[::-1].tobytes() == together.tobytes()


@pytest.mark.parametrize(("threads", "instruction_set"), MACHINES)
def test_predictions_are_the_same_bytes_on_every_machine(threads, instruction_set):
    network = cnn()
    expected = network.predict(DIGITS.test[0])
    with machine(threads, instruction_set):
        assert network.predict(DIGITS.test[0]).tobytes() == expected.tobytes()


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({name: digest_of(name) for name in TRAININGS}, indent=2) + "\n")
