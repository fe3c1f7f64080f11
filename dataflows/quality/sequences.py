"""Whether ids of a stream go on one by one: seen before, missing, overtaken, or begun anew. O(1), fixed memory."""

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.kernels import Record, part

#: Ids before the greatest of which it is known whether they were seen.
WINDOW = 62
_WINDOW_BITS = (1 << WINDOW) - 1
_DUPLICATE, _MISSING, _REVERSED = (
    1 << int(Reason.DUPLICATE_ID), 1 << int(Reason.MISSING_IDS), 1 << int(Reason.ID_REVERSED))


@part
def id_bits(stream: Record, new_id: int, newer: bool) -> int:
    """Judge the id of an event by those of its `STREAM` so far, and remember it. An id of 0 is none.

    `newer`: whether its transaction took place after all before it. An id far below the last then says that the venue
    counts anew, else that an event came a second time.
    """
    if new_id <= 0:
        return 0
    step = new_id - stream.last_id
    if stream.last_id == 0 or (step <= -WINDOW and newer):
        found = 0 if stream.last_id == 0 else _REVERSED
        stream.last_id, stream.seen_ids = new_id, 1
        return found
    if step > 0:
        shifted = (stream.seen_ids << step) & _WINDOW_BITS if step < WINDOW else 0
        stream.last_id, stream.seen_ids = new_id, shifted | 1
        return _MISSING if step > 1 else 0
    if step <= -WINDOW or (stream.seen_ids >> -step) & 1:
        return _DUPLICATE
    stream.seen_ids |= 1 << -step
    return _REVERSED
