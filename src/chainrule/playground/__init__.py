"""The playground: a page in the browser to watch a network learn, on the library's own engine.

The page only shows and asks. Whatever it shows, a hidden unit's picture as well as a gradient, comes from here.

* `guard`: who may ask. `server`: the routes. `session`: one page, from its first message to its end.
* `settings`, `data`, `building`: from what the page asks for to data and a network.
* `trainer`: a thread that trains, step by step or at full speed, and goes back.
* `pictures`, `frames`, `surface`, `walk`: what is to be seen, as numbers. `script`: the same training in Python.
"""


def serve(port: int = 0, *, open_browser: bool = True) -> None:
    """Serve the playground on this machine alone, until Ctrl-C.

    Args:
        port: where; 0 for any that is free.
        open_browser: whether to open the page in the user's browser; its address is printed in any case.

    Raises:
        MissingExtraError: the web server's packages are not installed.
        OSError: the port is taken.

    """
    from chainrule.errors import MissingExtraError

    try:
        from chainrule.playground.server import run
    except ImportError as error:
        raise MissingExtraError(str(error.name), "playground", "the playground") from None
    run(port, open_browser)


__all__ = ["serve"]
