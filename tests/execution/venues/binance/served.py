"""A real `sluice serve exchange` in a process of its own, with a market made up as it runs, and its control door."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from execution.venues.binance.signing import HmacSigner, signed_query

KEY, SECRET = "sluice-simulated-key", "sluice-simulated-secret"
_START_S = 60.0


@dataclass
class ServedExchange:
    """The process and where it listens."""

    process: "subprocess.Popen[bytes]"
    address: str

    def place(self, product: str = "fapi") -> dict[str, str]:
        """Return its addresses as the configuration of a product has them."""
        return {"rest_url": f"http://{self.address}", "stream_url": f"ws://{self.address}",
                "order_api_url": f"ws://{self.address}/ws-{product}/v1"}

    def control(self, method: str, name: str, body: object = None) -> Any:
        """Call a control endpoint."""
        return self._call(method, f"/sluice/v1/{name}", body)

    def fault(self, kind: str, **fields: object) -> None:
        """Let something go wrong."""
        self.control("POST", "faults", {"kind": kind, **fields})

    def best(self, symbol: str = "BTCUSDT", product: str = "fapi") -> tuple[Decimal, Decimal]:
        """Return the best bid and ask."""
        book = self._call("GET", f"/{product}/v1/depth?symbol={symbol}&limit=5")
        return Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])

    def signed(self, method: str, path: str, **parameters: str) -> Any:
        """Call an endpoint as a client of the exchange's own, beside the venue."""
        # By its own clock: on a busy machine its market may be behind the machine's.
        stamped = {**parameters, "timestamp": str(self._call("GET", "/fapi/v1/time")["serverTime"])}
        return self._call(method, f"{path}?{signed_query(stamped, HmacSigner(SECRET))}")

    def trade(self, side: str, quantity: str, symbol: str = "BTCUSDT", product: str = "fapi") -> None:
        """Trade at the market, as somebody else with the same key would."""
        self.signed("POST", f"/{product}/v1/order", symbol=symbol, side=side, type="MARKET", quantity=quantity)

    def flatten(self) -> None:
        """Cancel every order in BTCUSDT and close every position of USD-M."""
        self.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        for _ in range(20):
            held = [row for row in self.signed("GET", "/fapi/v2/positionRisk") if Decimal(row["positionAmt"])]
            if not held:
                return
            for row in held:
                amount = Decimal(row["positionAmt"])
                self.trade("SELL" if amount > 0 else "BUY", str(abs(amount)), row["symbol"])
            time.sleep(0.1)
        raise AssertionError(f"the account must be flat, held {held}")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"http://{self.address}{path}", data=data, method=method,
                          headers={"X-MBX-APIKEY": KEY, "Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            raise AssertionError(f"{path.split('?', maxsplit=1)[0]}: {error.read()!r}") from error


@contextmanager
def a_served_exchange(folder: Path, **environ: str) -> Iterator[ServedExchange]:
    """Start one on a free port, wait for its market, and stop it in the end."""
    log = folder / "exchange.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sluice", "serve", "exchange", "--synthetic", "--address", "127.0.0.1:0", "--json"],
            stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environ})
    try:
        exchange = ServedExchange(process, _address(process, log))
        _wait_for_market(exchange)
        _warm(exchange)
        yield exchange
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _warm(exchange: ServedExchange) -> None:
    """Trade once there and back: on a busy machine the first trade waits for compiled code."""
    for side in ("BUY", "SELL"):
        exchange.signed("POST", "/fapi/v1/order", symbol="BTCUSDT", side=side, type="MARKET", quantity="0.010")
        time.sleep(0.1)
    exchange.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        text = log.read_text()
        if '"rest": "http://' in text:
            return text.split('"rest": "http://')[1].split('"')[0]
        assert process.poll() is None, text
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def _wait_for_market(exchange: ServedExchange) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        with suppress(OSError, IndexError):
            exchange.best()
            return
        time.sleep(0.05)
    raise AssertionError("the market must have a book, had none")
