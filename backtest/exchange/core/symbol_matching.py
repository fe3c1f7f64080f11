"""The matching kernels as the exchange calls them: one account's orders in one symbol, in exact decimals.

Each account has its own matching state of a symbol, and all are fed with the same recorded market: accounts never trade
with each other, and none sees what another took. A recorded market can be shared by any number of accounts only so;
orders that met each other would need a market that reacts, which a recording cannot.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from backtest.exchange.core.domain import AlgoOrder, ExchangeOrder, Listing
from backtest.exchange.core.levels import apply_levels
from backtest.exchange.core.market import BookChange, SymbolMarket, TradeChange
from backtest.matching import kernel as matching
from backtest.matching.state import MILLION, NANOTICKS, MatchingState, OutputKind, QueueModel, Reason, new_state
from dataflows.codecs.levels import Levels
from sluice.orders import OrderType, PositionSide, Side, TriggerPrice

#: Conditional orders have ids of their own; in the kernels' one room of ids they lie above this.
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


class SymbolMatching:
    """The kernels' state with its units. Made when the first order comes, from the market as it is then."""

    def __init__(self, listing: Listing, market: SymbolMarket, queue_model: QueueModel, queue_power: float) -> None:
        self._tick = listing.instrument.tick_size
        self._lot = listing.instrument.lot_size
        self._instrument = listing.instrument
        self._market = market
        self._state: MatchingState = new_state(
            queue_model=queue_model, queue_power=queue_power, quantity_per_lot=float(self._lot), submit_triggered=False)
        self._bounds: Decimal | None = None
        self._load()
        if market.last_price is not None:
            self._state.core["last_nanoticks"] = self._nanoticks(market.last_price)

    # Market

    def on_book(self, change: BookChange, now_ns: int) -> None:
        """Take a change of the book."""
        if change.anywhere or not self._market.synced:
            self._load(change.time_ms, now_ns)
            return
        self._apply(change.bids, change.asks)
        matching.end_of_batch(self._state, change.time_ms, now_ns)

    def on_trade(self, trade: TradeChange, now_ns: int) -> None:
        """Take a recorded trade."""
        ticks, lots = self._ticks(trade.price), self._lots(trade.quantity)
        if ticks > 0 and lots > 0:
            matching.on_trade(self._state, trade.aggressor.sign, ticks, lots, trade.time_ms, now_ns)

    def on_mark(self, price: Decimal, now_ns: int) -> None:
        """Take a mark price."""
        matching.on_mark(self._state, self._nanoticks(price), now_ns)

    # Orders

    def submit(self, order: ExchangeOrder, price: Decimal, now_ns: int) -> Reason:
        """Let an order arrive; `price` is zero for a market order. Return why it is refused, or NONE."""
        self._make_room()
        self._set_bounds()
        kind = OrderType.LIMIT if price else OrderType.MARKET
        return Reason(matching.submit(
            self._state, order.order_id, order.side.sign, kind.value, order.time_in_force.value, self._ticks(price),
            self._lots(order.remaining), order.position_side.value, order.self_trade_prevention.value,
            int(order.reduce_only), order.good_till_date_ms * 1_000_000, now_ns))

    def amend(self, order_id: int, price: Decimal, quantity: Decimal, now_ns: int) -> Reason:
        """Give an order a new price and whole quantity; it goes to the end of the queue."""
        self._make_room()
        self._set_bounds()
        return Reason(matching.amend(self._state, order_id, self._ticks(price), self._lots(quantity), now_ns))

    def cancel(self, order_id: int, now_ns: int) -> None:
        """Take an order out."""
        self._make_room()
        matching.cancel(self._state, order_id, now_ns)

    def expire_until(self, now_ns: int) -> None:
        """End the orders whose date has come."""
        matching.expire_until(self._state, now_ns)

    def set_position(self, side: PositionSide, quantity: Decimal) -> None:
        """Say what a position is now, where it changed otherwise than by an order's fill."""
        matching.set_position(self._state, side.value, self._lots(quantity))

    # Conditional orders

    def place_conditional(self, algo: AlgoOrder, now_ns: int) -> Reason:
        """Let a conditional order wait for its trigger, unless it would fire at once."""
        self._make_room()
        callback = int(algo.callback_rate_percent * MILLION / 100)
        return Reason(matching.place_conditional(
            self._state, _CONDITIONAL + algo.algo_id, algo.side.sign, algo.type.value, algo.time_in_force.value,
            self._ticks(algo.price), self._lots(algo.quantity), algo.position_side.value,
            algo.self_trade_prevention.value, int(algo.reduce_only), algo.good_till_date_ms * 1_000_000,
            self._nanoticks(algo.trigger_price), int(algo.working_type is TriggerPrice.MARK),
            self._nanoticks(algo.activation_price), callback, int(algo.close_position), now_ns))

    def cancel_conditional(self, algo_id: int, now_ns: int) -> None:
        """Take a conditional order out."""
        self._make_room()
        matching.cancel(self._state, _CONDITIONAL + algo_id, now_ns)

    # Outcomes

    @property
    def told(self) -> bool:
        """Tell whether anything happened since the last `outcomes`."""
        return bool(self._state.core["outputs"][0])

    def outcomes(self) -> list[Outcome]:
        """Return what happened since the last call, in order."""
        count = int(self._state.core["outputs"][0])
        rows = self._state.outputs[:count].tolist()
        matching.clear_outputs(self._state)
        return [self._outcome(*row) for row in rows]

    def _outcome(
        self, order_id: int, kind: int, reason: int, _side: int, _position_side: int, price_ticks: int, lots: int,
        _remaining: int, maker: int, _time_ns: int,
    ) -> Outcome:
        conditional = order_id >= _CONDITIONAL
        return Outcome(
            order_id - _CONDITIONAL if conditional else order_id, conditional, OutputKind(kind), Reason(reason),
            price_ticks * self._tick, lots * self._lot, bool(maker))

    # Units and room

    def _load(self, time_ms: int = 0, now_ns: int = 0) -> None:
        matching.clear_book(self._state)
        synced = self._market.synced
        if synced:
            self._apply(self._market.book.array(Side.BUY), self._market.book.array(Side.SELL))
        matching.set_synced(self._state, int(synced))
        matching.end_of_batch(self._state, time_ms, now_ns)

    def _apply(self, bids: Levels, asks: Levels) -> None:
        self._make_room()
        for side, levels in ((1, bids), (-1, asks)):
            done = 0
            while (done := apply_levels(self._state, side, levels, done, float(self._tick), float(self._lot))) >= 0:
                self._make_room()

    def _set_bounds(self) -> None:
        mark = self._market.mark_price
        if mark is None or mark == self._bounds:
            return
        self._bounds = mark
        highest = mark * self._instrument.price_multiplier_up // self._tick
        lowest = -(-mark * self._instrument.price_multiplier_down // self._tick)
        matching.set_price_bounds(self._state, int(highest), int(lowest))

    def _make_room(self) -> None:
        if matching.needs_room(self._state):
            self._state = matching.with_room(self._state)

    def _ticks(self, price: Decimal) -> int:
        return int(price / self._tick)

    def _lots(self, quantity: Decimal) -> int:
        return int(quantity / self._lot)

    def _nanoticks(self, price: Decimal) -> int:
        return int(price / self._tick * NANOTICKS)
