"""A served exchange in the test's own process, on a free port, and clients that talk to it over real sockets."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
from pydantic import SecretStr

from backtest.exchange.serving.service import ExchangeService
from sluice.config.exchange import ExchangeSettings
from sluice.instruments import InstrumentCatalog

KEY, SECRET = "test-key", "test-secret"
TIMEOUT_S = 20.0


class World:
    """A running exchange: its service, its address, and a client session."""

    def __init__(self, service: ExchangeService, address: str, session: aiohttp.ClientSession) -> None:
        self.service = service
        self.address = address
        self.session = session

    def stream(self, path: str, **options: Any) -> Any:
        """Open a WebSocket."""
        return self.session.ws_connect(f"ws://{self.address}{path}", **options)

    async def get(self, path: str, **headers: str) -> tuple[int, Any, Any]:
        """GET a path; return status, JSON and headers."""
        async with self.session.get(f"http://{self.address}{path}", headers=headers) as answer:
            return answer.status, msgspec.json.decode(await answer.read()), answer.headers

    async def control(self, method: str, name: str, body: Any = None) -> Any:
        """Call a control endpoint."""
        data = None if body is None else msgspec.json.encode(body)
        headers = {"X-MBX-APIKEY": KEY}
        url = f"http://{self.address}/sluice/v1/{name}"
        async with self.session.request(method, url, data=data, headers=headers) as answer:
            return answer.status, msgspec.json.decode(await answer.read())

    async def signed(self, method: str, path: str, **parameters: Any) -> tuple[int, Any]:
        """Send a signed request at the exchange's own time."""
        now_ms = self.service.exchange.now_ns // 1_000_000
        query = urlencode({**parameters, "timestamp": parameters.get("timestamp", now_ms), "recvWindow": 60_000})
        signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        url = f"http://{self.address}{path}?{query}&signature={signature}"
        async with self.session.request(method, url, headers={"X-MBX-APIKEY": KEY}) as answer:
            return answer.status, msgspec.json.decode(await answer.read())

    async def listen_key(self) -> str:
        """Make a listen key."""
        url = f"http://{self.address}/fapi/v1/listenKey"
        async with self.session.post(url, headers={"X-MBX-APIKEY": KEY}) as answer:
            return str((await answer.json())["listenKey"])


@asynccontextmanager
async def served(**settings: Any) -> AsyncIterator[World]:
    """Serve an exchange with these settings on a free port."""
    section = ExchangeSettings(address="127.0.0.1:0", secrets={KEY: SecretStr(SECRET)}, **settings)
    service = ExchangeService(section, InstrumentCatalog.shipped())
    address = await service.start()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            yield World(service, address, session)
    finally:
        await service.stop()


def in_world(story: Callable[[World], Awaitable[None]], **settings: Any) -> None:
    """Run a story against a served exchange."""

    async def run() -> None:
        async with served(**settings) as world:
            await asyncio.wait_for(story(world), TIMEOUT_S)

    asyncio.run(run())


async def texts(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[Any]:
    """Return the next messages, decoded."""
    return [msgspec.json.decode(await socket.receive_str(timeout=TIMEOUT_S)) for _ in range(count)]


async def until_end(socket: aiohttp.ClientWebSocketResponse) -> list[tuple[str, str]]:
    """Read a lockstep connection to its end; return (marker, message), no message where a marker stands alone."""
    found: list[tuple[str, str]] = []
    async for message in socket:
        if message.type is aiohttp.WSMsgType.PING:
            found.append((bytes(message.data).decode(), ""))
            if found[-1][0].endswith("end"):
                break
        elif message.type is aiohttp.WSMsgType.TEXT:
            found[-1] = (found[-1][0], message.data)
    return found


def tape_folder(tmp_path: Path, minutes: float = 0.25) -> Path:
    """Make a short synthetic tape of two symbols."""
    from backtest.synthetic import make_tape

    make_tape(tmp_path / "tape", minutes=minutes, symbols=["BTCUSDT", "ETHUSDT"])
    return tmp_path / "tape"
