"""docs/doctor.md: its examples run, one after the other, and what it prints and lists is so."""

import re
from pathlib import Path

import pytest

import chainrule as cr
from chainrule import kernels
from chainrule.doctor import finding
from chainrule.doctor.finding import all_rules

PAGE = (Path(__file__).parents[1] / "docs" / "doctor.md").read_text(encoding="utf-8")


@pytest.fixture
def rules(monkeypatch):
    """Those of the library; what the page adds is forgotten again."""
    monkeypatch.setattr(finding, "RULES", dict(all_rules()))


@pytest.mark.usefixtures("rules")
def test_the_examples_run_and_print_what_the_page_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    room = {}
    examples = re.findall(r"```python\n(.*?)```(?:\n```text\n(.*?)```)?", PAGE, flags=re.DOTALL)
    for code, shown in examples:
        exec(code, room)
        printed = capsys.readouterr().out
        if shown.startswith("("):
            printed = f"{eval(code.strip().splitlines()[-1], room)!r}\n"
        if shown and kernels.available:  # the formulas alone give close numbers, not the same
            assert printed == shown
    assert (tmp_path / "remedy.png").exists()
    assert [found.name for found in room["doctor"].findings] == ["learning rate too high"]
    assert (tmp_path / "failure.safetensors").stat().st_size // 1000 == 18


def test_the_table_lists_every_trouble():
    source = "".join(path.read_text() for path in Path(cr.doctor.__file__).parent.glob("rules/*.py"))
    named = set(re.findall(r'Finding\(\s*"([^"]+)"', source))
    listed = set(re.findall(r"^\| ([a-z][a-zA-Z ]+) \|", PAGE, flags=re.MULTILINE))
    assert listed == named
