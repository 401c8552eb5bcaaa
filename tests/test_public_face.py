"""What users see: names, descriptions, errors."""

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors

HOUSE = Path(cr.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))
CLASSES = [getattr(cr, name) for name in cr.__all__ if inspect.isclass(getattr(cr, name))]
ERRORS = [cls for cls in vars(errors).values() if inspect.isclass(cls)]


@pytest.mark.parametrize("name", cr.__all__)
def test_every_public_name_is_there_and_described(name):
    assert inspect.getdoc(getattr(cr, name))


def test_the_public_names_are_listed_once():
    assert len(cr.__all__) == len(set(cr.__all__))


def test_what_is_not_there_is_an_ordinary_attribute_error():
    with pytest.raises(AttributeError, match="module 'chainrule' has no attribute 'Lineer'"):
        _ = cr.Lineer


def test_the_version_is_three_numbers():
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", cr.__version__)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_every_module_class_and_function_says_what_it_is(path):
    """Those with a public name at the top of a module. Short private helpers speak through their names."""
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.ClassDef)
    public = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    assert [node.name for node in public if not ast.get_docstring(node)] == []
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_public_method_says_what_it_does_here_or_in_its_base(cls):
    methods = [name for name in vars(cls) if not name.startswith("_") and callable(getattr(cls, name))]
    assert [name for name in methods if not inspect.getdoc(getattr(cls, name))] == []


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_every_error_is_in_the_drawn_tree_and_under_one_root(cls):
    assert issubclass(cls, errors.ChainruleError)
    assert cls.__name__ in errors.__doc__
    assert cls.__doc__


@pytest.mark.parametrize(
    "cls", [cls for cls in ERRORS if cls is not errors.ChainruleError], ids=lambda cls: cls.__name__
)
def test_every_error_is_also_the_one_that_python_would_raise(cls):
    (drawn,) = [line for line in errors.__doc__.splitlines() if f" {cls.__name__} " in f"{line} "]
    named = re.search(r"\b(\w+Error)\b", drawn.split(cls.__name__)[1])
    builtin = {"ShapeError": ValueError}.get(cls.__name__) or vars(__import__("builtins"))[named[1]]
    assert issubclass(cls, builtin)


def test_the_ten_lines_of_the_design_are_importable_from_the_package_itself():
    names = ("Network", "Linear", "Sigmoid", "CrossEntropy", "SGD", "train", "load", "data", "backend")
    assert all(hasattr(cr, name) for name in names)
    assert cr.operations.linear_backward.reference


def test_a_missing_extra_is_named_with_the_command_that_brings_it():
    error = errors.MissingExtraError("matplotlib", "plots", "drawing")
    assert str(error) == "drawing needs matplotlib: install it with  pip install 'chainrule[plots]'"


def test_a_divergence_carries_what_it_says():
    error = errors.DivergenceError("stopped", epoch=2, step=7, layer="layer 0 (Linear)", cause="the rate")
    assert (error.epoch, error.step, error.layer, error.cause, str(error)) == (
        2,
        7,
        "layer 0 (Linear)",
        "the rate",
        "stopped",
    )


def test_numbers_come_back_as_numpy_arrays_and_python_numbers():
    network = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy())
    assert type(network.predict([[1.0]])) is np.ndarray
    assert {type(value) for value in network.evaluate([[1.0]], [0]).values()} == {float}
