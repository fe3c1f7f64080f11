"""The venue's sequence rules: which difference may be applied to which book.

Binance futures, "How to manage a local order book correctly": buffer the stream, take a snapshot, drop differences with
`u < lastUpdateId`, begin with one where `U <= lastUpdateId <= u` (or `pu == lastUpdateId`, which says the same of a
snapshot that ends exactly where a difference ended), and from then on each `pu` must be the `u` before it. Waiting
differences are always a chain: a break among them drops those before it, because no snapshot could bridge it.
"""

import numpy as np

from dataflows.book.merging import put_all
from dataflows.book.sides import best_key, clear, to_keys
from dataflows.book.state import (
    BUFFERING,
    LOADED,
    NO_HORIZON,
    PENDING_CAPACITY,
    PENDING_LEVEL_CAPACITY,
    SYNCED,
    BookResult,
)
from dataflows.kernels import Floats, Integers, Record, kernel

_APPLIED, _LOADED, _BUFFERED, _IGNORED, _GAP, _TOO_OLD, _CROSSED, _BEYOND, _OFF_TICK = (int(r) for r in BookResult)


@kernel
def update(book: Record, first: int, last: int, previous: int, bids: Floats, asks: Floats) -> int:
    """Take a difference: apply it, let it wait, or refuse it. Returns a `BookResult`; levels have shape (n, 2)."""
    bid_keys, bid_quantities = np.empty(bids.shape[0], np.int64), np.empty(bids.shape[0])
    ask_keys, ask_quantities = np.empty(asks.shape[0], np.int64), np.empty(asks.shape[0])
    numerator, denominator = book.tick_numerator, book.tick_denominator
    if not to_keys(bids, numerator, denominator, 1, bid_keys, bid_quantities):
        return _OFF_TICK
    if not to_keys(asks, numerator, denominator, -1, ask_keys, ask_quantities):
        return _OFF_TICK
    if book.status == BUFFERING:
        return _wait(book, first, last, previous, bid_keys, bid_quantities, ask_keys, ask_quantities)
    if last < book.last_update_id or (last == book.last_update_id and book.status == SYNCED):
        return _IGNORED
    if not _follows(book, first, last, previous):
        book.status = BUFFERING
        _wait(book, first, last, previous, bid_keys, bid_quantities, ask_keys, ask_quantities)
        return _GAP
    put_all(book.bids, bid_keys, bid_quantities)
    put_all(book.asks, ask_keys, ask_quantities)
    book.last_update_id = last
    book.status = SYNCED
    return _verdict(book)


@kernel
def snapshot(book: Record, last: int, bids: Floats, asks: Floats) -> int:
    """Take a snapshot and join what waits to it. Returns a `BookResult`.

    One that is not newer than a synced book changes nothing. One that is newer replaces it, because the stream may have
    been broken between the two; the next difference shows whether they join.
    """
    bid_keys, bid_quantities = np.empty(bids.shape[0], np.int64), np.empty(bids.shape[0])
    ask_keys, ask_quantities = np.empty(asks.shape[0], np.int64), np.empty(asks.shape[0])
    numerator, denominator = book.tick_numerator, book.tick_denominator
    if not to_keys(bids, numerator, denominator, 1, bid_keys, bid_quantities):
        return _OFF_TICK
    if not to_keys(asks, numerator, denominator, -1, ask_keys, ask_quantities):
        return _OFF_TICK
    if book.status != BUFFERING and last <= book.last_update_id:
        return _IGNORED
    pending = book.pending
    start = 0
    while start < pending.count and pending.last_ids[start] < last:
        start += 1
    if start < pending.count and pending.first_ids[start] > last and pending.previous_ids[start] != last:
        return _TOO_OLD
    clear(book.bids)
    clear(book.asks)
    put_all(book.bids, bid_keys, bid_quantities)
    put_all(book.asks, ask_keys, ask_quantities)
    book.last_update_id = last
    book.status = LOADED
    _join(book, start)
    return _verdict(book)


