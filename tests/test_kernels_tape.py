"""The tape: what it records, what it leaves to Python, and what happens where numbers stop being finite."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.errors import DivergenceError
from chainrule.layers import Layer
from chainrule.operations import OPERATIONS, gather_rows, linear_backward, linear_forward, operation, step_backward
from chainrule.operations.operation import runs_natively
from chainrule.training.run import Run
from chainrule.training.steps import Steps

pytestmark = [
    pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here: nothing is recorded"),
    pytest.mark.usefixtures("registers"),
]

X = np.random.default_rng(0).normal(size=(70, 5)).astype(np.float32)
LABELS = np.arange(70) % 3
leaky_relu_forward, leaky_relu_backward = OPERATIONS["leaky_relu_forward"], OPERATIONS["leaky_relu_backward"]


def by_python(function, *arguments, **keywords):
    """What `function` gives where no training is recorded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Steps, "_recorded", lambda steps: None)
        return function(*arguments, **keywords)


def network(*layers, seed=0, loss=None):
    return cr.Network([cr.Linear(8), *layers, cr.Linear(3)], loss=loss or cr.CrossEntropy(), seed=seed)


def weights(net):
    return b"".join(W.tobytes() for W in net.parameters.values())


def trained(*layers, epochs=4, batch_size=16, callbacks=(), data=(X, LABELS), **settings):
    net = network(*layers)
    settings = {"optimizer": cr.Momentum(0.05), "progress": False} | settings
    cr.train(net, data, epochs=epochs, batch_size=batch_size, callbacks=callbacks, **settings)
    return weights(net)


# --- layers that a tape cannot hold -----------------------------------------------------------------------------------


@dataclass(eq=False)
class PlainNumPy(Layer):
    """A user's own layer, without operations."""

    def forward(self, x, context):
        return np.sin(x), (x,)

    def backward(self, dy, saved):
        return dy * np.cos(saved[0]), {}


@dataclass(eq=False)
class Leaky(Layer):
    """A layer of operations, whose slope may come from anywhere."""

    def slope(self, context):
        raise NotImplementedError

    def forward(self, x, context):
        slope = self.slope(context)
        return leaky_relu_forward(x, slope), (x, slope)

    def backward(self, dy, saved):
        return leaky_relu_backward(dy, *saved), {}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_plain_numpy_layer_is_left_to_python_with_the_same_bytes(recorded, place):
    def run():
        layers = [cr.Tanh(), cr.Dropout(0.2)]
        layers.insert(place, PlainNumPy())
        return trained(*layers)

    assert run() == by_python(run)
    assert recorded == [False]


def test_a_layer_of_operations_is_recorded(recorded):
    class Fixed(Leaky):
        def slope(self, context):
            return 0.3

    assert trained(Fixed()) == by_python(trained, Fixed())
    assert recorded == [True]


def test_a_layer_that_adds_noise_of_its_own_gets_new_noise_in_each_step(recorded):
    class Noise(Layer):
        def __init__(self):
            self.rng, self.sums = np.random.default_rng(0), set()

        def forward(self, x, context):
            noise = self.rng.normal(size=x.shape).astype(x.dtype)
            self.sums.add(float(noise.sum()))
            return x + noise, ()

        def backward(self, dy, saved):
            return dy, {}

    noise = Noise()
    trained(noise, epochs=4)
    assert recorded == [False]
    assert len(noise.sums) >= 4 * 5  # five batches


def test_a_number_that_a_layer_draws_is_drawn_in_each_step(recorded):
    """No array comes from outside here: only the number differs from step to step."""

    class Random(Leaky):
        def __init__(self):
            self.rng, self.slopes = np.random.default_rng(0), set()

        def slope(self, context):
            slope = float(self.rng.uniform(0.1, 0.3))
            self.slopes.add(slope)
            return slope

    random = Random()
    trained(random, epochs=4)
    assert recorded == [False]
    assert len(random.slopes) >= 4 * 5


@pytest.mark.parametrize(
    "slope",
    [
        lambda context: min(0.5, context.step / 40) if context.training else 0.5,
        lambda context: 0.9 if context.step == 1 else 0.1,
        lambda context: 0.9 if context.step != 3 else 0.1,
        lambda context: 0.9 if context.step in (1, 2) else 0.1,
    ],
    ids=["a share", "equal", "not equal", "one of"],
)
def test_a_layer_that_looks_at_the_number_of_the_step_is_left_to_python(recorded, slope):
    class Scheduled(Leaky):
        def slope(self, context):
            return slope(context)

    assert trained(Scheduled()) == by_python(trained, Scheduled())
    assert recorded == [False]


