"""docs/export.md: its examples run, and its table says of every layer what each target can do."""

import importlib.util
import re
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.testing import all_layers
from exported import example_network, room_of, samples_for

PAGE = (Path(__file__).parents[1] / "docs" / "export.md").read_text()
FILES = {"onnx": "m.onnx", "numpy_script": "m.py", "pytorch_script": "m.py", "keras_script": "m.py"}


def test_the_examples_run(tmp_path, monkeypatch, registers):
    pytest.importorskip("onnx", reason="needs onnx, which is not installed")
    monkeypatch.chdir(tmp_path)
    room = {}
    first, words, beside = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(first, room)
    network = room["network"]
    x = samples_for(network)
    assert abs(room_of("digits_numpy.py")["predict"](x) - network.predict(x)).max() < 1e-14
    assert {path.suffix for path in tmp_path.iterdir()} == {".onnx", ".npz", ".py"}
    exec(words, room)
    twice = cr.Network([room["Twice"]()], loss=cr.SquaredError()).build((3,))
    cr.export.to_numpy_script(twice, "twice.py")
    cr.export.to_onnx(twice, "twice.onnx")
    assert (room_of("twice.py")["predict"]([[1, 2, 3]]) == [[2, 4, 6]]).all()
    if importlib.util.find_spec("torch"):
        exec(beside, room)
        assert room["report"].agrees


def test_what_the_page_shows_of_the_script_stands_there(tmp_path):
    layers = [cr.Linear(30), cr.Sigmoid(), cr.Linear(10)]
    network = cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64").build((64,))
    cr.export.to_numpy_script(network, tmp_path / "n.py")
    cr.export.to_pytorch_script(network, tmp_path / "p.py")
    script, module = re.findall(r"```\n(def linear.*?|model = .*?)```", PAGE, flags=re.DOTALL)
    assert all(part.strip() in (tmp_path / "n.py").read_text() for part in script.split("…"))
    assert module.strip() in (tmp_path / "p.py").read_text()


@pytest.mark.parametrize("kind", all_layers("chainrule.layers."), ids=lambda kind: kind.__name__)
def test_the_table_says_what_each_target_can_do(kind, tmp_path):
    pytest.importorskip("onnx", reason="needs onnx, which is not installed")
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{kind.__name__}` |")]
    said = [cell.strip() for cell in row.split("|")[2:6]]
    assert said == [_can(kind, target, tmp_path) for target in FILES]


def _can(kind, target, folder):
    """Whether a target has words for all examples of a layer, or for a part of them."""
    found = []
    for layer, shape in kind.examples():
        network, _ = example_network(layer, shape)
        try:
            getattr(cr.export, f"to_{target}")(network, folder / FILES[target])
            found.append(True)
        except cr.errors.SettingError:
            found.append(False)
    return "✓" if all(found) else "partly" if any(found) else "no"
