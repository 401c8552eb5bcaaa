"""A network and its file."""

from chainrule.network.network import Network
from chainrule.network.summary import Summary

__all__ = ["Network", "Summary"]