def test_a_layer_that_keeps_something_from_step_to_step_is_left_to_python(recorded):
    class Counting(Leaky):
        def __init__(self):
            self.steps = 0

        def slope(self, context):
            self.steps += 1
            return 0.1

    class Averaging(Layer):
        def __init__(self):
            self.mean = np.zeros(8, np.float32)

        def forward(self, x, context):
            self.mean *= 0.9
            self.mean += 0.1 * x.mean(axis=0)
            return OPERATIONS["identity_forward"](x), ()

        def backward(self, dy, saved):
            return OPERATIONS["identity_backward"](dy), {}

    for layer in (Counting(), Averaging()):
        trained(layer)
    assert recorded == [False, False]


def test_a_layer_that_writes_into_a_result_is_left_to_python(recorded):
    """What it writes where a number is too large may not show in the steps that are compared."""

    class Clipping(Leaky):
        def slope(self, context):
            return 0.1

        def forward(self, x, context):
            y, kept = super().forward(x, context)
            y[y > 2.5] = 2.5
            return y, kept

    x = np.clip(X, -0.3, 0.3)
    x[30] = 9
    assert trained(Clipping(), data=(x, LABELS)) == by_python(trained, Clipping(), data=(x, LABELS))
    assert recorded == [False]


FAR_ROW = np.where(np.arange(70)[:, None] == 30, 9, np.clip(X, -0.3, 0.3)).astype(np.float32)


@pytest.mark.parametrize("which", ["layer", "inner layer", "loss", "optimizer"])
def test_a_decision_on_values_that_no_compared_row_shows_is_made_in_each_step_where_the_class_says_so(recorded, which):
    class Deciding(Leaky):
        recordable = which not in ("layer", "inner layer")

        def forward(self, x, context):
            slope = 0.9 if float(x.max()) > 2.5 else 0.1
            return leaky_relu_forward(x, slope), (x, slope)

    class MyLoss(cr.CrossEntropy):
        recordable = which != "loss"

    class MyOptimizer(cr.SGD):
        recordable = which != "optimizer"

    def run():
        layer = cr.Sequential((Deciding(),)) if which == "inner layer" else Deciding()
        net = network(layer, loss=MyLoss())
        cr.train(net, (FAR_ROW, LABELS), epochs=4, batch_size=16, optimizer=MyOptimizer(0.05), progress=False)
        return weights(net)

    assert run() == by_python(run)
    assert recorded == [False]


def test_an_operation_without_a_kernel_is_left_to_python(recorded):
    @operation
    def double_forward(x):  # x (N, I)
        """Twice as much."""
        y = 2 * x  # (N, I)
        return y

    class Double(Layer):
        def forward(self, x, context):
            return double_forward(x), ()

        def backward(self, dy, saved):
            return 2 * dy, {}

    assert trained(Double()) == by_python(trained, Double())
    assert recorded == [False]


def test_an_error_in_a_user_s_layer_comes_as_it_is(recorded):
    class Failing(Leaky):
        def slope(self, context):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        trained(Failing())


@pytest.mark.parametrize(
    "loss", [cr.CrossEntropy, cr.Focal, cr.CrammerSinger, cr.WestonWatkins, lambda: cr.CrossEntropy(0.1)]
)
def test_labels_that_are_no_classes_are_never_looked_up(recorded, loss):
    """On a tape nobody checks them; a loss of the user's own may let them through."""

    class Careless(type(loss())):
        def prepare(self, targets, shape, name):
            return np.asarray(targets)

    for wrong in (3, 10**12, -(10**12)):
        labels = LABELS.copy()
        labels[40] = wrong
        net = network(loss=Careless(**vars(loss())))
        with pytest.raises(IndexError):
            cr.train(net, (X, labels), batch_size=16, shuffle=False, progress=False)
        assert np.isfinite(net.predict(X)).all()


def test_rows_that_are_not_there_are_never_read(recorded):
    class Weighted(cr.SquaredError):
        """The targets are rows of a table."""

        def prepare(self, targets, shape, name):
            return np.asarray(targets)

        def forward(self, f, t):
            return super().forward(f, gather_rows(self.table, t))

        def backward(self, dloss, f, t):
            return super().backward(dloss, f, gather_rows(self.table, t))

        def count_right(self, f, t):
            return None

    Weighted.table = np.eye(3, dtype=np.float32)
    labels = LABELS.copy()
    labels[40] = 10**12
    with pytest.raises(IndexError):
        cr.train(network(loss=Weighted()), (X, labels), batch_size=16, shuffle=False, progress=False)


