"""The server behind `chainrule serve`."""

import socket

import uvicorn

from chainrule.network import Network
from chainrule.serving.application import application

HOST = "127.0.0.1"  # this machine only: whoever wants more puts a web server of theirs before it


def listen(port: int) -> socket.socket:
    """A socket that listens on this machine's `port`; 0 takes a free one. Raises OSError: it is taken."""
    try:
        return socket.create_server((HOST, port), backlog=1024)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}; choose another port", f"{HOST}:{port}") from None


def serve(network: Network, listening: socket.socket, *, name: str = "network") -> None:
    """Answer requests until Ctrl-C.

    Args:
        network: a built network.
        listening: from `listen`.
        name: what the model is called on its page.

    Raises:
        NotBuiltError: the network has no parameters yet.

    """
    config = uvicorn.Config(application(network, name=name), log_level="warning", ws="none")
    uvicorn.Server(config).run(sockets=[listening])
