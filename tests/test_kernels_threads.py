"""Threads, forks, Ctrl-C, the process around the kernels, and how they are chosen when the library is imported."""

import hashlib
import importlib.util
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.errors import SettingError
from chainrule.operations import linear_forward
from chainrule.operations.operation import runs_natively

pytestmark = [
    pytest.mark.skipif(not runs_natively(), reason="operations run by their formulas here: there is no pool"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),  # what is tested is that it does no harm
]

HERE = Path(__file__).parent
PATIENCE = 60  # seconds until something that should finish in a moment counts as hanging


@pytest.fixture(autouse=True)
def four_threads():
    before = kernels.threads()
    kernels.set_threads(4)
    yield
    kernels.set_threads(before)


def large_product(seed=0):
    """The digest of a product that is shared out among all threads."""
    rng = np.random.default_rng(seed)
    x, W, b = (rng.normal(size=shape).astype(np.float32) for shape in ((500, 300), (300, 200), (200,)))
    return hashlib.sha256(linear_forward(x, W, b).tobytes()).hexdigest()


def training(seed=0):
    """The digest of a training in which every step uses the pool."""
    rng = np.random.default_rng(seed)
    layers = [cr.Linear(120), cr.ReLU(), cr.Dropout(0.1), cr.Linear(110), cr.Tanh(), cr.Linear(3)]
    network = cr.Network(layers, loss=cr.CrossEntropy(), seed=seed)
    data = rng.normal(size=(256, 90)), rng.integers(0, 3, 256)
    cr.train(network, data, epochs=5, batch_size=128, seed=seed, progress=False)
    return digest(network)


def prediction(seed=0):
    network = cr.Network([cr.Linear(150), cr.Sigmoid(), cr.Linear(7)], loss=cr.CrossEntropy(), seed=seed)
    return hashlib.sha256(network.predict(np.random.default_rng(seed).normal(size=(2000, 60))).tobytes()).hexdigest()


def digest(network):
    return hashlib.sha256(b"".join(W.tobytes() for W in network.parameters.values())).hexdigest()


# --- how many ---------------------------------------------------------------------------------------------------------


def test_the_number_of_threads_is_what_was_set():
    for count in (1, 7, 64, 2):
        kernels.set_threads(count)
        assert kernels.threads() == kernels.info().threads == count


@pytest.mark.parametrize("count", [0, -1, 65, 1.5, "2", True, None])
def test_a_number_of_threads_that_cannot_be_is_refused(count):
    with pytest.raises(SettingError, match="threads: expected a whole number from 1 to 64"):
        kernels.set_threads(count)
    assert kernels.threads() == 4


def threads_of_this_process():
    return sum(1 for _ in Path("/proc/self/task").iterdir())


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
def test_threads_are_started_once_and_no_more_than_asked_for():
    program = """
        import os, numpy as np, chainrule as cr
        from chainrule import kernels
        from test_kernels_threads import large_product, threads_of_this_process
        before = threads_of_this_process()
        for count, extra in ((1, 0), (3, 2), (3, 2), (2, 2), (5, 4)):
            kernels.set_threads(count)
            for _ in range(5):
                large_product()
            assert threads_of_this_process() - before == extra, (count, threads_of_this_process() - before)
    """
    run(program, OPENBLAS_NUM_THREADS="1")


# --- forks ------------------------------------------------------------------------------------------------------------


def in_a_fork(work):
    """Whether `work()` ends, and is true, in a forked child."""
    child = os.fork()
    if child == 0:
        os._exit(0 if work() else 1)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def test_a_child_forked_after_the_pool_was_used_finishes_with_the_same_numbers():
    product, trained = large_product(), training()
    assert in_a_fork(lambda: large_product() == product and training() == trained)
    assert large_product() == product


def test_a_child_of_a_child_does_too():
    product = large_product()
    assert in_a_fork(lambda: large_product() == product and in_a_fork(lambda: large_product() == product))


def test_a_fork_while_another_thread_is_in_the_middle_of_a_kernel():
    product, stop = large_product(), threading.Event()

    def work():
        while not stop.is_set():
            large_product()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert all(in_a_fork(lambda: large_product() == product) for _ in range(10))
    finally:
        stop.set()
        thread.join()


