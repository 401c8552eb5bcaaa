"""The server: our page's own files, and one live connection for each page. There is no other route."""

from __future__ import annotations

import socket
import sys
import webbrowser
from collections.abc import Callable
from importlib.resources import files

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from chainrule.errors import DataError
from chainrule.playground.guard import Guard
from chainrule.playground.session import MOST_BYTES, Session

MOST_PAGES = 24
TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}


def read_page() -> dict[str, bytes]:
    """The built page's files by their route, read once: a request never becomes a path. Raises DataError."""
    folder = files("chainrule.playground") / "static"
    found: dict[str, bytes] = {}
    for part in (folder, folder / "assets"):
        if part.is_dir():
            for file in part.iterdir():
                if file.name.rpartition(".")[2] in TYPES:
                    found[f"/assets/{file.name}" if part is not folder else f"/{file.name}"] = file.read_bytes()
    if "/index.html" not in found:
        raise DataError("the page of the playground is not built; in a clone,  make playground  builds and serves it")
    found["/"] = found.pop("/index.html")
    return found


class Pages:
    """The application: files, and the sessions of the pages that are open."""

    def __init__(self, page: dict[str, bytes]) -> None:
        self._page = page
        self.sessions: set[Session] = set()
        routes = [*(Route(path, self._file) for path in page), WebSocketRoute("/live", self._live)]
        self.app = Starlette(routes=routes, exception_handlers={404: _not_found})

    async def _file(self, request: Request) -> Response:
        path = request.scope["path"]
        return Response(self._page[path], media_type=TYPES.get(path.rpartition(".")[2], TYPES["html"]))

    async def _live(self, websocket: WebSocket) -> None:
        if len(self.sessions) >= MOST_PAGES:
            await websocket.close(1013, "too many pages are open")
            return
        session = Session(websocket)
        self.sessions.add(session)
        try:
            await session.live()
        finally:
            self.sessions.discard(session)


async def _not_found(request: Request, error: Exception) -> Response:
    return PlainTextResponse("There is nothing here.\n", 404)


def make_server(
    listening: socket.socket, page: dict[str, bytes], announce: Callable[[str], None]
) -> tuple[uvicorn.Server, Pages, Guard]:
    """A server of `page` for a socket that listens already."""
    pages = Pages(page)
    guard = Guard(pages.app, listening.getsockname()[1], announce)
    config = uvicorn.Config(
        guard,
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=MOST_BYTES,
        ws_max_queue=8,
        h11_max_incomplete_event_size=16_384,
        limit_concurrency=100,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config), pages, guard


def listen(port: int) -> socket.socket:
    """A socket on this machine alone. Raises OSError where the port is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise OSError(getattr(error, "errno", None), f"{reason}; --port 0 takes a free one", f"port {port}") from None
    listening.listen(64)
    return listening


def run(port: int, open_browser: bool) -> None:
    """Serve until Ctrl-C."""
    addresses: list[str] = []

    def announce(address: str) -> None:
        addresses.append(address)
        words = "The playground is at" if len(addresses) == 1 else "For another browser:"
        print(f"{words}  {address}", flush=True)

    page = read_page()
    with listen(port) as listening:
        server, _, _ = make_server(listening, page, announce)
        print("Ctrl-C ends it.", file=sys.stderr, flush=True)
        if open_browser:
            webbrowser.open(addresses[0])
        server.run([listening])
