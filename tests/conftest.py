"""What the tests share."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from chainrule.configuration import Configurable
from chainrule.operations import OPERATIONS
from chainrule.training.steps import Steps

# The same examples in every run, no time limit on one of them, nothing written to disk.
settings.register_profile("chainrule", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("chainrule")


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
