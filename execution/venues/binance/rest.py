"""The REST client: one request, one outcome. It keeps connections, pays for requests, stamps and signs them.

`call` returns the body of a done request, or raises `RequestFailed` (it certainly was not carried out) or
`VenueOutcomeUnknown` (it may have been). A request is repeated only where the exchange refused its timestamp.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp
from yarl import URL

from execution.venues.binance.budget import Budget, BudgetExhausted
from execution.venues.binance.outcomes import (
    TIMESTAMP_REFUSED,
    TOO_MANY_ORDERS,
    Outcome,
    RequestFailed,
    Verdict,
    judge,
    require_done,
)
from execution.venues.binance.products import SERVER_TIME, Endpoint, Product, Security
from execution.venues.binance.server_clock import ServerClock
from execution.venues.binance.signing import Parameters, RequestSigner, query_of, signed_query
from execution.venues.binance.wire import ServerTime, read
from execution.venues.interface import VenueOutcomeUnknown

KEY_HEADER: Final = "X-MBX-APIKEY"
_SECOND_NS: Final = 1_000_000_000
#: How long to pause where the exchange names no time; a ban lasts two minutes at least.
_LIMITED: Final = 429
_PAUSES_S: Final = {_LIMITED: 10, 418: 120}
_LONGEST_PAUSE_S: Final = 3 * 86_400
#: Kept well below the minute after which the exchange's gateway drops an idle connection.
_KEEP_ALIVE_S: Final = 30.0


class Caller(Protocol):
    """Carries out a request; see the module."""

    async def call(self, product: Product, endpoint: Endpoint, parameters: Parameters,
                   sent_at_ns: int | None = None) -> bytes:
        """Return the body of a done request. `sent_at_ns`: our time to stamp it with, now where it is None."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """What every client of an account shares: its key, its limits, and the exchange's clock."""

    api_key: str
    signer: RequestSigner
    budget: Budget
    clock: ServerClock
    recv_window_ms: int
    timeout_s: float
    synchronise_clock: bool

    def pay(self, endpoint: Endpoint) -> None:
        """Count a request. Raises `RequestFailed` where it must not be sent."""
        try:
            self.budget.pay(endpoint, self.clock.now_ns())
        except BudgetExhausted as error:
            raise RequestFailed(Outcome(Verdict.NOT_CARRIED_OUT, message=str(error))) from None

    def stamped(self, parameters: Parameters, sent_at_ns: int | None) -> dict[str, str]:
        """Return parameters with time and patience."""
        sent_at_ns = self.clock.local_ns() if sent_at_ns is None else sent_at_ns
        return {**parameters, "recvWindow": str(self.recv_window_ms),
                "timestamp": str(self.clock.timestamp_ms(sent_at_ns))}

    def pause_after(self, outcome: Outcome, headers: Mapping[str, str]) -> None:
        """Send nothing for as long as an answer asks for; no orders alone, where only orders are too many."""
        if outcome.status in _PAUSES_S:
            told = headers.get("Retry-After", "")
            seconds = int(told) if told.isascii() and told.isdigit() and len(told) < 10 else _PAUSES_S[outcome.status]
            orders_only = outcome.status == _LIMITED and outcome.code in TOO_MANY_ORDERS
            until_ns = self.clock.now_ns() + min(seconds, _LONGEST_PAUSE_S) * _SECOND_NS
            self.budget.block(until_ns, orders_only=orders_only)


def new_session(timeout_s: float) -> aiohttp.ClientSession:
    """Return a session that keeps connections."""
    connector = aiohttp.TCPConnector(keepalive_timeout=_KEEP_ALIVE_S)
    session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=timeout_s))
    # A cancel that is repeated behind our back is refused the second time, and the first one's success is lost.
    session._retry_connection = False  # noqa: SLF001  # aiohttp has no public switch for it
    return session


class RestClient:
    """Calls the REST interface of both products."""

    def __init__(self, session: aiohttp.ClientSession, base_urls: Mapping[Product, str], access: Access) -> None:
        self._session = session
        self._base_urls = base_urls
        self._access = access

    async def call(self, product: Product, endpoint: Endpoint, parameters: Parameters,
                   sent_at_ns: int | None = None) -> bytes:
        """Return the body of a done request; see the module."""
        return await self.with_clock_measured(
            product, lambda: self._once(product, endpoint, parameters, sent_at_ns))

    async def with_clock_measured(self, product: Product, request: Callable[[], Awaitable[bytes]]) -> bytes:
        """Make a request; where the exchange refuses its timestamp, compare the clocks anew and make it once more."""
        try:
            return await request()
        except RequestFailed as error:
            if error.outcome.code not in TIMESTAMP_REFUSED or not self._access.synchronise_clock:
                raise
            self._access.clock.forget()
            await self.measure_clock(product)
        return await request()

    async def measure_clock(self, product: Product, samples: int = 1) -> None:
        """Compare the exchange's clock with ours. Raises as `call`."""
        clock = self._access.clock
        for _ in range(samples):
            asked_ns = clock.local_ns()
            body = await self._once(product, SERVER_TIME, {}, None)
            clock.sample(asked_ns, read(body, ServerTime).server_time, clock.local_ns())

    async def _once(self, product: Product, endpoint: Endpoint, parameters: Parameters,
                    sent_at_ns: int | None) -> bytes:
        access = self._access
        access.pay(endpoint)
        url = self._url(product, endpoint, parameters, sent_at_ns)
        headers = {} if endpoint.security is Security.PUBLIC else {KEY_HEADER: access.api_key}
        status, body, told = await self._exchange(endpoint.method, url, headers)
        access.budget.observe(told, access.clock.now_ns())
        outcome = judge(status, body)
        access.pause_after(outcome, told)
        require_done(outcome)
        return body

    def _url(self, product: Product, endpoint: Endpoint, parameters: Parameters, sent_at_ns: int | None) -> URL:
        if endpoint.security is Security.SIGNED:
            query = signed_query(self._access.stamped(parameters, sent_at_ns), self._access.signer)
        else:
            query = query_of(parameters)
        base = endpoint.url(self._base_urls[product], product)
        return URL(f"{base}?{query}" if query else base, encoded=True)

    async def _exchange(self, method: str, url: URL,
                        headers: Mapping[str, str]) -> tuple[int, bytes, Mapping[str, str]]:
        try:
            async with self._session.request(method, url, headers=headers, allow_redirects=False) as answer:
                return answer.status, await answer.read(), answer.headers
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise RequestFailed(Outcome(Verdict.NOT_CARRIED_OUT, message=f"not sent: {words(error)}")) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise VenueOutcomeUnknown(words(error)) from None


def words(error: BaseException) -> str:
    """Return what went wrong without the address, which holds a signature or a user stream's key."""
    if isinstance(error, (VenueOutcomeUnknown, RequestFailed)):
        return str(error)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"HTTP {error.status}"
    return f"{type(error).__name__}: {error.strerror}" if isinstance(error, OSError) else type(error).__name__
