"""Formula or compiled twin: how an operation chooses."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.operations import OPERATIONS, operation

pytestmark = pytest.mark.usefixtures("registers")


@pytest.fixture
def planted(monkeypatch):
    """An operation whose twin answers 2 where its formula answers 1."""
    monkeypatch.setattr(kernels, "planted", lambda x: np.full_like(x, 2), raising=False)

    @operation
    def planted(x):  # x (N,)
        """One."""
        y = np.ones_like(x)
        return y

    with cr.backend("native"):
        yield planted


def answer(planted):
    return float(planted(np.zeros(1))[0])


def test_a_twin_runs_where_there_is_one(planted):
    assert answer(planted) == 2


def test_the_formula_is_always_reachable(planted):
    assert planted.reference(np.zeros(1)) == 1


def test_without_a_twin_the_formula_runs():
    assert OPERATIONS["one_hot"].kernel is getattr(kernels, "one_hot", None)
    assert OPERATIONS["one_hot"](np.array([0]), 1) == 1


def test_backend_reference_selects_the_formula_within_its_block(planted):
    with cr.backend("reference"):
        assert answer(planted) == 1
        with cr.backend("native"):
            assert answer(planted) == 2
        assert answer(planted) == 1
    assert answer(planted) == 2


def test_the_choice_is_undone_by_an_error(planted):
    with pytest.raises(KeyError), cr.backend("reference"):
        raise KeyError
    assert answer(planted) == 2


def test_the_choice_of_one_thread_is_not_another_s(planted):
    chosen, looked, found = threading.Event(), threading.Event(), []

    def other():
        with cr.backend("reference"):
            chosen.set()
            looked.wait()
            found.append(answer(planted))

    thread = threading.Thread(target=other)
    thread.start()
    chosen.wait()
    found.append(answer(planted))
    looked.set()
    thread.join()
    assert found == [2, 1]


def test_an_unknown_backend_is_refused():
    with (
        pytest.raises(cr.errors.SettingError, match="backend: expected one of native, reference, got 'gpu'"),
        cr.backend("gpu"),
    ):
        pass


def test_an_operation_keeps_name_and_description_of_its_formula(planted):
    assert (planted.name, planted.__name__, planted.__doc__) == ("planted", "planted", "One.")


def test_an_operation_is_silent_about_overflow_but_its_formula_is_not():
    x = np.full((1, 1), 1e300)
    assert cr.operations.squared_error_forward(x, -x) == np.inf
    with pytest.warns(RuntimeWarning, match="overflow"):
        cr.operations.squared_error_forward.reference(x, -x)


@pytest.mark.parametrize(("name", "returned"), [("reference", 0), ("native", 0), ("gpu", 1)])
def test_the_environment_chooses_the_backend_at_import(name, returned):
    program = "from chainrule.operations.operation import _backend; assert _backend.get() == 'XX'".replace("XX", name)
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"CHAINRULE_BACKEND": name}, capture_output=True, text=True
    )
    assert (done.returncode, "expected one of native, reference" in done.stderr) == (returned, bool(returned))
