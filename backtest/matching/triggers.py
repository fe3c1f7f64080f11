"""Conditional orders: they wait outside the book until the last or the mark price fires them.

A stop fires when the price has come to its trigger or beyond against the market it protects: a buy at or above, a sell
at or below. A take-profit is the other way round. A trailing stop follows: once the price has reached its activation
(at once where it has none), a sell remembers the highest price and fires at `highest * (1 - callback)` or below, a buy
the lowest and `lowest * (1 + callback)` or above; exact in integers.

What fires is told (TRIGGERED). With `submit_triggered` it then enters the book as a limit or market order of the same
id, or is REJECTED; without, it is gone and its owner submits it.
"""

from backtest.kernels import inlined, kernel, part
from backtest.matching.entries import first_slot
from backtest.matching.entry_points import ENTRIES
from backtest.matching.memory import core_of, entry_at, length_of, order_at
from backtest.matching.outputs import tell
from backtest.matching.slots import arrive, close_slot, end, find_order, open_slot, wait_in, withdraw
from backtest.matching.state import (
    LAST_FALLS,
    LAST_RISES,
    LAST_TRAILS,
    MARK_FALLS,
    MARK_RISES,
    MARK_TRAILS,
    MILLION,
    OutputKind,
    Reason,
)
from backtest.matching.submission import describe, enter_book, refusal
from backtest.matching.values import reducible
from dataflows.kernels import Record
from sluice.orders import OrderType

_LIMIT, _MARKET = OrderType.LIMIT.value, OrderType.MARKET.value
_STOP, _STOP_MARKET = OrderType.STOP.value, OrderType.STOP_MARKET.value
_TAKE_PROFIT, _TRAILING = OrderType.TAKE_PROFIT.value, OrderType.TRAILING_STOP_MARKET.value
_TRIGGERED, _ACTIVATED = int(OutputKind.TRIGGERED), int(OutputKind.ACTIVATED)
_ACCEPTED, _EXPIRED, _REJECTED = int(OutputKind.ACCEPTED), int(OutputKind.EXPIRED), int(OutputKind.REJECTED)
_DUPLICATE, _NO_ROOM = int(Reason.DUPLICATE_ID), int(Reason.NO_ROOM)
_WOULD_TRIGGER, _POSITION_CLOSED = int(Reason.WOULD_TRIGGER), int(Reason.POSITION_CLOSED)


@kernel
def place_conditional(
    state: int, order_id: int, side: int, order_type: int, time_in_force: int, price_ticks: int, lots: int,
    position_side: int, prevention: int, reduce_only: int, good_till_ns: int, trigger_nanoticks: int, by_mark: int,
    activation_nanoticks: int, callback_millionths: int, close_position: int, now_ns: int,
) -> int:
    """Let a conditional order wait; return 0, or a `Reason`.

    `price_ticks` is 0 for the market types, `trigger_nanoticks` 0 for a trailing stop, `activation_nanoticks` 0 where
    it is active at once. `by_mark` is 1 for the mark price, 0 for the last. With `close_position`, `lots` is 0 and the
    whole position is closed.
    """
    if find_order(state, order_id) >= 0:
        return _DUPLICATE
    if order_type != _TRAILING and would_trigger(state, side, order_type, trigger_nanoticks, by_mark):
        return _WOULD_TRIGGER
    slot = open_slot(state, order_id)
    if slot < 0:
        return _NO_ROOM
    order = order_at(state, slot)
    describe(
        order, side, order_type, time_in_force, price_ticks, lots, position_side, prevention, reduce_only, good_till_ns)
    order.close_position = close_position
    order.trigger_nanoticks = trigger_nanoticks
    order.activation_nanoticks = activation_nanoticks
    order.callback_millionths = callback_millionths
    order.extreme_nanoticks = 0
    if order_type == _TRAILING and activation_nanoticks == 0:
        order.extreme_nanoticks = _price(state, by_mark)
    _wait(state, slot, by_mark)
    tell(state, order, _ACCEPTED, 0, now_ns)
    return 0


@kernel
def would_trigger(state: int, side: int, order_type: int, trigger_nanoticks: int, by_mark: int) -> bool:
    """Tell whether a stop or take-profit order would fire at once at the present price, where that is known."""
    price = _price(state, by_mark)
    if price == 0:
        return False
    return price >= trigger_nanoticks if _rises(side, order_type) else price <= trigger_nanoticks


