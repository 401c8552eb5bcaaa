"""The linear (fully connected, affine) map y = x W + b. Source: mission items B2, D2 (matrix form), E2."""

from chainrule.arrays import Array
from chainrule.operations.operation import operation


@operation
def linear_forward(x: Array, W: Array, b: Array) -> Array:  # x (N, I), W (I, O), b (O,)
    """y_no = Σ_i x_ni W_io + b_o."""
    y = x @ W + b  # (N, O)
    return y


@operation
def linear_backward(dy: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:  # dy (N, O), x (N, I), W (I, O)
    """Each x_ni reaches every y_no through W_io; each W_io is used once per sample; each b_o likewise."""
    dx = dy @ W.T  # (N, I)   ∂L/∂x_ni = Σ_o ∂L/∂y_no W_io
    dW = x.T @ dy  # (I, O)   ∂L/∂W_io = Σ_n x_ni ∂L/∂y_no
    db = dy.sum(axis=0)  # (O,)   ∂L/∂b_o = Σ_n ∂L/∂y_no
    return dx, dW, db


@operation
def linear_backward_parameters(dy: Array, x: Array) -> tuple[Array, Array]:  # dy (N, O), x (N, I)
    """`linear_backward` for the first layer of a network, where nobody asks for ∂L/∂x."""
    dW = x.T @ dy  # (I, O)
    db = dy.sum(axis=0)  # (O,)
    return dW, db
