"""What the gates remember of one instrument: a record of a fixed dtype, and the counts in it.

It is part of the state of whoever asks the gates, and is written down and restored with it. A zeroed record has seen
nothing.
"""

import numpy as np

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.kernels import Record

# Classes of streams. Each has times and ids of its own.
DEPTH, TICKER, TRADES, AGGREGATE_TRADES, MARKS = range(5)
CLASS_NAMES = ("depth", "ticker", "trade", "aggregate trade", "mark")

#: Room for the reasons' numbers: the counts of a snapshot stay where they are when a reason is added.
REASON_CAPACITY = 64
#: Reasons for which nothing of a frame is applied, as bits.
SET_ASIDE = sum(
    1 << reason for reason in Reason if reason <= Reason.LOCKED_BOOK)

#: Where a quantity usually is, and the ratio by which it is usually off.
SCALE = np.dtype([("seen", np.int64), ("middle", np.float64), ("spread", np.float64)], align=True)

STREAM = np.dtype(
    [
        ("receive_time_ns", np.int64),
        ("event_time_ns", np.int64),
        ("transaction_time_ns", np.int64),
        # The greatest transaction time so far, as far as it can be believed.
        ("newest_time_ns", np.int64),
        # The greatest id, and which of the ids before it were seen: bit n is the one n before it.
        ("last_id", np.int64),
        ("seen_ids", np.int64),
        # 1 from when a silence is told until it ends.
        ("silent", np.int64),
    ],
    align=True,
)

QUALITY = np.dtype(
    [
        ("counts", np.int64, (REASON_CAPACITY,)),
        ("streams", STREAM, (len(CLASS_NAMES),)),
        # The furthest that an event time was ahead of its receive time, where it was too far to be believed.
        ("clock_lead_ns", np.int64),
        # The last trade that was believed, and one that was not and that a second may confirm; 0 for none.
        ("last_price", np.float64),
        ("suspect_price", np.float64),
        ("quantities", SCALE),
        ("steps", SCALE),
    ],
    align=True,
)


_NAMES = tuple((int(reason), reason.name) for reason in Reason)


def counts_of(quality: Record) -> dict[str, int]:
    """Return how often each reason was found, by its name; only those that were."""
    counts = quality["counts"].tolist()
    return {name: counts[number] for number, name in _NAMES if counts[number]}


def reasons_of(found: int) -> list[Reason]:
    """Return the reasons whose bits are set, in the order of their numbers."""
    return [reason for reason in Reason if found >> reason & 1]
