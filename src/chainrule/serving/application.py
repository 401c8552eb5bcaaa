"""The service as an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from chainrule.errors import ChainruleError
from chainrule.network import Network
from chainrule.serving.answers import replies
from chainrule.serving.batching import Batcher, OverloadError
from chainrule.serving.description import openapi, page
from chainrule.serving.samples import MOST_BYTES, Reader, RefusalError


def application(network: Network, *, name: str = "network") -> Starlette:
    """An ASGI application that answers for `network`: /, /openapi.json, /health, and POST /predict.

    It answers to the names of this machine alone (a page of another site, whatever name it gives us, is refused) and
    reads JSON alone, which such a page may not send without being allowed to.

    Raises:
        NotBuiltError: the network has no parameters yet.
        ModelFileError: what its metadata say about preprocessing is no such thing.

    """
    network.summary()  # raises NotBuiltError
    batcher = Batcher(network.predict)
    reader = Reader(network)
    document = openapi(reader, name)

    async def predict(request: Request) -> JSONResponse:
        try:
            x = await asyncio.to_thread(reader.read, await _body(request))
            return JSONResponse({"predictions": replies(network, await batcher.answers(x))})
        except ChainruleError as error:  # the samples were fine, their scores are not finite
            raise RefusalError(422, str(error)) from None
        except OverloadError:
            raise RefusalError(503, "too many samples are waiting; try again in a second") from None

    async def describe(request: Request) -> JSONResponse:
        return JSONResponse(document)

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ready", "model": name})

    async def show(request: Request) -> HTMLResponse:
        return HTMLResponse(page(reader, name, str(request.base_url)), headers=PAGE_HEADERS)

    @contextlib.asynccontextmanager
    async def working(_: Starlette) -> AsyncIterator[None]:
        work = asyncio.create_task(batcher.run())
        yield
        work.cancel()

    return Starlette(
        routes=[
            Route("/", show),
            Route("/openapi.json", describe),
            Route("/health", health),
            Route("/predict", predict, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)],
        exception_handlers={RefusalError: _refused, HTTPException: _not_here},
        lifespan=working,
    )


PAGE_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


async def _body(request: Request) -> bytes:
    """The body of a request, read no further than it may be long. Raises RefusalError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusalError(415, f"expected the content type application/json, got {kind or 'none'}")
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > MOST_BYTES:
            raise RefusalError(413, f"expected a body of at most {MOST_BYTES:,} bytes; send fewer samples at a time")
        parts.append(part)
    return b"".join(parts)


async def _refused(request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, RefusalError)
    headers = {"Retry-After": "1"} if refusal.status == 503 else None
    return JSONResponse({"error": refusal.why}, status_code=refusal.status, headers=headers)


async def _not_here(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)
