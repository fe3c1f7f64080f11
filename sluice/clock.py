"""Clocks, so that nothing inside an actor or an engine reads the time by itself.

Live, a service reads `SystemClock`. In a replay it reads `EventClock`, which goes only as far as the events have gone:
the same tape then gives the same times, approvals and expiries however fast the machine is.
"""

import time
from typing import Final, Protocol

NS_PER_MS: Final = 1_000_000


def whole_milliseconds_ns(time_ns: int) -> int:
    """Return a time as a wire that carries milliseconds leaves it: cut to the last whole one."""
    return time_ns // NS_PER_MS * NS_PER_MS


class Clock(Protocol):
    """Tells the time in nanoseconds since the Unix epoch (UTC)."""

    def now_ns(self) -> int:
        """Return the current time in nanoseconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return the wall-clock time in nanoseconds."""
        return time.time_ns()


class EventClock:
    """The time of the latest event seen. It never goes back."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Return the time of the latest event in nanoseconds."""
        return self._now_ns

    def advance(self, event_time_ns: int) -> None:
        """Move to an event's time; an earlier one changes nothing."""
        self._now_ns = max(self._now_ns, event_time_ns)


def observe(clock: Clock, event_time_ns: int) -> None:
    """Let a clock that follows events follow this one; the system clock takes no notice."""
    if isinstance(clock, EventClock):
        clock.advance(event_time_ns)
