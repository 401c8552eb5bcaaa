"""What layers made of other layers share: parameters and state, named by the place of the layer that has them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from chainrule.arrays import Array
from chainrule.errors import SettingError, ShapeError
from chainrule.layers.layer import Layer, Saved


class Composite(Layer):
    """A layer made of `layers`. What belongs to them is named by place: "layers.0.W".

    `forward` keeps as `saved` what each of them keeps, in their order.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        self.layers = tuple(self.layers) if isinstance(self.layers, list | tuple) else (self.layers,)
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                hint = f"; write {layer.__name__}(...)" if isinstance(layer, type) else ""
                raise SettingError(f"layer {position}: expected a Layer, got {layer!r}{hint}")
            if any(layer is earlier for earlier in self.layers[:position]):
                raise SettingError(f"layer {position}: the same {type(layer).__name__} object stands here twice")

    @property
    def parameters(self) -> dict[str, Array]:
        return self._named(lambda _, layer: layer.parameters)

    @property
    def state(self) -> dict[str, Array]:
        return self._named(lambda _, layer: layer.state)

    def next_state(self, saved: Saved) -> dict[str, Array]:
        return self._named(lambda position, layer: layer.next_state(saved[position]))

    def _named(self, arrays: Callable[[int, Layer], dict[str, Array]]) -> dict[str, Array]:
        """`arrays(position, layer)` of all layers, under the names they have here."""
        named: dict[str, Array] = {}
        for position, layer in enumerate(self.layers):
            named |= prefixed(position, arrays(position, layer))
        return named

    def replace_parameters(self, replacement: Callable[[str, Array], Array]) -> None:
        for position, layer in enumerate(self.layers):
            layer.replace_parameters(lambda name, old, at=position: replacement(f"layers.{at}.{name}", old))  # type: ignore[misc]


def prefixed(position: int, named: dict[str, Array]) -> dict[str, Array]:
    """What the layer at `position` names, by the names that the composite has for it."""
    return {f"layers.{position}.{name}": array for name, array in named.items()}


@contextlib.contextmanager
def naming(position: int, layer: Layer) -> Iterator[None]:
    """Put the layer's position and class before the message of a ShapeError."""
    try:
        yield
    except ShapeError as error:
        raise ShapeError(f"layer {position} ({type(layer).__name__}): {error}") from None
