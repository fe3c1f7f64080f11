"""Ticks: the moments of event time at which decisions are made, the same for every instrument.

A tick stands at every multiple of the interval. It comes before the first frame whose receive time is not before it, so
a row made at a tick has seen exactly the frames before that time, however the stream was cut into batches. This is a
grid over the recorded times and not a timer.
"""

from typing import NamedTuple

#: A longer silence is jumped over with one tick at its start: nothing can be decided on a market that is not there.
LONGEST_SILENCE_NS = 600_000_000_000


class Tick(NamedTuple):
    """A moment to decide at. `lines` and `dead_letters` say what the source had read by then, by reason name."""

    time_ns: int
    lines: int = 0
    dead_letters: tuple[tuple[str, int], ...] = ()
    last: bool = False


class TickGrid:
    """Finds the ticks that are due before a frame. Its whole state is `next_ns` (0 before the first frame)."""

    def __init__(self, interval_ns: int, next_ns: int = 0) -> None:
        self._interval_ns = interval_ns
        self.next_ns = next_ns

    def due(self, receive_time_ns: int) -> list[int]:
        """Return the times of the ticks that come before a frame of this receive time, and step past them."""
        if self.next_ns == 0:
            self.next_ns = self._after(receive_time_ns)
            return []
        if receive_time_ns - self.next_ns > LONGEST_SILENCE_NS:
            due = [self.next_ns]
            self.next_ns = self._after(receive_time_ns)
            return due
        due = list(range(self.next_ns, receive_time_ns + 1, self._interval_ns))
        if due:
            self.next_ns = due[-1] + self._interval_ns
        return due

    def closing(self) -> int:
        """Return the time of the tick after the last frame, with which a tape ends; 0 where there was no frame."""
        return self.next_ns

    def _after(self, time_ns: int) -> int:
        return (time_ns // self._interval_ns + 1) * self._interval_ns