# --- what callbacks change --------------------------------------------------------------------------------------------


class EachEpoch(cr.Callback):
    """Does something to the run after each epoch, or after each step."""

    def __init__(self, act):
        self.act = act

    def on_epoch_end(self, run):
        self.act(run)


class EachStep(EachEpoch):
    def on_epoch_end(self, run):
        pass

    def on_step_end(self, run):
        self.act(run)


class AtTheStart(EachEpoch):
    def on_epoch_end(self, run):
        pass

    def on_train_start(self, run):
        self.act(run)


def slower(run):
    run.optimizer.learning_rate *= 0.7


def more_momentum(run):
    run.optimizer.momentum = 0.5 if run.epoch < 3 else 0.95


def less_dropout(run):
    run.network.layers[2].rate *= 0.5


def clipped(run):
    for W in run.network.parameters.values():
        np.clip(W, -0.3, 0.3, out=W)


def replaced(run):
    layer = run.network.layers[0]
    layer.W = layer.W * np.float32(0.5)


def nothing(run):
    run.network.predict(np.ones((3, *run.network.input_shape)))


@pytest.mark.parametrize("when", [EachEpoch, EachStep, AtTheStart])
@pytest.mark.parametrize("act", [slower, more_momentum, less_dropout, clipped, replaced, nothing])
def test_what_a_callback_changes_counts_at_once(act, when):
    def run():
        settings = {"epochs": 6, "optimizer": cr.Momentum(0.1, 0.9), "callbacks": [when(act)]}
        return trained(cr.Tanh(), cr.Dropout(0.4), **settings)

    assert run() == by_python(run)


def test_a_schedule_is_followed_and_a_callback_may_change_it():
    def run(*callbacks, **settings):
        return trained(cr.Tanh(), schedule=cr.OneCycle(), epochs=6, callbacks=callbacks, **settings)

    def longer(run):
        run.schedule.warm_up = 0.8

    for optimizer in (cr.SGD(0.3), cr.Momentum(0.1), cr.Nesterov(0.1), cr.Adam(0.03)):
        assert run(optimizer=optimizer) == by_python(run, optimizer=optimizer)
        assert run(optimizer=optimizer) != trained(cr.Tanh(), epochs=6, optimizer=optimizer)
    for callback in (EachEpoch(slower), EachEpoch(longer), EachStep(longer), AtTheStart(longer)):
        assert run(callback) == by_python(run, callback)
    assert run(EachEpoch(longer)) != run()


def stronger(run):
    run.penalty.strength *= 2


def tighter(run):
    run.clip.limit *= 0.5


@pytest.mark.parametrize("when", [EachEpoch, EachStep, AtTheStart])
@pytest.mark.parametrize("act", [stronger, tighter])
def test_what_a_callback_changes_in_a_penalty_or_a_limit_counts_at_once(act, when):
    def run():
        extras = {"penalty": cr.L2(0.5), "clip": cr.ClipNorm(0.5)}
        return trained(cr.Tanh(), epochs=6, callbacks=[when(act)], **extras)

    assert run() == by_python(run)


def test_penalties_clipping_schedules_and_every_optimizer_are_recorded(recorded):
    extras = {"penalty": cr.ElasticNet(0.5), "clip": cr.ClipNorm(0.5, record=True)}
    schedule = cr.WarmUp(0.5, then=cr.StepDecay(1, 0.7))
    optimizers = [
        cr.RMSprop(),
        cr.RMSprop(centered=True),
        cr.Adagrad(),
        cr.Adadelta(),
        cr.AdamW(),
        cr.Nadam(),
        cr.Lion(),
    ]
    for optimizer in optimizers:
        settings = {"optimizer": optimizer, "schedule": schedule, **extras}
        assert trained(cr.Tanh(), **settings) == by_python(trained, cr.Tanh(), **settings)
    assert recorded == [True] * len(optimizers)


