"""A served exchange: a real server on a free port over a small market of both products, and clients that sign."""

import asyncio
import hashlib
import hmac
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backtest.exchange.core.domain import OrderTicket, Product
from backtest.exchange.core.exchange import Exchange
from backtest.exchange.core.listings import listings_of
from backtest.exchange.rest.application import exchange_application
from backtest.exchange.rest.gateway import DirectGateway
from backtest.exchange.rest.keys import ApiKey, KeyRing, Permission
from backtest.exchange.rest.limits import Limits
from backtest.exchange.rest.listen_keys import ListenKeys
from backtest.exchange.rest.signatures import HmacVerifier, PublicKeyVerifier
from dataflows.tapes.frames import Frame
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderType, Side

#: Compiled code may be new to a machine.
TIMEOUT_S = 200
START_NS = 1_767_571_200_000_000_000
KEY, READ_KEY, ED_KEY, SECRET = "A" * 64, "R" * 64, "E" * 64, "secret"
ED_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SYMBOLS = {"BTCUSDT": ("BTCUSDT", Decimal("0.001")), "BTCUSD_PERP": ("BTCUSD", Decimal(1))}


def market_frames() -> Iterator[Frame]:
    """Yield a little market: a book of 20 levels a side around 50,000, a mark price, and trades."""
    sequence = count(1)
    for symbol, (pair, lot) in SYMBOLS.items():
        def frame(after_ms: int, kind: str, body: dict[str, Any], symbol: str = symbol) -> Frame:
            time_ns = START_NS + after_ms * 1_000_000
            if kind:
                body = {"stream": f"{symbol.lower()}@{kind}", "data": body}
            return Frame(next(sequence), time_ns, json.dumps(body, separators=(",", ":")).encode(), symbol)

        start_ms = START_NS // 1_000_000
        bids = [[f"{50_000 - 0.1 * n:.1f}", str(lot * 1000)] for n in range(1, 21)]
        asks = [[f"{50_000 + 0.1 * n:.1f}", str(lot * 1000)] for n in range(20)]
        yield frame(1, "", {"lastUpdateId": 100, "E": start_ms, "T": start_ms, "symbol": symbol, "pair": pair,
                            "bids": bids, "asks": asks})
        yield frame(2, "depth@0ms", {
            "e": "depthUpdate", "E": start_ms + 1, "T": start_ms + 1, "s": symbol, "U": 90, "u": 110, "pu": 89,
            "b": [[bids[0][0], str(lot * 900)]], "a": []})
        yield frame(3, "markPrice", {
            "e": "markPriceUpdate", "E": start_ms + 2, "s": symbol, "p": "50000.00000000", "i": "49999.00000000",
            "P": "50000.5", "r": "0.00010000", "T": start_ms + 8 * 3_600_000})
        for number in range(3):
            yield frame(4 + number, "trade", {
                "e": "trade", "E": start_ms + 4 + number, "T": start_ms + 4 + number, "s": symbol, "t": 1000 + number,
                "p": "50000.0", "q": str(lot * 2), "X": "MARKET", "m": False})


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class Served:
    """A running server with its exchange; requests are real ones over TCP."""

    def __init__(self, port: int, exchange: Exchange, call: Callable[[Callable[[], Any]], Any]) -> None:
        self.port, self.exchange, self.in_loop = port, exchange, call

    def now_ms(self) -> int:
        return self.exchange.now_ns // 1_000_000

    def raw(self, method: str, path: str, body: str | bytes = "", headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body or None, headers or {})
            found = connection.getresponse()
            text = found.read()
        finally:
            connection.close()
        parsed = json.loads(text) if found.headers.get_content_type() == "application/json" else text.decode()
        return Answer(found.status, parsed, dict(found.headers))

    def get(self, path: str, /, **parameters: Any) -> Answer:
        return self.raw("GET", f"{path}?{urlencode(parameters)}" if parameters else path)

    def signed(self, method: str, path: str, /, **parameters: Any) -> Answer:
        return self.signed_by(KEY, method, path, parameters)

    def signed_by(self, key: str, method: str, path: str, parameters: Mapping[str, Any], *, secret: str = SECRET,
                  in_body: bool = False) -> Answer:
        sent = urlencode({"timestamp": self.now_ms(), **parameters})
        sent += "&signature=" + hmac.new(secret.encode(), sent.encode(), hashlib.sha256).hexdigest()
        if in_body:
            return self.raw(method, path, sent, {
                "X-MBX-APIKEY": key, "Content-Type": "application/x-www-form-urlencoded"})
        return self.raw(method, f"{path}?{sent}", headers={"X-MBX-APIKEY": key})

    def keyed(self, method: str, path: str) -> Answer:
        return self.raw(method, path, headers={"X-MBX-APIKEY": KEY})


def new_exchange() -> Exchange:
    """Return an exchange that has played the little market, with one funded account."""
    catalog = InstrumentCatalog.shipped()
    chosen = [instrument for instrument in catalog if instrument.symbol in SYMBOLS]
    exchange = Exchange(listings_of(chosen))
    exchange.advance_to(START_NS)
    exchange.open_account("alice", {
        Product.USDM: {"USDT": Decimal(100_000)}, Product.COINM: {"BTC": Decimal(10)}})
    for frame in market_frames():
        exchange.on_frame(frame)
    return exchange


@cache
def compile_matching() -> None:
    """Trade once on an exchange of its own: the first order of a process may have to compile what matches it."""
    exchange = new_exchange()
    for symbol, (_, lot) in SYMBOLS.items():
        for side in Side:
            exchange.place("alice", OrderTicket(symbol, side, OrderType.MARKET, lot * 10))


def key_ring() -> KeyRing:
    """Return one account's keys: HMAC, HMAC that may only read, and Ed25519."""
    pem = ED_PRIVATE.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return KeyRing([
        ApiKey(KEY, "alice", HmacVerifier(SECRET)),
        ApiKey(READ_KEY, "alice", HmacVerifier(SECRET), frozenset({Permission.READ})),
        ApiKey(ED_KEY, "alice", PublicKeyVerifier.from_pem(pem))])


#: Starts a server: limits and a gateway may be given.
Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a function that starts a server; all are stopped at the end of the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runners: list[web.AppRunner] = []

    def in_loop(make: Callable[[], Any]) -> Any:
        async def run() -> Any:
            found = make()
            return await found if asyncio.iscoroutine(found) else found
        return asyncio.run_coroutine_threadsafe(run(), loop).result(TIMEOUT_S)

    def start(limits: Limits | None = None, gateway_of: Callable[[Exchange], Any] = DirectGateway) -> Served:
        compile_matching()
        exchange, numbers = new_exchange(), count(1)

        async def run() -> int:
            keys = ListenKeys(lambda: f"listenkey{next(numbers):055d}")
            application = exchange_application(gateway_of(exchange), key_ring(), keys, limits)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            runners.append(runner)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            return int(runner.addresses[0][1])

        return Served(in_loop(run), exchange, in_loop)

    yield start
    for runner in runners:
        in_loop(runner.cleanup)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def exchange_server(serve: Serve) -> Served:
    """Give a server with the venue's own limits."""
    return serve()
