"""Merging tape files by time: blocks of lines of several files become runs in the order of (time, file, line).

It works block by block with a stable sort, not line by line: a heap would cost more than all the rest of reading. A
file is opened only when the merge gets to its first time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np

from dataflows.deadletters import DeadLetterReason
from dataflows.tapes.files import OnRead
from dataflows.tapes.lines import LineBlock, Problem, read_blocks, read_head


class Run(msgspec.Struct, gc=False):
    """Entries in their final order, as parallel lists; `problems` says by index which are dead letters."""

    times: list[int]
    payloads: list[bytes]
    hints: list[str]
    problems: dict[int, Problem]

    @property
    def lines(self) -> int:
        """Return how many of the entries are lines of a tape: all but truncations."""
        cut = (problem.reason is DeadLetterReason.TRUNCATED_FILE for problem in self.problems.values())
        return len(self.times) - sum(cut)


class _Cursor:
    """A place in one file: the block that is being read, and how far."""

    def __init__(self, index: int, path: Path, block_bytes: int, on_read: OnRead | None) -> None:
        head = read_head(path)
        self.index = index
        self.first_time_ns = head.first_time_ns
        self._blocks = read_blocks(path, head, block_bytes, on_read)
        self.block = LineBlock([], [], {}, "")
        self.at = 0

    def fill(self) -> bool:
        """Read the next block if this one is used up; tell whether there is anything left."""
        if self.at == len(self.block.times):
            self.block, self.at = next(self._blocks, LineBlock([], [], {}, "")), 0
        return bool(self.block.times)

    def take(self, end: int) -> Run:
        """Return the entries from here to an index of the block, and go there."""
        start, block, self.at = self.at, self.block, end
        problems = {i - start: problem for i, problem in block.problems.items() if start <= i < end}
        times = block.times[start:end]
        return Run(times, block.payloads[start:end], [block.symbol_hint] * len(times), problems)


def merged_runs(paths: Sequence[Path], block_bytes: int, on_read: OnRead | None = None) -> Iterator[Run]:
    """Yield all entries of the files in order. Raises `InputError` where a file cannot be opened."""
    cursors = [_Cursor(index, path, block_bytes, on_read) for index, path in enumerate(paths)]
    waiting = sorted(cursors, key=lambda cursor: cursor.first_time_ns, reverse=True)
    active: list[_Cursor] = []
    while waiting or active:
        now = min(chain((c.block.times[c.at] for c in active), (c.first_time_ns for c in waiting[-1:])))
        while waiting and waiting[-1].first_time_ns <= now:
            active.append(waiting.pop())
        active = sorted((cursor for cursor in active if cursor.fill()), key=lambda cursor: cursor.index)
        if active:
            yield _next_run(active, waiting[-1].first_time_ns if waiting else None)
            active = [cursor for cursor in active if cursor.fill()]


def _next_run(active: list[_Cursor], limit: int | None) -> Run:
    """Take what is certain to come next; `limit` is the first time of the files that are not open yet."""
    if len(active) == 1 and limit is None:
        return active[0].take(len(active[0].block.times))
    ends = [cursor.block.times[-1] for cursor in active if len(active) > 1]
    horizon = min(ends if limit is None else [*ends, limit])
    runs = [cursor.take(bisect_left(cursor.block.times, horizon, cursor.at)) for cursor in active]
    if runs := [run for run in runs if run.times]:
        return runs[0] if len(runs) == 1 else _sorted(runs)
    first = next(cursor for cursor in active if cursor.block.times[cursor.at] == horizon)
    return first.take(bisect_right(first.block.times, horizon, first.at))


def _sorted(runs: list[Run]) -> Run:
    """Join runs of several files into one in the order of time; equal times stay in the order of the runs."""
    times = list(chain.from_iterable(run.times for run in runs))
    payloads = list(chain.from_iterable(run.payloads for run in runs))
    hints = list(chain.from_iterable(run.hints for run in runs))
    order = np.argsort(np.array(times, dtype=np.int64), kind="stable").tolist()
    return Run([times[i] for i in order], [payloads[i] for i in order], [hints[i] for i in order], _moved(runs, order))


def _moved(runs: list[Run], order: list[int]) -> dict[int, Problem]:
    """Return the problems of joined runs under their new indices."""
    joined: dict[int, Problem] = {}
    offset = 0
    for run in runs:
        joined |= {offset + index: problem for index, problem in run.problems.items()}
        offset += len(run.times)
    if not joined:
        return {}
    return {new: joined[old] for new, old in enumerate(order) if old in joined}
