"""The reference of the matching kernels in plain decimals: one instrument, orders against a displayed book.

See `backtest.matching` for the assumptions. Every call answers with the venue events that it caused, in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from execution.domain import OrderRequest
from execution.venues.interface import VenueEvent, VenueEventKind, VenueFill
from sluice.decimals import ZERO, truncate_to_step
from sluice.instruments import Instrument
from sluice.orders import OrderType, SelfTradePrevention, Side, TimeInForce
from sluice.positions import Position, trade_fee
from tests.backtest.matching.reference import rules
from tests.backtest.matching.reference.liquidity import DisplayedBook, Liquidity, Touched
from tests.backtest.matching.reference.orders import RestingOrders, WorkingOrder

_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fees as fractions of a trade's value: 0.0002 is 2 basis points."""

    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """A recorded trade. `aggressor` took the liquidity; `transaction_time` is the venue's, in its own unit."""

    price: Decimal
    quantity: Decimal
    aggressor: Side
    transaction_time: int


def opposite(side: Side) -> Side:
    """Return the other side."""
    return Side.SELL if side is Side.BUY else Side.BUY


class MatchingEngine:
    """Our orders in one instrument at the simulated venue. Times are event times in nanoseconds and never go back."""

    def __init__(self, instrument: Instrument, book: DisplayedBook, fees: FeeRates) -> None:
        self.position = Position(instrument)
        self._instrument = instrument
        self._book = book
        self._fees = fees
        self._liquidity = Liquidity(book)
        self._resting = RestingOrders()
        self._mark_price: Decimal | None = None
        self._venue_time = 0
        self._orders = 0
        self._trades = 0

    # Orders

    def submit(self, request: OrderRequest, now_ns: int) -> list[VenueEvent]:
        """Take an order that arrives now: ACCEPTED with what follows at once, or REJECTED with the venue's words."""
        if reason := self._refuse(request, now_ns):
            return [self._event(VenueEventKind.REJECTED, request, now_ns, message=reason)]
        self._orders += 1
        order = WorkingOrder(request, str(self._orders), request.quantity, self._venue_time)
        events = [self._event(VenueEventKind.ACCEPTED, request, now_ns, order.venue_order_id)]
        events += self._take(order, now_ns)
        if order.remaining:
            events += self._rest_or_expire(order, now_ns)
        return events + self._expire_idle_reducers(now_ns)

    def cancel(self, client_order_id: str, now_ns: int) -> list[VenueEvent]:
        """Cancel a resting order, or say that there is none of that id."""
        if (order := self._resting.get(client_order_id)) is None:
            kind = VenueEventKind.CANCEL_REJECTED
            return [VenueEvent(kind, client_order_id, now_ns, "", rules.UNKNOWN_ORDER)]
        return [self._end(order, VenueEventKind.CANCELED, now_ns, "")]

    def expire_until(self, now_ns: int) -> list[VenueEvent]:
        """End the orders whose date has come, each at its own date and in the order of dates."""
        due = [order for order in self._resting if 0 < order.request.good_till_time_ns <= now_ns]
        due.sort(key=lambda order: order.request.good_till_time_ns)
        return [
            self._end(order, VenueEventKind.EXPIRED, order.request.good_till_time_ns, rules.GOOD_TILL_DATE)
            for order in due
        ]

    @property
    def next_expiry_ns(self) -> int | None:
        """Return the earliest date of a resting order, or None."""
        return min((o.request.good_till_time_ns for o in self._resting if o.request.good_till_time_ns), default=None)

    @property
    def open_orders(self) -> Iterator[WorkingOrder]:
        """Return the resting orders by arrival."""
        return iter(self._resting)

    # Market

    def on_book(self, touched: Touched, transaction_time: int, now_ns: int) -> list[VenueEvent]:
        """Take note that the book has changed: at which levels, and as of which of the venue's times."""
        self._venue_time = max(self._venue_time, transaction_time)
        self._liquidity.refresh(touched, transaction_time)
        if not self._resting or not self._book.synced:
            return []
        for order in self._resting:
            if touched(order.request.side, order.limit):
                shown = self._book.quantity_at(order.request.side, order.limit)
                order.queue_ahead = min(order.queue_ahead, shown)
        events = [event for side in Side for event in self._fill_crossed(side, now_ns)]
        return events + self._expire_idle_reducers(now_ns)

    def on_trade(self, trade: Trade, now_ns: int) -> list[VenueEvent]:
        """Let a recorded trade move queues and fill resting orders of the side that it hit."""
        self._venue_time = max(self._venue_time, trade.transaction_time)
        passive = opposite(trade.aggressor)
        self._liquidity.trade(passive, trade.price, trade.quantity, trade.transaction_time)
        if not self._resting:
            return []
        events, left = [], trade.quantity
        for order in self._resting.by_priority(passive):
            if passive.sign * (order.limit - trade.price) < 0:
                break
            if trade.transaction_time > order.accepted_at:
                filled = self._fill_in_queue(order, trade.price, left, now_ns)
                left -= sum((event.fill.quantity for event in filled if event.fill), ZERO)
                events += filled
        return events + self._expire_idle_reducers(now_ns)

    def on_mark_price(self, price: Decimal) -> None:
        """Take note of the mark price, which the price and notional filters go by."""
        self._mark_price = price

    # Taking

    def _refuse(self, request: OrderRequest, now_ns: int) -> str:
        reference = self._reference_price()
        if not self._book.synced or reference is None:
            return rules.NO_BOOK
        if reason := rules.refusal(request, reference, now_ns):
            return reason
        if request.reduce_only and self._reducible(request.side) == ZERO:
            return rules.REDUCE_ONLY
        levels = self._levels_to_take(request)
        if request.time_in_force is TimeInForce.GTX and request.type is OrderType.LIMIT:
            return rules.POST_ONLY if self._crosses_display(request) else ""
        if request.type is OrderType.MARKET and not levels:
            return rules.NO_COUNTERPARTY
        if request.time_in_force is TimeInForce.FOK and sum((q for _, q in levels), ZERO) < request.quantity:
            return rules.FILL_OR_KILL
        return ""

    def _crosses_display(self, request: OrderRequest) -> bool:
        best = self._best(opposite(request.side))
        return best is not None and request.price is not None and request.side.sign * (request.price - best) >= 0

    def _levels_to_take(self, request: OrderRequest) -> list[tuple[Decimal, Decimal]]:
        """Return the (price, quantity) of each level that the order can take at once, whole lots, best first."""
        limit = request.price if request.type is OrderType.LIMIT else None
        if limit is None and (reference := self._reference_price()) is not None:
            limit = rules.price_bound(request, reference)
        found, wanted = [], self._capacity(request, request.quantity)
        for price, left in self._liquidity.levels(opposite(request.side), limit):
            quantity = truncate_to_step(min(left, wanted), self._instrument.lot_size)
            if quantity:
                found.append((price, quantity))
                wanted -= quantity
            if wanted == ZERO:
                break
        return found

    def _take(self, order: WorkingOrder, now_ns: int) -> list[VenueEvent]:
        events = []
        for price, quantity in self._levels_to_take(order.request):
            self._liquidity.take(opposite(order.request.side), price, quantity)
            events.append(self._fill(order, quantity, price, now_ns, maker=False))
        return events

    def _rest_or_expire(self, order: WorkingOrder, now_ns: int) -> list[VenueEvent]:
        request = order.request
        if request.type is OrderType.MARKET or request.time_in_force in _IMMEDIATE:
            return [self._expired(order, now_ns, rules.UNFILLED_REST)]
        met = self._meets_own(request)
        if met and request.self_trade_prevention in (SelfTradePrevention.EXPIRE_TAKER, SelfTradePrevention.EXPIRE_BOTH):
            events = [self._expired(order, now_ns, rules.SELF_TRADE)]
        else:
            order.queue_ahead = self._book.quantity_at(request.side, order.limit)
            self._resting.add(order)
            events = []
        if request.self_trade_prevention is SelfTradePrevention.EXPIRE_TAKER:
            return events
        return [self._end(other, VenueEventKind.EXPIRED, now_ns, rules.SELF_TRADE) for other in met] + events

    def _meets_own(self, request: OrderRequest) -> list[WorkingOrder]:
        """Return our resting orders of the other side that an order which comes to rest would have met."""
        limit = request.price if request.price is not None else ZERO
        others = self._resting.by_priority(opposite(request.side))
        return [other for other in others if request.side.sign * (limit - other.limit) >= 0]

    # Resting

    def _fill_in_queue(
        self, order: WorkingOrder, price: Decimal, traded: Decimal, now_ns: int
    ) -> list[VenueEvent]:
        if order.limit != price:  # The trade went through our price: nobody is left before us.
            order.queue_ahead = ZERO
        passed = min(order.queue_ahead, traded)
        order.queue_ahead -= passed
        return self._fill_resting(order, traded - passed, now_ns)

    def _fill_crossed(self, side: Side, now_ns: int) -> list[VenueEvent]:
        """Fill resting orders that the other side of the book has come over, at their own prices."""
        events: list[VenueEvent] = []
        for order in self._resting.by_priority(side):
            crossing = list(self._liquidity.levels(opposite(side), order.limit))
            if not crossing:
                break
            for price, left in crossing:
                filled = self._fill_resting(order, left, now_ns)
                for event in filled:
                    self._liquidity.take(opposite(side), price, event.fill.quantity if event.fill else ZERO)
                events += filled
        return events

    def _fill_resting(self, order: WorkingOrder, available: Decimal, now_ns: int) -> list[VenueEvent]:
        wanted = min(self._capacity(order.request, order.remaining), available)
        quantity = truncate_to_step(wanted, self._instrument.lot_size)
        if quantity <= ZERO:
            return []
        event = self._fill(order, quantity, order.limit, now_ns, maker=True)
        if order.remaining == ZERO:
            self._resting.remove(order)
        return [event]

    # What both share

    def _fill(self, order: WorkingOrder, quantity: Decimal, price: Decimal, now_ns: int, *, maker: bool) -> VenueEvent:
        rate = self._fees.maker if maker else self._fees.taker
        fee = trade_fee(self._instrument, quantity, price, rate)
        self.position = self.position.with_fill(quantity * order.request.side.sign, price, fee)
        order.remaining -= quantity
        self._trades += 1
        fill = VenueFill(str(self._trades), quantity, price, fee, self._instrument.settlement_asset, maker)
        return self._event(VenueEventKind.FILL, order.request, now_ns, order.venue_order_id, fill=fill)

    def _capacity(self, request: OrderRequest, quantity: Decimal) -> Decimal:
        return min(quantity, self._reducible(request.side)) if request.reduce_only else quantity

    def _reducible(self, side: Side) -> Decimal:
        """Return how much of the position an order of this side can close."""
        return max(-side.sign * self.position.quantity, ZERO)

    def _expire_idle_reducers(self, now_ns: int) -> list[VenueEvent]:
        return [
            self._end(order, VenueEventKind.EXPIRED, now_ns, rules.POSITION_CLOSED)
            for order in self._resting
            if order.request.reduce_only and self._reducible(order.request.side) == ZERO
        ]

    def _reference_price(self) -> Decimal | None:
        """Return the mark price, or the middle of the book where the tape has none."""
        if self._mark_price is not None:
            return self._mark_price
        bid, ask = self._best(Side.BUY), self._best(Side.SELL)
        if bid is None or ask is None:
            return bid if ask is None else ask
        return (bid + ask) / 2

    def _best(self, side: Side) -> Decimal | None:
        return next((price for price, _ in self._book.levels(side)), None)

    def _end(self, order: WorkingOrder, kind: VenueEventKind, now_ns: int, message: str) -> VenueEvent:
        self._resting.remove(order)
        return self._event(kind, order.request, now_ns, order.venue_order_id, message)

    def _expired(self, order: WorkingOrder, now_ns: int, message: str) -> VenueEvent:
        return self._event(VenueEventKind.EXPIRED, order.request, now_ns, order.venue_order_id, message)

    def _event(
        self, kind: VenueEventKind, request: OrderRequest, now_ns: int, venue_order_id: str = "", message: str = "",
        fill: VenueFill | None = None,
    ) -> VenueEvent:
        return VenueEvent(kind, request.client_order_id, now_ns, venue_order_id, message, fill)
