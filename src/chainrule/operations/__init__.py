"""The mathematics: every formula of the library, forward beside backward, as a few lines of NumPy.

Names: `x` comes in, `y` goes out, `dx` is ∂L/∂x and has the shape of x. `thing_forward` computes, `thing_backward`
takes the gradient at the output first and then what it needs of the forward pass. N samples come first.
"""

import importlib
import pkgutil

from chainrule.operations.operation import OPERATIONS, Call, Operation, backend, operation, recorded_calls

for _family in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_family.name}")
    globals().update({name: value for name, value in vars(_module).items() if isinstance(value, Operation)})

__all__ = ["OPERATIONS", "Call", "Operation", "backend", "operation", "recorded_calls"]
