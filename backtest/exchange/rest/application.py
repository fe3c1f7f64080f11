"""The HTTP application: takes requests apart, hands them to the dispatcher and writes the answers.

Bodies are bounded and never held beyond the bound. Anything under `/fapi`, `/dapi`, `/sapi` and `/api` that is no route
gets the venue's 404 as JSON.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.rest.authentication import Credentials
from backtest.exchange.rest.dispatch import Dispatcher, Inquiry, refused
from backtest.exchange.rest.gateway import ConnectionDropped, ExchangeAnswer, Gateway, Transport
from backtest.exchange.rest.keys import KeyRing
from backtest.exchange.rest.limits import Limits, RateLimiter
from backtest.exchange.rest.listen_keys import ListenKeys
from backtest.exchange.rest.parameters import merged
from backtest.exchange.rest.refusals import body_too_large, body_too_slow, not_a_form
from backtest.exchange.rest.routes import RouteTable
from backtest.exchange.rest.signatures import rest_payload
from backtest.exchange.rest.table import TABLE
from backtest.exchange.wsapi.server import OrderSocket

#: The largest body that is read; five orders of a batch are less than a tenth of it.
MOST_BODY_BYTES: Final = 64 * 1024
#: Whoever sends a body more slowly is not waited for.
_BODY_WITHIN_S: Final = 5.0
_PREFIXES: Final = ("fapi", "dapi", "sapi", "api", "papi", "eapi")
_encoder: Final = msgspec.json.Encoder()


def exchange_application(
    gateway: Gateway, keys: KeyRing, listen_keys: ListenKeys, limits: Limits | None = None,
) -> web.Application:
    """Return an application with REST under `/fapi` and `/dapi`, and the order API at `/ws-fapi/v1`, `/ws-dapi/v1`."""
    application = web.Application(client_max_size=MOST_BODY_BYTES)
    add_exchange_routes(application, gateway, keys, listen_keys, limits)
    return application


def add_exchange_routes(
    application: web.Application, gateway: Gateway, keys: KeyRing, listen_keys: ListenKeys,
    limits: Limits | None = None,
) -> Dispatcher:
    """Add the exchange's routes to an application that serves more than them; return what carries requests out."""
    dispatcher = Dispatcher(gateway, keys, RateLimiter(limits), listen_keys)
    door = RestDoor(dispatcher, TABLE)
    for prefix in _PREFIXES:
        application.router.add_route("*", f"/{prefix}/{{rest:.*}}", door.serve)
    socket = OrderSocket(dispatcher, TABLE)
    for path in ("/ws-fapi/v1", "/ws-dapi/v1"):
        application.router.add_get(path, socket.serve)
    application.on_shutdown.append(socket.close)
    return dispatcher


class RestDoor:
    """Serves the REST requests of a route table."""

    def __init__(self, dispatcher: Dispatcher, table: RouteTable) -> None:
        self._dispatcher = dispatcher
        self._table = table

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        try:
            answer = await self._dispatcher.handle(await self._inquiry(request))
        except ExchangeError as error:
            answer = refused(error)
        except ConnectionDropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return response(answer)

    async def _inquiry(self, request: web.Request) -> Inquiry:
        route, product = self._table.find(request.method, request.path)
        query, body = raw_query(request), await read_form(request)
        return Inquiry(
            transport=Transport.REST, route=route, product=product, address=request.remote or "",
            shown=Credentials(request.headers.get("X-MBX-APIKEY", ""), rest_payload(query, body)),
            sent=merged(query, body), headers=lower_headers(request.headers))


def raw_query(request: web.Request) -> str:
    """Return the query string byte for byte as it was sent: it is what the client signed."""
    return request.raw_path.partition("?")[2].partition("#")[0]


def lower_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return an HTTP request's headers by lower-case name."""
    return {name.lower(): value for name, value in headers.items()}


async def read_form(request: web.Request) -> str:
    """Return a request's body. Raises `ExchangeError`: 413 beyond the bound, 408 if slow, 415 for what is no form."""
    if not request.can_read_body:
        return ""
    if (request.content_length or 0) > MOST_BODY_BYTES:
        raise body_too_large(MOST_BODY_BYTES)
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            body = await _bounded_body(request)
    except TimeoutError:
        raise body_too_slow(_BODY_WITHIN_S) from None
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        raise not_a_form() from None
    if request.content_type == "application/json" and text.strip() not in {"", "{}"}:
        raise not_a_form()
    return text


async def _bounded_body(request: web.Request) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise body_too_large(MOST_BODY_BYTES)
    return bytes(body)


def response(answer: ExchangeAnswer) -> web.Response:
    """Return the HTTP form of an answer; a body that is text already is sent as it is."""
    body: Any = answer.body
    text = body.encode() if isinstance(body, str) else _encoder.encode(body)
    kind = "text/html" if isinstance(body, str) else "application/json"
    return web.Response(body=text, status=answer.status, headers=dict(answer.headers), content_type=kind)

