"""A snapshot that is newer than a synced book, kept until the next differences show what it is good for.

Where they go on from the book, the stream is whole and the snapshot is merely news of its own range: the book stays
synced throughout and takes from it what it could not know, such as levels that lay beyond its first snapshot. Where
they do not, the stream was broken before the snapshot, and the snapshot is what they may be joined to.
"""

from dataflows.book.pending import append, drop, join
from dataflows.book.sides import clear, clear_from
from dataflows.book.state import LOADED, PENDING_LEVEL_CAPACITY, BookResult
from dataflows.kernels import Floats, Integers, Record, part

_BUFFERED, _IGNORED = int(BookResult.BUFFERED), int(BookResult.IGNORED)


@part
def keep(
    book: Record, last: int, bid_keys: Integers, bid_quantities: Floats, ask_keys: Integers, ask_quantities: Floats,
) -> int:
    """Keep a snapshot beside a synced book, unless one as new is there. One too large to keep is ignored."""
    pending = book.pending
    if pending.count > 0 and last <= pending.last_ids[0]:
        return _IGNORED
    if bid_keys.size + ask_keys.size > PENDING_LEVEL_CAPACITY:
        return _IGNORED
    drop(pending, pending.count)
    append(pending, last, last, last, bid_keys, bid_quantities, ask_keys, ask_quantities)
    return _BUFFERED


@part
def settle(book: Record, first: int, last: int, previous: int) -> bool:
    """Use the kept snapshot or not, now that a difference has come. Returns whether any level may have changed."""
    pending = book.pending
    snapshot = pending.last_ids[0]
    if previous != book.last_update_id:
        load(book)
        return True
    if last < snapshot:
        return False
    if first > snapshot:
        drop(pending, pending.count)
        return False
    _refresh(book)
    return True


@part
def load(book: Record) -> None:
    """Put the kept snapshot in the place of the book; a difference must still be joined to it."""
    clear(book.bids)
    clear(book.asks)
    join(book, book.pending.count - 1)
    book.status = LOADED


@part
def _refresh(book: Record) -> None:
    """Set the book to the snapshot as far as that reaches; what is known beyond it stays, of an empty side all."""
    pending, last = book.pending, book.last_update_id
    bids, end = pending.bid_counts[0], pending.levels
    _clear_range(book.bids, pending.keys[:bids])
    _clear_range(book.asks, pending.keys[bids:end])
    join(book, pending.count - 1)
    book.last_update_id = last


@part
def _clear_range(side: Record, keys: Integers) -> None:
    if keys.size == 0:
        # The differences, which are whole, would have taken away what is not there any more.
        return
    furthest = keys[0]
    for key in keys:
        furthest = min(furthest, key)
    clear_from(side, furthest)
    side.horizon = min(side.horizon, furthest - 1)
