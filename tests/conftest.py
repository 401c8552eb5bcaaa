"""What the tests share."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from chainrule.configuration import Configurable
from chainrule.operations import OPERATIONS
from chainrule.training.steps import Steps

# The same examples in every run, no time limit on one of them, nothing written to disk.
settings.register_profile("chainrule", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("chainrule")

# A shell that runs the tests in the background has Ctrl-C ignored, and the programs that they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def registers() -> Iterator[None]:
    """Forget the operations, layers and losses that a test defines."""
    operations, classes = dict(OPERATIONS), dict(Configurable.register)
    yield
    for register, before in ((OPERATIONS, operations), (Configurable.register, classes)):
        register.clear()
        register.update(before)


@pytest.fixture
def recorded(monkeypatch):
    """Whether each of the trainings in the test was by tape, in their order."""
    found, record = [], Steps._recorded

    def spy(steps):
        program = record(steps)
        found.append(program is not None)
        return program

    monkeypatch.setattr(Steps, "_recorded", spy)
    return found
