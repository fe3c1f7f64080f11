"""What the market does to resting orders: trades, a book that comes over their price, and their dates.

A trade fills orders of the side that it hit, best price and earliest arrival first: those at better prices than its
own at once, those at its price with what passes their queue. In all they get no more than the trade's lots (where
fills may be partial). A trade of a time before an order's arrival never fills it.
"""

from backtest.kernels import inlined, kernel, part
from backtest.matching.cells import next_key
from backtest.matching.entries import first_slot
from backtest.matching.entry_points import ENTRIES
from backtest.matching.filling import expire_idle_reducers, fill_resting
from backtest.matching.ladder import available_at, note_trade, take
from backtest.matching.memory import core_of, entry_at, half_of, length_of, order_at
from backtest.matching.queueing import clamp_all, pass_queue, step_up
from backtest.matching.slots import end
from backtest.matching.state import (
    ASKS,
    BIDS,
    EXPIRIES,
    NANOTICKS,
    NO_KEY,
    REDUCERS,
    OutputKind,
    QueueModel,
    Reason,
)
from backtest.matching.triggers import on_last
from dataflows.kernels import Record

_EXPIRED, _GOOD_TILL_DATE = int(OutputKind.EXPIRED), int(Reason.GOOD_TILL_DATE)
_FIFO = int(QueueModel.FIFO)


@inlined
def on_trade(
    state: int, aggressor_side: int, price_ticks: int, lots: int, venue_time: int, now_ns: int,
) -> None:
    """Let a recorded trade move queues, fill resting orders of the side that it hit, and fire conditional orders."""
    core, passive = core_of(state), -aggressor_side
    core.venue_time = max(core.venue_time, venue_time)
    if venue_time > core.book_time:
        note_trade(state, passive, price_ticks, lots)
    which = BIDS if passive > 0 else ASKS
    waiting, key = length_of(state, which), passive * price_ticks
    if waiting > 0 and entry_at(state, which, waiting - 1).key >= key and core.queue_model != _FIFO:
        fill_by_trade(state, which, key, lots, venue_time, now_ns)
    on_last(state, price_ticks * NANOTICKS, now_ns)


@ENTRIES.entry
def fill_by_trade(state: int, which: int, key: int, lots: int, venue_time: int, now_ns: int) -> None:
    """Fill what rests in a list at a key or better, and move up what does not fill yet."""
    left = lots
    for at in range(length_of(state, which) - 1, -1, -1):
        if entry_at(state, which, at).key < key:
            break
        slot = entry_at(state, which, at).slot
        order = order_at(state, slot)
        if not may_fill(core_of(state), order, venue_time):
            continue
        if entry_at(state, which, at).key > key:  # The trade went through its price: nobody is left before it.
            order.queue_ahead = 0.0
            reached = left
        else:
            reached = pass_queue(order, left)
        filled = fill_resting(state, slot, reached, now_ns)
        step_up(order, reached)
        if core_of(state).partial_fills:
            left -= filled
    expire_idle_reducers(state, now_ns)


@part
def may_fill(core: Record, order: Record, venue_time: int) -> bool:
    """Tell whether a trade of a time may fill an order: none from before its arrival does."""
    if core.simultaneous_trades:
        return bool(venue_time >= order.accepted_at)
    return bool(venue_time > order.accepted_at)


@inlined
def end_of_batch(state: int, venue_time: int, now_ns: int) -> None:
    """Take the book as it is now for the venue's as of a time: fill what it has come over, forget earlier trades.

    After `clear_book`, only call it once the whole snapshot has been applied.
    """
    core = core_of(state)
    core.book_time = max(core.book_time, venue_time)
    core.venue_time = max(core.venue_time, venue_time)
    core.epoch += 1
    if core.cleared:
        end_snapshot(state)
    if not core.synced:
        return
    waiting = length_of(state, BIDS)
    if waiting > 0 and half_of(state, -1).best_key + entry_at(state, BIDS, waiting - 1).key >= 0:
        fill_crossed(state, BIDS, 1, now_ns)
    waiting = length_of(state, ASKS)
    if waiting > 0 and half_of(state, 1).best_key + entry_at(state, ASKS, waiting - 1).key >= 0:
        fill_crossed(state, ASKS, -1, now_ns)
    if length_of(state, REDUCERS) > 0:
        expire_idle_reducers(state, now_ns)


@ENTRIES.entry
def end_snapshot(state: int) -> None:
    """Bound the queues by the snapshot that is now whole."""
    core_of(state).cleared = 0
    clamp_all(state, BIDS, 1)
    clamp_all(state, ASKS, -1)


@ENTRIES.entry
def fill_crossed(state: int, which: int, side: int, now_ns: int) -> None:
    """Fill what rests in a list, of a side, and that the other side of the book has come over."""
    for at in range(length_of(state, which) - 1, -1, -1):
        limit, best = -entry_at(state, which, at).key, half_of(state, -side).best_key
        if best == NO_KEY or best < limit:
            return
        slot = entry_at(state, which, at).slot
        if not core_of(state).partial_fills:
            fill_resting(state, slot, 1, now_ns)
        elif not _fill_from_levels(state, slot, -side, best, limit, now_ns):
            return


@part
def _fill_from_levels(state: int, slot: int, other: int, best: int, limit: int, now_ns: int) -> bool:
    """Fill an order with the levels of the other side that have come over it; tell whether any had something left."""
    order, half, found = order_at(state, slot), half_of(state, other), False
    key = best
    while key != NO_KEY and key >= limit:
        left = available_at(state, other, other * key)
        if left > 0:
            found = True
            remaining = order.remaining_lots
            take(state, other, other * key, fill_resting(state, slot, left, now_ns))
            if order.remaining_lots in (remaining, 0):
                return True
        key = next_key(half, key)
    return found


@ENTRIES.entry
def expire_until(state: int, now_ns: int) -> None:
    """End the orders whose date has come, each at its own date and in the order of dates."""
    while length_of(state, EXPIRIES) > 0:
        slot = first_slot(state, EXPIRIES)
        good_till_ns = order_at(state, slot).good_till_ns
        if good_till_ns > now_ns:
            return
        end(state, slot, _EXPIRED, _GOOD_TILL_DATE, good_till_ns)


@kernel
def next_expiry_ns(state: int) -> int:
    """Return the earliest date of a living order, 0 where none has one."""
    slot = first_slot(state, EXPIRIES)
    return int(order_at(state, slot).good_till_ns) if slot >= 0 else 0
