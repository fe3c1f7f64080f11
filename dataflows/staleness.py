"""Which books could not be traded on and why: what the statistics of a run say of them.

A book that is lost, or was never whole, stops the trading of its instrument without any frame being bad. This says so.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from dataflows.actors.market_rows import FeatureRow

NO_SNAPSHOT = "no snapshot was in the tape"
NOT_JOINED = "no update of the tape could be joined to a snapshot"


class LostBook(msgspec.Struct, frozen=True):
    """A book that was whole once and is not now: why (gap, crossed or horizon) and since when."""

    cause: str
    since_ns: int


class BookStale(msgspec.Struct, frozen=True):
    """What is wrong with books, by instrument key.

    `by_cause` counts how often any book was lost, whether or not it came back. `never_synced` says of the books that
    have not been whole yet why not; `lost` of those that are out of sync now, what happened.
    """

    by_cause: dict[str, int] = {}
    never_synced: dict[str, str] = {}
    lost: dict[str, LostBook] = {}


def book_stale(rows: Iterable["FeatureRow"]) -> BookStale:
    """Return what the rows of a tick, one an instrument, say of their books."""
    causes: Counter[str] = Counter()
    never_synced: dict[str, str] = {}
    lost: dict[str, LostBook] = {}
    for row in rows:
        health = row.health
        causes["gap"] += health.lost_to_gap
        causes["crossed"] += health.lost_to_crossing
        causes["horizon"] += health.lost_to_horizon
        if not health.joins:
            never_synced[row.instrument] = NOT_JOINED if health.snapshots else NO_SNAPSHOT
        elif health.stale_cause:
            lost[row.instrument] = LostBook(health.stale_cause, health.stale_since_ns)
    return BookStale(dict(+causes), never_synced, lost)
