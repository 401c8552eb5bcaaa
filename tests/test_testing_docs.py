"""The examples of docs/adding-an-operation.md and docs/adding-a-layer.md run, and pass the checks they speak of."""

import importlib
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.usefixtures("registers")
@pytest.mark.parametrize("page", ["adding-an-operation", "adding-a-layer"])
def test_the_example_passes_the_checks(page, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    module = page.replace("-", "_")
    (tmp_path / f"{module}.py").write_text('"""From the docs."""\n\n' + "\n".join(blocks))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module(module)