@part
def _price(state: int, by_mark: int) -> int:
    return int(core_of(state).mark_nanoticks) if by_mark else int(core_of(state).last_nanoticks)


@part
def _rises(side: int, order_type: int) -> bool:
    """Tell whether an order fires when the price rises to its trigger."""
    stop = order_type in (_STOP, _STOP_MARKET)
    return stop == (side > 0)


@part
def _wait(state: int, slot: int, by_mark: int) -> None:
    order = order_at(state, slot)
    if order.type == _TRAILING:
        wait_in(state, slot, MARK_TRAILS if by_mark else LAST_TRAILS, 0)
    elif _rises(order.side, order.type):
        wait_in(state, slot, MARK_RISES if by_mark else LAST_RISES, -order.trigger_nanoticks)
    else:
        wait_in(state, slot, MARK_FALLS if by_mark else LAST_FALLS, order.trigger_nanoticks)


@kernel
def on_mark(state: int, nanoticks: int, now_ns: int) -> None:
    """Take note of the mark price, and fire what waits for it."""
    core_of(state).mark_nanoticks = nanoticks
    on_price(state, 1, nanoticks, now_ns)


@inlined
def on_last(state: int, nanoticks: int, now_ns: int) -> None:
    """Take note of the last price, and fire what waits for it. `resting.on_trade` calls it."""
    core_of(state).last_nanoticks = nanoticks
    if length_of(state, LAST_RISES) + length_of(state, LAST_FALLS) + length_of(state, LAST_TRAILS) > 0:
        on_price(state, 0, nanoticks, now_ns)


@ENTRIES.entry
def on_price(state: int, by_mark: int, nanoticks: int, now_ns: int) -> None:
    """Fire what waits for the mark price (1) or the last (0)."""
    rises, falls = (MARK_RISES, MARK_FALLS) if by_mark else (LAST_RISES, LAST_FALLS)
    trails = MARK_TRAILS if by_mark else LAST_TRAILS
    while length_of(state, rises) > 0 and -entry_at(state, rises, length_of(state, rises) - 1).key <= nanoticks:
        _fire(state, first_slot(state, rises), now_ns)
    while length_of(state, falls) > 0 and entry_at(state, falls, length_of(state, falls) - 1).key >= nanoticks:
        _fire(state, first_slot(state, falls), now_ns)
    for at in range(length_of(state, trails) - 1, -1, -1):
        slot = entry_at(state, trails, at).slot
        if _follow(state, order_at(state, slot), nanoticks, now_ns):
            _fire(state, slot, now_ns)


@part
def _follow(state: int, order: Record, nanoticks: int, now_ns: int) -> bool:
    """Let a trailing order see a price; tell whether it fires."""
    if order.extreme_nanoticks == 0:
        if order.activation_nanoticks != 0 and order.side * (order.activation_nanoticks - nanoticks) < 0:
            return False
        order.extreme_nanoticks = nanoticks
        tell(state, order, _ACTIVATED, 0, now_ns)
    if order.side > 0:
        order.extreme_nanoticks = min(order.extreme_nanoticks, nanoticks)
    else:
        order.extreme_nanoticks = max(order.extreme_nanoticks, nanoticks)
    distance = order.side * (nanoticks - order.extreme_nanoticks)
    return bool(distance >= callback_distance(order.extreme_nanoticks, order.callback_millionths))


@part
def callback_distance(extreme_nanoticks: int, callback_millionths: int) -> int:
    """Return `extreme * callback`, rounded up, without leaving 64 bits."""
    whole, part = extreme_nanoticks // MILLION, extreme_nanoticks % MILLION
    return whole * callback_millionths + (part * callback_millionths + MILLION - 1) // MILLION


@part
def _fire(state: int, slot: int, now_ns: int) -> None:
    order = order_at(state, slot)
    withdraw(state, slot)
    tell(state, order, _TRIGGERED, 0, now_ns)
    if not core_of(state).submit_triggered:
        close_slot(state, slot)
        return
    order.type = _LIMIT if order.type in (_STOP, _TAKE_PROFIT) else _MARKET
    if order.close_position:
        order.lots = reducible(core_of(state), order.side, order.position_side)
        order.remaining_lots = order.lots
        order.reduce_only = 1
    if order.lots == 0:
        end(state, slot, _EXPIRED, _POSITION_CLOSED, now_ns)
        return
    reason = refusal(state, slot)
    if reason != 0:
        end(state, slot, _REJECTED, reason, now_ns)
        return
    arrive(core_of(state), order)
    enter_book(state, slot, now_ns)
