"""The venue's sequence rules: which difference may be applied to which book.

Binance futures, "How to manage a local order book correctly": buffer the stream, take a snapshot, drop differences with
`u < lastUpdateId`, begin with one where `U <= lastUpdateId <= u` (or `pu == lastUpdateId`, which says the same of a
snapshot that ends exactly where a difference ended), and from then on each `pu` must be the `u` before it. A snapshot
never makes a synced book stale: `reserve` says what becomes of it.
"""

import numpy as np

from dataflows.book import reserve
from dataflows.book.pending import drop, join, wait
from dataflows.book.sides import best_key, clear, put_all, to_keys
from dataflows.book.state import BUFFERING, LOADED, NO_HORIZON, SYNCED, BookResult
from dataflows.kernels import Floats, Integers, Record, part

_APPLIED, _LOADED, _IGNORED = int(BookResult.APPLIED), int(BookResult.LOADED), int(BookResult.IGNORED)
_GAP, _TOO_OLD, _CROSSED = int(BookResult.GAP), int(BookResult.SNAPSHOT_TOO_OLD), int(BookResult.CROSSED)
_BEYOND, _OFF_TICK = int(BookResult.BEYOND_HORIZON), int(BookResult.OFF_TICK)
_REJOINED = int(BookResult.REJOINED)


@part
def update(book: Record, first: int, last: int, previous: int, bids: Floats, asks: Floats) -> int:
    """Take a difference: apply it, let it wait, or refuse it. Returns a `BookResult`; levels have shape (n, 2)."""
    bid_keys, bid_quantities = np.empty(bids.shape[0], np.int64), np.empty(bids.shape[0])
    ask_keys, ask_quantities = np.empty(asks.shape[0], np.int64), np.empty(asks.shape[0])
    numerator, denominator = book.tick_numerator, book.tick_denominator
    if not to_keys(bids, numerator, denominator, 1, bid_keys, bid_quantities):
        return _OFF_TICK
    if not to_keys(asks, numerator, denominator, -1, ask_keys, ask_quantities):
        return _OFF_TICK
    return update_keys(book, first, last, previous, bid_keys, bid_quantities, ask_keys, ask_quantities)


@part
def update_keys(
    book: Record, first: int, last: int, previous: int,
    bid_keys: Integers, bid_quantities: Floats, ask_keys: Integers, ask_quantities: Floats,
) -> int:
    """Take a difference as `update` does, its levels as keys (ticks; of asks their negative) and quantities."""
    if book.status == BUFFERING:
        return wait(book, first, last, previous, bid_keys, bid_quantities, ask_keys, ask_quantities)
    if _is_old(book, last):
        return _IGNORED
    rejoined = book.pending.count > 0 and reserve.settle(book, first, last, previous)
    if rejoined and _is_old(book, last):
        return _LOADED
    if not _follows(book, first, last, previous):
        book.status = BUFFERING
        wait(book, first, last, previous, bid_keys, bid_quantities, ask_keys, ask_quantities)
        return _GAP
    put_all(book.bids, bid_keys, bid_quantities)
    put_all(book.asks, ask_keys, ask_quantities)
    book.last_update_id = last
    book.status = SYNCED
    verdict = _verdict(book)
    return _REJOINED if rejoined and verdict == _APPLIED else verdict


@part
def begin_anew(
    book: Record, first: int, last: int, previous: int,
    bid_keys: Integers, bid_quantities: Floats, ask_keys: Integers, ask_quantities: Floats,
) -> int:
    """Take a difference that `update_keys` has ignored for its old id and that is known to be newer than the book.

    The venue counts anew: the book is stale and the difference waits. Returns GAP. While a snapshot waits for its first
    difference (LOADED), older ones are nothing odd; then nothing changes, as where the id is the book's own: IGNORED.
    """
    if book.status == LOADED or (book.status == SYNCED and last == book.last_update_id):
        return _IGNORED
    book.status = BUFFERING
    drop(book.pending, book.pending.count)
    wait(book, first, last, previous, bid_keys, bid_quantities, ask_keys, ask_quantities)
    return _GAP


@part
def snapshot(book: Record, last: int, bids: Floats, asks: Floats) -> int:
    """Take a snapshot and join what waits to it. Returns a `BookResult`.

    One that is not newer than the book changes nothing. One that is newer than a synced book waits for the differences
    up to it, which show whether the stream was broken between the two.
    """
    bid_keys, bid_quantities = np.empty(bids.shape[0], np.int64), np.empty(bids.shape[0])
    ask_keys, ask_quantities = np.empty(asks.shape[0], np.int64), np.empty(asks.shape[0])
    numerator, denominator = book.tick_numerator, book.tick_denominator
    if not to_keys(bids, numerator, denominator, 1, bid_keys, bid_quantities):
        return _OFF_TICK
    if not to_keys(asks, numerator, denominator, -1, ask_keys, ask_quantities):
        return _OFF_TICK
    return snapshot_keys(book, last, bid_keys, bid_quantities, ask_keys, ask_quantities)


@part
def snapshot_keys(
    book: Record, last: int, bid_keys: Integers, bid_quantities: Floats, ask_keys: Integers, ask_quantities: Floats,
) -> int:
    """Take a snapshot as `snapshot` does, its levels as keys (ticks; of asks their negative) and quantities."""
    if book.status != BUFFERING and last <= book.last_update_id:
        return _IGNORED
    if book.status == SYNCED:
        return reserve.keep(book, last, bid_keys, bid_quantities, ask_keys, ask_quantities)
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
    join(book, start)
    return _verdict(book)


@part
def _is_old(book: Record, last: int) -> bool:
    return bool(last < book.last_update_id or (last == book.last_update_id and book.status == SYNCED))


@part
def _follows(book: Record, first: int, last: int, previous: int) -> bool:
    if book.status == SYNCED:
        return bool(previous == book.last_update_id)
    return bool(first <= book.last_update_id <= last or previous == book.last_update_id)


@part
def _verdict(book: Record) -> int:
    """Judge the book after a change. A bad one becomes stale, and a snapshot that waits beside it takes its place."""
    bid, ask = best_key(book.bids), best_key(book.asks)
    crossed = min(bid, ask) > NO_HORIZON and bid >= -ask
    if not crossed and not _beyond(bid, book.bids.horizon) and not _beyond(ask, book.asks.horizon):
        return _APPLIED if book.status == SYNCED else _LOADED
    book.status = BUFFERING
    if book.pending.count > 0:
        reserve.load(book)
    return _CROSSED if crossed else _BEYOND


@part
def _beyond(best: int, horizon: int) -> bool:
    return horizon != NO_HORIZON and best <= horizon
