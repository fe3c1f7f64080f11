"""The record that is an order book, and what an update can do to it.

Bids and asks share one form because a key is the price in ticks for bids and its negative for asks; the greatest key is
the best price either way. Near the touch a side is a window, one cell a tick, in which setting a level is one write and
no other level moves; the window goes where the best price goes. The levels below the window, few of which ever change,
are kept apart in two arrays sorted so that the best is the last. Capacity is fixed: where there is no room for a level
outside the window, the furthest is forgotten, and `horizon` says that nothing is known for certain at or beyond its
key. Every cell and place without a level is zero.
"""

from decimal import Decimal
from enum import Enum, IntEnum

import numpy as np

from dataflows.kernels import RecordArray
from sluice.errors import InputError

#: Ticks that a side's window spans: a power of two.
WINDOW = 16384
#: Levels that a side can hold below its window.
FAR_CAPACITY = 4096
#: Differences that wait for a snapshot, and their levels in all. Beside a synced book, one snapshot may wait there.
PENDING_CAPACITY = 256
PENDING_LEVEL_CAPACITY = 8192
#: Horizon of a side that has forgotten nothing, and best key of one that is empty.
NO_HORIZON = -(2**62)

# Status of a book.
BUFFERING = 0  # no usable book: differences wait for a snapshot
LOADED = 1     # a snapshot is loaded; the first difference must still be joined to it
SYNCED = 2     # every difference since the snapshot has been applied


class BookResult(IntEnum):
    """What an update or snapshot did."""

    APPLIED = 0
    #: A snapshot is loaded and waits for the first difference.
    LOADED = 1
    #: A difference waits for a snapshot, or a snapshot newer than the synced book for the differences up to it.
    BUFFERED = 2
    #: Older than what the book holds; nothing changed.
    IGNORED = 3
    #: `pu` is not the last update's `u`: the book is stale until a snapshot joins the stream again.
    GAP = 4
    #: A snapshot is older than the first waiting difference: they cannot be joined.
    SNAPSHOT_TOO_OLD = 5
    #: The best bid reached the best ask: the book is stale.
    CROSSED = 6
    #: The best price went beyond the levels the book remembers: it is stale.
    BEYOND_HORIZON = 7
    #: A price is no multiple of the tick size; nothing changed.
    OFF_TICK = 8
    #: A difference was applied together with the snapshot that waited for it: any level may have changed.
    REJOINED = 9


class BookSide(Enum):
    """A side of the book."""

    BID = 1
    ASK = -1


SIDE = np.dtype(
    [
        # Levels in all, and those of them that lie below the window.
        ("count", np.int64),
        ("far_count", np.int64),
        ("horizon", np.int64),
        ("best", np.int64),
        # Key of the window's first cell.
        ("base", np.int64),
        ("window", np.float64, (WINDOW,)),
        ("far_keys", np.int64, (FAR_CAPACITY,)),
        ("far_quantities", np.float64, (FAR_CAPACITY,)),
    ],
    align=True,
)

PENDING = np.dtype(
    [
        ("count", np.int64),
        ("levels", np.int64),
        ("first_ids", np.int64, (PENDING_CAPACITY,)),
        ("last_ids", np.int64, (PENDING_CAPACITY,)),
        ("previous_ids", np.int64, (PENDING_CAPACITY,)),
        ("bid_counts", np.int64, (PENDING_CAPACITY,)),
        ("ask_counts", np.int64, (PENDING_CAPACITY,)),
        ("keys", np.int64, (PENDING_LEVEL_CAPACITY,)),
        ("quantities", np.float64, (PENDING_LEVEL_CAPACITY,)),
    ],
    align=True,
)

BOOK = np.dtype(
    [
        # The tick size is numerator / denominator, both whole: price = ticks * numerator / denominator, correctly
        # rounded.
        ("tick_numerator", np.float64),
        ("tick_denominator", np.float64),
        ("status", np.int64),
        ("last_update_id", np.int64),
        ("bids", SIDE),
        ("asks", SIDE),
        ("pending", PENDING),
    ],
    align=True,
)


def initialise(book: RecordArray, tick_size: Decimal) -> None:
    """Make a zeroed book record ready. Raises `InputError` where the tick size is not positive."""
    if not tick_size > 0:
        raise InputError(f"tick_size must be positive, was {tick_size}")
    numerator, denominator = tick_size.as_integer_ratio()
    book["tick_numerator"], book["tick_denominator"] = numerator, denominator
    for side in ("bids", "asks"):
        book[side]["horizon"] = book[side]["best"] = NO_HORIZON


def new_book(tick_size: Decimal) -> RecordArray:
    """Return an empty book as an array of one record."""
    book = np.zeros(1, BOOK)
    initialise(book, tick_size)
    return book
