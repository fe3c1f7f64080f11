"""What a run of the flow counted and how long its hops took.

Counts are part of the flow's state: they are exact after a crash and a restart. Times are measured with the machine's
clock and decide nothing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from dataflows.staleness import BookStale
from sluice.telemetry.histogram import LatencyHistogram

#: The hops of the way from a frame to an order, in order: `features` is the mean of the frames before a tick, `whole`
#: is everything from a tick's rows to its last order.
HOPS = ("features", "advance", "reports", "observe", "predict", "evaluate", "submit", "cancel", "whole")


class Counts(msgspec.Struct):
    """What was seen and done so far. `frames` counts every line of the tape; `book_stale` is as of the last tick.

    `quality_by_reason` is what the gates found in events, whether they were set aside for it or only flagged.
    """

    frames: int = 0
    dead_letters: int = 0
    dead_letters_by_reason: dict[str, int] = {}
    quality_by_reason: dict[str, int] = {}
    events: int = 0
    ticks: int = 0
    features: int = 0
    valid_features: int = 0
    predictions: int = 0
    intents: int = 0
    event_time_ns: int = 0
    finished: bool = False
    book_stale: BookStale = BookStale()


class FlowStatistics:
    """Counts and latency histograms of one flow."""

    def __init__(self, snapshot: bytes | None = None) -> None:
        if snapshot is None:
            self.counts = Counts()
            self.hops = {hop: LatencyHistogram() for hop in HOPS}
        else:
            counts, hops = msgspec.msgpack.decode(snapshot, type=tuple[Counts, dict[str, bytes]])
            self.counts = counts
            self.hops = {hop: LatencyHistogram.from_bytes(hops[hop]) for hop in HOPS}

    def snapshot(self) -> bytes:
        """Return everything as bytes."""
        return msgspec.msgpack.encode((self.counts, {hop: found.to_bytes() for hop, found in self.hops.items()}))

    @contextmanager
    def timed(self, hop: str) -> Iterator[None]:
        """Measure what happens inside."""
        started = time.perf_counter_ns()
        yield
        self.hops[hop].record(time.perf_counter_ns() - started)

    def latency_ms(self) -> dict[str, dict[str, float]]:
        """Return p50 and p99 of each hop that was measured, in milliseconds."""
        return {
            hop: {"p50": found.percentile(0.5), "p99": found.percentile(0.99)}
            for hop, found in self.hops.items() if found.count
        }

    def as_json(self) -> bytes:
        """Return counts and latencies as JSON."""
        return msgspec.json.encode({**msgspec.to_builtins(self.counts), "latency_ms": self.latency_ms()})


def read_statistics(path: Path) -> dict[str, Any]:
    """Return the statistics that a flow wrote last; empty where it has not written any."""
    return msgspec.json.decode(path.read_bytes()) if path.exists() else {}
