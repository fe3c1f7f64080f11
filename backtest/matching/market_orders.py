"""Feeds with order ids (level 3): every order of the market by itself, so that the place in the queue is exact.

Orders of one price fill by arrival, ours among the market's: `sequence` counts both. What is before one of ours is the
sum of the market's lots that came earlier; cancels, changes and fills of those lower it. Where the market fills an
order that stands behind ours, ours would have filled first, and does. Use it with `QueueModel.FIFO`.

The levels of the book are kept from the orders, so `apply_level` is not called; `end_of_batch` is.
"""

from backtest.kernels import kernel, part
from backtest.matching.entries import range_of_key
from backtest.matching.filling import expire_idle_reducers, fill_resting
from backtest.matching.index import enter, forget, look_up
from backtest.matching.ladder import apply_level, quantity_at, take, taken_at
from backtest.matching.memory import core_of, entry_at, length_of, market_order_at, order_at
from backtest.matching.resting import may_fill
from backtest.matching.state import ASKS, BIDS, Reason
from dataflows.kernels import Record

_UNKNOWN, _DUPLICATE = int(Reason.UNKNOWN_ORDER), int(Reason.DUPLICATE_ID)
_NO_ROOM, _BAD_QUANTITY = int(Reason.NO_ROOM), int(Reason.BAD_QUANTITY)


@kernel
def add_market_order(state: int, order_id: int, side: int, price_ticks: int, lots: int) -> int:
    """Take an order of the market into its queue, at the end; return 0, or a `Reason`."""
    core = core_of(state)
    if lots <= 0 or price_ticks <= 0:
        return _BAD_QUANTITY
    if look_up(core_of(state).market_index, order_id) >= 0:
        return _DUPLICATE
    if core.market_live >= core.market_capacity:
        return _NO_ROOM
    slot = _open(state)
    core.sequence += 1
    order = market_order_at(state, slot)
    order.order_id = order_id
    order.side = side
    order.price_ticks = price_ticks
    order.lots = lots
    order.sequence = core.sequence
    enter(core.market_index, order_id, slot)
    _shift(state, side, price_ticks, lots)
    return 0


@part
def _open(state: int) -> int:
    core = core_of(state)
    core.market_live += 1
    if core.market_free > 0:
        slot = core.market_free - 1
        core.market_free = market_order_at(state, slot).next_free
        return int(slot)
    core.market_fresh += 1
    return int(core.market_fresh - 1)


@part
def _close(state: int, slot: int) -> None:
    core = core_of(state)
    forget(core.market_index, market_order_at(state, slot).order_id)
    market_order_at(state, slot).next_free = core.market_free
    core.market_free = slot + 1
    core.market_live -= 1


@part
def _shift(state: int, side: int, price_ticks: int, change: int) -> None:
    """Change a level by some lots; what we took from it stays taken, as far as the level still shows that much."""
    taken = taken_at(state, side, price_ticks)
    lots = quantity_at(state, side, price_ticks) + change
    apply_level(state, side, price_ticks, lots)
    if taken > 0 and lots > 0:
        take(state, side, price_ticks, min(taken, lots))


@kernel
def cancel_market_order(state: int, order_id: int) -> int:
    """Take an order of the market out of its queue; return 0, or UNKNOWN_ORDER."""
    slot = look_up(core_of(state).market_index, order_id)
    if slot < 0:
        return _UNKNOWN
    order = market_order_at(state, slot)
    _reduce(state, order, order.lots)
    _close(state, slot)
    return 0


@kernel
def modify_market_order(state: int, order_id: int, price_ticks: int, lots: int) -> int:
    """Change an order of the market: a smaller quantity keeps its place, all else goes to the end; 0, or a `Reason`."""
    slot = look_up(core_of(state).market_index, order_id)
    if slot < 0:
        return _UNKNOWN
    order = market_order_at(state, slot)
    side = order.side
    if price_ticks == order.price_ticks and 0 < lots <= order.lots:
        _reduce(state, order, order.lots - lots)
        return 0
    cancel_market_order(state, order_id)
    return add_market_order(state, order_id, side, price_ticks, lots) if lots > 0 else 0


@kernel
def fill_market_order(state: int, order_id: int, lots: int, venue_time: int, now_ns: int) -> int:
    """Fill a resting order of the market, after those of ours that stand before it; return 0, or UNKNOWN_ORDER."""
    slot = look_up(core_of(state).market_index, order_id)
    if slot < 0:
        return _UNKNOWN
    core, order = core_of(state), market_order_at(state, slot)
    core.venue_time = max(core.venue_time, venue_time)
    lots = min(lots, order.lots)
    _fill_before(state, order, lots, venue_time, now_ns)
    _reduce(state, order, lots)
    if order.lots == 0:
        _close(state, slot)
    expire_idle_reducers(state, now_ns)
    return 0


@part
def _fill_before(state: int, other: Record, lots: int, venue_time: int, now_ns: int) -> None:
    which, key = BIDS if other.side > 0 else ASKS, other.side * other.price_ticks
    left = lots
    for at in range(length_of(state, which) - 1, -1, -1):
        entry = entry_at(state, which, at)
        if entry.key < key or (entry.key == key and entry.sequence > other.sequence):
            return
        slot = entry.slot
        order = order_at(state, slot)
        if may_fill(core_of(state), order, venue_time):
            order.queue_ahead = 0.0
            filled = fill_resting(state, slot, left, now_ns)
            left -= filled if core_of(state).partial_fills else 0


@part
def _reduce(state: int, other: Record, lots: int) -> None:
    """Take lots off an order of the market, off its level, and off the queue of ours that stand behind it."""
    which, key = BIDS if other.side > 0 else ASKS, other.side * other.price_ticks
    start, end = range_of_key(state, which, key)
    for at in range(start, end):
        if entry_at(state, which, at).sequence > other.sequence:
            order = order_at(state, entry_at(state, which, at).slot)
            order.queue_ahead = max(order.queue_ahead - lots, 0.0)
    other.lots -= lots
    _shift(state, other.side, other.price_ticks, -lots)
