"""docs/derive.md: its examples run, what it quotes is printed, and its list of written pages is whole."""

import re
from pathlib import Path

from chainrule.explain.derivations import WRITTEN

PAGE = (Path(__file__).parents[1] / "docs" / "derive.md").read_text(encoding="utf-8")


def test_the_examples_run_and_print_what_is_quoted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    room = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(code, room)
    printed = capsys.readouterr().out
    for quoted in re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL):
        assert quoted in printed
    assert {path.name for path in tmp_path.iterdir()} == {"softmax.tex", "softmax.html"}


def test_every_written_page_is_named():
    listed = PAGE.split("Written by hand:")[1].split("\n\n")[0]
    assert re.findall(r"`(\w+)`", listed) == list(WRITTEN)
