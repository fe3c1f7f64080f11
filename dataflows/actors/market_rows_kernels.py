"""Rows of a compiled tape, in hftbacktest's layout, taken into a market actor's state.

A compiled tape has no update ids. So a message is known by its two times: rows of levels that share them are one
difference, rows of best prices one message. The exchange's time stands for the update id, by which best prices are
newer than the book or not. A book that is crossed counts as unknown until it is crossed no more: nothing could be
asked for again. Rows that are no `LOCAL_EVENT` were not received and are passed over; so are kinds that are not known.
"""

import math

from dataflows.actors.market_health import note
from dataflows.actors.market_kernels import SINGLE_TRADES, advance, fill_top, take_best, take_trade
from dataflows.actors.market_rows_state import BEST, LEVELS, NO_GROUP
from dataflows.book.sides import best_key, clear, clear_from
from dataflows.book.single import put
from dataflows.book.state import BUFFERING, NO_HORIZON, SYNCED, BookResult
from dataflows.kernels import Record, part
from dataflows.tapes.rows import (
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)

#: What a row is; the first two are groups.
ROW_LEVELS, ROW_BEST, ROW_TRADE, ROW_OTHER = LEVELS, BEST, 3, 4

#: A longer silence is passed over with one tick at its beginning, as in `dataflows.ticks`.
LONGEST_SILENCE_NS = 600_000_000_000

_KIND, _SIDES = 0xFF, BUY_EVENT | SELL_EVENT
_TICK_TOLERANCE = 1e-3
_LARGEST = 2.0**52
_APPLIED, _CROSSED, _BEYOND = int(BookResult.APPLIED), int(BookResult.CROSSED), int(BookResult.BEYOND_HORIZON)


@part
def class_of(flags: int) -> int:
    """Return what a row is by its `ev`."""
    kind = flags & _KIND
    if flags & LOCAL_EVENT == 0:
        return ROW_OTHER
    if kind in (DEPTH_EVENT, DEPTH_CLEAR_EVENT, DEPTH_SNAPSHOT_EVENT):
        return ROW_LEVELS
    return ROW_TRADE if kind == TRADE_EVENT else ROW_BEST if kind == DEPTH_BBO_EVENT else ROW_OTHER


@part
def ends_group(rows: Record, row_class: int, time_ns: int, exchange_ns: int) -> bool:
    """Tell whether a row is the first that is not of the open group."""
    return bool(rows.group != NO_GROUP and (
        row_class != rows.group or time_ns != rows.time_ns or exchange_ns != rows.exchange_ns))


@part
def open_group(state: Record, row_class: int, time_ns: int, exchange_ns: int) -> None:
    """Begin a group with its first row."""
    rows = state.rows
    advance(state, time_ns)
    rows.group = row_class
    rows.time_ns = time_ns
    rows.exchange_ns = exchange_ns
    rows.changed = 0
    rows.removed = 0
    if row_class == ROW_BEST:
        fill_top(state, rows.best)


@part
def close_group(state: Record) -> int:
    """End the open group: judge the book, or take in the best prices. Returns LEVELS, BEST, or NO_GROUP if refused."""
    rows = state.rows
    group = rows.group
    rows.group = NO_GROUP
    if group == LEVELS:
        return LEVELS if _judged(state) else NO_GROUP
    best = rows.best
    if not best[0] < best[2]:
        state.dead_letters += 1
        return NO_GROUP
    result = take_best(state, rows.time_ns, rows.exchange_ns, best[0], best[1], best[2], best[3])
    return BEST if result == _APPLIED else NO_GROUP


