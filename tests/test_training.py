"""train(): descent, events, history, early stopping, divergence."""

import io
import os
import pty
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, DivergenceError, MissingExtraError, NotSeparableError, SettingError, ShapeError
from chainrule.layers import Layer
from chainrule.training import Progress
from chainrule.training.progress import epoch_line
from chainrule.training.run import Run


def blobs(samples=60):
    rng = np.random.default_rng(1)
    labels = np.arange(samples) % 3
    return rng.normal(0, 0.3, (samples, 2)) + np.array([[0, 2], [2, -1], [-2, -1]])[labels], labels


def network(seed=0, dtype="float32"):
    return cr.Network([cr.Linear(8), cr.Tanh(), cr.Linear(3)], loss=cr.CrossEntropy(), seed=seed, dtype=dtype)


def weights(net):
    return b"".join(W.tobytes() for W in net.parameters.values())


OPTIMIZERS = [
    cr.SGD(0.5),
    cr.Momentum(0.05),
    cr.Nesterov(0.05),
    cr.Adam(0.02),
    cr.RMSprop(0.01),
    cr.RMSprop(0.01, centered=True),
    cr.Adagrad(0.1),
    cr.Adadelta(1.0, epsilon=1e-3),
    cr.AdamW(0.02),
    cr.Nadam(0.02),
    cr.Lion(0.01),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("batch_size", [None, 1, 7, 60, 1000])
def test_every_optimizer_learns_with_every_kind_of_batch(optimizer, batch_size):
    net = network()
    epochs = 60 if batch_size in (None, 60, 1000) else 5
    history = cr.train(net, blobs(), epochs=epochs, batch_size=batch_size, optimizer=optimizer, progress=False)
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert net.evaluate(*blobs())["accuracy"] == 1


def test_a_full_batch_step_is_w_minus_rate_times_gradient():
    net = network(dtype="float64").build((2,))
    before = {name: W.copy() for name, W in net.parameters.items()}
    gradients = net.gradients(*blobs())
    cr.train(net, blobs(), epochs=1, batch_size=None, optimizer=cr.SGD(0.25), progress=False)
    for name, W in net.parameters.items():
        np.testing.assert_allclose(W, before[name] - 0.25 * gradients[name], rtol=1e-12, atol=1e-15)


def test_mini_batches_in_order_are_single_steps_one_after_the_other():
    x, labels = blobs()
    together, apart = network(dtype="float64").build((2,)), network(dtype="float64").build((2,))
    cr.train(together, (x, labels), epochs=1, batch_size=25, shuffle=False, optimizer=cr.SGD(0.1), progress=False)
    for rows in (slice(0, 25), slice(25, 50), slice(50, 60)):
        cr.train(apart, (x[rows], labels[rows]), epochs=1, batch_size=None, optimizer=cr.SGD(0.1), progress=False)
    assert weights(together) == weights(apart)


@pytest.mark.usefixtures("registers")
@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(1, [1] * 10), (4, [4, 4, 2]), (10, [10]), (100, [10]), (None, [10])]
)
def test_every_sample_comes_once_in_each_epoch(batch_size, sizes):
    batches = []

    class Watching(Layer):
        def forward(self, x, context):
            batches.append(x[:, 0].tolist())
            return x, ()

        def backward(self, dy, saved):
            return dy, {}

    net = cr.Network([Watching(), cr.Linear(1)], loss=cr.SquaredError())
    with cr.backend("reference"):
        cr.train(net, (np.arange(10)[:, None], np.zeros(10)), epochs=3, batch_size=batch_size, progress=False)
    assert [len(batch) for batch in batches] == 3 * sizes
    epochs = np.concatenate(batches).reshape(3, 10)
    assert np.sort(epochs).tolist() == [list(range(10))] * 3
    assert len(np.unique(epochs, axis=0)) == (1 if len(sizes) == 1 else 3)


def test_same_seed_same_bytes_other_seed_other_bytes():
    def trained(seed):
        net = network(seed)
        cr.train(net, blobs(), validation=0.2, epochs=3, seed=seed, progress=False)
        return weights(net)

    assert trained(3) == trained(3)
    assert trained(3) != trained(4)


