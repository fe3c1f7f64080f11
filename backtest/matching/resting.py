"""What the market does to resting orders: trades, a book that comes over their price, and their dates.

A trade fills orders of the side that it hit, best price and earliest arrival first: those at better prices than its
own at once, those at its price with what passes their queue. In all they get no more than the trade's lots (where
fills may be partial). A trade of a time before an order's arrival never fills it.
"""

from backtest.kernels import inlined, kernel
from backtest.matching.entries import first_slot
from backtest.matching.filling import expire_idle_reducers, fill_resting
from backtest.matching.ladder import available_at, best_key, key_after, note_trade, take
from backtest.matching.queueing import clamp_all, pass_queue, step_up
from backtest.matching.slots import end
from backtest.matching.state import (
    ASKS,
    BIDS,
    EXPIRIES,
    LAST_FALLS,
    LAST_RISES,
    LAST_TRAILS,
    NANOTICKS,
    NO_KEY,
    REDUCERS,
    MatchingState,
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
    state: MatchingState, aggressor_side: int, price_ticks: int, lots: int, venue_time: int, now_ns: int,
) -> None:
    """Let a recorded trade move queues, fill resting orders of the side that it hit, and fire conditional orders."""
    core, passive = state.core[0], -aggressor_side
    core.venue_time = max(core.venue_time, venue_time)
    if venue_time > core.book_time:
        note_trade(state, passive, price_ticks, lots)
    which = BIDS if passive > 0 else ASKS
    waiting, key = core.counts[which], passive * price_ticks
    if waiting > 0 and state.entries[which, waiting - 1].key >= key and core.queue_model != _FIFO:
        _fill_by_trade(state, which, key, lots, venue_time, now_ns)
    core.last_nanoticks = price_ticks * NANOTICKS
    if core.counts[LAST_RISES] + core.counts[LAST_FALLS] + core.counts[LAST_TRAILS] > 0:
        on_last(state, price_ticks * NANOTICKS, now_ns)


@kernel
def _fill_by_trade(state: MatchingState, which: int, key: int, lots: int, venue_time: int, now_ns: int) -> None:
    left = lots
    for at in range(state.core[0].counts[which] - 1, -1, -1):
        if state.entries[which, at].key < key:
            break
        slot = state.entries[which, at].slot
        order = state.orders[slot]
        if not may_fill(state.core[0], order, venue_time):
            continue
        if state.entries[which, at].key > key:  # The trade went through its price: nobody is left before it.
            order.queue_ahead = 0.0
            reached = left
        else:
            reached = pass_queue(order, left)
        filled = fill_resting(state, slot, reached, now_ns)
        step_up(order, reached)
        if state.core[0].partial_fills:
            left -= filled
    expire_idle_reducers(state, now_ns)


@kernel
def may_fill(core: Record, order: Record, venue_time: int) -> bool:
    """Tell whether a trade of a time may fill an order: none from before its arrival does."""
    if core.simultaneous_trades:
        return bool(venue_time >= order.accepted_at)
    return bool(venue_time > order.accepted_at)


@inlined
def end_of_batch(state: MatchingState, venue_time: int, now_ns: int) -> None:
    """Take the book as it is now for the venue's as of a time: fill what it has come over, forget earlier trades.

    After `clear_book`, only call it once the whole snapshot has been applied.
    """
    core = state.core[0]
    core.book_time = max(core.book_time, venue_time)
    core.venue_time = max(core.venue_time, venue_time)
    core.epoch += 1
    if core.cleared:
        _end_snapshot(state)
    if not core.synced:
        return
    waiting = core.counts[BIDS]
    if waiting > 0 and core.asks.best_key + state.entries[BIDS, waiting - 1].key >= 0:
        _fill_crossed(state, BIDS, 1, now_ns)
    waiting = core.counts[ASKS]
    if waiting > 0 and core.bids.best_key + state.entries[ASKS, waiting - 1].key >= 0:
        _fill_crossed(state, ASKS, -1, now_ns)
    if core.counts[REDUCERS] > 0:
        expire_idle_reducers(state, now_ns)


@kernel
def _end_snapshot(state: MatchingState) -> None:
    state.core[0].cleared = 0
    clamp_all(state, BIDS, 1)
    clamp_all(state, ASKS, -1)


@kernel
def _fill_crossed(state: MatchingState, which: int, side: int, now_ns: int) -> None:
    for at in range(state.core[0].counts[which] - 1, -1, -1):
        limit, best = -state.entries[which, at].key, best_key(state, -side)
        if best == NO_KEY or best < limit:
            return
        slot = state.entries[which, at].slot
        if not state.core[0].partial_fills:
            fill_resting(state, slot, 1, now_ns)
        elif not _fill_from_levels(state, slot, -side, best, limit, now_ns):
            return


@kernel
def _fill_from_levels(state: MatchingState, slot: int, other: int, best: int, limit: int, now_ns: int) -> bool:
    """Fill an order with the levels of the other side that have come over it; tell whether any had something left."""
    order, found = state.orders[slot], False
    key = best
    while key != NO_KEY and key >= limit:
        left = available_at(state, other, other * key)
        if left > 0:
            found = True
            remaining = order.remaining_lots
            take(state, other, other * key, fill_resting(state, slot, left, now_ns))
            if order.remaining_lots in (remaining, 0):
                return True
        key = key_after(state, other, key)
    return found


@kernel
def expire_until(state: MatchingState, now_ns: int) -> None:
    """End the orders whose date has come, each at its own date and in the order of dates."""
    while state.core[0].counts[EXPIRIES] > 0:
        slot = first_slot(state, EXPIRIES)
        good_till_ns = state.orders[slot].good_till_ns
        if good_till_ns > now_ns:
            return
        end(state, slot, _EXPIRED, _GOOD_TILL_DATE, good_till_ns)


@kernel
def next_expiry_ns(state: MatchingState) -> int:
    """Return the earliest date of a living order, 0 where none has one."""
    slot = first_slot(state, EXPIRIES)
    return int(state.orders[slot].good_till_ns) if slot >= 0 else 0
