"""Serves the WebSocket order API: connections, requests in flight, and answers.

Requests of a connection are carried out side by side, as many as `MOST_IN_FLIGHT`; beyond it the connection is not read
until one is answered, so that a client cannot make the server hold more.
"""

import asyncio
import weakref
from typing import Final

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from backtest.exchange.core.domain import Product
from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.rest.authentication import Credentials
from backtest.exchange.rest.dispatch import Dispatcher, Inquiry, refused
from backtest.exchange.rest.gateway import ConnectionDropped, ExchangeAnswer, Transport
from backtest.exchange.rest.routes import RouteTable
from backtest.exchange.rest.signatures import websocket_payload
from backtest.exchange.wsapi import session
from backtest.exchange.wsapi.envelope import (
    Envelope,
    UnreadableRequestError,
    invalid_id,
    rate_limits,
    read,
    written,
)
from backtest.exchange.wsapi.methods import route_of

MOST_IN_FLIGHT: Final = 100
MOST_MESSAGE_BYTES: Final = 64 * 1024
_PING_EVERY_S: Final = 180.0
_HANDSHAKE_WEIGHT: Final = 5


class OrderSocket:
    """The endpoint: one per server, for both products."""

    def __init__(self, dispatcher: Dispatcher, table: RouteTable) -> None:
        self._dispatcher = dispatcher
        self._table = table
        self._open: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        product = Product(request.path.split("/")[1].removeprefix("ws-"))
        address, now_ms = request.remote or "", self._dispatcher.gateway.now_ms()
        try:
            self._dispatcher.limiter.weigh(address, _HANDSHAKE_WEIGHT, now_ms)
        except ExchangeError as error:
            answer = refused(error)
            return web.json_response(answer.body, status=answer.status, headers=dict(answer.headers))
        socket = web.WebSocketResponse(heartbeat=_PING_EVERY_S, max_msg_size=MOST_MESSAGE_BYTES)
        await socket.prepare(request)
        self._open.add(socket)
        await Connection(self._dispatcher, self._table, socket, product, address).run()
        return socket

    async def close(self, _application: web.Application) -> None:
        """End all connections."""
        for socket in set(self._open):
            await socket.close(code=WSCloseCode.GOING_AWAY)


class Connection:
    """One client's connection."""

    def __init__(self, dispatcher: Dispatcher, table: RouteTable, socket: web.WebSocketResponse, product: Product,
                 address: str) -> None:
        self._dispatcher = dispatcher
        self._table = table
        self._socket = socket
        self._product = product
        self._address = address
        self._session = session.Session(dispatcher.keys, dispatcher.gateway.now_ms())
        self._in_flight: dict[str | int, asyncio.Task[None]] = {}
        self._nameless: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take requests until the connection ends; what is in flight then is not answered."""
        try:
            async for message in self._socket:
                await self._take(message)
        finally:
            for task in self._tasks():
                task.cancel()

    def _tasks(self) -> set[asyncio.Task[None]]:
        return set(self._in_flight.values()) | self._nameless

    async def _take(self, message: WSMessage) -> None:
        if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
            return
        if len(self._tasks()) >= MOST_IN_FLIGHT:
            await asyncio.wait(self._tasks(), return_when=asyncio.FIRST_COMPLETED)
        try:
            envelope = read(message.data)
            if envelope.id is not None and envelope.id in self._in_flight:
                raise UnreadableRequestError(invalid_id(), envelope.id)
        except UnreadableRequestError as error:
            await self._send(written(error.id, refused(error.refusal), None))
            return
        self._start(envelope)

    def _start(self, envelope: Envelope) -> None:
        task = asyncio.create_task(self._answer(envelope))
        if envelope.id is None:
            self._nameless.add(task)
            task.add_done_callback(self._nameless.discard)
            return
        identity = envelope.id
        self._in_flight[identity] = task
        task.add_done_callback(lambda _task: self._in_flight.pop(identity, None))

    async def _answer(self, envelope: Envelope) -> None:
        try:
            answer = await self._carried_out(envelope)
        except ExchangeError as error:
            answer = refused(error)
        except ConnectionDropped:
            await self._socket.close(code=WSCloseCode.INTERNAL_ERROR)
            return
        wanted = envelope.parameters.get("returnRateLimits", "true").lower() != "false"
        counts = rate_limits(self._dispatcher.limiter.limits, dict(answer.headers)) if wanted else None
        # The id is free again once the answer goes out: a client may use it at once.
        if envelope.id is not None:
            self._in_flight.pop(envelope.id, None)
        await self._send(written(envelope.id, answer, counts))

    async def _carried_out(self, envelope: Envelope) -> ExchangeAnswer:
        sent, now_ms = envelope.parameters, self._dispatcher.gateway.now_ms()
        own_key = sent.get("apiKey", "")
        shown = Credentials(own_key, websocket_payload(sent), None if own_key else self._session.key)
        if envelope.method in session.METHODS:
            self._dispatcher.limiter.weigh(self._address, 2, now_ms)
            return ExchangeAnswer(self._session.handle(envelope.method, shown, sent, now_ms))
        return await self._dispatcher.handle(Inquiry(
            transport=Transport.WEBSOCKET, route=route_of(self._table, self._product, envelope.method),
            product=self._product, address=self._address, shown=shown, sent=sent, headers={}))

    async def _send(self, text: str) -> None:
        if not self._socket.closed:
            try:
                await self._socket.send_str(text)
            except ConnectionError:
                # The client left before its answer; its next request will find out.
                return
