"""A simulated exchange in a process of its own, started as a user starts it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice.config.market_source import CoinmAddresses, ExchangeSourceSettings, UsdmAddresses

START_TIMEOUT_S = 90.0


@dataclass
class ServedExchange:
    """A running exchange."""

    port: int
    process: "subprocess.Popen[bytes]"

    def settings(self, **changes: object) -> ExchangeSourceSettings:
        """Return the settings of a source that reads it."""
        rest, stream = f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}"
        return ExchangeSourceSettings.model_validate({
            "usdm": UsdmAddresses(rest_url=rest, stream_url=stream),
            "coinm": CoinmAddresses(rest_url=rest, stream_url=stream), "reconnect_ms": 20, **changes})

    def fault(self, **fault: object) -> None:
        """Ask for a fault."""
        self._call("POST", "/sluice/v1/faults", fault)

    def health(self) -> Any:
        """Return what it says of itself."""
        return self._call("GET", "/sluice/v1/health")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, headers={"Content-Type": "application/json"},
            data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@contextmanager
def served_exchange(tapes: Sequence[Path], *options: str, folder: Path) -> Iterator[ServedExchange]:
    """Serve tapes for as long as the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    named = [part for tape in tapes for part in ("--tape", str(tape))]
    with (folder / f"exchange-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sluice", "serve", "exchange", "--address", f"127.0.0.1:{port}", *named, *options],
            stdout=log, stderr=log, env={**os.environ, "SLUICE_RUN__DATA_DIR": str(folder / "exchange")})
    exchange = ServedExchange(port, process)
    try:
        _wait(exchange, folder)
        yield exchange
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait(exchange: ServedExchange, folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            exchange.health()
        except OSError:
            log = (folder / f"exchange-{exchange.port}.log").read_text()
            assert exchange.process.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.1)
        else:
            return
