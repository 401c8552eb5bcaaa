"""Predictions by tape: when there is one, that it gives the bytes of Python, and what makes it outdated."""

import copy
import gc
import itertools
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, SettingError, ShapeError
from chainrule.layers import Context, Layer
from chainrule.network import passes
from chainrule.operations import OPERATIONS, backend
from chainrule.operations.operation import runs_natively
from chainrule.testing import all_layers
from chainrule.testing.layers import built
from test_kernels_bits import MACHINES, averaging, cnn, digest, machine, mlp
from test_kernels_tape import by_python as trained_by_python
from test_kernels_threads import in_a_fork
from test_layers_trained import has_formulas_of_its_own

pytestmark = [
    pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here: nothing is recorded"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),  # what is tested is that it does no harm
    pytest.mark.usefixtures("registers"),
]

leaky_relu_forward, identity_forward = OPERATIONS["leaky_relu_forward"], OPERATIONS["identity_forward"]
CALLS = 6  # so many that a tape, where there is one, has worked alone


def network(*layers, dtype="float32", loss=None):
    made = cr.Network([cr.Linear(7), *layers, cr.Linear(3)], loss=loss or cr.CrossEntropy(), dtype=dtype)
    return made.build((5,))


def samples(count, seed=0, features=(5,), dtype=np.float32):
    return np.random.default_rng(seed).normal(size=(count, *features)).astype(dtype)


def by_python(made, x):
    """What Python works out, operation by operation."""
    return made.loss.link(made.body.forward(x, Context())[0])


def ready(made, *counts):
    """`made`, after so many calls with each of these numbers of samples that it predicts them by tape."""
    for seed, count in itertools.product(range(3), counts):
        made.predict(samples(count, seed, made.input_shape, made.dtype))
    return made


def inputs(made, count, seed):
    """Samples that the network takes."""
    below = made.body.inputs_below
    if below is not None:
        return np.random.default_rng(seed).integers(0, below, (count, *made.input_shape)).astype(made.dtype)
    return samples(count, seed, made.input_shape, made.dtype)


def is_by_tape(made, count=1):
    """Whether this many samples are predicted without Python's help."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "by_python", None)  # to call it is a TypeError
        try:
            made.predict(inputs(made, count, 99))
        except TypeError:
            return False
    return True


def check(made, count=1, *, calls=CALLS):
    """Every one of several predictions has Python's bytes."""
    for seed in range(calls):
        x = inputs(made, count, seed)
        assert made.predict(x).tobytes() == by_python(made, x).tobytes(), f"call {seed}"


# --- the same bytes ---------------------------------------------------------------------------------------------------


def test_a_tape_works_alone_from_the_fourth_time_on(monkeypatch):
    """Python works alone, then is recorded, then compared with; of two numbers of samples each has its own tape."""
    asked, work = [], passes.by_python
    monkeypatch.setattr(passes, "by_python", lambda body, x: asked.append(len(x)) or work(body, x))
    made = network(cr.Tanh())
    for seed, count in itertools.product(range(5), (1, 4)):
        made.predict(samples(count, seed))
    assert asked == [1, 4, 1, 4, 1, 4]


EXAMPLES = [(layer, shape) for kind in all_layers(within="chainrule.") for layer, shape in kind.examples()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("layer", "shape"), EXAMPLES, ids=lambda example: type(example).__name__)
def test_every_layer_gives_the_same_bytes(layer, shape, count, dtype):
    made = cr.Network([built(layer, shape)[0]], loss=cr.SquaredError(), dtype=dtype).build(shape)
    check(made, count)
    without_calls = layer.configuration()["class"] in ("Dropout", "GaussianNoise", "Reshape", "Flatten") or not getattr(
        layer, "layers", 1
    )
    assert is_by_tape(made, count) or without_calls or has_formulas_of_its_own(layer)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", [mlp, cnn, averaging])
