"""What a target has to say about a layer or a loss: a table by class for each target, open to other files.

A layer of your own is exported when its file says how, and one that says nothing is an error that names it:

    from chainrule.export import onnx_layers

    @onnx_layers.says(Swish)
    def swish(graph, place, x):
        return graph.node("Mul", x, graph.node("Sigmoid", x))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from chainrule.arrays import Array, Shape
from chainrule.errors import SettingError
from chainrule.layers import Composite, Layer
from chainrule.network import Network

Say = TypeVar("Say", bound=Callable[..., Any])


@dataclass(frozen=True)
class Place:
    """A built layer, where it stands in its network, and the shape of one sample that goes in."""

    layer: Layer
    name: str  # what stands before the names of its arrays, such as "layers.0"
    input_shape: Shape

    @property
    def output_shape(self) -> Shape:
        """The shape of one sample that comes out."""
        copy = Layer.from_configuration(self.layer.configuration())
        return copy.build(self.input_shape, None)  # stand-ins for parameters: takes no memory

    @property
    def arrays(self) -> dict[str, Array]:
        """Its parameters and state, by their names in the layer."""
        return {**self.layer.parameters, **self.layer.state}

    def within(self, name: str, layer: Layer, input_shape: Shape) -> Place:
        """The place of a layer that this one is made of, such as "layers.0.layer"."""
        return Place(layer, f"{self.name}.{name}", input_shape)

    def in_a_row(self) -> list[Place]:
        """The places of the layers of a composite, each of which takes what the one before it gives."""
        places, shape = [], self.input_shape
        for position, layer in enumerate(_layers(self.layer)):
            places.append(self.within(f"layers.{position}", layer, shape))
            shape = places[-1].output_shape
        return places

    def side_by_side(self) -> list[Place]:
        """The places of the layers of a composite, all of which take the same."""
        return [
            self.within(f"layers.{position}", layer, self.input_shape)
            for position, layer in enumerate(_layers(self.layer))
        ]

    def refuse(self, target: str, reason: str) -> SettingError:
        """The error for a layer whose settings the target has no words for."""
        return SettingError(f"{self}: {target} cannot say {reason}")

    def __str__(self) -> str:
        return f"{self.name} ({type(self.layer).__name__})"


def _layers(composite: Layer) -> tuple[Layer, ...]:
    assert isinstance(composite, Composite)
    return composite.layers


def places(network: Network) -> list[Place]:
    """The layers of a built network, first to last.

    Raises:
        NotBuiltError: there are no parameters yet.
        SettingError: not a Network, or one whose class has a forward pass of its own.

    """
    if not isinstance(network, Network):
        raise SettingError(f"network: expected a Network, got {network!r}")
    network.parameters  # noqa: B018   raises NotBuiltError
    if type(network).forward is not Network.forward:
        raise SettingError(f"{type(network).__name__} has a forward pass of its own, which cannot be exported")
    return [
        Place(layer, f"layers.{position}", shape)
        for position, (layer, shape) in enumerate(zip(network.layers, network.body.shapes, strict=False))
    ]


class Words:
    """How one target says each kind of layer, or each kind of loss. `says` enters, `find` looks up.

    Args:
        target: its name, for errors.
        table: the name of this table, for errors.
        method: what makes a class what it is ("forward" of a layer, "link" of a loss): a subclass that has its own does
            something else than its base, and needs words of its own.

    """

    def __init__(self, target: str, table: str, method: str = "forward") -> None:
        self.target, self.table, self._method = target, table, method
        self._entries: dict[type, Callable[..., Any]] = {}

    def says(self, *kinds: type) -> Callable[[Say], Say]:
        """Enter the decorated function for these classes."""

        def enter(say: Say) -> Say:
            self._entries.update(dict.fromkeys(kinds, say))
            return say

        return enter

    def find(self, kind: type, called: str) -> Callable[..., Any]:
        """The entry of a class, or of the base whose `method` it has; else a SettingError that names it as `called`."""
        for base in kind.__mro__:
            if getattr(base, self._method, None) is not getattr(kind, self._method):
                break
            if base in self._entries:
                return self._entries[base]
        raise SettingError(
            f"{called} has no words in {self.target}; leave it out, or enter some for it with "
            f"@chainrule.export.{self.table}.says({kind.__name__})"
        )

    def __contains__(self, kind: type) -> bool:
        try:
            self.find(kind, "")
        except SettingError:
            return False
        return True
