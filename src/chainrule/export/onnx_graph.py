"""An ONNX graph while it grows, node after node. https://onnx.ai/onnx/operators says what each operator does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import MissingExtraError
from chainrule.export.words import Place


class Graph:
    """The nodes and constants so far. Values are known by their names, which begin with the place of their layer."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}
        self.inputs: list[tuple[str, int, list[str | int]]] = []  # name, kind of number, shape
        self._at, self._names = "", set[str]()

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Names that are made meanwhile begin with `place`."""
        before, self._at = self._at, place
        yield
        self._at = before

    def node(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Put an operator on values; the name of its output, or the names where there are several."""
        names = [self.new_name(operator) for _ in range(outputs)]
        self.nodes.append(onnx().helper.make_node(operator, inputs, names, name=names[0], **attributes))
        return names[0] if outputs == 1 else names

    def array(self, place: Place, name: str) -> str:
        """A parameter or an array of the state of a layer, as it is."""
        return self.constant(place.arrays[name], name)

    def input(self, name: str, kind: int, shape: Iterable[int]) -> str:
        """Samples from outside, (N, *shape), under a name that nothing else has; `kind` is of onnx.TensorProto."""
        self._names.add(name)
        self.inputs.append((name, kind, ["N", *shape]))
        return name

    def constant(self, value: Any, name: str = "constant", dtype: Any = None) -> str:
        """Numbers in the network's dtype or another, or whole numbers as they are."""
        array = np.asarray(value)
        if array.dtype.kind == "f":
            array = array.astype(dtype or self.dtype)
        full = self.new_name(name)
        self.constants[full] = np.ascontiguousarray(array).reshape(array.shape)
        return full

    def reshape(self, x: str, *shape: int) -> str:
        """Values in a new shape: 0 keeps an axis as it is, −1 is worked out."""
        return str(self.node("Reshape", x, self.constant(np.array(shape, np.int64), "shape")))

    def new_name(self, stem: str) -> str:
        """A name within the present place that nothing has yet."""
        first = full = f"{self._at}/{stem}" if self._at else stem
        number = 1
        while full in self._names:
            number += 1
            full = f"{first}_{number}"
        self._names.add(full)
        return full


def onnx() -> Any:
    """The onnx library. Raises MissingExtraError."""
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError:
        raise MissingExtraError("onnx", "onnx", "writing an ONNX model") from None
    return onnx