def test_every_number_of_samples_gives_the_same_bytes(make, dtype):
    made, x = make(dtype), cr.data.load_digits().test[0][:100]
    together = by_python(made, x.astype(dtype))
    for size in (1, 7, 100, 33):
        for _ in range(4):
            assert made.predict(x, batch_size=size).tobytes() == together.tobytes()
    assert is_by_tape(made, 33)


@pytest.mark.parametrize("make", [mlp, cnn])
def test_every_machine_gives_the_same_bytes(make):
    made, x = make(), cr.data.load_digits().test[0][:3]
    expected = by_python(made, x)
    for threads, instruction_set in MACHINES:
        with machine(threads, instruction_set):
            for _ in range(CALLS):
                assert made.predict(x).tobytes() == expected.tobytes()
            assert is_by_tape(made, 3)


@pytest.mark.parametrize(
    "loss", [cr.SquaredError(), cr.BinaryCrossEntropy(), cr.CrossEntropy(), cr.Perceptron()], ids=repr
)
def test_every_link_gives_the_same_bytes(loss):
    check(network(cr.ReLU(), loss=loss), 4)


def test_evaluate_gives_the_same_figures():
    made, x, labels = network(cr.Tanh()), samples(50), np.arange(50) % 3
    figures = [made.evaluate(x, labels, batch_size=size) for size in (50, 8) for _ in range(4)]
    assert all(one == figures[0] for one in figures)


def test_formulas_are_used_where_they_are_asked_for():
    made, x = ready(network(cr.Tanh()), 1), samples(1)
    with backend("reference"):
        assert made.predict(x).tobytes() == by_python(made, x).tobytes()
    assert is_by_tape(made)


# --- what comes in, and what goes out ---------------------------------------------------------------------------------

ROWS = samples(6)


