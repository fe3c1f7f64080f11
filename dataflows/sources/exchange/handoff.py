"""The bounded queue between a feed's thread and the flow's: frames in, batches out, order and time agreed on.

A frame is stamped and put in one step, and a batch is taken together with the time of taking it, so whoever takes
knows that every frame stamped before that time is in its hands: a tick may then be made even where nothing came.
The queue never grows beyond its bounds: a frame that does not fit is refused, and the feed must see to it.
"""

from collections import deque
from threading import Lock
from typing import Final, NamedTuple

from dataflows.deadletters import DeadLetter
from dataflows.sources.exchange.clock import FeedClock
from dataflows.tapes.frames import Frame


class FeedEnd(NamedTuple):
    """Nothing comes after this. `failure` is why, where it is no ordinary end."""

    failure: Exception | None = None


Item = Frame | DeadLetter | FeedEnd
#: Share of the bounds beneath which a feed that was refused may go on.
_ROOMY: Final = 0.5


class Handoff:
    """A queue for one putter and one taker."""

    def __init__(self, clock: FeedClock, *, most_frames: int, most_bytes: int, sequence: int = 0) -> None:
        """`sequence` is the number of the last frame before; frames that are stamped here go on from it."""
        self._clock = clock
        self._most_frames, self._most_bytes = most_frames, most_bytes
        self._sequence = sequence
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._lock = Lock()
        self._roomy = True

    def put(self, payload: bytes, symbol_hint: str = "") -> bool:
        """Stamp a payload and append it; tell whether there was room for it."""
        with self._lock:
            if not self._has_room(len(payload)):
                return False
            self._sequence += 1
            self._append(Frame(self._sequence, self._clock.stamp_ns(), payload, symbol_hint), len(payload))
        return True

    def put_stamped(self, frames: list[Frame]) -> bool:
        """Append frames that have their times; tell whether there is room for more. They are taken in either case."""
        with self._lock:
            for frame in frames:
                self._append(frame, len(frame.payload))
            return self._has_room(0)

    def put_last(self, item: DeadLetter | FeedEnd) -> None:
        """Append what is not a frame. There is always room for it: a feed has few of them."""
        with self._lock:
            self._items.append(item)

    def stamp_ns(self) -> int:
        """Return the receive time of what is not a frame."""
        with self._lock:
            return self._clock.stamp_ns()

    def take(self, most: int) -> tuple[list[Item], int]:
        """Return the oldest items and the time up to which they are all there is; 0 where more wait.

        Frames of one number, as a tape's line may have become, are never parted.
        """
        with self._lock:
            items = self._items
            batch = [items.popleft() for _ in range(min(most, len(items)))]
            while items and batch and _number(items[0]) == _number(batch[-1]) > 0:
                batch.append(items.popleft())
            until_ns = 0 if items else self._clock.stamp_ns()
            self._bytes -= sum(len(item.payload) for item in batch if isinstance(item, Frame))
            self._roomy = self._roomy or self._is_roomy()
        return batch, until_ns

    @property
    def roomy(self) -> bool:
        """Tell whether nothing was refused since the queue was last half empty."""
        return self._roomy

    def _append(self, frame: Frame, size: int) -> None:
        self._items.append(frame)
        self._bytes += size

    def _has_room(self, size: int) -> bool:
        if len(self._items) < self._most_frames and self._bytes + size <= self._most_bytes:
            return True
        self._roomy = False
        return False

    def _is_roomy(self) -> bool:
        return len(self._items) <= self._most_frames * _ROOMY and self._bytes <= self._most_bytes * _ROOMY


def _number(item: Item) -> int:
    return item.sequence if isinstance(item, Frame) else 0
