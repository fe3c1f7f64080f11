"""Hostile clients of the real exchange process: each gets a clear answer or the door, and nobody else notices.

A well-behaved client asks on the side the whole time. The log must stay without a traceback and memory bounded.
"""

import asyncio
import contextlib
import json
import random
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.integration.served_exchange import ServedExchange, served_exchange

MEGABYTE = 1024 * 1024
#: What the process may grow by, whatever is done to it: buffers, connections and Python's own arenas.
MOST_GROWTH_BYTES = 150 * MEGABYTE
ROUTES = ("/fapi/v1/order", "/fapi/v1/depth", "/dapi/v1/batchOrders", "/fapi/v1/algoOrder", "/fapi/v1/listenKey",
          "/fapi/v3/account", "/nowhere", "/sluice/v1/advance", "/public/ws", "/ws-fapi/v1")
SOCKETS = ("/public/ws", "/market/stream", "/ws", "/private/ws", "/dstream/ws", "/ws-fapi/v1", "/ws-dapi/v1")
CLOSED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


class Bystander:
    """A client that behaves: it asks for time and book again and again, and keeps what went wrong."""

    def __init__(self, port: int) -> None:
        self.answers = 0
        self.wrong: list[str] = []
        self._port = port
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join(60)

    def _ask(self) -> None:
        while not (self._ending.wait(0.05) and self.answers):
            for path in ("time", "depth?symbol=BTCUSDT&limit=5"):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/fapi/v1/{path}", timeout=30) as answer:
                        json.load(answer)
                    self.answers += 1
                except OSError as error:
                    self.wrong.append(f"{path}: {error!r}")
                    return


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[ServedExchange]:
    configuration = folder / "exchange.toml"
    # Limits of rate would keep most of what follows out.
    configuration.write_text("[exchange]\nrequest_weight = 10000000\n")
    with served_exchange([], "--synthetic", "--config", str(configuration), folder=folder) as served:
        yield served


@pytest.fixture
def exchange(running: ServedExchange, folder: Path) -> Iterator[ServedExchange]:
    """Give the exchange; afterwards the bystander is well, memory has not grown and the log has no traceback."""
    process = psutil.Process(running.process.pid)
    before, bystander = process.memory_info().rss, Bystander(running.port)
    bystander.start()
    try:
        yield running
    finally:
        bystander.end()
    assert bystander.wrong == []
    assert bystander.answers > 0
    assert running.process.poll() is None
    assert process.memory_info().rss - before < MOST_GROWTH_BYTES
    log = (folder / f"exchange-{running.port}.log").read_text()
    assert "Traceback" not in log, log[-3000:]


