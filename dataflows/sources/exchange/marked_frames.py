"""Putting the frames of several connections in lock-step back into the order of the tape that they come from.

A frame is let through once every connection has gone past its line, so the order does not depend on which socket was
quicker; lines are let through whole, so that a place between two lines is a place to go on from. Nothing here knows of
sockets or threads.
"""

from collections import deque
from collections.abc import Iterable
from operator import itemgetter

from dataflows.sources.exchange.clock import Marker
from dataflows.tapes.frames import Frame

_NEVER = 2**63


class MarkedFrames:
    """Frames of numbered inputs, each input in the order of its lines."""

    def __init__(self, inputs: int, snapshots: Iterable[Frame] = ()) -> None:
        """`snapshots` are known beforehand and let through at their lines, before other frames of the same line."""
        self._waiting: list[deque[tuple[int, int, Frame]]] = [deque() for _ in range(inputs + 1)]
        self._markers: list[Marker | None] = [None] * inputs
        self._waiting[inputs].extend(
            (frame.sequence, -1, frame) for frame in sorted(snapshots, key=lambda frame: frame.sequence))

    def mark(self, number: int, marker: Marker) -> None:
        """Move an input to a marker."""
        self._markers[number] = marker

    def add(self, number: int, payload: bytes) -> bool:
        """Take a frame of an input, received at the input's marker. One before any marker is of no line: False."""
        if (marker := self._markers[number]) is None:
            return False
        frame = Frame(marker.line, marker.receive_time_ns, payload)
        self._waiting[number].append((marker.line, number, frame))
        return True

    def waiting(self, number: int) -> int:
        """Return how many frames of an input are held back."""
        return len(self._waiting[number])

    def restart(self, number: int) -> int | None:
        """Forget the line that an input was cut off in; return the line before it, after which to go on.

        None where it was at no line yet. Frames of that line are never let through before the next one begins.
        """
        if (marker := self._markers[number]) is None:
            return None
        waiting = self._waiting[number]
        while waiting and waiting[-1][0] == marker.line:
            waiting.pop()
        return marker.line - 1

    def has_ended(self, number: int) -> bool:
        """Tell whether an input has nothing more to give."""
        marker = self._markers[number]
        return marker is not None and marker.end

    def release(self) -> list[Frame]:
        """Return the frames that nothing can come before any more, in order."""
        before = min((self._passed(marker) for marker in self._markers), default=_NEVER)
        ready: list[tuple[int, int, Frame]] = []
        for waiting in self._waiting:
            while waiting and waiting[0][0] < before:
                ready.append(waiting.popleft())
        ready.sort(key=itemgetter(0, 1))
        return [frame for _, _, frame in ready]

    @staticmethod
    def _passed(marker: Marker | None) -> int:
        if marker is None:
            return 0
        return _NEVER if marker.end else marker.line
