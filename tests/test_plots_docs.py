"""docs/plots.md: its examples run, one after the other, and its table names every function there is."""

import re
from pathlib import Path

from chainrule import plots

PAGE = (Path(__file__).parents[1] / "docs" / "plots.md").read_text(encoding="utf-8")


def test_the_examples_run_and_draw_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    room = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(code, room)
    assert {path.name for path in tmp_path.iterdir()} == set(re.findall(r'savefig\("(\w+\.png)"\)\n', PAGE))
    assert room["plots"].overfitting_epoch(room["history"]) is not None


def test_every_function_is_spoken_of():
    assert [name for name in plots.__all__ if f"`{name}`" not in PAGE and f"plots.{name}(" not in PAGE] == []