def sent(port: int, data: bytes, *, whole: bool = True) -> bytes:
    """Send bytes and return what comes back until the server closes or says nothing more, or only its beginning."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as wire:
        with contextlib.suppress(OSError):
            wire.sendall(data)
        with contextlib.suppress(OSError):
            while part := wire.recv(65536):
                answer += part
                if not whole:
                    break
    return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


def json_of(answer: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


@pytest.mark.parametrize("path", ROUTES)
def test_random_bytes_to_a_route_are_refused(exchange: ServedExchange, path: str) -> None:
    draw = random.Random(path)
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        for size in (1, 40, 3000):
            body = draw.randbytes(size)
            query = "&".join(f"{draw.randbytes(3).hex()}=%{draw.randbytes(2).hex()}" for _ in range(draw.randrange(5)))
            head = (f"{method} {path}?{query} HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: {draw.randbytes(9).hex()}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n")
            status = status_of(sent(exchange.port, head.encode() + body))
            assert 400 <= status < 500, (method, path, query, status)


def test_bytes_that_are_no_http_are_refused_or_dropped(exchange: ServedExchange) -> None:
    draw = random.Random(1)
    pieces = [draw.randbytes(draw.randrange(1, 5000)) + b"\r\n\r\n" for _ in range(100)]
    assert {status_of(sent(exchange.port, piece)) for piece in pieces} == {400}


def test_unknown_endpoints_and_wrong_signatures_are_told_in_the_venues_words(exchange: ServedExchange) -> None:
    unknown = sent(exchange.port, b"GET /fapi/v9/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (status_of(unknown), json_of(unknown)["code"]) == (404, -5000)
    with urllib.request.urlopen(f"http://127.0.0.1:{exchange.port}/fapi/v1/time") as answer:
        now_ms = json.load(answer)["serverTime"]
    for signature in ("", "0" * 64, "x" * 5000, "%00", "ü"):
        head = (f"GET /fapi/v3/account?timestamp={now_ms}&signature={signature} HTTP/1.1\r\nHost: x\r\n"
                "X-MBX-APIKEY: sluice-simulated-key\r\nConnection: close\r\n\r\n")
        answered = sent(exchange.port, head.encode())
        assert status_of(answered) in {400, 401}, (signature, answered[:300])


def test_ten_megabytes_are_not_read(exchange: ServedExchange) -> None:
    body = b"a=" + b"1" * 10 * MEGABYTE
    for path in ("/fapi/v1/order", "/dapi/v1/batchOrders"):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        assert status_of(sent(exchange.port, head + body, whole=False)) == 413
        chunked = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        pieces = b"".join(b"10000\r\n" + b"1" * 65536 + b"\r\n" for _ in range(160)) + b"0\r\n\r\n"
        assert status_of(sent(exchange.port, chunked + pieces, whole=False)) == 413


def test_bombs_of_headers_and_endless_lines_are_refused(exchange: ServedExchange) -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 100) for number in range(20_000))
    bombs = (b"GET /fapi/v1/time HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n",
             b"GET /" + b"a" * MEGABYTE + b" HTTP/1.1\r\n\r\n")
    # 0: the door was shut before all was sent.
    assert {status_of(sent(exchange.port, bomb)) for bomb in bombs} <= {0, 400}


def test_pipelined_requests_are_answered_in_their_order(exchange: ServedExchange) -> None:
    one = b"GET /fapi/v1/ping HTTP/1.1\r\nHost: x\r\n\r\n"
    bad = b"GET /fapi/v1/depth HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /fapi/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = sent(exchange.port, (one + bad) * 50 + last)
    statuses = [int(part.split(b" ", 2)[1]) for part in answer.split(b"HTTP/1.1")[1:] for part in [b"HTTP" + part]]
    assert statuses == [200, 400] * 50 + [200]


def test_slow_requests_hold_nobody_up(exchange: ServedExchange) -> None:
    heads = [b"GET /fapi/v1/time HTTP/1.1\r\nHost: x\r\nX-Slow: ",
             b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na"]
    with contextlib.ExitStack() as held:
        wires = [held.enter_context(socket.create_connection(("127.0.0.1", exchange.port))) for _ in range(300)]
        for _ in range(3):
            for number, wire in enumerate(wires):
                with contextlib.suppress(OSError):
                    wire.sendall(heads[number % 2] if _ == 0 else b"a")
        with urllib.request.urlopen(f"http://127.0.0.1:{exchange.port}/fapi/v1/time", timeout=10) as answer:
            assert answer.status == 200
        wires[1].settimeout(30)
        # A body that does not come is not waited for.
        assert status_of(wires[1].recv(4096)) == 408


def test_who_leaves_in_the_middle_of_a_handshake_is_not_missed(exchange: ServedExchange) -> None:
    head = (b"GET /public/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    for _ in range(500):
        with socket.create_connection(("127.0.0.1", exchange.port)) as wire:
            # Closing resets the connection.
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            wire.sendall(head)


def test_thousands_of_connections_come_and_go(exchange: ServedExchange) -> None:
    async def story() -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(f"ws://127.0.0.1:{exchange.port}", connector=connector) as session:
            for _ in range(4):
                sockets = await asyncio.gather(*(
                    session.ws_connect(f"{SOCKETS[n % 5]}/btcusdt@bookTicker" if n % 5 != 3 else "/private/ws")
                    for n in range(500)))
                for number, wire in enumerate(sockets):
                    if number % 2:
                        await wire.close()
                    elif (response := wire._response.connection) and response.transport:
                        response.transport.abort()

    asyncio.run(story())
    until_none_is_connected(exchange)


def until_none_is_connected(exchange: ServedExchange) -> None:
    for _ in range(100):
        if exchange.health()["connections"] == 0:
            return
        threading.Event().wait(0.1)
    raise AssertionError(f"every connection must be forgotten, are {exchange.health()['connections']}")


@pytest.mark.parametrize("path", SOCKETS)
def test_a_flood_of_frames_is_answered_or_cut_off(exchange: ServedExchange, path: str) -> None:
    draw = random.Random(path)
    nested = "[" * 20_000 + "]" * 20_000

    def message() -> str:
        return draw.choice([
            "{}", "null", nested, '{"method":1}', '{"id":{},"method":"SUBSCRIBE","params":[[]]}',
            draw.randbytes(30).decode("latin-1"), '{"id":1,"method":"order.place","params":{"a":' + nested + "}}",
            json.dumps({"id": 1, "method": "SUBSCRIBE", "params": ["btcusdt@depth"] * 900}),
            json.dumps({"id": "x" * 500, "method": "y" * 5000})])

    async def flood(session: aiohttp.ClientSession, frames: int) -> None:
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            async with session.ws_connect(path) as wire:
                for number in range(frames):
                    await (wire.send_bytes(draw.randbytes(100)) if number % 7 == 0 else wire.send_str(message()))
                    if wire.closed:
                        return

    async def story() -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(f"ws://127.0.0.1:{exchange.port}", connector=connector) as session:
            await flood(session, 2_000)
            await asyncio.gather(*(flood(session, 20) for _ in range(100)))

    asyncio.run(story())


@pytest.mark.parametrize("path", SOCKETS)
def test_frames_that_are_huge_or_broken_end_the_connection_alone(exchange: ServedExchange, path: str) -> None:
    async def ended_after(data: bytes) -> bool:
        """Shake hands, send bytes as they are, and tell whether the connection was closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
            async with asyncio.timeout(20):
                while await reader.read(65536):
                    pass
        writer.close()
        return True

    async def story() -> None:
        mask = b"\0\0\0\0"
        assert await ended_after(b"\x81\xff" + (10 * MEGABYTE).to_bytes(8, "big") + mask + b"a" * (10 * MEGABYTE))
        assert await ended_after(b"\x81\xff" + b"\xff" * 8 + mask)  # longer than anything
        assert await ended_after(b"\x81\x84" + mask + b"\xff\xfe\xfd\xfc")  # no text
        assert await ended_after(b"\xf1\x81" + mask + b"a")  # bits that mean nothing
        assert await ended_after(b"\x89\xfe\x01\x00" + mask + b"a" * 256)  # a ping that is too long

    asyncio.run(story())
