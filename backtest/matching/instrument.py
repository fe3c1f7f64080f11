"""One instrument's matching for one account, in decimals: what an exchange calls for each frame and each command.

A thin shell around the kernels: it turns decimals into ticks and lots and outputs into events, keeps the arrays large
enough and the price bounds at the mark price. Commands and the market must come in the order of the exchange's time.
Prices and quantities of commands must be multiples of their steps; the venue's filters come before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, TypeAlias

import numpy as np

from backtest.matching import frames, kernel
from backtest.matching.arrays import MatchingState, new_state
from backtest.matching.snapshots import from_bytes, to_bytes
from backtest.matching.state import NANOTICKS, OutputKind, Reason
from dataflows.kernels import Floats
from sluice.decimals import ZERO
from sluice.errors import InputError
from sluice.instruments import Instrument
from sluice.orders import OrderType, PositionSide, SelfTradePrevention, Side, TimeInForce, TriggerPrice

_Fields: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int]
_CONDITIONAL_RATE = Decimal(10_000)  # millionths in a percent


@dataclass(frozen=True, slots=True)
class MatchingEvent:
    """What happened to an order. Price and quantity are a fill's, else the order's price and zero."""

    order_id: int
    kind: OutputKind
    reason: Reason
    side: Side
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    remaining: Decimal
    maker: bool
    time_ns: int


@dataclass(frozen=True, slots=True)
class LivingOrder:
    """An order that rests in the book or waits for its trigger (`resting` tells which). Quantities are in units."""

    order_id: int
    side: Side
    price: Decimal
    quantity: Decimal
    remaining: Decimal
    queue_ahead: Decimal
    resting: bool


@dataclass(frozen=True, slots=True)
class MatchingOrder:
    """An order as matching takes it. `price` is None for market types; `good_till_ns` is 0 for no date.

    The last five are for conditional orders: `callback_rate_percent` and `activation_price` are a trailing stop's.
    """

    order_id: int
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    position_side: PositionSide = PositionSide.BOTH
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.NONE
    reduce_only: bool = False
    good_till_ns: int = 0
    stop_price: Decimal | None = None
    working_type: TriggerPrice = TriggerPrice.LAST
    activation_price: Decimal | None = None
    callback_rate_percent: Decimal = ZERO
    close_position: bool = False


class InstrumentMatching:
    """One instrument's book and one account's orders. Every call returns the events that it caused, in order."""

    def __init__(self, instrument: Instrument, **settings: Any) -> None:
        """Start with an empty, unsynced book. `settings` are those of `state.new_state`."""
        self.instrument = instrument
        self.state: MatchingState = new_state(**{"quantity_per_lot": float(instrument.lot_size), **settings})
        self._tick, self._lot = instrument.tick_size, instrument.lot_size
        steps = (*self._tick.as_integer_ratio(), *self._lot.as_integer_ratio())
        self._steps: Floats = np.asarray(steps, np.float64)
        self._mark: Decimal | None = None

    # Market

    @property
    def synced(self) -> bool:
        """Tell whether the displayed book is whole; orders are refused while it is not."""
        return bool(self.state.core["synced"])

    @synced.setter
    def synced(self, synced: bool) -> None:
        """Say whether the displayed book is whole."""
        kernel.set_synced(self.state.address, int(synced))

    def on_levels(
        self, bids: Floats, asks: Floats, transaction_time: int, now_ns: int, *, snapshot: bool = False,
    ) -> list[MatchingEvent]:
        """Apply a difference (quantity 0 removes) or a snapshot; rows are (price, quantity).

        Raises `InputError` where a price is on no tick or a quantity negative; nothing has changed then.
        """
        for levels in (bids, asks):
            if not frames.are_on_tick(levels, self._steps[0], self._steps[1]):
                raise InputError(f"every level must be on a multiple of {self._tick} with a quantity of at least 0")
        self.state.make_room(max(len(bids), len(asks)))
        frames.apply_frame(self.state.address, bids, asks, self._steps, snapshot, transaction_time, now_ns)
        return self._events()

    def on_trade(
        self, aggressor: Side, price: Decimal, quantity: Decimal, transaction_time: int, now_ns: int,
    ) -> list[MatchingEvent]:
        """Tell of a recorded trade."""
        self._make_room()
        lots = int(quantity / self._lot)
        kernel.on_trade(self.state.address, aggressor.sign, self._ticks(price), lots, transaction_time, now_ns)
        return self._events()

    def on_mark(self, price: Decimal, now_ns: int) -> list[MatchingEvent]:
        """Tell of the mark price: it bounds prices and fires conditional orders."""
        self._mark = price
        self._set_bounds(price)
        self._make_room()
        kernel.on_mark(self.state.address, self._nanoticks(price), now_ns)
        return self._events()

    # Orders

    def submit(self, order: MatchingOrder, now_ns: int) -> tuple[Reason, list[MatchingEvent]]:
        """Take a limit or market order; `Reason.NONE`, or why it is refused (nothing has happened then)."""
        self._make_room()
        if self._mark is None:
            reference = self._middle()
            if reference is None:
                return Reason.NO_BOOK, []
            self._set_bounds(reference)
        code = kernel.submit(self.state.address, *self._fields(order), now_ns)
        return Reason(code), self._events()

    def place_conditional(self, order: MatchingOrder, now_ns: int) -> tuple[Reason, list[MatchingEvent]]:
        """Let a conditional order wait for its trigger; see `submit`."""
        self._make_room()
        code = kernel.place_conditional(
            self.state.address, *self._fields(order), self._nanoticks(order.stop_price),
            int(order.working_type is TriggerPrice.MARK), self._nanoticks(order.activation_price),
            int(order.callback_rate_percent * _CONDITIONAL_RATE), int(order.close_position), now_ns)
        return Reason(code), self._events()

    def amend(
        self, order_id: int, price: Decimal, quantity: Decimal, now_ns: int,
    ) -> tuple[Reason, list[MatchingEvent]]:
        """Change a resting order; see `submission.amend`."""
        self._make_room()
        code = kernel.amend(self.state.address, order_id, self._ticks(price), self._lots(quantity), now_ns)
        return Reason(code), self._events()

    def cancel(self, order_id: int, now_ns: int) -> tuple[Reason, list[MatchingEvent]]:
        """Cancel a living order of either kind; `Reason.UNKNOWN_ORDER` where there is none."""
        code = kernel.cancel(self.state.address, order_id, now_ns)
        return Reason(code), self._events()

    def cancel_all(self, now_ns: int) -> list[MatchingEvent]:
        """Cancel every resting order; conditional ones wait on."""
        self._make_room()
        kernel.cancel_all(self.state.address, now_ns)
        return self._events()

    def expire_until(self, now_ns: int) -> list[MatchingEvent]:
        """End the orders whose date has come."""
        self._make_room()
        kernel.expire_until(self.state.address, now_ns)
        return self._events()

    @property
    def next_expiry_ns(self) -> int | None:
        """Return the earliest date of a living order, or None."""
        return kernel.next_expiry_ns(self.state.address) or None

    def open_orders(self) -> list[LivingOrder]:
        """Return the living orders by arrival."""
        orders = self.state.orders
        living = sorted(orders[orders["live"] == 1], key=lambda order: int(order["sequence"]))
        return [self._living(order) for order in living]

    # Values

    def position(self, position_side: PositionSide = PositionSide.BOTH) -> Decimal:
        """Return a position in signed units."""
        return int(self.state.core[f"position_{position_side.name.lower()}"]) * self._lot

    def set_position(self, quantity: Decimal, position_side: PositionSide = PositionSide.BOTH) -> None:
        """Set a position: at the start, or after it was changed elsewhere (liquidation)."""
        kernel.set_position(self.state.address, position_side.value, self._lots(quantity))

    def best(self, side: Side) -> Decimal | None:
        """Return the best displayed price of a side of the book (BUY: bids), or None."""
        ticks = kernel.best_bid(self.state.address) if side is Side.BUY else kernel.best_ask(self.state.address)
        return ticks * self._tick if ticks else None

    def quantity_at(self, side: Side, price: Decimal) -> Decimal:
        """Return the displayed quantity of a price."""
        return kernel.quantity_at(self.state.address, side.sign, self._ticks(price)) * self._lot

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield (price, displayed quantity) of a side, best first."""
        ticks = kernel.next_price(self.state.address, side.sign, 0)
        while ticks:
            yield ticks * self._tick, kernel.quantity_at(self.state.address, side.sign, ticks) * self._lot
            ticks = kernel.next_price(self.state.address, side.sign, ticks)

    def to_bytes(self) -> bytes:
        """Return the whole state; see `restore`."""
        return to_bytes(self.state)

    def restore(self, state: bytes) -> None:
        """Take back a state of `to_bytes`. Raises `InputError` where it is none."""
        self.take_state(from_bytes(state))

    def take_state(self, state: MatchingState) -> None:
        """Go on from a state, which nobody else uses from now on."""
        self.state = state
        mark = int(self.state.core["mark_nanoticks"])
        self._mark = mark * self._tick / NANOTICKS if mark else None

    # Conversions

    def _make_room(self) -> None:
        if kernel.needs_room(self.state.address):
            self.state.make_room()

    def _fields(self, order: MatchingOrder) -> _Fields:
        return (
            order.order_id, order.side.sign, order.type.value, order.time_in_force.value,
            self._ticks(order.price) if order.price is not None else 0, self._lots(order.quantity),
            order.position_side.value, order.self_trade_prevention.value, int(order.reduce_only), order.good_till_ns)

    def _ticks(self, price: Decimal) -> int:
        return _whole(price, self._tick, "price")

    def _lots(self, quantity: Decimal) -> int:
        return _whole(quantity, self._lot, "quantity")

    def _nanoticks(self, price: Decimal | None) -> int:
        return int((price * NANOTICKS / self._tick).to_integral_value(ROUND_FLOOR)) if price is not None else 0

    def _middle(self) -> Decimal | None:
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        if bid is None or ask is None:
            return bid if ask is None else ask
        return (bid + ask) / 2

    def _set_bounds(self, reference: Decimal) -> None:
        highest = (reference * self.instrument.price_multiplier_up / self._tick).to_integral_value(ROUND_FLOOR)
        lowest = (reference * self.instrument.price_multiplier_down / self._tick).to_integral_value(ROUND_CEILING)
        kernel.set_price_bounds(self.state.address, int(highest), int(lowest))

    def _living(self, order: Any) -> LivingOrder:
        ahead = Decimal(max(float(order["queue_ahead"]), 0.0)) * self._lot
        return LivingOrder(
            int(order["order_id"]), _side(order["side"]), int(order["price_ticks"]) * self._tick,
            int(order["lots"]) * self._lot, int(order["remaining_lots"]) * self._lot, ahead, bool(order["resting"]))

    def _events(self) -> list[MatchingEvent]:
        if not self.state.core["outputs"]:
            return []
        events = [self._event(row) for row in self.state.outputs.tolist()]
        kernel.clear_outputs(self.state.address)
        return events

    def _event(self, row: tuple[int, ...]) -> MatchingEvent:
        order_id, kind, reason, side, position_side, ticks, lots, remaining, maker, time_ns = row
        return MatchingEvent(
            order_id, OutputKind(kind), Reason(reason), _side(side), PositionSide(position_side), ticks * self._tick,
            lots * self._lot, remaining * self._lot, bool(maker), time_ns)


def _side(sign: int) -> Side:
    return Side.BUY if sign > 0 else Side.SELL


def _whole(value: Decimal, step: Decimal, name: str) -> int:
    number = value / step
    if number != number.to_integral_value():
        raise InputError(f"{name} must be a multiple of {step}, was {value}")
    return int(number)
