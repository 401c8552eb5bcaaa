"""docs/layers.md: its example runs, and every layer stands in its tables with the settings it has."""

import inspect
import re
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.testing import all_layers

PAGE = (Path(__file__).parents[1] / "docs" / "layers.md").read_text()


@pytest.mark.parametrize("cls", all_layers(within="chainrule.layers."), ids=lambda cls: cls.__name__)
def test_it_is_in_a_table_with_all_its_settings(cls):
    (found,) = re.findall(rf"^\| `{cls.__name__}\((.*?)\)` \|", PAGE, flags=re.MULTILINE)
    settings = inspect.signature(cls).parameters
    named = re.findall(r"(\w+)(?:=([^,]+))?(?:, |$)", found)
    assert [name for name, _ in named] == list(settings)
    for name, default in named:
        if default:
            assert repr(settings[name].default) == repr(eval(default, vars(cr))) or settings[name].default == eval(
                default, vars(cr)
            )


def test_the_example_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    room = {}
    exec(code, room)
    assert room["history"]["loss"][-1] < room["history"]["loss"][0]
    assert room["network"].state.keys() == {f"layers.2.layers.1.running_{name}" for name in ("mean", "variance")}