def test_processes_of_multiprocessing_after_the_pool_was_used():
    expected = [training(seed) for seed in range(3)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(training, range(3)).get(timeout=PATIENCE) == expected


@pytest.mark.skipif(importlib.util.find_spec("joblib") is None, reason="joblib is not installed")
def test_workers_of_joblib_s_loky_after_the_pool_was_used():
    import joblib

    expected = [training(seed) for seed in range(3)]
    with joblib.parallel_config("loky", n_jobs=2):
        found = joblib.Parallel(timeout=PATIENCE)(joblib.delayed(training)(seed) for seed in range(3))
    assert found == expected


# --- threads of Python ------------------------------------------------------------------------------------------------


def test_eight_threads_train_and_predict_at_once_and_get_what_each_gets_alone():
    work = [(training, seed) for seed in range(4)] + [(prediction, seed) for seed in range(4)]
    alone = [function(seed) for function, seed in work]
    together = threading.Barrier(len(work), timeout=PATIENCE)

    def run_three_times(function, seed):
        together.wait()
        return [function(seed) for _ in range(3)]

    with ThreadPoolExecutor(len(work)) as pool:
        waiting = [pool.submit(run_three_times, *item) for item in work]
        assert [one.result(timeout=PATIENCE) for one in waiting] == [[expected] * 3 for expected in alone]


def test_the_number_of_threads_may_change_while_others_compute():
    expected, stop = large_product(), threading.Event()

    def change():
        while not stop.is_set():
            for count in (1, 2, 7, 3):
                kernels.set_threads(count)
                time.sleep(0.0001)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        assert {large_product() for _ in range(200)} == {expected}
    finally:
        stop.set()
        thread.join()


def test_a_callback_may_train_and_predict_with_other_networks():
    class Inner(cr.Callback):
        found: list = []

        def on_epoch_end(self, run):
            self.found.append((training(1), prediction(1)))

    alone = training(1), prediction(1)
    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy())
    cr.train(network, (np.eye(3), [0, 1, 2]), epochs=2, callbacks=[Inner()], progress=False)
    assert Inner.found == [alone, alone]


def test_the_process_ends_while_a_daemon_thread_is_in_a_kernel():
    program = """
        import threading, time
        from chainrule import kernels
        from test_kernels_threads import large_product, training
        kernels.set_threads(3)
        def work(function):
            while True:
                function()
        for function in (large_product, training):
            threading.Thread(target=work, args=[function], daemon=True).start()
        time.sleep(0.3)
    """
    run(program)


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------

INTERRUPTED = """
    import time
    import numpy as np
    import chainrule as cr
    from test_kernels_threads import digest

    rng = np.random.default_rng(0)
    data = rng.normal(size=(4000, 400)), rng.integers(0, 10, 4000)

    def train(epochs, *callbacks):
        layers = [cr.Linear(300), cr.ReLU(), cr.Dropout(0.2), cr.Linear(10)]
        network = cr.Network(layers, loss=cr.CrossEntropy(), seed=0)
        try:
            cr.train(network, data, epochs=epochs, batch_size=100, callbacks=callbacks, progress=False)
        except KeyboardInterrupt:
            print(time.monotonic(), flush=True)
        return network

    class Ready(cr.Callback):
        def on_train_start(self, run):
            print("ready", flush=True)

    class Find(cr.Callback):
        def on_step_end(self, run):
            if digest(run.network) == wanted:
                run.stop("found")
                print("whole step", run.step)

    wanted = digest(train(1_000_000, Ready()))
    train(1000, Find())
"""


def test_ctrl_c_ends_a_training_at_once_and_at_a_whole_step(record_property):
    process = start(INTERRUPTED)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.4)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    answered, found = out.splitlines()
    seconds = float(answered) - sent
    print(f"Ctrl-C answered after {1000 * seconds:.0f} ms, at {found}")
    record_property("seconds until Ctrl-C was answered", seconds)
    assert seconds < 1  # 0.1 on a machine of its own
    assert found.startswith("whole step ")
    assert int(found.split()[-1]) > 3


LONG_STEPS = """
    import os, signal, threading
    import numpy as np
    import chainrule as cr
    from chainrule import kernels

    rng = np.random.default_rng(0)
    kernels.set_threads(THREADS)

    def state(run):
        return b"".join(array.tobytes() for array in (*run.network.parameters.values(), *run.slot_arrays.values()))

    class Interrupt(cr.Callback):
        def on_step_end(self, run):
            self.run, self.step, self.state = run, run.step, state(run)
            if run.step == 1:
                threading.Timer(0.02, os.kill, [os.getpid(), signal.SIGINT]).start()

    interrupt = Interrupt()
    network = cr.Network([cr.Linear(2000), cr.Tanh(), cr.Linear(10)], loss=cr.CrossEntropy())
    samples, optimizer = 3000 * THREADS, cr.OPTIMIZER(0.1)
    data = rng.normal(size=(samples, 2000)), rng.integers(0, 10, samples)
    try:
        cr.train(network, data, batch_size=None, optimizer=optimizer, callbacks=[interrupt], progress=False)
    except KeyboardInterrupt:
        print("at a whole step" if state(interrupt.run) == interrupt.state else "in between")
        print("step", interrupt.run.step - interrupt.step)
"""


