"""A layer written as docs/adding-a-layer.md says is one file: the library finds it, and it passes all checks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule
from chainrule.operations.operation import runs_natively

TESTS = Path(__file__).parent
SNAKE = '''
"""The snake activation, for what comes again and again. Source: Ziyin, Hartwig & Ueda 2020."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.initializers import Initializer, Ones
from chainrule.layers import Context, Gradients, Layer, Saved
from chainrule.operations import operation


@operation
def snake_forward(x: Array, a: Array) -> Array:  # x (N, I), a (I,)
    """y = x + sin²(ax) / a."""
    y = x + np.sin(a * x) ** 2 / a  # (N, I)
    return y


@operation
def snake_backward(dy: Array, x: Array, a: Array) -> tuple[Array, Array]:  # dy (N, I), x (N, I), a (I,)
    """(sin²)' (ax) = sin(2ax), times a for ∂/∂x and times x for ∂/∂a."""
    slope = np.sin(2 * a * x)  # (N, I)
    dx = dy * (1 + slope)  # (N, I)
    da = (dy * (x * slope / a - (np.sin(a * x) / a) ** 2)).sum(axis=0)  # (I,)
    return dx, da


@dataclass(eq=False)
class Snake(Layer):
    """y = x + sin²(ax) / a, one frequency a for each feature."""

    frequencies: Initializer = Ones()

    parameter_names: ClassVar[tuple[str, ...]] = ("a",)

    def build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self.a = self.frequencies(rng, input_shape)
        return input_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Saved]:
        return snake_forward(x, self.a), (x,)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, Gradients]:
        (x,) = saved
        dx, da = snake_backward(dy, x, self.a)
        return dx, {"a": da}

    @classmethod
    def examples(cls) -> list[tuple[Layer, Shape]]:
        return [(cls(), (3,)), (cls(), (2, 4))]
'''

BY_PATH_ALONE = """# A library installed from its clone is found by a finder that comes before every path.
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__name__.startswith("ScikitBuild")]
"""


@pytest.fixture
def copy(tmp_path):
    """The library, the same files, with one more."""
    library, layers = Path(chainrule.__file__).parent, tmp_path / "chainrule" / "layers"
    layers.mkdir(parents=True)
    for file in library.iterdir():
        if file.name not in ("layers", "__pycache__"):
            (layers.parent / file.name).symlink_to(file)
    for file in (library / "layers").glob("*.py"):
        (layers / file.name).symlink_to(file)
    (layers / "snake.py").write_text(SNAKE.lstrip())
    (tmp_path / "sitecustomize.py").write_text(BY_PATH_ALONE)
    return tmp_path


def run(copy, *words):
    """What a program prints that runs with the copy."""
    found = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(copy)},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_it_passes_the_checks_of_the_test_suite_which_finds_it_by_itself(copy):
    files = ["test_layers", "test_operations"]
    if runs_natively():
        files += ["test_layers_trained", "test_network_passes"]
    paths = [str(TESTS / f"{file}.py") for file in files]
    said = run(copy, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rp", "-k", "Snake or snake_", *paths)
    for file in files:
        assert len(re.findall(rf"^PASSED .*{file}\.py", said, flags=re.MULTILINE)) >= 2, said


def test_the_command_line_trains_with_it_and_reads_what_it_saved(copy, tmp_path):
    program, model = "from chainrule.cli import main; main()", str(tmp_path / "model")
    run(copy, "-c", program, "train", "--data", "xor", "--layers", "4,snake,2", "--epochs", "2", "--output", model)
    assert json.loads(run(copy, "-c", program, "evaluate", model, "--json"))["test"]["accuracy"] > 0
