"""`import chainrule` is quick, quiet, and changes nothing."""

import json
import os
import subprocess
import sys

TRIES = 10


def run(program, *options, env=None):
    return subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, check=True, env=env
    )


def seconds_to_import(compiled):
    """Module → its own share of the time of `import chainrule`, by -X importtime; NumPy and the rest included.

    In the folder `compiled` Python keeps the modules as bytecode, as it does wherever the library is installed.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    timed = run("import chainrule", "-X", "importtime", "-X", f"pycache_prefix={compiled}", env=env).stderr
    lines = [line.split("|") for line in timed.splitlines()[1:]]
    names = [name.strip() for _, _, name in lines]
    start = names.index("site") + 1  # what comes before is what Python itself needs to start
    return {name.strip(): int(own.split(":")[1]) / 1e6 for own, _, name in lines[start:]}


def test_takes_at_most_three_times_as_long_as_that_of_numpy(tmp_path):
    """NumPy's own import, in the same process, is the measure: it is as slow as the machine is busy.

    Other work only ever makes an import slower, so of each module the best try counts. `make bench BENCH=import`
    measures the seconds.
    """
    best = seconds_to_import(tmp_path)
    for _ in range(TRIES - 1):
        best = {name: min(seconds, best[name]) for name, seconds in seconds_to_import(tmp_path).items()}
    ours = sum(seconds for name, seconds in best.items() if name.startswith("chainrule"))
    assert ours < 3 * sum(seconds for name, seconds in best.items() if name.startswith("numpy"))


def test_brings_in_nothing_heavy():
    program = (
        "import json, sys; import chainrule; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    loaded = set(json.loads(run(program).stdout))
    heavy = {"matplotlib", "pandas", "PIL", "rich", "typer", "click", "pooch", "requests", "safetensors", "sklearn"}
    assert loaded & (heavy | {"scipy", "torch", "asyncio", "http", "socket", "ssl"}) == set()


STATE = """
import json, locale, os, random, signal, sys, threading, warnings
import numpy as np

def state():
    return {
        "rounding and denormals": [sys.float_info.min / 2, float(np.float32(1e-45)), 0.1 + 0.2, 1 / 3],
        "reaction to float errors": [np.geterr(), repr(np.geterrcall())],
        "print options": repr(np.get_printoptions()),
        "warning filters": repr(warnings.filters),
        "signal handlers": [repr(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "environment": dict(os.environ),
        "random state": repr(random.getstate()),
        "NumPy's random state": repr(np.random.get_state()),
        "folder and path": [os.getcwd(), sys.path],
        "open files and sockets": sorted(os.listdir("/proc/self/fd")),
        "hooks": [repr(sys.excepthook), repr(sys.displayhook), repr(sys.gettrace()), repr(threading.excepthook)],
        "recursion limit": sys.getrecursionlimit(),
        "locale": locale.setlocale(locale.LC_ALL),
    }

before = json.dumps(state())
import chainrule
after = json.dumps(state())
for key in json.loads(before):
    if json.loads(before)[key] != json.loads(after)[key]:
        print(key, "changed from", json.loads(before)[key], "to", json.loads(after)[key])
"""


def test_changes_nothing_and_says_nothing():
    done = run(STATE)
    assert (done.stdout, done.stderr) == ("", "")


def test_denormal_numbers_still_exist_after_it():
    assert run("import sys, chainrule; print(sys.float_info.min / 2 != 0)").stdout == "True\n"


def test_starts_no_thread_of_python():
    assert run("import chainrule, threading; print(threading.active_count())").stdout == "1\n"
