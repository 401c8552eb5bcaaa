"""The same numbers in another shape: nothing is computed, so the gradient only takes the old shape back."""

from chainrule.arrays import Array, Shape
from chainrule.operations.operation import operation


@operation
def reshape_forward(x: Array, shape: Shape) -> Array:  # x (N, 2, 3), shape = (6,)
    """Each sample takes a new shape; the first axis counts the samples and stays."""
    y = x.reshape(len(x), *shape)  # (N, *shape)
    return y


@operation
def reshape_backward(dy: Array, input_shape: Shape) -> Array:  # dy (N, 6), input_shape = (2, 3)
    """∂L/∂x is ∂L/∂y in the shape of x."""
    dx = dy.reshape(len(dy), *input_shape)  # (N, *input_shape)
    return dx
