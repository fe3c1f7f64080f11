"""The WebSocket order API: orders and cancels over one kept connection a product, answers matched by id.

The same outcomes as REST: where the connection breaks before an answer, the fate of what was asked is unknown. A
request that finds no connection and cannot make one was not sent.
"""

import asyncio
import itertools
import logging
from collections.abc import Mapping
from contextlib import suppress

import aiohttp
import msgspec

from execution.venues.binance.outcomes import Outcome, RequestFailed, Verdict, judge, require_done
from execution.venues.binance.products import Endpoint, Product
from execution.venues.binance.rest import Access, RestClient, words
from execution.venues.binance.signing import Parameters, signed_parameters
from execution.venues.binance.wire import ApiResponse, RateLimit, RetryError
from execution.venues.interface import VenueOutcomeUnknown
from sluice.clock import NS_PER_MS

_log = logging.getLogger("execution.venues.binance")
#: The headers by which REST tells the same counts.
_HEADERS = {("REQUEST_WEIGHT", "MINUTE", 1): "X-MBX-USED-WEIGHT-1M", ("ORDERS", "SECOND", 10): "X-MBX-ORDER-COUNT-10S",
            ("ORDERS", "MINUTE", 1): "X-MBX-ORDER-COUNT-1M"}
#: A larger number is a time in milliseconds.
_LATEST_SECONDS = 10**9
_NUMBERS = ("recvWindow", "timestamp")


class OrderConnection:
    """One connection; it is made when it is first needed, and again after it broke."""

    def __init__(self, session: aiohttp.ClientSession, url: str, timeout_s: float) -> None:
        self._session = session
        self._url = url
        self._timeout_s = timeout_s
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[ApiResponse]] = {}
        self._connecting = asyncio.Lock()
        self._ids = itertools.count(1)

    async def ask(self, method: str, parameters: Mapping[str, object]) -> ApiResponse:
        """Send a request and return its response. Raises `RequestFailed` or `VenueOutcomeUnknown`."""
        socket = await self._connected()
        identity = str(next(self._ids))
        answer = self._waiting[identity] = asyncio.get_running_loop().create_future()
        message = msgspec.json.encode({"id": identity, "method": method, "params": parameters}).decode()
        try:
            await socket.send_str(message)
            return await asyncio.wait_for(answer, self._timeout_s)
        except TimeoutError:
            raise VenueOutcomeUnknown("no answer in time") from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise VenueOutcomeUnknown(f"the connection broke: {type(error).__name__}") from None
        finally:
            self._waiting.pop(identity, None)

    async def close(self) -> None:
        """Close the connection; what waits for an answer is unknown."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    async def _connected(self) -> aiohttp.ClientWebSocketResponse:
        async with self._connecting:
            if self._socket is None or self._socket.closed or self._reader is None or self._reader.done():
                try:
                    self._socket = await asyncio.wait_for(
                        self._session.ws_connect(self._url, heartbeat=15.0), self._timeout_s)
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    status = error.status if isinstance(error, aiohttp.WSServerHandshakeError) else 0
                    outcome = Outcome(Verdict.NOT_CARRIED_OUT, message=f"not sent: {words(error)}", status=status)
                    raise RequestFailed(outcome) from None
                self._reader = asyncio.create_task(self._read(self._socket))
            return self._socket

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                self._take(message)
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(VenueOutcomeUnknown("the connection broke before the answer"))

    def _take(self, message: aiohttp.WSMessage) -> None:
        try:
            response = msgspec.json.decode(message.data, type=ApiResponse)
        except (msgspec.DecodeError, TypeError, UnicodeDecodeError):
            _log.warning("a response of the order API is unreadable and was left out")
            return
        waiting = self._waiting.get(str(response.id))
        if waiting is not None and not waiting.done():
            waiting.set_result(response)


class OrderApi:
    """Calls the order API for what it can do, and REST for the rest."""

    def __init__(self, connections: Mapping[Product, OrderConnection], rest: RestClient, access: Access) -> None:
        self._connections = connections
        self._rest = rest
        self._access = access

    async def call(self, product: Product, endpoint: Endpoint, parameters: Parameters,
                   sent_at_ns: int | None = None) -> bytes:
        """Return the result of a done request; see `execution.venues.binance.rest`."""
        if not endpoint.order_api:
            return await self._rest.call(product, endpoint, parameters, sent_at_ns)
        return await self._rest.with_clock_measured(
            product, lambda: self._once(product, endpoint, parameters, sent_at_ns))

    async def close(self) -> None:
        """Close every connection."""
        for connection in self._connections.values():
            await connection.close()

    async def _once(self, product: Product, endpoint: Endpoint, parameters: Parameters,
                    sent_at_ns: int | None) -> bytes:
        access = self._access
        access.pay(endpoint)
        stamped = access.stamped({**parameters, "apiKey": access.api_key}, sent_at_ns)
        signed = signed_parameters(stamped, access.signer)
        numbers = {name: int(signed[name]) for name in _NUMBERS}
        try:
            response = await self._connections[product].ask(endpoint.order_api, {**signed, **numbers})
        except RequestFailed as error:
            # A handshake that is answered by a limit or a ban is one, too.
            access.pause_after(error.outcome, {})
            raise
        access.budget.observe(_counts(response.rate_limits), access.clock.now_ns())
        done = 200 <= response.status < 300
        outcome = judge(response.status, bytes(response.result if done else response.error))
        access.pause_after(outcome, _pause_of(response, access.clock.now_ns()))
        require_done(outcome)
        return bytes(response.result)


def _pause_of(response: ApiResponse, now_ns: int) -> dict[str, str]:
    """Return the header that REST would send: the order API tells seconds, or the millisecond when a ban ends."""
    try:
        told = msgspec.json.decode(response.error, type=RetryError).data.retry_after
    except msgspec.DecodeError:
        return {}
    if told > _LATEST_SECONDS:
        told = -((now_ns // NS_PER_MS - told) // 1_000)
    return {"Retry-After": str(told)} if told > 0 else {}


def _counts(limits: list[RateLimit]) -> dict[str, str]:
    named = ((_HEADERS.get((limit.rate_limit_type, limit.interval, limit.interval_num)), limit) for limit in limits)
    return {header: str(limit.count) for header, limit in named if header}
