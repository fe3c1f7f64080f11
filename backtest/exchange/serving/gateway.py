"""The gateway of the served exchange: what happens between a request and the exchange, and before its answer goes out.

In lockstep a request that changes something first brings the market to its timestamp plus the order latency; by the
clock it waits for the latency. Faults strike here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from backtest.exchange.core.exchange import Exchange
from backtest.exchange.rest.gateway import ConnectionDropped, ExchangeAnswer, ExchangeRequest
from backtest.exchange.rest.limits import TooManyRequests
from backtest.exchange.serving.faults import AFTER, BEFORE, Fault, FaultKind, FaultPlan, error_of
from backtest.exchange.serving.snapshots import RecordedSnapshots
from backtest.metrics import FAULTS, REQUESTS
from sluice.clock import NS_PER_MS

#: Headers of lockstep: after which line a client stands, and where the snapshot that it got stands.
AFTER_HEADER: Final = "x-sluice-after"
RECEIVE_HEADER: Final = "X-Sluice-Receive-Ns"
LINE_HEADER: Final = "X-Sluice-Line"

#: Brings the exchange to a time, or waits until it is there.
Reach = Callable[[int | None], Awaitable[None]]


class ServedGateway:
    """Implements the gateway that REST and the order API ask.

    `reach` is given a request's timestamp (milliseconds; None where it has none) before a change. `time_ms` is the
    exchange's time, which faults may put wrong. `snapshots` are given in lockstep only.
    """

    def __init__(
        self, exchange: Exchange, time_ms: Callable[[], int], reach: Reach, faults: FaultPlan,
        snapshots: RecordedSnapshots | None = None, flush: Callable[[], None] | None = None,
    ) -> None:
        self._exchange = exchange
        self._time_ms = time_ms
        self._reach = reach
        self._faults = faults
        self._snapshots = snapshots
        self._flush = flush

    @property
    def exchange(self) -> Exchange:
        """The exchange that requests act on."""
        return self._exchange

    def now_ms(self) -> int:
        """Return the exchange's time in milliseconds, as it tells it."""
        return self._time_ms() + self._faults.clock_offset_ms()

    async def before(self, request: ExchangeRequest) -> ExchangeAnswer | None:
        """Let faults strike and time pass; answer a snapshot of the book from the tape where the client says when."""
        fault = self._fault(BEFORE, request)
        if fault is not None:
            await self._strike(fault, request)
        if request.changes_state:
            await self._reach(request.timestamp_ms)
        elif self._snapshots is not None and request.operation == "GET depth":
            return await self._recorded_depth(self._snapshots, request)
        return None

    async def after(self, request: ExchangeRequest, answer: ExchangeAnswer) -> ExchangeAnswer:
        """Return the answer, unless a fault spoils it."""
        if self._flush is not None:
            self._flush()
        REQUESTS.labels(operation=request.operation, outcome="ok" if answer.status < 400 else "refused").inc()
        fault = self._fault(AFTER, request)
        if fault is not None:
            await self._strike(fault, request)
        return answer

    def _fault(self, kinds: frozenset[FaultKind], request: ExchangeRequest) -> Fault | None:
        if _is_exempt(request):
            kinds -= {FaultKind.THROTTLED}
        symbol = request.parameters.get("symbol", "")
        return self._faults.take(kinds, operation=request.operation, symbol=symbol, account=request.account)

    async def _strike(self, fault: Fault, request: ExchangeRequest) -> None:
        FAULTS.inc()
        if fault.kind in (FaultKind.DROP, FaultKind.DROP_ANSWER):
            raise ConnectionDropped
        if fault.kind in (FaultKind.TOO_MANY_REQUESTS, FaultKind.BANNED):
            error = error_of(fault, self.now_ms())
            raise TooManyRequests(error.code, error.message, error.status, max(1, fault.milliseconds // 1000))
        await asyncio.sleep(max(0, fault.milliseconds) / 1000)
        if fault.kind not in (FaultKind.DELAY, FaultKind.DELAY_ANSWER):
            REQUESTS.labels(operation=request.operation, outcome="fault").inc()
            raise error_of(fault, self.now_ms())

    async def _recorded_depth(self, snapshots: RecordedSnapshots, request: ExchangeRequest) -> ExchangeAnswer | None:
        after = request.headers.get(AFTER_HEADER, "0")
        line = int(after) if after.isdecimal() and len(after) <= 18 else 0
        found = await asyncio.to_thread(snapshots.find, request.parameters.get("symbol", "").upper(), line)
        if found is None:
            return None
        headers = {RECEIVE_HEADER: str(found.receive_time_ns), LINE_HEADER: str(found.line)}
        return ExchangeAnswer(msgspec.Raw(found.payload), headers=headers)


def _is_exempt(request: ExchangeRequest) -> bool:
    """Tell whether the venue's protection lets a request pass that reduces risk."""
    asked = request.parameters
    return request.operation.startswith("DELETE") or "true" in (
        asked.get("reduceOnly", "").lower(), asked.get("closePosition", "").lower())


def arrival_ns(timestamp_ms: int, latency_ms: int) -> int:
    """Return when a request that was sent at a millisecond arrives at the matching."""
    return (timestamp_ms + latency_ms) * NS_PER_MS
