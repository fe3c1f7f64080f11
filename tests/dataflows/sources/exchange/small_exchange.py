"""A small real exchange for tests: a WebSocket and REST server on a free port, in a thread of its own.

A test says what each connection does with a coroutine, and what requests for depth and open interest are answered with.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from sluice.config.market_source import CoinmAddresses, ExchangeSourceSettings, UsdmAddresses

Script = Callable[["Session"], Awaitable[None]]
Answer = Callable[[web.Request], Awaitable[web.Response]]


@dataclass
class Session:
    """One connection as the exchange sees it. `number` counts the connections of its route, from 0."""

    route: str
    number: int
    streams: list[str]
    query: dict[str, str]
    socket: web.WebSocketResponse

    async def send(self, payload: bytes | str) -> None:
        await self.socket.send_str(payload if isinstance(payload, str) else payload.decode())

    async def mark(self, text: str) -> None:
        await self.socket.ping(text.encode())

    async def cut(self) -> None:
        """Break the connection without a word."""
        transport = self.socket._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()

    async def for_ever(self) -> None:
        await asyncio.sleep(3600)


async def refused(request: web.Request) -> web.Response:
    return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)


@dataclass
class SmallExchange:
    """What it does and what it saw."""

    script: Script
    depth: Answer = refused
    open_interest: Answer = refused
    sessions: list[Session] = field(default_factory=list)
    depth_requests: list[web.Request] = field(default_factory=list)
    open_interest_requests: list[web.Request] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    port: int = 0

    def settings(self, **changes: object) -> ExchangeSourceSettings:
        """Return the settings of an impatient source that reads it, and polls only where a change says so."""
        rest, stream = f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}"
        quick = {"reconnect_ms": 10, "reconnect_most_ms": 100, "overlap_ms": 200,
                 "open_interest_interval_s": 0}
        return ExchangeSourceSettings.model_validate({
            "usdm": UsdmAddresses(rest_url=rest, stream_url=stream),
            "coinm": CoinmAddresses(rest_url=rest, stream_url=f"{stream}/dstream"), **quick, **changes})

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0, autoping=False)
        await socket.prepare(request)
        route = request.path.removeprefix("/").removesuffix("/stream")
        number = sum(session.route == route for session in self.sessions)
        session = Session(route, number, request.query["streams"].split("/"), dict(request.query), socket)
        self.sessions.append(session)
        reader = asyncio.create_task(self._read(socket))
        try:
            await self.script(session)
            await socket.close()
        except ConnectionError:
            pass
        finally:
            reader.cancel()
        return socket

    async def _read(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type.name == "PONG":
                self.pongs.append(bytes(message.data))

    async def _depth(self, request: web.Request) -> web.Response:
        self.depth_requests.append(request)
        return await self.depth(request)

    async def _open_interest(self, request: web.Request) -> web.Response:
        self.open_interest_requests.append(request)
        return await self.open_interest(request)

    async def serve(self) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_get("/{product:fapi|dapi}/v1/depth", self._depth)
        application.router.add_get("/{product:fapi|dapi}/v1/openInterest", self._open_interest)
        application.router.add_get("/{route:.*}/stream", self._stream)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        yield
        await runner.cleanup()


@contextmanager
def serving(
    script: Script, depth: Answer = refused, *, open_interest: Answer = refused, port: int = 0
) -> Iterator[SmallExchange]:
    """Serve in a thread for as long as the block lasts."""
    exchange = SmallExchange(script, depth, open_interest, port=port)
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()

    async def main() -> None:
        async for _ in exchange.serve():
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield exchange
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
