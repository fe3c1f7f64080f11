"""How fast the served exchange answers and sends, beside an aiohttp server that does nothing, in one run.

Run it with `python -m benchmarks.bench_exchange [SECONDS]`. Server and clients are processes of their own on one
machine and share its cores, so the figures are lower bounds. The empty server answers every request with a constant,
echoes WebSocket messages and sends one constant frame to all readers as fast as they read.
"""

import asyncio
import hashlib
import hmac
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlencode

import aiohttp
import msgspec
import numpy as np
import psutil
from aiohttp import WSMsgType, web
from pydantic import SecretStr

from backtest.exchange.serving.service import ExchangeService
from backtest.synthetic import make_tape
from sluice.config.exchange import ExchangeSettings
from sluice.instruments import InstrumentCatalog

KEY, SECRET = "bench-key", "bench-secret"
READERS: Final = (1, 10, 100)
IDLE: Final = 500
_HANDSHAKE: Final = (
    "GET {path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
_FRAME: Final = "x" * 200
Told: TypeAlias = "multiprocessing.Queue[str]"


def serve_exchange(told: Told, folder: str, pace: str) -> None:
    """Serve a synthetic tape without latency and with limits that nobody reaches."""

    async def main() -> None:
        settings = ExchangeSettings(
            address="127.0.0.1:0", tapes=(Path(folder),), pace=pace, at_end="loop", order_latency_ms=0,
            start_after_s=3.0, secrets={KEY: SecretStr(SECRET)}, request_weight=10**9, orders_10s=10**9,
            orders_minute=10**9)
        service = ExchangeService(settings, InstrumentCatalog.shipped())
        told.put(await service.start())
        await service.run(asyncio.Event())

    asyncio.run(main())


def serve_nothing(told: Told, _folder: str, _pace: str) -> None:
    """Serve the empty server."""

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"status": "NEW"})

    async def echo(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if request.query_string == "streams=all":
            while True:
                await socket.send_str(_FRAME)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    async def main() -> None:
        application = web.Application()
        application.router.add_post("/fapi/v1/order", answer)
        for path in ("/ws-fapi/v1", "/public/stream"):
            application.router.add_get(path, echo)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        told.put("{}:{}".format(*runner.addresses[0][:2]))
        await asyncio.Event().wait()

    asyncio.run(main())


class Server:
    """A server in a process of its own."""

    def __init__(self, serve: Callable[[Told, str, str], None], folder: str, pace: str = "realtime") -> None:
        told: Told = multiprocessing.Queue()
        self.process = multiprocessing.Process(target=serve, args=(told, folder, pace), daemon=True)
        self.process.start()
        self.address = told.get(timeout=240)

    def memory_bytes(self) -> int:
        """Return the resident memory."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.join()


def order() -> dict[str, str]:
    """Return an order that expires at once: each is one whole life."""
    return {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "0.01",
            "price": "60000", "timestamp": str(time.time_ns() // 1_000_000), "recvWindow": "60000"}


def signature(text: str) -> str:
    """Return the HMAC of what is signed."""
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


async def by_rest(session: aiohttp.ClientSession, address: str) -> None:
    """Place an order by REST."""
    body = urlencode(order())
    url = f"http://{address}/fapi/v1/order"
    headers = {"X-MBX-APIKEY": KEY, "Content-Type": "application/x-www-form-urlencoded"}
    async with session.post(url, data=f"{body}&signature={signature(body)}", headers=headers) as answer:
        text = await answer.text()
        if answer.status != 200:
            raise RuntimeError(text)


async def by_socket(socket: aiohttp.ClientWebSocketResponse, number: int) -> None:
    """Place an order over the WebSocket order API."""
    parameters = {**order(), "apiKey": KEY}
    signed = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))
    request = {"id": str(number), "method": "order.place", "params": {**parameters, "signature": signature(signed)}}
    await socket.send_str(msgspec.json.encode(request).decode())
    message = await socket.receive()
    if message.type is not WSMsgType.TEXT or '"error"' in message.data:
        raise RuntimeError(str(message.data))


async def measured(act: Callable[[int], Awaitable[None]], seconds: float) -> tuple[float, float, float]:
    """Act one after the other; return acts a second, and median and 99th percentile of their time in microseconds."""
    for number in range(50):
        await act(number)
    taken: list[int] = []
    end = time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        await act(len(taken))
        taken.append(round((time.perf_counter() - started) * 1e9))
    median, late = (float(each) / 1e3 for each in np.percentile(taken, (50, 99)))
    return len(taken) / seconds, median, late


async def orders(address: str, seconds: float) -> list[tuple[float, float, float]]:
    """Return what one client measures by REST and over the order API."""
    async with aiohttp.ClientSession() as session:
        rest = await measured(lambda _number: by_rest(session, address), seconds)
        async with session.ws_connect(f"ws://{address}/ws-fapi/v1") as socket:
            return [rest, await measured(lambda number: by_socket(socket, number), seconds)]


async def fan_out(address: str, readers: int, seconds: float, path: str) -> tuple[float, float]:
    """Return frames and megabytes a second that so many readers get together."""
    opened = [await _open(address, path) for _ in range(readers)]
    counts = await asyncio.gather(*(_read(reader, seconds) for reader, _ in opened))
    for _, writer in opened:
        writer.close()
    return sum(count for count, _ in counts) / seconds, sum(size for _, size in counts) / seconds / 1e6


async def _open(address: str, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(_HANDSHAKE.format(path=path).encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def _read(reader: asyncio.StreamReader, seconds: float) -> tuple[int, int]:
    """Read for a time; return how many frames and bytes came."""
    frames = size = left = 0
    kept, end = b"", time.perf_counter() + seconds
    while time.perf_counter() < end:
        data = kept + await reader.read(262_144)
        size += len(data) - len(kept)
        at = left
        while at + 4 <= len(data):
            length = data[at + 1] & 127
            head = 2 if length < 126 else 4
            if length == 126:
                length = int.from_bytes(data[at + 2 : at + 4])
            at += head + length
            frames += 1
        kept, left = (data[at:], 0) if at < len(data) else (b"", at - len(data))
    return frames, size


async def idle_bytes(server: Server) -> float:
    """Return the memory that an idle connection costs."""
    before = server.memory_bytes()
    opened = [await _open(server.address, "/public/stream") for _ in range(IDLE)]
    await asyncio.sleep(1.5)
    cost = (server.memory_bytes() - before) / IDLE
    for _, writer in opened:
        writer.close()
    return cost


def shown(name: str, ours: float, empty: float, unit: str) -> str:
    """Return a line of the result."""
    return f"{name:42} {ours:12,.1f} {empty:12,.1f}  {unit:12} {ours / empty if empty else float('nan'):8.3f}"


def rows(seconds: float, folder: str) -> list[tuple[str, float, float, str]]:
    """Measure everything on both servers, one at a time."""
    found: list[dict[str, tuple[float, str]]] = []
    for serve in (serve_exchange, serve_nothing):
        empty = serve is serve_nothing
        figures: dict[str, tuple[float, str]] = {}
        server = Server(serve, folder)
        for door, (rate, median, late) in zip(
                ("REST", "WebSocket"), asyncio.run(orders(server.address, seconds)), strict=True):
            figures[f"orders by {door}, one client"] = rate, "a second"
            figures[f"order by {door}, median"], figures[f"order by {door}, 99 %"] = (median, "us"), (late, "us")
        figures[f"memory of an idle connection ({IDLE})"] = asyncio.run(idle_bytes(server)) / 1e3, "kB"
        server.stop()
        path = "/public/stream?streams=" + ("all" if empty else "/".join(
            f"btcusdt@{name}" for name in ("depth@0ms", "bookTicker", "trade")))
        for readers in READERS:
            server = Server(serve, folder, "max")
            frames, _ = asyncio.run(fan_out(server.address, readers, seconds, path))
            figures[f"frames to {readers} readers together"] = frames, "a second"
            server.stop()
        found.append(figures)
    return [(name, value, found[1][name][0], unit) for name, (value, unit) in found[0].items()]


def main(seconds: float = 5.0) -> None:
    """Print every figure with its ratio to the empty server's."""
    multiprocessing.set_start_method("spawn", force=True)
    with tempfile.TemporaryDirectory() as folder:
        make_tape(Path(folder), minutes=1.0, symbols=["BTCUSDT", "ETHUSDT"])
        print(f"{'':42} {'exchange':>12} {'empty':>12}  {'':12} {'ratio':>8}")
        for row in rows(seconds, folder):
            print(shown(*row))


if __name__ == "__main__":
    main(*[float(each) for each in sys.argv[1:2]])
