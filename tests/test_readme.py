"""The Python and the commands of the README do what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.skipif(not README.exists(), reason="the README is in the repository only")
def test_the_ten_lines_train_and_predict(tmp_path):
    code = re.search(r"```python\n(import chainrule.*?)```", README.read_text(), re.DOTALL).group(1)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert float(re.search(r"'accuracy': ([0-9.]+)", done.stdout).group(1)) > 0.95
    assert (tmp_path / "digits.safetensors").exists()


def test_every_file_the_readme_links_to_is_there():
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README.read_text()):
        assert (README.parent / link).exists(), link
