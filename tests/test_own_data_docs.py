"""docs/your-own-data.md: its commands and examples run, one after the other."""

import re
import wave
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

from chainrule.cli.app import app

PAGE = (Path(__file__).parents[1] / "docs" / "your-own-data.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder with the files that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    lines = ["customer_id,age,city,since,comment,spend,churn"]
    for n in range(200):
        age = rng.normal(40, 10)
        words = " ".join(rng.choice(["price", "staff", "shop", "late"], 5))
        churn = "yes" if age + rng.normal() > 45 else "no"
        lines.append(
            f"{n},{age:.1f},{'Oslo' if n % 3 else 'Rome'},2024-{1 + n % 12:02}-01,{words},{2 * age:.1f},{churn}"
        )
    Path("customers.csv").write_text("\n".join(lines))
    Path("new.csv").write_text("\n".join(lines[:4]))
    for kind, grey in (("dark", 20), ("light", 200)):
        for n in range(5):
            for folder in (Path("pictures") / kind, Path("new-pictures")):
                folder.mkdir(parents=True, exist_ok=True)
                PIL.Image.new("L", (8, 8), grey + n).save(folder / f"{kind}{n}.png")
            sound = Path("sounds") / kind / f"{n}.wav"
            sound.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(sound), "wb") as file:
                file.setparams((1, 1, 8000, 0, "NONE", ""))
                file.writeframes(rng.integers(128 - grey // 2, 128 + grey // 2, 1000).astype(np.uint8).tobytes())
    np.savez("arrays.npz", x=rng.normal(size=(50, 3)), y=np.arange(50) % 2)


def test_every_command_runs():
    commands = re.findall(r"^\$ chainrule (.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 8
    for command in commands:
        result = CliRunner().invoke(app, command.split())
        assert result.exit_code == 0, result.output
    assert len(Path("answers.csv").read_text().splitlines()) == 4


def test_the_examples_run(capsys):
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(first, names)
    assert names["answers"].shape == (3, 2)
    assert "numbers the rows" in capsys.readouterr().out
    pytest.importorskip("onnx")
    exec(second, names)
    assert Path("customers.onnx").exists()


def test_every_kind_of_column_and_file_is_named():
    from chainrule.cli.tables import READERS
    from chainrule.tabular.inference import KINDS

    assert all(f"`{kind}`" in PAGE for kind in KINDS)
    assert all(f"`{suffix}`" in PAGE for suffix in (*READERS, ".npz", ".wav"))
