"""Every operation of the library passes the common checks: nothing here names one."""

import pytest

from chainrule import operations
from chainrule.operations import Operation
from chainrule.testing import all_operations, check_operation

ALL = all_operations(within="chainrule.")


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_passes_the_common_checks(operation):
    check_operation(operation)


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_says_what_it_computes(operation):
    assert operation.__doc__


@pytest.mark.parametrize(
    "operation", all_operations(within="chainrule.operations."), ids=lambda operation: operation.name
)
def test_can_be_reached_by_name_from_the_package(operation):
    assert getattr(operations, operation.name) is operation


def test_the_families_of_this_version_are_all_there():
    assert {operation.__module__.rpartition(".")[2] for operation in ALL} >= {
        "linear",
        "activations",
        "softmax",
        "losses",
        "margins",
        "regression",
        "shapes",
        "updates",
    }


def test_shows_its_name():
    assert repr(operations.linear_forward) == "<operation linear_forward>"
    assert isinstance(operations.linear_forward, Operation)
