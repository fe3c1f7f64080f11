"""The WebSocket doors of the streams: handshake, control messages, pings, and the end of a connection.

Messages go out past the library, as bytes that all readers share; it does the handshake and reads what clients send.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web

from backtest.exchange.streams.addresses import StreamAddress, read_address
from backtest.exchange.streams.connection import MOST_UNSENT_BYTES, Connection, Lifetime
from backtest.exchange.streams.control import LARGEST_MESSAGE, MessageRate, Subscriptions
from backtest.exchange.streams.framing import text_frame
from backtest.exchange.streams.hub import Hub, Subscriber
from backtest.exchange.streams.names import Route
from backtest.exchange.streams.user_data import UserData
from sluice.errors import InputError

#: Plays a tape to one connection, from a line on; given where every connection has a place of its own.
Cursor = Callable[[Subscriber, int], Coroutine[Any, Any, None]]
#: Connections that may be open at once.
MOST_CONNECTIONS: Final = 20_000
_CLOSE_WITHIN_S: Final = 1.0
_UNSENT_WHEN_CUT: Final = 64 * 1024


class StreamSockets:
    """All open stream connections. `steady_s` is a clock that never goes back, `now_ms` the exchange's time."""

    def __init__(
        self, hub: Hub, user_data: UserData, *, steady_s: Callable[[], float], now_ms: Callable[[], int],
        lifetime: Lifetime | None = None, most_unsent_bytes: int = MOST_UNSENT_BYTES, cursor: Cursor | None = None,
    ) -> None:
        self._hub = hub
        self._user_data = user_data
        self._steady_s = steady_s
        self._now_ms = now_ms
        self._lifetime = lifetime or Lifetime()
        self._most_unsent_bytes = most_unsent_bytes
        self._cursor = cursor
        self._open: dict[Subscriber, web.WebSocketResponse] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.refused = 0

    def __len__(self) -> int:
        return len(self._open)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        try:
            found = request.match_info
            address = read_address(found["route"], found["form"], found["names"], request.query)
        except InputError as error:
            return web.json_response({"code": -1100, "msg": error.message}, status=400)
        if len(self._open) >= MOST_CONNECTIONS:
            self.refused += 1
            return web.json_response({"code": -1003, "msg": "Too many connections."}, status=429)
        socket = web.WebSocketResponse(
            autoping=False, compress=False, max_msg_size=LARGEST_MESSAGE, timeout=_CLOSE_WITHIN_S)
        if not socket.can_prepare(request).ok:
            return web.json_response({"code": -1100, "msg": "A WebSocket handshake is expected here."}, status=400)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        connection = Connection(transport, self._steady_s(), self._most_unsent_bytes)
        subscriptions = Subscriptions(address.combined, address.names)
        subscriber = Subscriber(connection, subscriptions, address.route)
        await self._live(subscriber, socket, address)
        return socket

    async def _live(self, subscriber: Subscriber, socket: web.WebSocketResponse, address: StreamAddress) -> None:
        self._open[subscriber] = socket
        cursor: list[asyncio.Task[None]] = []
        try:
            self._renew(subscriber, address, cursor)
            await self._read(subscriber, socket, address, cursor)
        finally:
            for task in cursor:
                task.cancel()
            self._open.pop(subscriber, None)
            self._hub.remove(subscriber)
            self._user_data.remove(subscriber)

    async def _read(
        self, subscriber: Subscriber, socket: web.WebSocketResponse, address: StreamAddress,
        cursor: list[asyncio.Task[None]],
    ) -> None:
        rate, connection = MessageRate(), subscriber.connection
        async for message in socket:
            now_s = self._steady_s()
            if not rate.allows(now_s) and self._cursor is None:
                connection.cut_off(WSCloseCode.POLICY_VIOLATION, b"Too many requests")
            if connection.closing is not None:
                await self._end(connection, socket)
                return
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                connection.ponged(now_s)
            elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                data = message.data.encode("utf-8", "replace") if isinstance(message.data, str) else message.data
                connection.send(text_frame(subscriber.subscriptions.handle(data)))
                connection.flush()
                self._renew(subscriber, address, cursor)

    def _renew(self, subscriber: Subscriber, address: StreamAddress, cursor: list[asyncio.Task[None]]) -> None:
        self._hub.renew(subscriber)
        self._user_data.renew(subscriber, address.events)
        wanted = subscriber.route is not Route.PRIVATE and subscriber.streams()
        if self._cursor is not None and wanted and not cursor:
            cursor.append(asyncio.get_running_loop().create_task(self._cursor(subscriber, address.after_line)))

    def keep_alive(self) -> None:
        """Send pings that are due and end connections that are to be ended. To be called about once a second."""
        now_s, payload = self._steady_s(), str(self._now_ms()).encode()
        for subscriber, socket in list(self._open.items()):
            connection = subscriber.connection
            if self._cursor is None or subscriber.route is Route.PRIVATE:
                connection.keep_alive(now_s, self._lifetime, payload)
            connection.flush()
            if connection.closing is not None:
                self._start(self._end(connection, socket))

    def cut(self, route: Route | None, code: int = WSCloseCode.GOING_AWAY) -> int:
        """Cut the connections of a route (all where None) without ado; return how many there were."""
        chosen = [subscriber for subscriber in self._open if route is None or subscriber.route is route]
        for subscriber in chosen:
            subscriber.connection.cut_off(code, b"cut")
            self._start(self._end(subscriber.connection, self._open[subscriber]))
        return len(chosen)

    async def close(self) -> None:
        """End every connection in order."""
        self.cut(None)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2 * _CLOSE_WITHIN_S)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        """Close with the code that was noted; a client that does not read is cut off at once."""
        code, reason = connection.closing or (WSCloseCode.GOING_AWAY, b"")
        if connection.unsent_bytes > _UNSENT_WHEN_CUT:
            connection.abort()
        if not socket.closed:
            await socket.close(code=code, message=reason)
