"""Checks for your own operations, layers and losses: the ones that the library's own have passed.

    from chainrule.testing import check_layer
    check_layer(MyLayer(4), input_shape=(3,))

Everything is in float64; a derivative passes when central differences agree to a relative error of 1e-7.
"""

from chainrule.testing.gradient import numerical_gradient, relative_error
from chainrule.testing.layers import all_layers, check_layer
from chainrule.testing.losses import all_losses, check_loss
from chainrule.testing.operations import all_operations, check_operation

__all__ = [
    "all_layers",
    "all_losses",
    "all_operations",
    "check_layer",
    "check_loss",
    "check_operation",
    "numerical_gradient",
    "relative_error",
]