@kernel
def _follows(book: Record, first: int, last: int, previous: int) -> bool:
    if book.status == SYNCED:
        return bool(previous == book.last_update_id)
    return bool(first <= book.last_update_id <= last or previous == book.last_update_id)


@kernel
def _verdict(book: Record) -> int:
    """Judge the book after a change; a bad one becomes stale."""
    bid, ask = best_key(book.bids), best_key(book.asks)
    if min(bid, ask) > NO_HORIZON and bid >= -ask:
        book.status = BUFFERING
        return _CROSSED
    if _beyond(bid, book.bids.horizon) or _beyond(ask, book.asks.horizon):
        book.status = BUFFERING
        return _BEYOND
    return _APPLIED if book.status == SYNCED else _LOADED


@kernel
def _beyond(best: int, horizon: int) -> bool:
    return horizon != NO_HORIZON and best <= horizon


@kernel
def _wait(
    book: Record, first: int, last: int, previous: int,
    bid_keys: Integers, bid_quantities: Floats, ask_keys: Integers, ask_quantities: Floats,
) -> int:
    """Keep a difference until a snapshot comes. The oldest go where there is no room."""
    pending = book.pending
    broken = False
    if pending.count > 0:
        newest = pending.last_ids[pending.count - 1]
        if last <= newest:
            return _IGNORED
        broken = previous != newest
    levels = bid_keys.size + ask_keys.size
    if broken or levels > PENDING_LEVEL_CAPACITY:
        _drop(pending, pending.count)
    if levels > PENDING_LEVEL_CAPACITY:
        return _GAP
    while pending.count == PENDING_CAPACITY or pending.levels + levels > PENDING_LEVEL_CAPACITY:
        _drop(pending, max(1, pending.count // 4))
    index = pending.count
    pending.first_ids[index] = first
    pending.last_ids[index] = last
    pending.previous_ids[index] = previous
    pending.bid_counts[index] = bid_keys.size
    pending.ask_counts[index] = ask_keys.size
    _store(pending, bid_keys, bid_quantities)
    _store(pending, ask_keys, ask_quantities)
    pending.count = index + 1
    return _GAP if broken else _BUFFERED


@kernel
def _store(pending: Record, keys: Integers, quantities: Floats) -> None:
    start = pending.levels
    for index in range(keys.size):
        pending.keys[start + index] = keys[index]
        pending.quantities[start + index] = quantities[index]
    pending.levels = start + keys.size


@kernel
def _drop(pending: Record, number: int) -> None:
    """Forget the oldest `number` differences. What is left behind is zeroed, so that equal books have equal bytes."""
    gone = 0
    for index in range(number):
        gone += pending.bid_counts[index] + pending.ask_counts[index]
    for field in (
        pending.first_ids, pending.last_ids, pending.previous_ids, pending.bid_counts, pending.ask_counts,
    ):
        _shift(field, number, pending.count)
    _shift(pending.keys, gone, pending.levels)
    _shift(pending.quantities, gone, pending.levels)
    pending.count -= number
    pending.levels -= gone


@kernel
def _shift(values: Floats | Integers, number: int, count: int) -> None:
    """Move the first `count` values `number` places down."""
    for index in range(number, count):
        values[index - number] = values[index]
    for index in range(max(0, count - number), count):
        values[index] = 0


@kernel
def _join(book: Record, start: int) -> None:
    """Apply the waiting differences from `start` on, which form a chain, and forget all that waited."""
    pending, at = book.pending, 0
    for index in range(pending.count):
        bid_end = at + pending.bid_counts[index]
        end = bid_end + pending.ask_counts[index]
        if index >= start:
            put_all(book.bids, pending.keys[at:bid_end], pending.quantities[at:bid_end])
            put_all(book.asks, pending.keys[bid_end:end], pending.quantities[bid_end:end])
            book.last_update_id = pending.last_ids[index]
            book.status = SYNCED
        at = end
    _drop(pending, pending.count)
