"""Depth snapshots over REST, as the exchange sends them: the bytes of the body and where they stand on a tape.

Requests keep to a weight budget and follow `Retry-After`. A snapshot that cannot be had is an error with its reason;
when to try again is the caller's matter.
"""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp
import msgspec

from dataflows.sources.exchange.streams import addresses
from dataflows.sources.exchange.weight_budget import WeightBudget
from sluice.config.market_source import ExchangeSourceSettings
from sluice.errors import SluiceError
from sluice.instruments import Instrument, Venue

#: Levels a side, and what such a request weighs at Binance.
LEVELS, WEIGHT = 1000, 20
REQUEST_TIMEOUT_S = 10.0
MOST_BYTES = 16 * 1024 * 1024
_PATHS = {Venue.BINANCE_USDM: "/fapi/v1/depth", Venue.BINANCE_COINM: "/dapi/v1/depth"}
_AFTER, _TIME, _LINE = "X-Sluice-After", "X-Sluice-Receive-Ns", "X-Sluice-Line"


class _Body(msgspec.Struct, gc=False):
    last_update_id: int = msgspec.field(name="lastUpdateId")


_bodies = msgspec.json.Decoder(_Body)


class NoSnapshotError(SluiceError):
    """A snapshot could not be had. `status` is HTTP's, 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Snapshot(NamedTuple):
    """A snapshot's body on one line, its update id, and its time and line on the tape of an exchange in lock-step."""

    payload: bytes
    last_update_id: int
    receive_time_ns: int = 0
    line: int = 0


class SnapshotClient:
    """Fetches snapshots. Use it as an asynchronous context manager; `now_s` is any steady clock."""

    def __init__(
        self, settings: ExchangeSourceSettings, budget: WeightBudget, *, now_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings, self._budget, self._now_s, self._sleep = settings, budget, now_s, sleep
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        assert self._session is not None
        await self._session.close()

    async def fetch(self, instrument: Instrument, after_line: int | None = None) -> Snapshot:
        """Return a snapshot of an instrument's book, once the budget allows it.

        `after_line` asks an exchange in lock-step for the latest at or before that line. Raises `NoSnapshotError`.
        """
        while (wait_s := self._budget.wait_s(WEIGHT, self._now_s())) > 0:
            await self._sleep(wait_s)
        headers = {} if after_line is None else {_AFTER: str(after_line)}
        try:
            return await self._get(instrument, headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoSnapshotError(f"{instrument.symbol}: {type(error).__name__}: {error}") from error

    async def _get(self, instrument: Instrument, headers: dict[str, str]) -> Snapshot:
        assert self._session is not None
        url = addresses(self._settings, instrument.venue).rest_url.rstrip("/") + _PATHS[instrument.venue]
        parameters = {"symbol": instrument.symbol, "limit": str(LEVELS)}
        async with self._session.get(url, params=parameters, headers=headers, allow_redirects=False) as answer:
            self._heed(answer)
            body = await _limited(answer, instrument)
            if answer.status != 200:
                raise NoSnapshotError(
                    f"{instrument.symbol}: a snapshot must be answered with 200, was {answer.status}: {body[:200]!r}",
                    answer.status)
            return _snapshot(body, answer, instrument)

    def _heed(self, answer: aiohttp.ClientResponse) -> None:
        """Take from an answer what it says of limits."""
        if used := _number(answer.headers.get("X-MBX-USED-WEIGHT-1M")):
            self._budget.correct(used, self._now_s())
        if answer.status in {418, 429}:
            self._budget.block(_number(answer.headers.get("Retry-After")) or 60, self._now_s())


async def _limited(answer: aiohttp.ClientResponse, instrument: Instrument) -> bytes:
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > MOST_BYTES:
            raise NoSnapshotError(f"{instrument.symbol}: a snapshot must be at most {MOST_BYTES} bytes, was longer")
    return bytes(body)


def _snapshot(body: bytes, answer: aiohttp.ClientResponse, instrument: Instrument) -> Snapshot:
    try:
        found = _bodies.decode(body).last_update_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoSnapshotError(f"{instrument.symbol}: a snapshot must have a lastUpdateId: {error}") from error
    one_line = body.strip().replace(b"\r", b" ").replace(b"\n", b" ")
    return Snapshot(one_line, found, _number(answer.headers.get(_TIME)), _number(answer.headers.get(_LINE)))


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 20 else 0
