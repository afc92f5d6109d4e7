"""The web application: routes, errors and lifespan only."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

from gateway.api import admin, chat, feedback, health, models
from gateway.api.completions import Completions
from gateway.api.defects import Defects, told
from gateway.api.request_ids import RequestIds
from gateway.client import ClientLeft
from gateway.errors import GatewayError, error_body
from gateway.exchange import CLIENT_LEFT
from gateway.reload import watch_files
from gateway.store.base import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping

    from starlette.types import Receive, Scope, Send

    from gateway.application import Gateway

VERSION = version("pointsman")
#: Where conversations are answered; mounted below another application, the route of the same name answers them.
COMPLETIONS = frozenset({"/v1/chat/completions", "/chat/completions"})
#: What is wrong with a URL or its method, by status.
METHOD_NOT_ALLOWED = 405
URL_ERRORS = {404: "unknown_url", METHOD_NOT_ALLOWED: "method_not_allowed"}


class App(FastAPI):
    """The application, past whose routes and middlewares conversations go straight to their endpoint."""

    completions: Completions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"] in COMPLETIONS and scope["method"] == "POST":
            await self.completions(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(gateway: Gateway) -> FastAPI:
    """Return the application; its lifespan opens the gateway (unless it is open) and closes it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await gateway.open()
        watcher = asyncio.ensure_future(watch_files(gateway))
        try:
            yield
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
            await gateway.aclose()

    # A path with a slash too many is unknown: to be sent elsewhere, a caller would trust its own `host` header.
    app = App(
        title="pointsman", version=VERSION, lifespan=lifespan, exception_handlers=HANDLERS, redirect_slashes=False
    )
    app.state.gateway = gateway
    app.completions = Completions(gateway)
    app.include_router(health.router)
    app.include_router(admin.router)
    for endpoints in (chat.router, models.router, feedback.router):
        app.include_router(endpoints, prefix="/v1")
        app.include_router(endpoints, include_in_schema=False)
    # The last one added is the outermost.
    app.add_middleware(Defects)
    app.add_middleware(RequestIds)
    return app


def _json(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, dict(headers or {}), media_type="application/json")


async def _told(_: Request, error: GatewayError | StoreError) -> Response:
    return _json(*told(error))


async def _invalid(_: Request, error: RequestValidationError) -> Response:
    """Answer a body that fastapi refused: the first thing that is wrong with it."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _json(400, error_body(400, f"We could not parse the request: {first['msg']}.", "invalid_json"))
    param = ".".join(str(part) for part in first["loc"] if part not in ("body", "header"))
    said = first["msg"].removeprefix("Value error, ")
    return _json(400, error_body(400, f"{param}: {said}" if param else said, "invalid_value", param or None))


async def _http_error(request: Request, error: HTTPException) -> Response:
    message = f"{error.detail}: {request.method} {request.url.path}"
    headers = {"allow": allowed(request)} if error.status_code == METHOD_NOT_ALLOWED else error.headers
    return _json(error.status_code, error_body(error.status_code, message, URL_ERRORS.get(error.status_code)), headers)


def allowed(request: Request) -> str:
    """Return the methods that a request's path takes, whichever route has them: each knows but its own."""
    path = request.scope["path"]
    here = [route for route in iter_route_contexts(request.app.routes) if _takes(route.path or "", path)]
    return ", ".join(sorted({method for route in here for method in route.methods or ()}))


def _takes(pattern: str, path: str) -> bool:
    return compile_path(pattern)[0].fullmatch(path) is not None


async def _left(_request: Request, _error: Exception) -> Response:
    """Nobody reads this; the status is for the server's own log."""
    return Response(status_code=CLIENT_LEFT)


#: What becomes of each error; any other is a defect.
HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    GatewayError: _told,
    RequestValidationError: _invalid,
    HTTPException: _http_error,
    StoreError: _told,
    ClientLeft: _left,
    ClientDisconnect: _left,
}
