"""What the layers that work on images share. An image is (channels, height, width)."""

from typing import Any

from chainrule.arrays import Shape
from chainrule.configuration import whole_number
from chainrule.errors import SettingError, ShapeError
from chainrule.operations.windows import Pair


def pair(value: Any, name: str, *, at_least: int = 1) -> Pair:
    """`value`, one whole number for both or a pair (height, width), as a pair; else a SettingError."""
    both = value if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2:
        raise SettingError(f"{name}: expected a whole number or a pair (height, width), got {value!r}")
    return whole_number(both[0], name, at_least=at_least), whole_number(both[1], name, at_least=at_least)


def same_padding(padding: str, name: str, size: Pair, stride: Pair) -> Pair:
    """The padding that keeps the size of an image, for `padding` "same"; else, or where there is none, SettingError."""
    if padding != "same":
        raise SettingError(f"{name}: padding: expected a whole number, a pair or 'same', got {padding!r}")
    if stride != (1, 1) or size[0] % 2 == 0 or size[1] % 2 == 0:
        raise SettingError(f"{name}: padding 'same' needs stride 1 and an odd kernel_size, got {stride} and {size}")
    return size[0] // 2, size[1] // 2


def channels(input_shape: Shape) -> int:
    """The number of channels of an image. Raises ShapeError for anything else."""
    if len(input_shape) != 3:
        grey = (1, *input_shape) if len(input_shape) == 2 else "(channels, height, width)"
        raise ShapeError(
            f"expected an image (channels, height, width) per sample, got shape {input_shape}; "
            f"put Reshape({grey}) before it"
        )
    return input_shape[0]


def window_count(input_shape: Shape, size: Pair, stride: Pair, padding: Pair = (0, 0)) -> Pair:
    """How many windows fit, (down, across): ⌊(length + 2 padding − size) / stride⌋ + 1. ShapeError where none does."""
    height, width = input_shape[1] + 2 * padding[0], input_shape[2] + 2 * padding[1]
    if size[0] > height or size[1] > width:
        padded = f", {(height, width)} with its padding" if any(padding) else ""
        raise ShapeError(
            f"a window of {size} (height, width) does not fit an image of {input_shape[1:]}{padded}; "
            "use a smaller window, or fewer layers that shrink the image before it"
        )
    return (height - size[0]) // stride[0] + 1, (width - size[1]) // stride[1] + 1