def test_same_seed_same_bytes_in_another_process():
    script = textwrap.dedent("""
        import hashlib, numpy as np, chainrule as cr
        x = np.linspace(-1, 1, 80).reshape(40, 2)
        net = cr.Network([cr.Linear(8), cr.Sigmoid(), cr.Linear(2)], loss=cr.CrossEntropy(), seed=5)
        cr.train(net, (x, np.arange(40) % 2), epochs=3, seed=5, progress=False)
        print(hashlib.sha256(b"".join(W.tobytes() for W in net.parameters.values())).hexdigest())
    """)
    digests = {subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1


def test_the_global_random_state_is_neither_read_nor_changed():
    before = np.random.get_state()[1].tobytes()
    first = network()
    cr.train(first, blobs(), epochs=1, progress=False)
    assert np.random.get_state()[1].tobytes() == before
    np.random.seed(99)
    second = network()
    cr.train(second, blobs(), epochs=1, progress=False)
    assert weights(first) == weights(second)


def test_the_history_holds_what_was_measured(tmp_path):
    x, labels = blobs()
    net = network()
    history = cr.train(net, (x, labels), validation=(x, labels), epochs=3, progress=False)
    names = ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds", "samples_per_second"]
    assert list(history.to_dict()) == names
    assert history["epoch"] == [1, 2, 3]
    assert len(history) == 3
    assert history.stopped == "finished 3 epochs"
    measured = net.evaluate(x, labels)
    assert history["validation_loss"][-1] == measured["loss"]
    assert history["validation_accuracy"][-1] == measured["accuracy"]
    with pytest.raises(SettingError, match="history has no 'speed'"):
        history["speed"]


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples_before_each_step():
    x, labels = blobs(10)
    net = network(dtype="float64").build((2,))
    first = net.evaluate(x[:7], labels[:7])["loss"]
    history = cr.train(net, (x, labels), epochs=1, batch_size=7, shuffle=False, optimizer=cr.SGD(1e-12), progress=False)
    second = net.evaluate(x[7:], labels[7:])["loss"]
    assert history["loss"][0] == pytest.approx((7 * first + 3 * second) / 10, rel=1e-9)


def test_a_regression_has_no_accuracy():
    x = np.linspace(-1, 1, 20)[:, None]
    net = cr.Network([cr.Linear(1)], loss=cr.SquaredError())
    history = cr.train(net, (x, 2 * x[:, 0]), epochs=1, progress=False)
    assert "accuracy" not in history.records[0]


def test_history_to_a_frame():
    pandas = pytest.importorskip("pandas")
    history = cr.train(network(), blobs(), epochs=2, progress=False)
    frame = history.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["loss"].tolist() == history["loss"]


def test_without_pandas_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"chainrule\[pandas\]"):
        cr.History().to_frame()


def test_a_validation_share_is_held_back():
    class Count(cr.Callback):
        def on_train_start(self, run):
            self.samples = run.samples

    count = Count()
    history = cr.train(network(), blobs(), validation=0.25, epochs=1, callbacks=[count], progress=False)
    assert count.samples == 45
    assert "validation_accuracy" in history.records[0]


class Log(cr.Callback):
    def __init__(self):
        self.events = []

    def on_train_start(self, run):
        self.events.append("start")

    def on_step_end(self, run):
        self.events.append(run.step)

    def on_epoch_end(self, run):
        self.events.append(f"epoch {run.epoch}")

    def on_train_end(self, run):
        self.events.append("end")


def test_events_come_in_order():
    log = Log()
    cr.train(network(), blobs(), epochs=2, batch_size=30, callbacks=[log], progress=False)
    assert log.events == ["start", 1, 2, "epoch 1", 3, 4, "epoch 2", "end"]


def test_a_callback_may_stop_the_training_after_a_step():
    class StopAtThree(Log):
        def on_step_end(self, run):
            super().on_step_end(run)
            if run.step == 3:
                run.stop("enough")

    log = StopAtThree()
    history = cr.train(network(), blobs(), epochs=5, batch_size=30, callbacks=[log], progress=False)
    assert log.events == ["start", 1, 2, "epoch 1", 3, "end"]
    assert history.stopped == "enough"
    assert len(history) == 1


def test_a_callback_that_raises_leaves_the_last_whole_step():
    class Fail(cr.Callback):
        def on_step_end(self, run):
            if run.step == 3:
                raise RuntimeError("mine")

    class StopAtThree(cr.Callback):
        def on_step_end(self, run):
            if run.step == 3:
                run.stop("")

    failed, stopped = network(), network()
    with pytest.raises(RuntimeError, match="mine"):
        cr.train(failed, blobs(), batch_size=10, callbacks=[Fail()], progress=False)
    x, labels = blobs()
    rng_order = cr.train(stopped, (x, labels), batch_size=10, epochs=1, callbacks=[], progress=False)
    assert len(rng_order) == 1
    again = network()

    class Snapshot(cr.Callback):
        def on_step_end(self, run):
            if run.step == 3:
                self.at_three = weights(run.network)

    snapshot = Snapshot()
    cr.train(again, (x, labels), batch_size=10, epochs=1, callbacks=[snapshot], progress=False)
    assert weights(failed) == snapshot.at_three


