"""What the user takes home: the network as a model file, as Python, as ONNX."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from chainrule.errors import SettingError
from chainrule.playground.frames import pack
from chainrule.playground.pictures import Viewer
from chainrule.playground.script import as_python
from chainrule.playground.trainer import Trainer

KINDS = ("model", "python", "onnx")


def take(viewer: Viewer, trainer: Trainer, what: str) -> bytes:
    """One file: its name and its bytes. Raises SettingError, MissingExtraError."""
    if what not in KINDS:
        raise SettingError(f"what: expected one of {', '.join(KINDS)}, got {what!r:.40}")
    segments, weights = trainer.segments, trainer.moment.weights
    viewer.put(weights)
    if what == "python":
        name, content = "chainrule_playground.py", as_python(viewer, segments).encode()
    elif what == "model":
        name, content = "playground.safetensors", _saved(viewer)
    else:
        name, content = "playground.onnx", _as_onnx(viewer)
    return pack({"is": "file", "name": name}, {"content": np.frombuffer(content, np.uint8)})


def _saved(viewer: Viewer) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "playground.safetensors"
        viewer.network.save(path)
        return path.read_bytes()


def _as_onnx(viewer: Viewer) -> bytes:
    from chainrule.export import to_onnx

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "playground.onnx"
        to_onnx(viewer.network, path)
        return path.read_bytes()
