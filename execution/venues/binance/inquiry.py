"""Questions about orders: what became of one, from the exchange's own records, and never by a guess.

An order that the exchange does not know is only then certainly not there when it is asked for a second time after the
request could no longer be accepted (its time of sending and the window of reception have passed), and when no trade
since then belongs to it. Anything that cannot be asked raises `VenueOutcomeUnknown`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from execution.venues.binance.outcomes import NO_SUCH_ORDER, RequestFailed
from execution.venues.binance.products import ACCOUNT_TRADES, QUERY_ORDER, Endpoint, product_of
from execution.venues.binance.rest import Access, Caller
from execution.venues.binance.signing import Parameters
from execution.venues.binance.translation import is_final, whole_life
from execution.venues.binance.wire import OrderAnswer, TradeRow, read
from execution.venues.interface import VenueEvent, VenueOutcomeUnknown
from sluice.clock import NS_PER_MS
from sluice.decimals import ZERO
from sluice.instruments import Instrument

Sleep = Callable[[float], Awaitable[None]]
_PAGE: Final = 1_000
#: Between the two questions at least, and beyond the last moment at which the request could have been accepted.
_BETWEEN_S: Final = 2.0
_MARGIN_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an order."""

    events: list[VenueEvent]
    order: OrderAnswer

    @property
    def rests(self) -> bool:
        """Tell whether it can still be filled."""
        return not is_final(self.order.status)


class Inquiry:
    """Asks about orders."""

    def __init__(self, caller: Caller, access: Access, sleep: Sleep) -> None:
        self._caller = caller
        self._access = access
        self._sleep = sleep

    async def fate(self, client_order_id: str, instrument: Instrument) -> Fate | None:
        """Return what the exchange tells about an order, None where it tells that it does not know it."""
        order = await self._order(instrument, {"origClientOrderId": client_order_id})
        if order is None:
            return None
        if order.client_order_id != client_order_id:
            raise VenueOutcomeUnknown(f"the answer must be about {client_order_id}, was {order.client_order_id}")
        trades = await self._trades(instrument, order) if order.executed_qty > ZERO else []
        return Fate(whole_life(order, trades), order)

    async def certain_fate(self, client_order_id: str, instrument: Instrument, sent_at_ns: int) -> Fate | None:
        """Return what became of an order; None where the exchange certainly does not have it."""
        found = await self.fate(client_order_id, instrument)
        if found is not None:
            return found
        too_late_ns = sent_at_ns + self._access.recv_window_ms * NS_PER_MS + _MARGIN_NS
        await self._sleep(max(_BETWEEN_S, (too_late_ns - self._access.clock.local_ns()) / 1e9))
        found = await self.fate(client_order_id, instrument)
        if found is None and await self._has_traded(client_order_id, instrument, sent_at_ns):
            raise VenueOutcomeUnknown(f"the exchange must know {client_order_id}, which has traded, and does not")
        return found

    async def _has_traded(self, client_order_id: str, instrument: Instrument, sent_at_ns: int) -> bool:
        since_ms = self._access.clock.timestamp_ms(sent_at_ns) - 1_000
        rows = await self._rows(instrument, {"startTime": str(since_ms), "limit": str(_PAGE)})
        if len(rows) >= _PAGE:
            raise VenueOutcomeUnknown("too many trades since the order was sent to tell whose they are")
        for order_id in {row.order_id for row in rows}:
            order = await self._order(instrument, {"orderId": str(order_id)})
            if order is not None and order.client_order_id == client_order_id:
                return True
        return False

    async def _trades(self, instrument: Instrument, order: OrderAnswer) -> list[TradeRow]:
        found: dict[int, TradeRow] = {}
        parameters = {"orderId": str(order.order_id), "limit": str(_PAGE)}
        while True:
            rows = await self._rows(instrument, parameters)
            found |= {row.id: row for row in rows if row.order_id == order.order_id}
            if sum((row.qty for row in found.values()), ZERO) >= order.executed_qty:
                return list(found.values())
            if len(rows) < _PAGE:
                raise VenueOutcomeUnknown(f"the trades of {order.client_order_id} must add up to {order.executed_qty}")
            # A page by order cannot be continued: from here on all trades are read, and those of others left out.
            parameters = {"fromId": str(max(row.id for row in rows) + 1), "limit": str(_PAGE)}

    async def _rows(self, instrument: Instrument, parameters: Parameters) -> list[TradeRow]:
        body = await self._ask(instrument, ACCOUNT_TRADES, parameters)
        return read(body, list[TradeRow])

    async def _order(self, instrument: Instrument, parameters: Parameters) -> OrderAnswer | None:
        try:
            body = await self._ask(instrument, QUERY_ORDER, parameters)
        except RequestFailed as error:
            if error.outcome.code in NO_SUCH_ORDER:
                return None
            raise VenueOutcomeUnknown(error.outcome.text) from None
        return read(body, OrderAnswer)

    async def _ask(self, instrument: Instrument, endpoint: Endpoint, parameters: Parameters) -> bytes:
        try:
            return await self._caller.call(
                product_of(instrument), endpoint, {"symbol": instrument.symbol, **parameters})
        except RequestFailed as error:
            if endpoint is QUERY_ORDER:
                raise
            raise VenueOutcomeUnknown(error.outcome.text) from None
