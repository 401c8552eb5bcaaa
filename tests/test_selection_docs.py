"""docs/model-selection.md: its examples run, one after the other, and print what stands there."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "model-selection.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_examples_run_and_print_what_stands_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    room = {}
    for code in (text for language, text in BLOCKS if language == "python"):
        exec(code, room)
    printed = capsys.readouterr().out
    assert printed.startswith("".join(text for language, text in BLOCKS if not language))
    assert room["found"].best.settings == {"learning_rate": 1.0, "l2": 0, "units": 30, "layers": 1}
    assert (tmp_path / "search.png").exists()
