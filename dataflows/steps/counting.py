"""What came of a tick: the run's counts with the rows of all its instruments counted in."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from dataflows.staleness import book_stale
from dataflows.statistics import FlowStatistics
from dataflows.steps.market import TickRow


class TickOutcome(NamedTuple):
    """What came of a tick: the statistics so far, as JSON."""

    event_time_ns: int
    statistics: bytes
    last: bool


def count_tick(statistics: FlowStatistics, tick_rows: Sequence[TickRow]) -> None:
    """Count the rows of a tick, one an instrument."""
    counts, tick = statistics.counts, tick_rows[0].tick
    by_reason = Counter(dict(tick.dead_letters))
    by_gate: Counter[str] = Counter()
    for found in tick_rows:
        by_reason.update(dict(found.dead_letters))
        by_gate.update(dict(found.row.quality))
    counts.frames = tick.lines
    counts.dead_letters = by_reason.total()
    counts.dead_letters_by_reason = dict(by_reason)
    counts.quality_by_reason = dict(by_gate)
    counts.events = sum(found.row.events for found in tick_rows)
    counts.ticks += 1
    counts.features += len(tick_rows)
    counts.valid_features += sum(all(found.row.valid) for found in tick_rows)
    counts.event_time_ns = tick.time_ns
    counts.book_stale = book_stale(found.row for found in tick_rows)
    for found in tick_rows:
        statistics.hops["features"].record(found.frame_ns)
