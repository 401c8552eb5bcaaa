"""docs/estimators.md: its examples run, one after the other, and its estimators are all there are."""

import re
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pandas")

from chainrule import estimators

PAGE = (Path(__file__).parents[1] / "docs" / "estimators.md").read_text()


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    room = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(code, room)
    assert room["scores"].mean() > 0.95
    assert room["network"].score(*room["digits"].test) > 0.9
    assert room["careful"].n_iter_ < 200
    assert list(room["codes"].columns) == ["autoencodertransformer0", "autoencodertransformer1"]
    assert room["parabola"].coef_ == pytest.approx([-1, 2], abs=1e-6)
    assert (tmp_path / "iris.safetensors").exists()


def test_every_estimator_stands_on_the_page():
    assert re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE)[:4] == [
        "NetworkClassifier",
        "NetworkRegressor",
        "AutoencoderTransformer",
        "PolynomialRegressor",
    ]
    assert all(f"`{name}`" in PAGE for name in estimators.__all__)
