"""The ASGI application of one server: a route per operation, the session, streams, metrics, OpenAPI."""

import asyncio
from functools import cache
from typing import Any

import uvicorn
from litestar import Litestar, Request, Response, asgi, route
from litestar.config.app import AppConfig
from litestar.exceptions import HTTPException
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.types import Receive, Scope, Send

from paceline.errors.failure import PacelineError
from paceline.runtime.ids import request_id
from paceline.runtime.metrics import CONTENT_TYPE
from paceline.wire.frames import encode, error_body
from paceline.wire.open_route import OpenRequest, OpenRoute
from paceline.wire.operation import SIZE_LIMITS, Operation
from paceline.wire.server.http import HttpAnswer, HttpEdge, error_answer
from paceline.wire.server.openapi import describe
from paceline.wire.server.session import ServerSession
from paceline.wire.server.surface import Surface
from paceline.wire.server.websocket import SocketLink, serve_stream

MAX_BODY = max(SIZE_LIMITS.values())


def build_application(surface: Surface) -> Litestar:
    """The application with all routes of the server's operations and its open routes."""
    edge = HttpEdge(surface)
    handlers: list[HTTPRouteHandler | ASGIRouteHandler] = []
    for entry in surface.dispatch.entries.values():
        operation = entry.operation
        if operation.http is None:
            continue
        if operation.http.method == "WS":
            handlers.append(_stream_route(surface, operation))
        else:
            handlers.append(_operation_route(edge, operation))
    handlers.extend(_open_route(item) for item in surface.open_routes)
    handlers += [_session_route(surface), *_description_routes(surface, edge)]
    return Litestar(
        route_handlers=handlers,
        openapi_config=None,
        exception_handlers={HTTPException: _refused_route, Exception: _failed_route(surface)},
        request_max_body_size=MAX_BODY,
        on_app_init=[_quiet],
    )


@cache
def load_libraries() -> None:
    """Loads what the first application of a process loads (0.2 s), before anybody waits for it."""
    empty = Litestar(openapi_config=None, on_app_init=[_quiet])
    uvicorn.Config(empty, log_config=None, ws="websockets-sansio").load()


def _quiet(config: AppConfig) -> AppConfig:
    config.logging_config = None
    return config


def _response(answer: HttpAnswer) -> Response[bytes]:
    return Response(
        answer.body,
        status_code=answer.status,
        headers=answer.headers,
        media_type="application/json",
    )


def _operation_route(edge: HttpEdge, operation: Operation) -> HTTPRouteHandler:
    if operation.http is None:
        raise ValueError(f"{operation.name} has no route")
    path = operation.http.path.replace("}", ":str}")

    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        answer = await edge.answer(
            operation,
            headers={name.lower(): value for name, value in request.headers.items()},
            path_values={name: str(value) for name, value in request.path_params.items()},
            query=dict(request.query_params.items()),
            body=await request.body(),
            has_gone=lambda: _has_gone(request),
        )
        return _response(answer)

    return route(path, http_method=[operation.http.method], status_code=200)(handle)  # type: ignore[list-item]  # a literal method


async def _has_gone(request: Request[Any, Any, Any]) -> bool:
    """Whether the caller has closed the connection; the body is read already."""
    try:
        async with asyncio.timeout(0):  # what is known now, without waiting
            return (await request.receive())["type"] == "http.disconnect"
    except TimeoutError:
        return False


def _open_route(item: OpenRoute) -> HTTPRouteHandler:
    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        try:
            answer = await item.handler(
                OpenRequest(
                    method=request.method,
                    path=request.url.path,
                    query=dict(request.query_params.items()),
                    headers={name.lower(): value for name, value in request.headers.items()},
                    cookies=dict(request.cookies),
                    path_values={name: str(value) for name, value in request.path_params.items()},
                    body=await request.body(),
                )
            )
        except PacelineError as error:
            return _response(error_answer(error, request_id()))
        return Response(
            answer.body,
            status_code=answer.status,
            headers=dict(answer.headers),
            media_type=answer.content_type,
        )

    path = item.path.replace("}", ":str}")
    return route(path, http_method=[item.method], status_code=200)(handle)  # type: ignore[list-item]  # a literal method


def _session_route(surface: Surface) -> ASGIRouteHandler:
    async def session(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":  # type: ignore[comparison-overlap]  # plain HTTP to this path
            await _http_only(send)
            return
        link = SocketLink(receive, send)
        if await link.open():
            await ServerSession(surface, link).run()

    return asgi("/v1/session", copy_scope=True)(session)


def _stream_route(surface: Surface, operation: Operation) -> ASGIRouteHandler:
    if operation.http is None:
        raise ValueError(f"{operation.name} has no route")

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":  # type: ignore[comparison-overlap]  # plain HTTP to this path
            await _http_only(send)
            return
        await serve_stream(surface, operation, scope, receive, send)

    return asgi(operation.http.path, copy_scope=True)(stream)


async def _http_only(send: Send) -> None:
    error = PacelineError(
        "invalid_attribute", "this address is a WebSocket; connect with ws:// or wss://"
    )
    body = encode({"error": error_body(error, request_id())})
    await send(
        {
            "type": "http.response.start",
            "status": 426,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _description_routes(surface: Surface, edge: HttpEdge) -> list[HTTPRouteHandler]:
    def allow(request: Request[Any, Any, Any]) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        client = request.client.host if request.client else ""
        if client not in LISTED_NETWORK:
            edge.caller(headers, {}, is_open=False)

    async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        try:
            allow(request)
        except PacelineError as error:
            return _response(error_answer(error, request_id()))
        return Response(surface.metrics.text(), media_type=CONTENT_TYPE)

    document = encode(
        describe(surface.name, [e.operation for e in surface.dispatch.entries.values()])
    )

    async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
        try:
            allow(request)
        except PacelineError as error:
            return _response(error_answer(error, request_id()))
        return Response(document, media_type="application/json")

    return [
        route("/metrics", http_method=["GET"], status_code=200)(metrics),
        route("/schema/openapi.json", http_method=["GET"], status_code=200)(openapi),
    ]


LISTED_NETWORK = frozenset({"127.0.0.1", "::1"})
"""Addresses that read /metrics and /schema without a token (INTERFACES: tokens; the machine itself)."""


def _refused_route(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code == 413:
        told = PacelineError("frame_too_large", f"a body may have at most {MAX_BODY} bytes")
    elif error.status_code in (404, 405):
        told = PacelineError(
            "unsupported_operation", f"no operation at {request.method} {request.url.path}"
        )
    else:
        told = PacelineError("invalid_attribute", str(error.detail))
    return _response(error_answer(told, request_id()))


def _failed_route(surface: Surface) -> Any:
    def failed(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        rid = request_id()
        return _response(error_answer(surface.internal_error(request.url.path, rid, error), rid))

    return failed
