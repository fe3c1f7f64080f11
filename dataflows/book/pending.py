"""What waits beside a book: the differences that came before their snapshot.

They are a chain: each `pu` is the `u` before it. A break among them drops those before it, because no snapshot could
bridge it. While the book is synced nothing waits but, at times, one snapshot; see `reserve`.
"""

from dataflows.book.blocks import move, zero
from dataflows.book.sides import put_all
from dataflows.book.state import PENDING_CAPACITY, PENDING_LEVEL_CAPACITY, SYNCED, BookResult
from dataflows.kernels import Floats, Integers, Record, part

_BUFFERED, _IGNORED, _GAP = int(BookResult.BUFFERED), int(BookResult.IGNORED), int(BookResult.GAP)


@part
def wait(
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
        drop(pending, pending.count)
    if levels > PENDING_LEVEL_CAPACITY:
        return _GAP
    while pending.count == PENDING_CAPACITY or pending.levels + levels > PENDING_LEVEL_CAPACITY:
        drop(pending, max(1, pending.count // 4))
    append(pending, first, last, previous, bid_keys, bid_quantities, ask_keys, ask_quantities)
    return _GAP if broken else _BUFFERED


@part
def append(
    pending: Record, first: int, last: int, previous: int,
    bid_keys: Integers, bid_quantities: Floats, ask_keys: Integers, ask_quantities: Floats,
) -> None:
    """Keep one more, for which there is room."""
    index = pending.count
    pending.first_ids[index] = first
    pending.last_ids[index] = last
    pending.previous_ids[index] = previous
    pending.bid_counts[index] = bid_keys.size
    pending.ask_counts[index] = ask_keys.size
    _store(pending, bid_keys, bid_quantities)
    _store(pending, ask_keys, ask_quantities)
    pending.count = index + 1


@part
def _store(pending: Record, keys: Integers, quantities: Floats) -> None:
    start = pending.levels
    for index in range(keys.size):
        pending.keys[start + index] = keys[index]
        pending.quantities[start + index] = quantities[index]
    pending.levels = start + keys.size


@part
def drop(pending: Record, number: int) -> None:
    """Forget the oldest `number` differences. What is left behind is zeroed, so that equal books have equal bytes."""
    gone = 0
    for index in range(number):
        gone += pending.bid_counts[index] + pending.ask_counts[index]
    pending.count -= number
    pending.levels -= gone
    for field in (
        pending.first_ids, pending.last_ids, pending.previous_ids, pending.bid_counts, pending.ask_counts,
    ):
        move(field, 0, number, pending.count)
        zero(field, pending.count, number)
    move(pending.keys, 0, gone, pending.levels)
    zero(pending.keys, pending.levels, gone)
    move(pending.quantities, 0, gone, pending.levels)
    zero(pending.quantities, pending.levels, gone)


@part
def join(book: Record, start: int) -> None:
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
    drop(pending, pending.count)
