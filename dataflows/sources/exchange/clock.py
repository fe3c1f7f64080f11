"""Who says when a frame was received: the machine's clock, or the markers of an exchange in lock-step.

The rest of a feed asks a `FeedClock` and does not know which it is.
"""

from typing import NamedTuple, Protocol

from sluice.clock import Clock


class FeedClock(Protocol):
    """Tells the receive time of what arrives now, in nanoseconds since the Unix epoch. It never goes back."""

    def stamp_ns(self) -> int:
        """Return the receive time of what has just arrived."""
        ...


class MonotoneClock:
    """A clock that stands still where the one behind it goes back, as the machine's may when it is set."""

    def __init__(self, clock: Clock, start_ns: int = 0) -> None:
        self._clock = clock
        self._last_ns = start_ns

    def stamp_ns(self) -> int:
        """Return the time, never less than the last one returned."""
        self._last_ns = max(self._last_ns, self._clock.now_ns())
        return self._last_ns


class Marker(NamedTuple):
    """Where a connection in lock-step stands: the receive time and line of the frame that comes next.

    A marker without a frame after it says that no earlier line comes any more. `end` says that none comes at all.
    """

    receive_time_ns: int
    line: int
    end: bool = False


def read_marker(payload: bytes) -> Marker | None:
    """Return the marker that a PING carries, `<receive ns> <line>[ end]`, or None for an ordinary PING."""
    parts = payload.split(b" ")
    if len(parts) not in {2, 3} or not all(part.isdigit() and len(part) < 20 for part in parts[:2]):
        return None
    if len(parts) == 3 and parts[2] != b"end":
        return None
    return Marker(int(parts[0]), int(parts[1]), len(parts) == 3)