def test_more_figures_than_a_tape_has_room_for_are_left_to_python(recorded):
    class Measuring(cr.Clip):
        def apply(self, gradients):
            (first, *_) = gradients.values()
            return gradients, {f"figure {i}": OPERATIONS["norm"](first) for i in range(9)}

    net = network(cr.Tanh())
    history = cr.train(net, (X, LABELS), epochs=2, clip=Measuring(), progress=False)
    assert recorded == [False]
    assert history["figure 8"] == history["figure 0"]


def test_a_rate_lowered_on_a_plateau_is_followed_and_recorded_anew(recorded):
    def run():
        reduce = cr.ReduceOnPlateau("loss", patience=2, minimum_change=1e9)  # lowers after epochs 3, 5, 7, …
        return trained(cr.Tanh(), epochs=8, callbacks=[reduce])

    assert run() == by_python(run)
    assert recorded == [True] * 4
    assert run() != trained(cr.Tanh(), epochs=8)


def test_a_change_now_and_then_is_recorded_anew_and_one_in_every_step_is_not(recorded):
    trained(cr.Tanh(), callbacks=[EachEpoch(slower)], epochs=5, optimizer=cr.SGD(0.1))
    assert recorded == [True] * 5
    recorded.clear()
    trained(cr.Tanh(), callbacks=[EachStep(slower)], epochs=5, optimizer=cr.SGD(0.1))
    assert recorded == [True]


def test_the_step_number_goes_on_where_python_takes_a_step_between():
    seen = []
    slow_once = EachEpoch(lambda run: run.epoch == 2 and slower(run))
    trained(cr.Tanh(), callbacks=[slow_once, EachStep(lambda run: seen.append(run.step))], epochs=4)
    assert seen == list(range(1, 21))


