"""Matching as the exchange calls it: one account's orders in one symbol, ordinary and conditional.

Each account has its own matching state of a symbol, and all are fed with the same recorded market: accounts never trade
with each other, and none sees what another took. A recorded market can be shared by any number of accounts only so;
orders that met each other would need a market that reacts, which a recording cannot.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Final

from backtest.exchange.core.domain import AlgoOrder, ExchangeOrder, Listing
from backtest.exchange.core.market import BookChange, SymbolMarket, TradeChange
from backtest.matching.instrument import InstrumentMatching, MatchingEvent, MatchingOrder
from backtest.matching.state import NANOTICKS, ImpactModel, OutputKind, QueueModel, Reason
from sluice.clock import NS_PER_MS
from sluice.decimals import is_multiple
from sluice.orders import OrderType, PositionSide, Side

#: Conditional orders have ids of their own; in matching's one room of ids they lie above this.
_CONDITIONAL: Final = 2**60


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something that happened to an order. `quantity` and `price` are those of a fill."""

    order_id: int
    conditional: bool
    kind: OutputKind
    reason: Reason
    price: Decimal
    quantity: Decimal
    maker: bool


@dataclass(frozen=True, slots=True)
class FillModel:
    """How the matching estimates what it cannot know: places in queues, and what large takers pay; see `queueing`."""

    queue_model: QueueModel = QueueModel.RISK_AVERSE
    queue_power: float = 3.0
    impact_model: ImpactModel = ImpactModel.NONE
    impact_ticks: float = 0.0
    impact_lots: float = 1.0


class SymbolMatching:
    """An account's matching state. Made when the first order comes, from the market as it is then."""

    def __init__(self, listing: Listing, market: SymbolMarket, fills: FillModel) -> None:
        self._tick = listing.instrument.tick_size
        self._market = market
        self._matching = InstrumentMatching(
            listing.instrument, submit_triggered=False, **asdict(fills))
        self._outcomes: list[Outcome] = []
        self._load(0, 0)
        if market.has_mark and market.mark_price is not None:
            self.on_mark(market.mark_price, 0)
        if market.last_price is not None:
            self._matching.state.core["last_nanoticks"] = int(market.last_price / self._tick * NANOTICKS)

    # Market

    def on_book(self, change: BookChange, now_ns: int) -> None:
        """Take a change of the book."""
        if change.anywhere or not self._market.synced:
            self._load(change.time_ms, now_ns)
        else:
            self._note(self._matching.on_levels(change.bids, change.asks, change.time_ms, now_ns))

    def on_trade(self, trade: TradeChange, now_ns: int) -> None:
        """Take a recorded trade; one that lies on no tick is none of this book's."""
        if is_multiple(trade.price, self._tick):
            self._note(self._matching.on_trade(
                trade.aggressor, trade.price, trade.quantity, trade.time_ms, now_ns))

    def on_mark(self, price: Decimal, now_ns: int) -> None:
        """Take a mark price."""
        self._note(self._matching.on_mark(price, now_ns))

    # Orders

    def submit(self, order: ExchangeOrder, now_ns: int) -> Reason:
        """Let an order arrive; return why it is refused, or NONE."""
        priced = bool(order.price)
        reason, events = self._matching.submit(MatchingOrder(
            order_id=order.order_id, side=order.side, type=OrderType.LIMIT if priced else OrderType.MARKET,
            quantity=order.remaining, price=order.price if priced else None, time_in_force=order.time_in_force,
            position_side=order.position_side, self_trade_prevention=order.self_trade_prevention,
            reduce_only=order.reduce_only, good_till_ns=order.good_till_date_ms * NS_PER_MS), now_ns)
        self._note(events)
        return reason

    def amend(self, order_id: int, price: Decimal, quantity: Decimal, now_ns: int) -> Reason:
        """Give an order a new price and whole quantity; it goes to the end of the queue."""
        reason, events = self._matching.amend(order_id, price, quantity, now_ns)
        self._note(events)
        return reason

    def cancel(self, order_id: int, now_ns: int) -> None:
        """Take an order out."""
        self._note(self._matching.cancel(order_id, now_ns)[1])

    def expire_until(self, now_ns: int) -> None:
        """End the orders whose date has come."""
        self._note(self._matching.expire_until(now_ns))

    def position(self, side: PositionSide) -> Decimal:
        """Return the position that reduce-only orders go by; it is the account's own."""
        return self._matching.position(side)

    def set_position(self, side: PositionSide, quantity: Decimal) -> None:
        """Say what a position is now, where it changed otherwise than by an order's fill."""
        self._matching.set_position(quantity, side)

    # Conditional orders

    def place_conditional(self, algo: AlgoOrder, now_ns: int) -> Reason:
        """Let a conditional order wait for its trigger, unless it would fire at once."""
        reason, events = self._matching.place_conditional(MatchingOrder(
            order_id=_CONDITIONAL + algo.algo_id, side=algo.side, type=algo.type, quantity=algo.quantity,
            price=algo.price or None, time_in_force=algo.time_in_force, position_side=algo.position_side,
            self_trade_prevention=algo.self_trade_prevention, reduce_only=algo.reduce_only,
            good_till_ns=algo.good_till_date_ms * NS_PER_MS, stop_price=algo.trigger_price or None,
            working_type=algo.working_type, activation_price=algo.activation_price or None,
            callback_rate_percent=algo.callback_rate_percent, close_position=algo.close_position), now_ns)
        self._note(events)
        return reason

    def cancel_conditional(self, algo_id: int, now_ns: int) -> None:
        """Take a conditional order out."""
        self._note(self._matching.cancel(_CONDITIONAL + algo_id, now_ns)[1])

    # Outcomes

    @property
    def told(self) -> bool:
        """Tell whether anything happened since the last `outcomes`."""
        return bool(self._outcomes)

    def outcomes(self) -> list[Outcome]:
        """Return what happened since the last call, in order."""
        found, self._outcomes = self._outcomes, []
        return found

    def _note(self, events: Sequence[MatchingEvent]) -> None:
        self._outcomes += [_outcome(event) for event in events]

    def _load(self, time_ms: int, now_ns: int) -> None:
        book = self._market.book
        self._matching.synced = book.synced
        if book.synced:
            self._note(self._matching.on_levels(
                book.array(Side.BUY), book.array(Side.SELL), time_ms, now_ns, snapshot=True))


def _outcome(event: MatchingEvent) -> Outcome:
    conditional = event.order_id >= _CONDITIONAL
    return Outcome(
        event.order_id - _CONDITIONAL if conditional else event.order_id, conditional, event.kind, event.reason,
        event.price, event.quantity, event.maker)