@part
def _judged(state: Record) -> bool:
    """Say whether the book is known after a group of levels, and count the group. Returns whether it is an event."""
    book, rows = state.book, state.rows
    bid, ask = best_key(book.bids), best_key(book.asks)
    both = min(bid, ask) > NO_HORIZON
    crossed = both and bid >= -ask
    beyond = (book.bids.horizon != NO_HORIZON and bid <= book.bids.horizon) or (
        book.asks.horizon != NO_HORIZON and ask <= book.asks.horizon)
    was_synced = book.status == SYNCED
    book.status = SYNCED if rows.loaded == 1 and both and not crossed and not beyond else BUFFERING
    book.last_update_id = max(book.last_update_id, rows.exchange_ns)
    result = _CROSSED if crossed else _BEYOND if beyond else _APPLIED
    note(state.health, was_synced, book.status, result, state.event_time_ns)
    if crossed:
        state.dead_letters += 1
        return False
    state.events += 1
    state.book_time_ns = state.event_time_ns
    return True


@part
def take_level(state: Record, flags: int, price: float, quantity: float) -> None:
    """Take a row of the open group of levels: set or remove a level, or clear a side as far as a price."""
    rows, kind = state.rows, flags & _KIND
    if kind == DEPTH_CLEAR_EVENT:
        _clear(state, flags, price)
        return
    key = _key(state, flags, price)
    if key == NO_HORIZON or not 0.0 <= quantity < math.inf:
        state.dead_letters += 1
        return
    if kind == DEPTH_SNAPSHOT_EVENT and rows.loaded == 0:
        rows.loaded = 1
        state.health.snapshots += 1
    put(state.book.bids if flags & BUY_EVENT != 0 else state.book.asks, key, quantity)
    rows.changed += quantity != 0.0
    rows.removed += quantity == 0.0


@part
def _clear(state: Record, flags: int, price: float) -> None:
    """Forget the levels from the best to a price, or all where there is none; of both sides where none is named."""
    sides = flags & _SIDES
    if sides != SELL_EVENT:
        _clear_side(state, state.book.bids, BUY_EVENT, price)
    if sides != BUY_EVENT:
        _clear_side(state, state.book.asks, SELL_EVENT, price)


@part
def _clear_side(state: Record, side: Record, flags: int, price: float) -> None:
    if not 0.0 < price < math.inf:
        clear(side)
        return
    key = _key(state, flags, price)
    if key == NO_HORIZON:
        state.dead_letters += 1
    else:
        clear_from(side, key)


@part
def _key(state: Record, flags: int, price: float) -> int:
    """Return the key of a price, or `NO_HORIZON` where it is none: not positive, or no multiple of the tick."""
    ticks = price * state.book.tick_denominator / state.book.tick_numerator
    if not 0.0 < ticks < _LARGEST:
        return NO_HORIZON
    whole = math.floor(ticks + 0.5)
    if abs(ticks - whole) > _TICK_TOLERANCE:
        return NO_HORIZON
    return int(whole) if flags & BUY_EVENT != 0 else -int(whole)


@part
def take_best_row(state: Record, flags: int, price: float, quantity: float) -> None:
    """Take a row of the open group of best prices: one side's."""
    if not (0.0 < price < math.inf and 0.0 <= quantity < math.inf):
        state.dead_letters += 1
        return
    at = 0 if flags & BUY_EVENT != 0 else 2
    state.rows.best[at] = price
    state.rows.best[at + 1] = quantity


@part
def take_trade_row(state: Record, flags: int, time_ns: int, price: float, quantity: float) -> int:
    """Take in a trade. Returns APPLIED, or another result where nothing is made of it."""
    if not (0.0 < price < math.inf and 0.0 <= quantity < math.inf):
        state.dead_letters += 1
        return _CROSSED
    return take_trade(state, time_ns, price, quantity, flags & SELL_EVENT != 0, SINGLE_TRADES)


@part
def due_tick(rows: Record, time_ns: int, interval_ns: int) -> int:
    """Return the next tick that comes before a row of this time, and step past it; 0 where none does."""
    tick_ns = rows.next_tick_ns
    if tick_ns != 0 and time_ns < tick_ns:
        return 0
    if tick_ns == 0 or time_ns - tick_ns > LONGEST_SILENCE_NS:
        rows.next_tick_ns = (time_ns // interval_ns + 1) * interval_ns
    else:
        rows.next_tick_ns = tick_ns + interval_ns
    return int(tick_ns)
