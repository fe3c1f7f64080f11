"""Public requests over REST, all paid for out of one budget of request weight, with `Retry-After` followed.

An answer that cannot be had is an error with its reason; when to try again is the caller's matter. What an answer means
is not looked at here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp

from dataflows.sources.exchange.streams import addresses
from dataflows.sources.exchange.weight_budget import WeightBudget
from sluice.config.market_source import ExchangeSourceSettings
from sluice.errors import SluiceError
from sluice.instruments import Instrument, Venue

REQUEST_TIMEOUT_S = 10.0
MOST_BYTES = 16 * 1024 * 1024
_PATHS = {Venue.BINANCE_USDM: "/fapi/v1/", Venue.BINANCE_COINM: "/dapi/v1/"}
_TIME, _LINE = "X-Sluice-Receive-Ns", "X-Sluice-Line"


class NoAnswerError(SluiceError):
    """An answer could not be had, or was none that can be used. `status` is HTTP's, 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Answer(NamedTuple):
    """An answer's body on one line, and its time and line on the tape of an exchange in lock-step; 0 elsewhere."""

    payload: bytes
    receive_time_ns: int = 0
    line: int = 0


class Request(NamedTuple):
    """A request about an instrument: the endpoint, such as `depth`, what it weighs, and what else it says.

    `share` is the part of the budget beyond which the request waits, so that others are left the rest.
    """

    endpoint: str
    weight: int
    share: float = 1.0
    parameters: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}


class RestClient:
    """Asks an exchange. Use it as an asynchronous context manager; `now_s` is any steady clock."""

    def __init__(
        self, settings: ExchangeSourceSettings, budget: WeightBudget, *, now_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> None:
        self._settings, self._budget, self._now_s, self._sleep = settings, budget, now_s, sleep
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout_s))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        assert self._session is not None
        await self._session.close()

    async def get(self, instrument: Instrument, request: Request) -> Answer:
        """Return the answer to a request, once the budget allows it. Raises `NoAnswerError`."""
        while (wait_s := self._budget.wait_s(request.weight, self._now_s(), share=request.share)) > 0:
            await self._sleep(wait_s)
        try:
            return await self._get(instrument, request)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            raise NoAnswerError(f"{instrument.symbol}: {request.endpoint} was not answered: {reason}") from error

    async def _get(self, instrument: Instrument, request: Request) -> Answer:
        assert self._session is not None
        base = addresses(self._settings, instrument.venue).rest_url.rstrip("/")
        async with self._session.get(
            base + _PATHS[instrument.venue] + request.endpoint,
            params={"symbol": instrument.symbol, **request.parameters}, headers=request.headers, allow_redirects=False,
        ) as answer:
            self._heed(answer)
            body = await _limited(answer, f"{instrument.symbol}: {request.endpoint}")
            if answer.status != 200:
                raise NoAnswerError(
                    f"{instrument.symbol}: {request.endpoint} must be answered with 200, was {answer.status}: "
                    f"{body[:200]!r}", answer.status)
            one_line = body.strip().replace(b"\r", b" ").replace(b"\n", b" ")
            return Answer(one_line, _number(answer.headers.get(_TIME)), _number(answer.headers.get(_LINE)))

    def _heed(self, answer: aiohttp.ClientResponse) -> None:
        """Take from an answer what it says of limits."""
        if used := _number(answer.headers.get("X-MBX-USED-WEIGHT-1M")):
            self._budget.correct(used, self._now_s())
        if answer.status in {418, 429}:
            self._budget.block(_number(answer.headers.get("Retry-After")) or 60, self._now_s())


async def _limited(answer: aiohttp.ClientResponse, what: str) -> bytes:
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > MOST_BYTES:
            raise NoAnswerError(f"{what} must be at most {MOST_BYTES} bytes, was longer")
    return bytes(body)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 20 else 0