def test_an_interruption_in_the_middle_of_a_step_ends_that_step(monkeypatch):
    """Ctrl-C between two parameters: the step that was begun is completed before the error goes on."""
    complete = Run.complete_step

    def interrupted(run):
        if run.step == 2 and not hasattr(run, "hit"):
            run.hit = True
            values, _ = run._due
            name = next(iter(values))
            run.network.parameters[name][...] = values[name]
            raise KeyboardInterrupt
        complete(run)

    class Snapshot(cr.Callback):
        def on_step_end(self, run):
            if run.step == 3:
                self.at_three = weights(run.network)

    whole, torn, snapshot = network(), network(), Snapshot()
    with cr.backend("reference"):
        cr.train(whole, blobs(), batch_size=10, epochs=1, callbacks=[snapshot], progress=False)
    monkeypatch.setattr(Run, "complete_step", interrupted)
    with cr.backend("reference"), pytest.raises(KeyboardInterrupt):
        cr.train(torn, blobs(), batch_size=10, epochs=1, progress=False)
    assert weights(torn) == snapshot.at_three


def test_early_stopping_puts_the_best_weights_back():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(30, 20)), rng.integers(0, 2, 30)
    held_x, held_noise = rng.normal(size=(200, 20)), rng.integers(0, 2, 200)
    net = cr.Network([cr.Linear(50), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy())
    stopping = cr.EarlyStopping(patience=4)
    validation = (held_x, held_noise)
    history = cr.train(
        net,
        (x, noise),
        validation=validation,
        epochs=200,
        optimizer=cr.Adam(0.01),
        callbacks=[stopping],
        progress=False,
    )
    best = int(np.argmin(history["validation_loss"]))
    assert stopping.best_epoch == best + 1
    assert len(history) == best + 1 + 4
    assert net.evaluate(held_x, held_noise)["loss"] == history["validation_loss"][best]
    assert "not improved for 4 epochs" in history.stopped


def test_early_stopping_on_accuracy_looks_for_the_largest():
    stopping = cr.EarlyStopping("accuracy", patience=2)
    history = cr.train(network(), blobs(), epochs=50, optimizer=cr.Adam(0.1), callbacks=[stopping], progress=False)
    assert history["accuracy"][stopping.best_epoch - 1] == max(history["accuracy"])


def test_early_stopping_without_its_figure_says_what_is_missing():
    with pytest.raises(SettingError, match=r"'validation_loss' is not measured.*pass validation"):
        cr.train(network(), blobs(), callbacks=[cr.EarlyStopping()], progress=False)


def plateaus(factor=0.5, figures=(3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1), **settings):
    """The history of a training that measures `figures`, and the optimizer."""

    class Measured(cr.Callback):
        def on_epoch_end(self, run):
            run.history.records[-1]["figure"] = figures[run.epoch - 1]

    reduce = cr.ReduceOnPlateau("figure", factor=factor, **settings)
    optimizer = cr.SGD(0.8)
    callbacks = [Measured(), reduce]
    history = cr.train(
        network(), blobs(), epochs=len(figures), optimizer=optimizer, callbacks=callbacks, progress=False
    )
    return history, optimizer


def test_reduce_on_plateau_lowers_the_rate_after_each_wait_without_an_improvement():
    history, optimizer = plateaus(patience=2)
    assert history["learning_rate"] == [0.8] * 4 + [0.4] * 4 + [0.2] * 2 + [0.1]
    assert optimizer.learning_rate == 0.8


def test_reduce_on_plateau_has_a_least_rate_and_a_change_that_counts():
    assert plateaus(patience=1, least=0.3)[0]["learning_rate"][-1] == pytest.approx(0.24)
    assert plateaus(patience=1, minimum_change=1.0)[0]["learning_rate"][2] == 0.4  # from 3 to 2 is not below 3 − 1


def test_reduce_on_plateau_looks_at_the_validation_loss_and_works_with_a_schedule():
    reduce = cr.ReduceOnPlateau(patience=1, factor=0.1)
    settings = {"validation": 0.3, "epochs": 12, "optimizer": cr.SGD(3.0), "progress": False}
    history = cr.train(network(), blobs(), schedule=cr.ExponentialDecay(0.5), callbacks=[reduce], **settings)
    better = [loss < min(history["validation_loss"][:i]) for i, loss in enumerate(history["validation_loss"]) if i]
    rates = [rate / 0.5**epoch for epoch, rate in enumerate(history["learning_rate"], start=1)]  # 2 steps an epoch
    for i, improved in enumerate(better[:-1], start=1):
        assert rates[i + 1] == pytest.approx(rates[i] * (1 if improved else max(0.1, 0.001 / (rates[i] / rates[0]))))


def test_a_second_training_starts_at_the_full_rate():
    reduce = cr.ReduceOnPlateau("loss", patience=1, minimum_change=1e9)
    settings = {"epochs": 3, "optimizer": cr.SGD(0.5), "callbacks": [reduce], "progress": False}
    first, second = (cr.train(network(), blobs(), **settings)["learning_rate"] for _ in range(2))
    assert first == second == [0.5, 0.5, 0.25]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"factor": 1.0}, "ReduceOnPlateau: factor: expected a number below 1, got 1.0"),
        ({"factor": 0}, "ReduceOnPlateau: factor: expected a number above 0"),
        ({"patience": 0}, "ReduceOnPlateau: patience"),
        ({"least": -1}, "ReduceOnPlateau: least"),
    ],
)
def test_wrong_settings_of_reduce_on_plateau_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        cr.ReduceOnPlateau(**settings)


