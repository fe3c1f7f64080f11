"""Merging tape files by time: blocks of several files become blocks in the order of (time, file, line).

It works block by block with a stable sort, not line by line: a heap would cost more than all the rest of reading. A
file is opened only when the merge gets to its first time.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from dataflows.tapes.blocks import FrameBlock, joined, read_frame_blocks
from dataflows.tapes.files import OnRead
from dataflows.tapes.lines import read_head

_NONE = np.empty(0, np.int64)
_NOTHING = FrameBlock(np.empty(0, np.uint8), _NONE, _NONE, _NONE, [], {})


class _Cursor:
    """A place in one file: the block that is being read, and how far."""

    def __init__(self, index: int, path: Path, block_bytes: int, on_read: OnRead | None) -> None:
        head = read_head(path)
        self.index = index
        self.first_time_ns = head.first_time_ns
        self._blocks = read_frame_blocks(path, head, block_bytes, on_read)
        self.block = _NOTHING
        self.at = 0

    @property
    def time_ns(self) -> int:
        """Return the time of the next entry."""
        return int(self.block.times_ns[self.at])

    @property
    def last_time_ns(self) -> int:
        """Return the time of the last entry of the block."""
        return int(self.block.times_ns[-1])

    def fill(self) -> bool:
        """Read the next block if this one is used up; tell whether there is anything left."""
        if self.at == len(self.block):
            self.block, self.at = next(self._blocks, _NOTHING), 0
        return len(self.block) > 0

    def take(self, end: int) -> FrameBlock:
        """Return the entries from here to an index of the block, and go there."""
        start, self.at = self.at, end
        return self.block if end - start == len(self.block) else self.block.part(start, end)

    def take_before(self, time_ns: int) -> FrameBlock:
        """Return the entries of the block from here to the first that is not before a time, and go there."""
        return self.take(max(self.at, int(np.searchsorted(self.block.times_ns, time_ns))))


def merged_blocks(paths: Sequence[Path], block_bytes: int, on_read: OnRead | None = None) -> Iterator[FrameBlock]:
    """Yield all entries of the files in order. Raises `InputError` where a file cannot be opened."""
    cursors = [_Cursor(index, path, block_bytes, on_read) for index, path in enumerate(paths)]
    waiting = sorted(cursors, key=lambda cursor: cursor.first_time_ns, reverse=True)
    active: list[_Cursor] = []
    while waiting or active:
        now = min(chain((cursor.time_ns for cursor in active), (cursor.first_time_ns for cursor in waiting[-1:])))
        while waiting and waiting[-1].first_time_ns <= now:
            active.append(waiting.pop())
        active = sorted((cursor for cursor in active if cursor.fill()), key=lambda cursor: cursor.index)
        if active:
            yield _next_block(active, waiting[-1].first_time_ns if waiting else None)
            active = [cursor for cursor in active if cursor.fill()]


def _next_block(active: list[_Cursor], limit: int | None) -> FrameBlock:
    """Take what is certain to come next; `limit` is the first time of the files that are not open yet."""
    if len(active) == 1 and limit is None:
        return active[0].take(len(active[0].block))
    ends = [cursor.last_time_ns for cursor in active if len(active) > 1]
    horizon = min(ends if limit is None else [*ends, limit])
    parts = [cursor.take_before(horizon) for cursor in active]
    if parts := [part for part in parts if len(part)]:
        return parts[0] if len(parts) == 1 else joined(parts)
    first = next(cursor for cursor in active if cursor.time_ns == horizon)
    return first.take_before(horizon + 1)
