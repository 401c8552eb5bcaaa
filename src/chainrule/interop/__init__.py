"""Chainrule beside other frameworks: `twin` trains the same network here and there, and compares number by number."""

from chainrule.interop.twin import Difference, Twin, twin

__all__ = ["Difference", "Twin", "twin"]