def unaligned(array):
    memory = np.empty(array.nbytes + 1, np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


FORMS = {
    "a list": ROWS.tolist(),
    "float64": ROWS.astype(np.float64),
    "big-endian": ROWS.astype(">f4"),
    "Fortran order": np.asfortranarray(ROWS),
    "every second row": np.repeat(ROWS, 2, axis=0)[::2],
    "backwards": ROWS[::-1].copy()[::-1],
    "unaligned": unaligned(ROWS),
    "read-only": read_only(ROWS),
    "a subclass": ROWS.view(np.memmap),
}


@pytest.mark.parametrize("x", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_the_input_gives_the_same_bytes(x):
    made = ready(network(cr.Tanh()), 6)
    assert made.predict(x).tobytes() == by_python(made, ROWS).tobytes()


def test_an_answer_belongs_to_the_caller():
    made = ready(network(cr.Tanh(), loss=cr.SquaredError()), 2)
    x, y = samples(2, 10), samples(2, 11)
    first = made.predict(x)
    kept = first.copy()
    made.predict(y)
    assert np.array_equal(first, kept)
    first[...] = 7
    assert np.array_equal(made.predict(x), kept)
    assert np.array_equal(x, samples(2, 10))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_input_that_is_not_finite_is_refused_as_ever(bad):
    made = ready(network(cr.Tanh()), 2)
    x = samples(2)
    x[1, 3] = bad
    with pytest.raises(DataError, match=rf"^x: values must be finite.* is {bad} in row 1, at \(1, 3\)"):
        made.predict(x)
    assert is_by_tape(made, 2)


def test_scores_that_are_not_finite_are_refused_as_ever():
    made = ready(network(cr.ReLU(), loss=cr.SquaredError()), 1)
    with pytest.raises(DataError, match="the scores: values must be finite"):
        made.predict(np.full((1, 5), 3e38, np.float32))
    assert is_by_tape(made)
    made.parameters["layers.0.W"][2, 1] = np.nan
    with pytest.raises(DataError, match=r"layers.0.W: values must be finite.* nan in row 2"):
        made.predict(samples(1))


@pytest.mark.parametrize("x", [samples(1, features=(4,)), samples(5)[0], samples(1)[..., None], np.float32(1)])
def test_an_input_of_another_shape_is_refused_as_ever(x):
    with pytest.raises(ShapeError):
        ready(network(), 1, 5).predict(x)


def test_a_batch_size_that_cannot_be_is_refused_as_ever():
    with pytest.raises(SettingError, match="batch_size"):
        ready(network(), 1).predict(samples(1), batch_size=0)


# --- what makes a tape outdated ---------------------------------------------------------------------------------------


@dataclass(eq=False)
class Adjustable(Layer):
    """A layer with settings of every kind."""

    slope: float = 0.1
    several: list = field(default_factory=lambda: [0.2, 0.3])
    named: dict = field(default_factory=lambda: {"last": 0.4})
    inner: Layer = field(default_factory=lambda: cr.LeakyReLU(0.6))

    def forward(self, x, context):
        for slope in (self.slope, *self.several, self.named["last"]):
            x = leaky_relu_forward(x, slope)
        return self.inner.forward(x, context)


def write_a_weight(made):
    made.parameters["layers.0.W"][1] *= -2


def replace_a_weight(made):
    made.layers[0].W = made.layers[0].W * np.float32(-2)


def replace_and_write_a_weight(made):
    made.layers[2].b = made.layers[2].b.copy()
    made.predict(samples(1))
    made.layers[2].b += 1


def change_a_setting(made):
    made.layers[1].slope = 0.7


def change_an_item_of_a_list(made):
    made.layers[1].several[1] = 0.7


def lengthen_a_list(made):
    made.layers[1].several.append(0.7)


def change_an_entry_of_a_dictionary(made):
    made.layers[1].named["last"] = 0.7


def change_a_setting_within(made):
    made.layers[1].inner.slope = 0.7


def replace_a_layer_within(made):
    made.layers[1].inner = cr.LeakyReLU(0.7)


def give_a_layer_another_forward(made):
    made.layers[1].forward = lambda x, context: (identity_forward(x), ())


def replace_the_layers(made):
    made.body.layers = (made.layers[0], made.layers[2].__class__(7), made.layers[2])
    made.layers[1].build((7,), np.random.default_rng(5))
    made.layers[1].replace_parameters(lambda _, W: W.astype(np.float32))
    made.body.shapes = [(5,), (7,), (7,), (3,)]


def replace_the_body(made):
    made.body = network(cr.Tanh()).body


def replace_the_loss(made):
    made.loss = cr.BinaryCrossEntropy()


CHANGES = [value for name, value in list(globals().items()) if name.startswith(("write_", "replace_", "change_"))]
CHANGES += [lengthen_a_list, give_a_layer_another_forward]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_counts_at_once(change):
    made = ready(network(Adjustable()), 1, 2)
    before = {count: made.predict(samples(count)).tobytes() for count in (1, 2)}
    change(made)
    for count in (1, 2):
        assert made.predict(samples(count)).tobytes() != before[count]
        check(made, count)
        assert is_by_tape(made, count)


def test_a_tape_that_is_outdated_is_recorded_anew():
    made = ready(network(cr.LeakyReLU(0.1)), 1)
    for slope in (0.2, 0.3):
        made.layers[1].slope = slope
        assert not is_by_tape(made)
        check(made)
        assert is_by_tape(made)


def test_training_between_predictions_counts():
    made = network(cr.Tanh())
    for _ in range(4):
        check(made, 4)
        cr.train(made, (samples(40), np.arange(40) % 3), epochs=1, progress=False)
    assert is_by_tape(made, 4)


# --- what no tape can hold --------------------------------------------------------------------------------------------


class Other(Layer):
    """Base of layers that Python has to run."""

    def forward(self, x, context):
        return self.answer(x), ()


class PlainNumPy(Other):
    def answer(self, x):
        return np.sin(x)


class Drawing(Other):
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def answer(self, x):
        return leaky_relu_forward(x, float(self.rng.uniform(0.1, 0.9)))


class Counting(Other):
    count = 0

    def answer(self, x):
        self.count += 1
        return identity_forward(x)


class Averaging(Other):
    def __init__(self):
        self.mean = np.zeros(7, np.float32)

    def answer(self, x):
        self.mean += x.mean(axis=0)
        return identity_forward(x)


class WeightChanging(Other):
    parameter_names: ClassVar = ("W",)

    def build(self, input_shape, rng):
        self.W = np.zeros(1)
        return input_shape

    def answer(self, x):
        self.W += 1
        return identity_forward(x)


class LookingAtNumbers(Other):
    def answer(self, x):
        return leaky_relu_forward(x, float(np.abs(x).max()))


class Writing(Other):
    def answer(self, x):
        y = identity_forward(x)
        y[y > 0.5] = 0.5
        return y


class Refusing(Other):
    recordable = False

    def answer(self, x):
        return identity_forward(x)


class Slotted(Other):
    __slots__ = ("slope",)

    def __init__(self):
        self.slope = 0.1

    def answer(self, x):
        return leaky_relu_forward(x, self.slope)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("kind", Other.__subclasses__())
def test_some_layers_are_left_to_python(kind, place, monkeypatch):
    def make():
        layers = [cr.Linear(7), cr.Tanh()]
        layers.insert(place, kind())
        return cr.Network(layers, loss=cr.SquaredError()).build((7,) if place == 0 else (5,))

    def answers(made):
        return [made.predict(samples(2, seed, made.input_shape)).tobytes() for seed in range(CALLS)]

    made = make()
    found = answers(made)
    assert not is_by_tape(made, 2)
    if kind in (PlainNumPy, LookingAtNumbers, Writing, Refusing, Slotted):  # the others depend on the number of calls
        monkeypatch.setattr(passes, "MOST_SAMPLES", 0)
        assert found == answers(make())


def test_an_error_in_a_user_s_layer_comes_as_it_is():
    class Failing(Other):
        def answer(self, x):
            raise KeyError("mine")

    made = network(Failing())
    for _ in range(CALLS):
        with pytest.raises(KeyError, match="mine"):
            made.predict(samples(1))


def test_a_network_with_a_forward_of_its_own_keeps_it():
    class Twice(cr.Network):
        def forward(self, x, **keywords):
            f, saved = super().forward(x, **keywords)
            return 2 * f, saved

    made = Twice([cr.Linear(3)], loss=cr.SquaredError()).build((5,))
    for seed in range(CALLS):
        x = samples(1, seed)
        assert np.array_equal(made.predict(x), 2 * by_python(made, x))


def test_a_prediction_within_a_step_that_is_recorded_goes_onto_its_tape(monkeypatch):
    """A loss whose targets are the answers of another network to the scores."""
    teacher = ready(cr.Network([cr.Linear(3)], loss=cr.SquaredError(), seed=7).build((3,)), 16)

    class Distilled(cr.SquaredError):
        def backward(self, dloss, f, t):
            return super().backward(dloss, f, teacher.predict(f))

    def weights():
        made = network(cr.Tanh(), loss=Distilled())
        data = samples(48), samples(48, features=(3,))
        cr.train(made, data, epochs=3, batch_size=16, optimizer=cr.SGD(0.1), progress=False)
        return digest(made.parameters.values())

    assert weights() == trained_by_python(weights)
    assert is_by_tape(teacher, 16)


# --- how much is kept -------------------------------------------------------------------------------------------------


def kept(made):
    return made._passes._tapes


def test_only_some_numbers_of_samples_are_kept():
    made = network()
    for count in range(1, 60):
        check(made, count, calls=4)
        assert len(kept(made)) <= passes.MOST_TAPES
    assert [count for count, taped in kept(made).items() if taped] == [56, 57, 58, 59]


def test_numbers_that_come_once_do_not_drive_out_others():
    made = ready(network(), 1)
    for count in range(2, 60):
        made.predict(samples(count))
    assert is_by_tape(made)


def test_large_batches_are_not_kept(monkeypatch):
    monkeypatch.setattr(passes, "MOST_BYTES", 10_000)
    made = ready(network(), 1, 500, 2)
    assert not is_by_tape(made, 500)
    assert is_by_tape(made, 1)
    assert is_by_tape(made, 2)


def test_tapes_that_are_too_large_together_are_not_kept(monkeypatch):
    made = ready(network(), 100)
    monkeypatch.setattr(passes, "MOST_BYTES", 3 * kept(made)[100].bytes // 2)
    ready(made, 101)
    assert list(kept(made)) == [101]


def test_very_many_samples_at_once_are_left_to_python():
    made = network()
    for _ in range(CALLS):
        made.predict(samples(513), batch_size=600)
        made.predict(samples(0))
    assert not kept(made)


def test_a_network_that_is_let_go_is_freed_at_once():
    made = ready(network(cr.Tanh()), 1, 2)
    watched = [weakref.ref(made), weakref.ref(made.layers[0])]
    gc.disable()
    try:
        del made
        assert [watch() for watch in watched] == [None, None]
    finally:
        gc.enable()


# --- copies, threads, forks -------------------------------------------------------------------------------------------

COPIES = {
    "a copy": copy.copy,
    "a deep copy": copy.deepcopy,
    "a pickle": lambda made: pickle.loads(pickle.dumps(made)),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES.keys())
def test_a_copy_is_predicted_from_its_own_parts(copied):
    made = ready(network(cr.Tanh()), 1)
    other = copied(made)
    assert not is_by_tape(other)
    check(other)
    other.loss = cr.SquaredError()
    other.body = network(cr.ReLU()).body
    check(other)
    check(made)
    assert is_by_tape(made)


def test_a_loaded_network_predicts_the_same(tmp_path):
    made = ready(network(cr.Tanh()), 1)
    made.save(tmp_path / "made.safetensors")
    other = ready(cr.load(tmp_path / "made.safetensors"), 1)
    assert other.predict(samples(1)).tobytes() == made.predict(samples(1)).tobytes()


def test_many_threads_ask_one_network_at_once():
    made = cnn()
    x = cr.data.load_digits().test[0][:64]
    expected = by_python(made, x)
    begin = threading.Barrier(8)

    def ask(offset):
        begin.wait()
        for i in range(300):
            row = (i * 7 + offset) % 64
            count = 1 + (i + offset) % 3
            assert made.predict(x[row : row + count]).tobytes() == expected[row : row + count].tobytes()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))


def test_threads_that_change_a_network_s_settings_meanwhile_get_one_or_the_other():
    made, x = network(cr.LeakyReLU(0.1)), samples(1)
    answers = {}
    for slope in (0.1, 0.9):
        made.layers[1].slope = slope
        answers[slope] = by_python(made, x).tobytes()
    stop = threading.Event()

    def change():
        while not stop.is_set():
            for slope in answers:
                made.layers[1].slope = slope

    changing = threading.Thread(target=change)
    changing.start()
    found = {made.predict(x).tobytes() for _ in range(500)}
    stop.set()
    changing.join()
    assert found <= set(answers.values())


def test_a_forked_child_predicts_by_tape():
    made = ready(cnn(), 1)
    expected = [made.predict(samples(1, seed, (64,))).tobytes() for seed in range(5)]

    def work():
        found = [made.predict(samples(1, seed, (64,))).tobytes() for seed in range(5)]
        return found == expected and is_by_tape(made)

    assert in_a_fork(work)
    assert is_by_tape(made)


def test_a_child_forked_in_the_middle_of_a_prediction_predicts_by_tape():
    made = mlp()
    x = samples(64, features=(64,))
    ready(made, 64)
    expected, stop = by_python(made, x).tobytes(), threading.Event()

    def ask():
        while not stop.is_set():
            made.predict(x)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        children = [
            in_a_fork(lambda: made.predict(x).tobytes() == expected and is_by_tape(made, 64)) for _ in range(10)
        ]
    finally:
        stop.set()
        asking.join()
    assert all(children)
