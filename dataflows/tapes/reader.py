"""The reader of tapes: many files as one stream of frames in the order in which they were received.

Files are merged by (receive time, file, line). Every line gives exactly one item, a frame or a dead letter, numbered
from 1. Memory stays at a few blocks a file that is being read, whatever the length of the tape. Decoding is the job
of the codecs.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dataflows.deadletters import DeadLetter
from dataflows.tapes.blocks import FrameBlock, is_truncation
from dataflows.tapes.files import BLOCK_BYTES, OnRead, TapeDamagedError, find_tapes, read_lines
from dataflows.tapes.frames import Frame
from dataflows.tapes.lines import symbols_in
from dataflows.tapes.merging import merged_blocks

Item = Frame | DeadLetter


class TapeReader:
    """Reads tapes as one stream: iterate it for `Frame`s and `DeadLetter`s.

    `paths` are files or folders of tapes. The items are the same whatever `block_bytes` is; `on_read` is told the bytes
    of files that were read, step by step. Each iteration starts at the beginning, or after what `skip` named. Raises
    `NotFoundError` and `InputError` as `find_tapes` does.
    """

    def __init__(self, paths: Sequence[Path], *, block_bytes: int = BLOCK_BYTES, on_read: OnRead | None = None) -> None:
        self.tapes = find_tapes(paths)
        self._block_bytes = block_bytes
        self._on_read = on_read
        self._skipped = 0
        self._told = 0

    def skip(self, lines: int, truncations: int = 0) -> None:
        """Let iterations start after this many lines, so that the first frame has at least the sequence `lines` + 1.

        The truncation of a file that ended earlier is skipped too. One right at the place was seen before or was not:
        `truncations` says how many were seen in all; by default it is told once more rather than lost.
        """
        self._skipped, self._told = lines, truncations

    def __iter__(self) -> Iterator[Item]:
        """Yield one item a line, and one more for each file that ends early."""
        sequence = truncations = 0
        for block in merged_blocks(self.tapes, self._block_bytes, self._on_read):
            end = sequence + block.lines
            if end >= self._skipped:
                yield from _items(block, sequence, self._skipped, self._told - truncations)
            sequence, truncations = end, truncations + len(block) - block.lines


def symbols(paths: Sequence[Path]) -> set[str]:
    """Return the symbols that tapes name anywhere, by reading them whole.

    Raises as `find_tapes` does. What comes after a damage is not seen.
    """
    names = set[str]()
    for path in find_tapes(paths):
        try:
            for lines in read_lines(path):
                names |= symbols_in(b"\n".join(lines))
        except TapeDamagedError:
            continue  # the reader of the frames tells it
    return names


def _items(block: FrameBlock, sequence: int, skipped: int, told: int) -> Iterator[Item]:
    """Yield the items of a block that comes after `sequence` lines, without the first `skipped` lines of the tape.

    `told` is how many truncations from here on were seen before.
    """
    times, payloads = block.times_ns.tolist(), block.payloads()
    if not block.problems and sequence >= skipped:
        yield from map(Frame, range(sequence + 1, sequence + 1 + len(block)), times, payloads, block.hints)
        return
    for index, (time, payload) in enumerate(zip(times, payloads, strict=True)):
        problem = block.problems.get(index)
        truncated = problem is not None and is_truncation(problem)
        sequence += not truncated
        told -= truncated
        if sequence + (truncated and told < 0) <= skipped:
            continue
        if problem is None:
            yield Frame(sequence, time, payload, block.hints[index])
        else:
            number = 0 if truncated else sequence
            yield DeadLetter(problem.reason, problem.message, number, problem.receive_time_ns, payload)
