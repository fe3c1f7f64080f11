"""How an actor's book has fared: whether it was ever whole, how often it was lost and why.

A book can be lost on a frame that is good in itself, so dead letters do not tell of it. These counts do.
"""

import msgspec
import numpy as np

from dataflows.book.state import SYNCED, BookResult
from dataflows.kernels import Record, RecordArray, part

#: Why a book that was synced is so no more: a break in the sequence, a bid at or above the ask, or a best price beyond
#: the levels that a book holds. Their numbers in the record count from 1.
CAUSES = ("gap", "crossed", "horizon")
_GAP, _CROSSED, _HORIZON = 1, 2, 3
_BY_CROSSING, _BEYOND_HORIZON = int(BookResult.CROSSED), int(BookResult.BEYOND_HORIZON)

HEALTH = np.dtype(
    [
        ("snapshots", np.int64),
        # How often the book became synced.
        ("joins", np.int64),
        # How often it was lost, by cause; and why and when the last time.
        ("losses", np.int64, (len(CAUSES),)),
        ("lost_by", np.int64),
        ("lost_time_ns", np.int64),
    ],
    align=True,
)


class BookHealth(msgspec.Struct, frozen=True, gc=False):
    """Counts since the actor's beginning. `joins` is 0 for a book that was never synced.

    `lost_to_gap`, `lost_to_crossing` and `lost_to_horizon` count the times at which a synced book was lost.
    `stale_cause` is the name in `CAUSES` of why it is not synced at present and `stale_since_ns` since when; "" and 0
    where it is synced or never was.
    """

    snapshots: int = 0
    joins: int = 0
    lost_to_gap: int = 0
    lost_to_crossing: int = 0
    lost_to_horizon: int = 0
    stale_cause: str = ""
    stale_since_ns: int = 0


@part
def note(health: Record, was_synced: bool, status: int, result: int, time_ns: int) -> None:
    """Take note of what a frame did to the book."""
    if was_synced == (status == SYNCED):
        return
    if not was_synced:
        health.joins += 1
        health.lost_by = 0
        health.lost_time_ns = 0
        return
    cause = _CROSSED if result == _BY_CROSSING else _HORIZON if result == _BEYOND_HORIZON else _GAP
    health.losses[cause - 1] += 1
    health.lost_by = cause
    health.lost_time_ns = time_ns


def health_of(states: RecordArray) -> BookHealth:
    """Return the health that a state of one record with the field `health` holds."""
    snapshots, joins, losses, lost_by, lost_time_ns = states["health"][0].item()
    gap, crossing, horizon = losses.tolist()
    return BookHealth(snapshots, joins, gap, crossing, horizon, CAUSES[lost_by - 1] if lost_by else "", lost_time_ns)