@pytest.mark.parametrize(("threads", "optimizer"), [("1", "SGD"), ("2", "Momentum")])
def test_ctrl_c_in_the_middle_of_a_long_step_leaves_it_undone(threads, optimizer):
    """A step is 48 thousand million multiplications and additions for each thread: it takes longer than the answer."""
    program = LONG_STEPS.replace("THREADS", threads).replace("OPTIMIZER", optimizer)
    assert run(program).splitlines() == ["at a whole step", "step 0"]


def test_a_kernel_is_done_again_where_python_goes_on_after_ctrl_c():
    program = """
        import os, signal, threading
        import numpy as np
        from chainrule import kernels
        from chainrule.operations import linear_forward
        from test_kernels_threads import large_product

        def answer(number, frame):
            answered.append(large_product())

        answered = []
        signal.signal(signal.SIGINT, answer)
        kernels.set_threads(2)
        x, b = np.random.default_rng(0).normal(size=(2000, 2000)).astype(np.float32), np.zeros(2000, np.float32)
        expected = linear_forward(x, x, b).tobytes()
        for pressed, delay in enumerate((0.001, 0.01, 0.03, 0.06), 1):
            threading.Timer(delay, os.kill, [os.getpid(), signal.SIGINT]).start()
            assert linear_forward(x, x, b).tobytes() == expected
            while len(answered) < pressed:
                pass
        assert answered == [large_product()] * 4
    """
    run(program)


VALIDATING = """
    import time
    import numpy as np
    import chainrule as cr

    rng = np.random.default_rng(0)
    layers = [cr.Reshape((1, 28, 28)), cr.Conv2D(16, 3), cr.ReLU(), cr.Conv2D(32, 3), cr.ReLU(), cr.MaxPool2D(2)]
    network = cr.Network([*layers, cr.Flatten(), cr.Linear(10)], loss=cr.CrossEntropy())
    images, labels = rng.normal(size=(6000, 784)).astype(np.float32), rng.integers(0, 10, 6000)

    class Ready(cr.Callback):
        def on_step_end(self, run):
            print("ready", flush=True)

    data, held_out = (images[:8], labels[:8]), (images, labels)
    try:
        cr.train(network, data, validation=held_out, epochs=1000, callbacks=[Ready()], progress=False)
    except KeyboardInterrupt:
        print(time.monotonic(), flush=True)
"""


def test_ctrl_c_while_the_validation_samples_go_through(record_property):
    process = start(VALIDATING)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    seconds = float(out.splitlines()[-1]) - sent
    print(f"Ctrl-C answered after {1000 * seconds:.0f} ms")
    record_property("seconds until Ctrl-C was answered", seconds)
    assert seconds < 1  # 0.1 on a machine of its own


# --- the process around -----------------------------------------------------------------------------------------------


def start(program, **environment):
    heard = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"  # which a shell may have ignored
    )
    program = f"{heard}; sys.path.insert(0, {str(HERE)!r})\n" + textwrap.dedent(program)
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CHAINRULE_")}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=settings | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(program, **environment):
    """Run a program in a process of its own, which must have nothing to complain of; what it prints."""
    process = start(program, **environment)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    return out


def test_rounding_and_denormal_numbers_are_as_before_after_import_and_after_use():
    program = """
        import sys
        import numpy as np

        def arithmetic():
            small = np.full(100, np.float32(1e-40))
            return [sys.float_info.min / 2, 0.1 + 0.2, 1 / 3, -1 / 3, *(small * np.float32(0.5)), *(small + small)]

        before = arithmetic()
        assert before[0] != 0
        import chainrule
        assert arithmetic() == before
        from test_kernels_threads import training
        from chainrule import kernels
        for name in kernels.instruction_sets():
            kernels.set_instruction_set(name)
            training()
        assert arithmetic() == before
    """
    run(program)


@pytest.mark.parametrize("threads", [1, 4])
def test_kernels_keep_denormal_numbers(threads):
    kernels.set_threads(threads)
    x = np.full((3000, 100), 1e-40, np.float32)
    assert np.array_equal(cr.operations.relu_forward(x), x)
    assert np.array_equal(cr.operations.leaky_relu_forward(-x, 0.5), np.float32(0.5) * -x)
    assert np.array_equal(cr.operations.linear_forward(x, np.eye(100, dtype=np.float32), np.zeros(100, np.float32)), x)


@pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is not installed")
def test_the_library_has_no_instruction_that_changes_the_arithmetic_of_the_process():
    code = subprocess.run(
        ["objdump", "-d", kernels._native.__file__], capture_output=True, text=True, check=True
    ).stdout
    assert "vfmadd" in code or "fmla" in code
    for instruction in ("ldmxcsr", "fldcw", "fpcr"):
        assert instruction not in code


