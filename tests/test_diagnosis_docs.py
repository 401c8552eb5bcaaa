"""docs/diagnosis.md: its examples run, one after the other, and its table names every figure."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "diagnosis.md").read_text(encoding="utf-8")


def test_the_examples_run_and_the_table_names_every_figure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    room = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(code, room)
    assert (tmp_path / "update_ratio.png").exists()
    assert (tmp_path / "divergence_map.png").exists()
    measured = {name.rpartition(".")[2] for name in room["history"].records[0] if name.startswith("layers.")}
    assert measured == set(re.findall(r"`layers[\w.]*\.([a-z_]+)`", PAGE.split("\n* ")[0]))
    assert room["found"].best == (1.0, 0.0)
    assert room["found"].failed[:, -1].all()
