"""A saved network as a small web service on this machine: `chainrule serve`. Needs the extra `serve`."""

from chainrule.errors import MissingExtraError

try:
    import starlette  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError:
    raise MissingExtraError("Starlette and uvicorn", "serve", "chainrule.serving") from None

from chainrule.serving.application import application
from chainrule.serving.server import listen, serve

__all__ = ["application", "listen", "serve"]
