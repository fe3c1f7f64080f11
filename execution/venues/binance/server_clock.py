"""The exchange's clock as seen from here: the machine's, or a given one, and a measured offset.

An offset is the server's time minus the middle of question and answer; the median of the last few counts, so that one
slow answer moves nothing. Source: hummingbot's time synchroniser has the same idea.
"""

from collections import deque
from statistics import median_low
from typing import Final

from sluice.clock import NS_PER_MS, Clock

SAMPLES: Final = 5
_HALF_MS_NS: Final = NS_PER_MS // 2


class ServerClock:
    """Tells the exchange's time. Without a sample it is the given clock's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples_ns: deque[int] = deque(maxlen=SAMPLES)

    @property
    def offset_ns(self) -> int:
        """Return how far the exchange's clock is ahead of ours."""
        return median_low(self._samples_ns) if self._samples_ns else 0

    def local_ns(self) -> int:
        """Return our own time."""
        return self._clock.now_ns()

    def now_ns(self) -> int:
        """Return the exchange's time."""
        return self._clock.now_ns() + self.offset_ns

    def timestamp_ms(self, local_ns: int) -> int:
        """Return one of our own times as the exchange's, in whole milliseconds, rounded down."""
        return (local_ns + self.offset_ns) // NS_PER_MS

    def sample(self, asked_ns: int, server_ms: int, answered_ns: int) -> None:
        """Take in one measurement; the server's milliseconds are rounded down, so their middle counts."""
        self._samples_ns.append(server_ms * NS_PER_MS + _HALF_MS_NS - (asked_ns + answered_ns) // 2)

    def forget(self) -> None:
        """Drop what was measured, because the exchange says that it is wrong."""
        self._samples_ns.clear()