@pytest.mark.parametrize("seed", [0, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("layers", [(cr.Tanh,), (cr.Tanh, cr.Dropout)], ids=["plain", "dropout"])
def test_every_seed_gives_the_same_bytes_by_tape_and_by_python(layers, seed):
    def run():
        return trained(*[make() for make in layers], seed=seed)

    assert run() == by_python(run)


# --- numbers that are no longer finite --------------------------------------------------------------------------------


def diverge(net, data, **settings):
    """What the error says, and the weights that are left."""
    with pytest.raises(DivergenceError) as caught:
        cr.train(net, data, progress=False, **settings)
    error = caught.value
    return str(error), error.epoch, error.step, error.layer, error.cause, weights(net)


@pytest.mark.parametrize("optimizer", [cr.SGD, cr.Momentum, cr.Nesterov])
@pytest.mark.parametrize("rate", [1.2, 3.0, 1e3, 1e15, 1e30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_training_that_diverges_stops_at_the_same_step_with_the_same_weights(recorded, optimizer, rate, dtype):
    def run():
        layers = [cr.Linear(6), cr.LeakyReLU(), cr.Linear(1)]
        net = cr.Network(layers, loss=cr.SquaredError(), dtype=dtype)
        return diverge(net, (X, X[:, 0] * 3), epochs=100_000, batch_size=16, optimizer=optimizer(rate))

    by_tape = run()
    assert by_tape == by_python(run)
    assert np.isfinite(np.frombuffer(by_tape[-1], dtype)).all()


def test_a_loss_that_is_infinite_at_once_is_the_same_with_both():
    def run():
        net = cr.Network([cr.Linear(1)], loss=cr.SquaredError())
        return diverge(net, (np.full((10, 2), 1e25), np.zeros(10)), batch_size=3)

    first = run()
    assert first == by_python(run)
    assert first[1:3] == (1, 1)


@dataclass(eq=False)
class Weight(Layer):
    """y = x W: its bias never moves."""

    parameter_names: ClassVar[tuple[str, ...]] = ("W", "b")

    def build(self, input_shape, rng):
        self.W, self.b = np.zeros((input_shape[0], 1)), np.zeros(1)
        return (1,)

    def forward(self, x, context):
        return linear_forward(x, self.W, self.b), (x,)

    def backward(self, dy, saved):
        _, dW, db = linear_backward(dy, saved[0], self.W)
        return OPERATIONS["step_backward"](dy), {"W": dW, "b": step_backward(db)}


FAR = np.full((4, 1), 1e-20, np.float32), np.full(4, 1e19)


@pytest.mark.parametrize(("rate", "first_step"), [(3e38, 10), (1e37, 300), (1e36, 3000)])
@pytest.mark.parametrize("watch", [(), (EachEpoch(nothing),), (EachStep(nothing),)], ids=["alone", "epochs", "steps"])
def test_a_weight_that_overflows_while_the_loss_is_finite_goes_back_to_the_last_finite_weights(
    recorded, rate, first_step, watch
):
    """x = 1e−20 and t = 1e19: W must become 1e39 to fit, while the loss stays below 5e37."""

    def run():
        net = cr.Network([Weight()], loss=cr.SquaredError())
        return diverge(net, FAR, epochs=100_000, batch_size=2, optimizer=cr.SGD(rate), callbacks=watch)

    by_tape = run()
    assert recorded == [True]
    assert by_tape == by_python(run)
    message, epoch, step, layer, _, left = by_tape
    assert "the new value of layers.0.W is not finite" in message
    assert step >= first_step
    assert epoch == (step - 1) // 2 + 1
    assert layer == "layer 0 (Weight)"
    assert np.isfinite(np.frombuffer(left, np.float32)).all()


def test_an_overflow_after_a_callback_has_changed_the_weights_is_found_all_the_same(recorded):
    """From weights that were kept before the callback there would be no overflow, and no end."""

    def larger(run):
        if run.epoch == 40:
            run.network.parameters["layers.0.W"][...] = 3.4028e38

    def run():
        net = cr.Network([Weight()], loss=cr.SquaredError())
        settings = {"batch_size": 2, "optimizer": cr.SGD(1e36), "callbacks": [EachEpoch(larger)]}
        return diverge(net, FAR, epochs=60, **settings)

    by_tape = run()
    assert by_tape == by_python(run)
    assert by_tape[1] == 41


def test_a_divergence_long_after_the_weights_were_last_kept(recorded, monkeypatch):
    monkeypatch.setattr("chainrule.training.steps.KEEP", 0.0)
    monkeypatch.setattr("chainrule.training.steps.PLAY", 0.001)

    def run():
        net = cr.Network([Weight()], loss=cr.SquaredError())
        return diverge(net, FAR, epochs=100_000, batch_size=2, optimizer=cr.SGD(1e36))

    assert run() == by_python(run)


def test_an_interruption_while_a_tape_is_tried_out_leaves_the_weights_as_they_were(monkeypatch):
    """Ctrl-C between two parameters, as the weights before the trial are put back."""
    complete, tried = Run.complete_step, []

    def interrupted(run):
        if not tried:
            tried.append(weights(run.network))
            values, _ = run._due
            name = next(iter(values))
            run.network.parameters[name][...] = values[name]
            raise KeyboardInterrupt
        complete(run)

    net = network(cr.Tanh()).build((5,))
    before = weights(net)
    monkeypatch.setattr(Run, "complete_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cr.train(net, (X, LABELS), progress=False)
    assert tried != [before]
    assert weights(net) == before


# --- the parts --------------------------------------------------------------------------------------------------------


def test_a_tape_says_why_it_failed():
    tape = kernels.Tape()
    tape.start()
    linear_forward(X, np.eye(5, dtype=np.float32), np.zeros(5, np.float32))
    tape.stop()
    assert tape.failure == "linear_forward: an array that no operation made"
    assert tape.calls == 0


def test_an_empty_array_does_not_make_others_known():
    tape = kernels.Tape()
    tape.know(np.zeros((0, 3), np.float32))
    tape.start()
    OPERATIONS["relu_forward"](X)
    tape.stop()
    assert tape.failure == "relu_forward: an array that no operation made"


def test_a_program_plays_nothing_that_is_not_there():
    def play(program, epoch=1, step=0):
        return program.play(epoch, step, 1, 0.0, kernels.Cell(), kernels.Cell())

    program, index = kernels.Program(10, 4, False, 0, 0), np.arange(4)
    with pytest.raises(RuntimeError, match="a tape for each size of batch"):
        play(program)
    tape = kernels.Tape()
    cost = np.zeros((), np.float32)
    tape.know(cost)
    tape.start()
    assert tape.guard(OPERATIONS["relu_forward"](cost))
    tape.stop()
    program.use(tape, index)
    program.rates(np.ones(1))
    assert play(program)[:2] == (1, 1)
    for place in ((1, 2), (1, 3), (1, -1), (0, 0)):  # the last batch, of 2, has no tape
        with pytest.raises(RuntimeError, match="expected a step of an epoch"):
            play(program, *place)


def test_the_number_in_a_cell_cannot_be_compared():
    with pytest.raises(TypeError, match="cannot be compared"):
        assert kernels.Cell() == 1
