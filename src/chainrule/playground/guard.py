"""Who may ask. Everything that comes in passes here first, before any of it is read.

Other pages in the user's browser and other users of the machine must not get in: the name that was asked for must be
this machine's (against rebound names), the page that asks must be ours, and the browser must have our cookie. It gets
the cookie for a token that is valid once and stands in the address that the terminal shows.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

NAMES = ("127.0.0.1", "localhost")
MOST_HEADERS = 100
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PROTECTION = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
ADDRESS_NEEDED = "Open the address that the terminal shows: it lets this browser in.\n"


class Guard:
    """Lets requests through to `app` that come from our own page in a browser that was let in.

    Args:
        app: what is guarded.
        port: on which it is served.
        announce: is given each new address that lets a browser in, once.

    """

    def __init__(self, app: ASGIApp, port: int, announce: Callable[[str], None]) -> None:
        self._app, self._announce = app, announce
        self._hosts = {f"{name}:{port}".encode() for name in NAMES}
        self._origins = {f"http://{name}:{port}".encode() for name in NAMES}
        self._port = port
        self._cookie = f"chainrule-{port}"
        self._secret = secrets.token_urlsafe(32)
        self._token = ""
        self.new_address()

    def new_address(self) -> str:
        """An address that lets one browser in; the one before is void."""
        self._token = secrets.token_urlsafe(32)
        address = f"http://{NAMES[0]}:{self._port}/?token={self._token}"
        self._announce(address)
        return address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            if self._refusal(scope):
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self._app(scope, receive, send)
        elif refusal := self._refusal(scope):
            status, text = refusal
            await PlainTextResponse(text, status, dict(_as_text(PROTECTION)))(scope, receive, send)
        elif scope["path"] == "/" and scope["query_string"]:
            await self._let_in(scope, receive, send)
        else:
            await self._app(scope, receive, _protected(send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and text where a request is refused, its host looked at before anything else."""
        headers = scope["headers"]
        if _all(headers, b"host") not in [[host] for host in self._hosts] or len(headers) > MOST_HEADERS:
            return 421, "This is not the server of that name.\n"
        origins, live = _all(headers, b"origin"), scope["type"] == "websocket"
        if (origins or live) and origins not in [[origin] for origin in self._origins]:
            return 403, "Another page may not ask here.\n"
        if _all(headers, b"sec-fetch-site") not in ([], [b"same-origin"], [b"none"]):
            return 403, "Another page may not ask here.\n"
        if not live and scope["method"] not in ("GET", "HEAD"):
            return 405, "Nothing can be sent here.\n"
        if not live and (_all(headers, b"content-length") not in ([], [b"0"]) or _all(headers, b"transfer-encoding")):
            return 413, "Nothing can be sent here.\n"
        if not live and scope["path"] == "/" and scope["query_string"]:
            return None if self._has_token(scope) else (403, ADDRESS_NEEDED)
        return None if self._has_cookie(headers) else (403, ADDRESS_NEEDED)

    def _has_token(self, scope: Scope) -> bool:
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=4)
        given = query.get("token", [])
        return len(query) == 1 and len(given) == 1 and hmac.compare_digest(given[0].encode(), self._token.encode())

    def _has_cookie(self, headers: list[tuple[bytes, bytes]]) -> bool:
        try:
            cookies = SimpleCookie(b"; ".join(_all(headers, b"cookie")).decode("latin-1"))
        except CookieError:
            return False
        given = cookies.get(self._cookie)
        return given is not None and hmac.compare_digest(given.value.encode(), self._secret.encode())

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the browser the cookie, and the token away."""
        response = RedirectResponse("/", 303, dict(_as_text(PROTECTION)))
        response.set_cookie(self._cookie, self._secret, httponly=True, samesite="strict", path="/")
        self.new_address()
        await response(scope, receive, send)


def _all(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]


def _as_text(pairs: tuple[tuple[bytes, bytes], ...]) -> list[tuple[str, str]]:
    return [(key.decode(), value.decode()) for key, value in pairs]


def _protected(send: Send) -> Send:
    """`send`, with the headers that protect our page."""

    async def sending(message: object) -> None:
        if isinstance(message, dict) and message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *PROTECTION]
        await send(message)  # type: ignore[arg-type]

    return sending
