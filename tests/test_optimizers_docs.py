"""docs/optimizers.md: its example runs, and nothing is missing in its tables."""

import inspect
import re
from pathlib import Path

import pytest

import chainrule as cr

PAGE = (Path(__file__).parents[1] / "docs" / "optimizers.md").read_text()
BASES = (cr.Optimizer, cr.Schedule, cr.Penalty, cr.Clip)
CLASSES = [cls for name in cr.__all__ if inspect.isclass(cls := getattr(cr, name)) and issubclass(cls, BASES)]


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls not in BASES], ids=lambda cls: cls.__name__)
def test_it_is_in_a_table_with_settings_that_it_has(cls):
    (found, *_) = re.findall(rf"`{cls.__name__}\(([^)]*)\)`", PAGE)
    settings = inspect.signature(cls).parameters
    for setting in found.split(", "):
        name, _, value = setting.rpartition("=")
        if name:
            assert settings[name].default == eval(value), f"{cls.__name__}: {setting}"


def test_the_example_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    room = {}
    exec(code, room)
    assert room["history"]["validation_accuracy"][-1] > 0.85
    assert room["history"]["gradient_norm"][-1] > 0
