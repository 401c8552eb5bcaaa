"""The examples of docs/adding-an-operation.md, adding-a-layer.md and losses.md run, and pass the checks in them."""

import importlib
import re
from pathlib import Path

import pytest

from chainrule.testing import all_losses

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.usefixtures("registers")
@pytest.mark.parametrize(("page", "count"), [("adding-an-operation", 2), ("adding-a-layer", 2), ("losses", 3)])
def test_the_example_passes_the_checks(page, count, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == count
    module = page.replace("-", "_")
    (tmp_path / f"{module}.py").write_text('"""From the docs."""\n\n' + "\n".join(blocks))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module(module)


def test_every_loss_stands_in_the_table():
    page = (DOCS / "losses.md").read_text()
    assert [cls.__name__ for cls in all_losses(within="chainrule.") if f"| `{cls.__name__}(" not in page] == []
