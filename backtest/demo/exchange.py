"""The simulated exchange of a demo: a process like the others, which flow and execution reach by sockets alone.

It serves the demo's tape in lock-step, so that a run over real sockets gives the same result each time, and the same as
one without them.
"""

import http.client
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from backtest.demo.world import free_address
from sluice.config import Settings
from sluice.config.binance import BinanceAddresses
from sluice.config.exchange import ExchangeSettings
from sluice.config.market_source import CoinmAddresses, UsdmAddresses
from sluice.instruments import InstrumentCatalog
from sluice.processes import own_process
from sluice.supervisor import ProcessSpec

EXCHANGE = "exchange"
_KEY = "demo"
_TIMEOUT_S = 2.0
#: An exchange that compiles its kernels, or was killed and plays its tape again, is waited for.
_REQUEST_TIMEOUT_MS = 120_000
#: What a tape may hold; the exchange sends those of these that it does.
_STREAMS = ("depth@100ms", "bookTicker", "trade", "aggTrade", "markPrice@1s", "forceOrder", "kline_1m")


def with_exchange(settings: Settings, traded: InstrumentCatalog) -> Settings:
    """Return the settings of a demo whose market and orders go through an exchange on this machine, in lock-step."""
    address = free_address(settings.exchange.address)
    secret = SecretStr(secrets.token_hex(32))
    simulated = settings.execution.simulated
    # What the venue without sockets cannot be told stays as it is there, so that both give the same.
    exchange = ExchangeSettings().model_copy(update={
        "address": address, "tapes": settings.source.tapes, "pace": "lockstep", "time": "recorded", "at_end": "stay",
        "order_latency_ms": simulated.order_latency_ms, "maker_fee_bps": simulated.maker_fee_bps,
        "taker_fee_bps": simulated.taker_fee_bps, "balances": settings.account.balances,
        "secrets": {_KEY: secret}, "accounts": {_KEY: settings.account.name}, "public_keys": {}, "read_only_keys": (),
        "journal": settings.run.data_dir / "run" / "exchange.journal"})
    binance = settings.binance.model_copy(update={
        "usdm": _order_addresses(address, "ws-fapi"), "coinm": _order_addresses(address, "ws-dapi"),
        "api_key": SecretStr(_KEY), "api_secret": secret, "ed25519_key_file": None,
        "request_timeout_ms": _REQUEST_TIMEOUT_MS})
    rest_url, stream_url = f"http://{address}", f"ws://{address}"
    feed = settings.source.exchange.model_copy(update={
        "clock": "lockstep", "streams": _STREAMS,
        "usdm": UsdmAddresses(rest_url=rest_url, stream_url=stream_url),
        "coinm": CoinmAddresses(rest_url=rest_url, stream_url=stream_url)})
    source = settings.source.model_copy(update={
        "kind": "exchange", "exchange": feed, "instruments": tuple(instrument.key for instrument in traded)})
    execution = settings.execution.model_copy(update={"venue": "lockstep"})
    return settings.model_copy(update={
        "exchange": exchange, "binance": binance, "source": source, "execution": execution})


def exchange_spec(settings: Settings, config: Path) -> ProcessSpec:
    """Return how to start the exchange with a written configuration."""
    address = settings.exchange.address
    return own_process(settings, EXCHANGE, "serve", EXCHANGE, config=config, serving=lambda: is_open(address))


def is_open(address: str) -> bool:
    """Tell whether an exchange answers at an address."""
    try:
        return bool(_health(address))
    except (OSError, http.client.HTTPException, ValueError):
        return False


def with_left_out(statistics: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the flow's statistics with the lines of the tape that the exchange had no stream for."""
    left_out = _health(settings.exchange.address)["left_out"]
    by_reason = Counter(left_out["by_reason"]) + Counter(statistics["dead_letters_by_reason"])
    return {**statistics, "frames": statistics["frames"] + left_out["lines"], "dead_letters": by_reason.total(),
            "dead_letters_by_reason": dict(by_reason)}


def _health(address: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/sluice/v1/health")
        answer = connection.getresponse()
        found: dict[str, Any] = json.loads(answer.read()) if answer.status == http.client.OK else {}
        return found
    finally:
        connection.close()


def _order_addresses(address: str, order_api: str) -> BinanceAddresses:
    return BinanceAddresses(
        rest_url=f"http://{address}", stream_url=f"ws://{address}", order_api_url=f"ws://{address}/{order_api}/v1")
