"""See through it: one pass of a network as a derivation with its own numbers, and the chain rule to any one of them.

`network.explain(x, target)` is the usual way in. The numbers come from the formulas of `chainrule.operations`, run
statement by statement, and are held against what the compiled kernels gave.
"""

from chainrule.explain.derivation import Chain, Derivation
from chainrule.explain.derivations import derivable, derive
from chainrule.explain.explain import explain

__all__ = ["Chain", "Derivation", "derivable", "derive", "explain"]
