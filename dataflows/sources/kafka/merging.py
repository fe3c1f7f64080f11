"""Merging partitions by event time, without Kafka: what has been fetched goes in, what is next in order comes out.

The order is (event time, topic, partition, offset), and within a partition always that of its offsets. A message comes
out when nothing before it can still come: when every other partition has shown its next message, or was at its end when
last heard of. So what is read from stored topics has one order, however it was fetched. At the live end a partition
that is silent is not waited for longer than the caller says (`arrived_before_s`), and what it brings later comes later:
`late` counts that. Nothing here knows a broker or a clock.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")

#: More than this waits of a partition only while nobody has paused it.
MOST_WAITING: Final = 10_000
MOST_WAITING_BYTES: Final = 16 << 20
_ROOMY: Final = 4


class Place(NamedTuple):
    """A partition: the topic's rank in the order of the merge, and the partition's number."""

    rank: int
    partition: int


class _Waiting(NamedTuple, Generic[Item]):
    """A fetched message. Tuples of these compare by event time, place and offset, which are never all the same."""

    event_time_ns: int
    place: Place
    offset: int
    arrived_s: float
    size: int
    item: Item


class _Lane(Generic[Item]):
    """One partition's state: offsets of the next message to emit and to fetch, its known end, and what waits."""

    __slots__ = ("bytes", "end", "fetch", "next", "paused", "until", "waiting")

    def __init__(self, start: int, until: int | None) -> None:
        self.next = self.fetch = start
        self.until = until
        self.end: int | None = None
        self.waiting: deque[_Waiting[Item]] = deque()
        self.bytes = 0
        self.paused = False

    def is_finished(self) -> bool:
        """Tell whether everything that is wanted of it has been fetched and emitted."""
        return self.until is not None and self.fetch >= self.until and not self.waiting

    def is_at_end(self) -> bool:
        """Tell whether it held nothing more when last heard of."""
        return self.end is not None and self.fetch >= self.end


class Merger(Generic[Item]):
    """Partitions on their way to one order."""

    def __init__(self, starts: Mapping[Place, int], until: Mapping[Place, int] | None = None) -> None:
        """Begin at these offsets; `until` are the offsets at which to end, exclusive, and None is for never."""
        self._lanes = {place: _Lane[Item](start, until[place] if until is not None else None)
                       for place, start in starts.items()}
        self._last_ns = 0
        self.late = 0

    @property
    def finished(self) -> bool:
        """Tell whether every partition is at the offset at which to end."""
        return all(lane.is_finished() for lane in self._lanes.values())

    @property
    def positions(self) -> dict[Place, int]:
        """Return the offset of the next message of each partition that has not come out yet."""
        return {place: lane.next for place, lane in self._lanes.items()}

    def offer(self, place: Place, offset: int, event_time_ns: int, size: int, item: Item, arrived_s: float = 0.0
              ) -> None:
        """Take a fetched message in. One that was fetched before, or that is not wanted, is left out."""
        lane = self._lanes[place]
        if offset < lane.fetch:
            return
        lane.fetch = offset + 1
        if lane.until is not None and offset >= lane.until:
            return
        lane.waiting.append(_Waiting(event_time_ns, place, offset, arrived_s, size, item))
        lane.bytes += size

    def fetching(self, place: Place) -> int:
        """Return the offset of the next message of a partition to be fetched."""
        return self._lanes[place].fetch

    def silent(self) -> Iterator[Place]:
        """Yield the partitions of which nothing waits, and which may hold more."""
        return (place for place, lane in self._lanes.items() if not lane.waiting and not lane.is_finished())

    def ends_at(self, place: Place, end: int) -> None:
        """Hear that a partition ends before this offset."""
        lane = self._lanes[place]
        lane.end = end if lane.end is None else max(lane.end, end)

    def fetched_to(self, place: Place, offset: int) -> None:
        """Hear that everything before this offset has been fetched: a partition may have offsets without messages."""
        lane = self._lanes[place]
        lane.fetch = max(lane.fetch, offset)
        self.ends_at(place, offset)

    def take(self, most: int, arrived_before_s: float = 0.0) -> list[Item]:
        """Return up to `most` messages whose order is known.

        Where a partition is at its end, only those come out that arrived by `arrived_before_s`.
        """
        lanes = self._lanes.values()
        if any(not lane.waiting and not lane.is_finished() and not lane.is_at_end() for lane in lanes):
            return []
        waits = any(not lane.waiting and not lane.is_finished() for lane in lanes)
        heads = [lane.waiting[0] for lane in lanes if lane.waiting]
        heapq.heapify(heads)
        taken: list[Item] = []
        while heads and len(taken) < most and not (waits and heads[0].arrived_s > arrived_before_s):
            lane = self._lanes[heads[0].place]
            taken.append(self._emit(lane))
            if lane.waiting:
                heapq.heapreplace(heads, lane.waiting[0])
                continue
            heapq.heappop(heads)
            if not lane.is_finished() and not lane.is_at_end():
                break
            waits = waits or not lane.is_finished()
        return taken

    def to_pause(self) -> list[Place]:
        """Return partitions of which so much waits that no more should be fetched; each is named once."""
        return self._turned(paused=True)

    def to_resume(self) -> list[Place]:
        """Return paused partitions that have room again; each is named once."""
        return self._turned(paused=False)

    def _turned(self, *, paused: bool) -> list[Place]:
        turned = [place for place, lane in self._lanes.items()
                  if lane.paused is not paused and (_is_crowded(lane) if paused else _is_roomy(lane))]
        for place in turned:
            self._lanes[place].paused = paused
        return turned

    def _emit(self, lane: _Lane[Item]) -> Item:
        waiting = lane.waiting.popleft()
        lane.bytes -= waiting.size
        lane.next = waiting.offset + 1
        self.late += waiting.event_time_ns < self._last_ns
        self._last_ns = max(self._last_ns, waiting.event_time_ns)
        return waiting.item


def _is_crowded(lane: _Lane[Item]) -> bool:
    return len(lane.waiting) >= MOST_WAITING or lane.bytes >= MOST_WAITING_BYTES


def _is_roomy(lane: _Lane[Item]) -> bool:
    return len(lane.waiting) <= MOST_WAITING // _ROOMY and lane.bytes <= MOST_WAITING_BYTES // _ROOMY