def test_too_high_a_rate_stops_at_once_and_keeps_finite_weights():
    x = np.linspace(-1, 1, 20)[:, None]
    net = cr.Network([cr.Linear(4), cr.ReLU(), cr.Linear(1)], loss=cr.SquaredError())
    with pytest.raises(DivergenceError, match=r"epoch \d+, step \d+") as caught:
        cr.train(net, (x, x[:, 0]), epochs=10_000, batch_size=5, optimizer=cr.SGD(1e4), progress=False)
    assert caught.value.cause == "the learning rate 10000 is too high; try 1000"
    assert caught.value.layer.startswith(("layer ", "the loss"))
    assert caught.value.step > 1
    assert caught.value.epoch == (caught.value.step - 1) // 4 + 1
    for W in net.parameters.values():
        assert np.isfinite(W).all()


def test_unscaled_inputs_are_named_as_the_cause():
    x = np.array([[1e20], [2e20]])
    net = cr.Network([cr.Linear(1)], loss=cr.SquaredError())
    with pytest.raises(DivergenceError, match="not scaled") as caught:
        cr.train(net, (x, [1.0, 2.0]), progress=False)
    assert caught.value.step == 1


def test_the_weights_kept_are_those_before_the_step_that_failed():
    x, labels = blobs()
    kept = []

    class Keep(cr.Callback):
        def on_step_end(self, run):
            kept.append(weights(run.network))

    net = cr.Network([cr.Linear(3)], loss=cr.SquaredError())
    with pytest.raises(DivergenceError) as caught:
        cr.train(net, (x, labels), batch_size=10, optimizer=cr.SGD(1e10), callbacks=[Keep()], progress=False)
    assert len(kept) == caught.value.step - 1
    assert weights(net) == kept[-1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs: expected a whole number of at least 1, got 0"),
        ({"epochs": 2.5}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": "all"}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"optimizer": "adam"}, "optimizer: expected an Optimizer"),
        ({"optimizer": cr.SGD}, "optimizer: expected an Optimizer"),
        ({"callbacks": [print]}, "callbacks: expected Callback"),
        ({"callbacks": [cr.EarlyStopping]}, r"write EarlyStopping\(\)"),
        ({"callbacks": cr.EarlyStopping}, "callbacks: expected Callback"),
        ({"validation": 1.5}, "fraction"),
        ({"validation": "data"}, "validation: expected a pair"),
    ],
)
def test_wrong_settings_are_refused_before_anything_changes(settings, message):
    net = network().build((2,))
    before = weights(net)
    with pytest.raises(SettingError, match=message):
        cr.train(net, blobs(), progress=False, **settings)
    assert weights(net) == before