def test_signal_handlers_and_threads_of_python_are_left_alone_by_a_training():
    def state():
        return [signal.getsignal(number) for number in sorted(signal.valid_signals())], threading.enumerate()

    before = state()
    training()
    assert state() == before


# --- choosing at import -----------------------------------------------------------------------------------------------

SHOW = """
    import warnings
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import chainrule as cr
    from chainrule import kernels
    from chainrule.operations.operation import runs_natively
    print(kernels.info().instruction_set, kernels.info().threads, runs_natively(), len(caught))
"""


@pytest.mark.parametrize("name", kernels.instruction_sets())
def test_the_environment_caps_the_instruction_set(name):
    assert run(SHOW, CHAINRULE_ISA=name).split()[0] == name


@pytest.mark.parametrize("count", [1, 3, 64])
def test_the_environment_sets_the_number_of_threads(count):
    assert run(SHOW, CHAINRULE_THREADS=str(count)).split()[1] == str(count)


def test_without_settings_the_best_is_used_with_a_thread_for_each_processor():
    processors = min(64, len(os.sched_getaffinity(0)))
    assert run(SHOW).split() == [kernels.instruction_sets()[0], str(processors), "True", "0"]


def test_the_environment_selects_the_formulas():
    assert run(SHOW, CHAINRULE_BACKEND="reference").split()[2:] == ["False", "0"]


@pytest.mark.parametrize("name", ["CHAINRULE_ISA", "CHAINRULE_THREADS", "CHAINRULE_BACKEND"])
def test_an_empty_variable_is_the_same_as_none(name):
    assert run(SHOW, **{name: ""}) == run(SHOW)


THREADS = "a whole number from 1 to 64"
SETS = f"one of {', '.join(kernels._native.built_for)}" if kernels.available else ""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CHAINRULE_ISA", "sse2", SETS),
        ("CHAINRULE_ISA", "zen4", SETS),
        ("CHAINRULE_ISA", "x86-64-v5", SETS),
        ("CHAINRULE_THREADS", "0", THREADS),
        ("CHAINRULE_THREADS", "65", THREADS),
        ("CHAINRULE_THREADS", "abc", THREADS),
        ("CHAINRULE_THREADS", "-1", THREADS),
        ("CHAINRULE_THREADS", "²", THREADS),
        ("CHAINRULE_THREADS", "9" * 5000, THREADS),
        ("CHAINRULE_BACKEND", "gpu", "one of native, reference"),
    ],
)
def test_a_wrong_setting_in_the_environment_is_named(name, value, expected):
    process = start(SHOW, **{name: value})
    said = process.communicate(timeout=PATIENCE)[1].splitlines()[-1]
    assert said == f"chainrule.errors.SettingError: {name}: expected {expected}, got {value!r}"
    assert process.returncode == 1


def test_a_wrong_instruction_set_is_refused():
    with pytest.raises(SettingError, match=r"instruction set: expected one of .*, got 'mmx'"):
        kernels.set_instruction_set("mmx")


MISSING = """
    import importlib.abc, sys
    class Blocked(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name == "chainrule.kernels._native":
                raise ImportError("no compiler was there")
    sys.meta_path.insert(0, Blocked())
"""
OLD = """
    import sys, types
    sys.modules["chainrule.kernels._native"] = types.SimpleNamespace(instruction_sets=lambda: [])
"""
USE = """
    import numpy as np
    for one in caught:
        print(one.category.__name__, one.message, one.filename.rpartition("/")[2], sep=" | ")
    net = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy())
    data = np.eye(2).repeat(20, axis=0), np.arange(2).repeat(20)
    assert cr.train(net, data, epochs=30, optimizer=cr.Adam(0.05), progress=False)["accuracy"][-1] == 1
    kernels.set_threads(2)
    assert (kernels.threads(), kernels.instruction_sets(), kernels.available) == (1, [], False)
    try:
        kernels.linear_forward
    except AttributeError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("hindrance", "reason"),
    [(MISSING, "the compiled kernels are not there (no compiler was there)"), (OLD, "this processor is older than")],
)
def test_without_kernels_there_is_one_warning_and_the_formulas_run(hindrance, reason):
    lines = run(textwrap.dedent(hindrance) + textwrap.dedent(SHOW) + textwrap.dedent(USE)).splitlines()
    assert lines[0] == "none 1 False 1"
    assert lines[1].startswith(f"UserWarning | {reason}")
    assert "every operation runs its NumPy formula, several times slower" in lines[1]
    assert lines[2:] == ["no compiled twin is named 'linear_forward'"]


def test_who_asks_for_the_formulas_is_not_warned():
    program = textwrap.dedent(MISSING) + textwrap.dedent(SHOW)
    assert run(program, CHAINRULE_BACKEND="reference").split() == ["none", "1", "False", "0"]
