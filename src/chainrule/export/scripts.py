"""What the scripts for NumPy, PyTorch and Keras have in common: a Python file, and the weights beside it."""

from __future__ import annotations

import io
import os
import textwrap
from pathlib import Path

import numpy as np

from chainrule.arrays import Array, Shape
from chainrule.errors import SettingError
from chainrule.files import Pathlike, write_atomically
from chainrule.losses import Loss
from chainrule.network import Network

WIDTH = 100  # of a line, about

IMPORTED = {"csv", "datetime", "keras", "math", "numpy", "pathlib", "re", "sys", "torch"}  # by scripts

ANSWERS = {
    "BinaryCrossEntropy": "probability of yes",
    "BinaryFocal": "probability of yes",
    "CrossEntropy": "probability of each class",
    "Focal": "probability of each class",
    "KullbackLeibler": "probability of each class",
    "Poisson": "expected count",
    "Perceptron": "decision, 1 for yes and 0 for no",
    "Hinge": "decision, 1 for yes and 0 for no",
    "CrammerSinger": "decision, 1 for the class and 0 for the others",
    "WestonWatkins": "decision, 1 for the class and 0 for the others",
}


def check_path(path: Pathlike) -> Path:
    """The path of a script. Raises SettingError unless it ends in .py, and where it would hide what it imports."""
    script = Path(os.fspath(path))
    if script.stem in IMPORTED:
        raise SettingError(
            f"path: a script called {script.name} would hide the module {script.stem}; choose another name"
        )
    if script.suffix != ".py":
        raise SettingError(f"path: expected the path of a script, such as model.py, got {os.fspath(path)!r}")
    return script


def write_script(path: Path, text: str, weights: dict[str, Array]) -> None:
    """Write the script, and before it the weights: `path` with the ending .npz. Raises OSError."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **weights)
    write_atomically(path.with_suffix(".npz"), file.getvalue())
    write_atomically(path, text.encode())


def answer(loss: Loss) -> str:
    """What `network.predict` gives, in words."""
    return ANSWERS.get(type(loss).__name__, "value")


def samples(shape: Shape) -> str:
    """The shape of an array of samples, such as "(N, 1, 8, 8)"."""
    return f"(N, {', '.join(map(str, shape))})" if shape else "(N,)"


def short(size: int | tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all are the same."""
    return size[0] if isinstance(size, tuple) and len(set(size)) == 1 else size


def paragraph(text: str) -> str:
    """Text as lines of a docstring."""
    return textwrap.fill(" ".join(text.split()), WIDTH)


def described(network: Network) -> str:
    """What goes into a network and what comes out, in a sentence for the head of a script."""
    table = (
        "A sample is what its preprocessing made of a row of a table. " if "preprocessing" in network.metadata else ""
    )
    return paragraph(
        f"Input: samples {samples(network.input_shape or ())} of {network.dtype}. {table}"
        f"Answer {samples(network.output_shape)}: the {answer(network.loss)}."
    )