def test_wrong_data_is_refused_and_named():
    x, labels = blobs()
    with pytest.raises(SettingError, match="network: expected a Network"):
        cr.train([cr.Linear(3)], (x, labels))
    with pytest.raises(SettingError, match="data: expected a pair"):
        cr.train(network(), x, progress=False)
    with pytest.raises(ShapeError, match="training x has 60 samples, training targets 59"):
        cr.train(network(), (x, labels[:-1]), progress=False)
    with pytest.raises(DataError, match="expected at least one sample"):
        cr.train(network().build((2,)), (x[:0], labels[:0]), progress=False)
    spoiled = x.copy()
    spoiled[17, 1] = np.nan
    with pytest.raises(DataError, match="training x.*row 17"):
        cr.train(network(), (spoiled, labels), progress=False)
    with pytest.raises(DataError, match="validation x.*row 17"):
        cr.train(network(), (x, labels), validation=(spoiled, labels), progress=False)
    net = network().build((2,))
    net.parameters["layers.2.b"][1] = np.inf
    with pytest.raises(DataError, match=r"layers\.2\.b.*row 1"):
        cr.train(net, (x, labels), progress=False)


@pytest.mark.parametrize("samples", [1, 2])
def test_one_row_one_class_and_a_constant_column_are_fitted(samples):
    net = network()
    cr.train(net, (np.ones((samples, 2)), [2] * samples), epochs=50, optimizer=cr.SGD(0.5), progress=False)
    assert net.predict(np.ones((1, 2))).argmax() == 2


def test_plain_lines_where_there_is_no_terminal(capsys):
    cr.train(network(), blobs(), validation=blobs(), epochs=3)
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert len(lines) == 3
    assert "\r" not in captured.err
    assert "\x1b" not in captured.err
    assert lines[0].startswith("epoch 1/3   loss ")
    assert "validation loss" in lines[0]
    assert lines[0].endswith("samples/s")


def test_many_epochs_print_at_most_fifty_lines_and_the_last(capsys):
    cr.train(network(), blobs(6), epochs=1234, batch_size=None)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 51
    assert lines[-1].startswith("epoch 1234/1234")


def test_a_terminal_gets_a_live_line_that_is_cleaned_up(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("chainrule.training.progress.REFRESH", 0)
    monkeypatch.setattr("chainrule.training.steps.PLAY", 0)
    screen = Terminal()
    progress = Progress(screen)
    cr.train(network(), blobs(), epochs=2, batch_size=10, callbacks=[progress], progress=False)
    text = screen.getvalue()
    assert "━" in text
    assert " left" in text
    assert max(len(line) for line in text.replace("\n", "\r\x1b[2K").split("\r\x1b[2K")) < 80
    assert text.endswith("\r\x1b[2K")
    monkeypatch.setenv("TERM", "dumb")
    assert not Progress(Terminal()).live


def test_the_live_line_in_a_real_pseudo_terminal():
    script = (
        "import numpy as np, chainrule as cr\n"
        "from chainrule.training import progress\n"
        "progress.REFRESH = 0  # drawn after each step\n"
        "class EachStep(cr.Callback):\n"
        "    def on_step_end(self, run): pass\n"
        "net = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy())\n"
        "cr.train(net, (np.ones((40, 3)), np.zeros(40)), epochs=4, batch_size=4, callbacks=[EachStep()])\n"
    )
    reader, writer = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", script], stderr=writer, env=os.environ | {"TERM": "xterm"}) as process:
        os.close(writer)
        shown = b""
        while True:
            try:
                chunk = os.read(reader, 4096)
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
    os.close(reader)
    assert process.returncode == 0
    assert "━".encode() in shown
    assert shown.count(b"samples/s") >= 4
    assert b"epoch 4/4" in shown


def test_the_line_of_an_epoch_reads_well():
    record = {"epoch": 3, "loss": 0.12345, "accuracy": 0.961, "samples_per_second": 123456.0}
    record |= {"validation_loss": 0.2, "validation_accuracy": 0.5}
    line = epoch_line(record, 30)
    assert line == (
        "epoch  3/30   loss 0.1235    accuracy  96.10%   validation loss 0.2       accuracy  50.00%   123,456 samples/s"
    )


def test_the_perceptron_rule_finds_a_line_and_knows_when_there_is_none():
    cases = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    for threshold in (9, 7):
        labels = cases @ [1, 6, 3] >= threshold
        net = cr.train_perceptron(cases, labels)
        assert np.array_equal(net.predict(cases)[:, 0], labels)
    xor = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    with pytest.raises(NotSeparableError, match="back at an earlier value"):
        cr.train_perceptron(xor, [0, 1, 1, 0])
