"""docs/training.md: its examples run, one after the other."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "training.md").read_text()


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    room = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(code, room)
    assert room["history"]["validation_accuracy"][-1] > 0.9
    again, history = room["train"]()  # has ended already: nothing is left to do
    assert again.evaluate(*room["digits"].test) == room["network"].evaluate(*room["digits"].test)
    assert history.records == room["history"].records
    assert (tmp_path / "rates.png").exists()
    assert room["x"].shape == (1000, 5)
