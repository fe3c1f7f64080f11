"""Lines of tapes as arrays over their text, so that reading a tape costs no Python a line.

The verdicts are those of `lines`, which says what they mean: a block in which every line is good is judged by array
operations, any other by `lines` itself. Files are merged by `merging`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from dataflows.deadletters import DeadLetterReason
from dataflows.tapes.files import BLOCK_BYTES, MAX_LINE_BYTES, OnRead, TapeDamagedError, read_texts
from dataflows.tapes.lines import LONGEST_JUMP_NS, Head, Place, Problem, parse_lines, split_at_foreign

#: Bytes behind the last line. It is what `codecs.quick_frame` asks for, which is not imported: it would bring Numba.
TAIL_BYTES = 64

_TAIL = bytes(TAIL_BYTES)
_TIME_DIGITS = 19
_POWERS = 10 ** np.arange(_TIME_DIGITS - 1, -1, -1, dtype=np.int64)
_LINE_END, _BLANK, _ZERO = ord("\n"), ord(" "), np.uint8(ord("0"))
#: `"s":"` by what lies beside its letter.
_LETTER, _MARK = ord("s"), ((-1, ord('"')), (1, ord('"')), (2, ord(":")), (3, ord('"')))


class FrameBlock(msgspec.Struct, gc=False):
    """Consecutive lines: places in `buffer`, which `binance_frames.read_frame` reads where it lies.

    The payload of a line is `buffer[start:end]`: the JSON of a frame, or the whole of a bad line. `times_ns` holds each
    line's place in time (its receive time, if it is a frame), never going back; `hints` the symbol of a bare snapshot.
    `problems` holds what is wrong, by index. An entry of which the problem is `TRUNCATED_FILE` is no line.
    """

    buffer: NDArray[np.uint8]
    times_ns: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    hints: list[str]
    problems: dict[int, Problem]

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.hints)

    @property
    def lines(self) -> int:
        """Return how many of the entries are lines of a tape: all but truncations."""
        return len(self) - sum(is_truncation(problem) for problem in self.problems.values())

    def numbers(self, before: int) -> NDArray[np.int64]:
        """Return the line number of each entry where `before` lines come before the block; a truncation has none."""
        steps = np.ones(len(self), np.int64)
        steps[[index for index, problem in self.problems.items() if is_truncation(problem)]] = 0
        return (before + np.cumsum(steps)) * steps

    def payload(self, index: int) -> bytes:
        """Return the payload of a line."""
        return self.buffer[self.starts[index] : self.ends[index]].tobytes()

    def payloads(self) -> list[bytes]:
        """Return the payloads of all lines."""
        if not len(self):
            return []
        first = int(self.starts.min())
        text = self.buffer[first : self.ends.max()].tobytes()
        places = zip((self.starts - first).tolist(), (self.ends - first).tolist(), strict=True)
        return [text[start:end] for start, end in places]

    def part(self, begin: int, end: int) -> Self:
        """Return the entries from one index to another, without a copy of the text."""
        problems = {index - begin: problem for index, problem in self.problems.items() if begin <= index < end}
        return type(self)(
            self.buffer, self.times_ns[begin:end], self.starts[begin:end], self.ends[begin:end],
            self.hints[begin:end], problems)


def is_truncation(problem: Problem) -> bool:
    """Tell whether an entry is no line but the early end of a file."""
    return problem.reason is DeadLetterReason.TRUNCATED_FILE


def joined(blocks: Sequence[FrameBlock]) -> FrameBlock:
    """Return entries of several files, each as they lie there, in the order of time; equal times in that of blocks."""
    texts = [block.buffer[block.starts[0] : block.ends[-1] + 1].tobytes() for block in blocks]
    moves = np.cumsum([0, *map(len, texts)])[:-1] - [block.starts[0] for block in blocks]
    times = np.concatenate([block.times_ns for block in blocks])
    starts = np.concatenate([block.starts + move for block, move in zip(blocks, moves, strict=True)])
    ends = np.concatenate([block.ends + move for block, move in zip(blocks, moves, strict=True)])
    hints = [hint for block in blocks for hint in block.hints]
    order = np.argsort(times, kind="stable")
    buffer = np.frombuffer(b"".join((*texts, _TAIL)), np.uint8)
    return FrameBlock(
        buffer, times[order], starts[order], ends[order], [hints[i] for i in order.tolist()], _moved(blocks, order))


def _moved(blocks: Sequence[FrameBlock], order: NDArray[np.int64]) -> dict[int, Problem]:
    """Return the problems of joined blocks under their new indices."""
    found: dict[int, Problem] = {}
    offset = 0
    for block in blocks:
        found |= {offset + index: problem for index, problem in block.problems.items()}
        offset += len(block)
    return {new: found[old] for new, old in enumerate(order.tolist()) if old in found} if found else {}


def read_frame_blocks(
    path: Path, head: Head, block_bytes: int = BLOCK_BYTES, on_read: OnRead | None = None
) -> Iterator[FrameBlock]:
    """Yield the lines of a tape in blocks that are never empty, and at the end of a damaged one its truncation.

    The same lines come out whatever the size of the blocks. `head` is what `lines.read_head` found. Raises `InputError`
    where the file cannot be opened.
    """
    place, hint = Place(head.first_time_ns), head.symbol_hint
    try:
        for text in read_texts(path, block_bytes, on_read):
            own, foreign = _split(text, hint)
            if own:
                yield _parse(own, place, hint)
            if foreign:
                hint = ""
                yield _parse(foreign, place, hint)
    except TapeDamagedError as damage:
        problem = Problem(DeadLetterReason.TRUNCATED_FILE, f"{path.name}: {damage}", 0)
        yield _block(damage.tail, np.array([place.latest]), [damage.tail], {0: problem}, "")


def _split(text: bytes, hint: str) -> tuple[bytes, bytes]:
    """Cut lines before the first that names another symbol than the file's one so far."""
    if not hint or not _names_another(text, hint):
        return text, b""
    own, foreign = split_at_foreign(text.removesuffix(b"\n").split(b"\n"), hint)
    return b"".join(line + b"\n" for line in own), b"\n".join((*foreign, b""))


def _names_another(text: bytes, hint: str) -> bool:
    """Tell whether a symbol is named in a text that is not the hint."""
    buffer = np.frombuffer(text + _TAIL, np.uint8)
    at = np.flatnonzero(buffer == _LETTER)  # few bytes are one: much is left out by one look at each
    for offset, byte in _MARK:
        at = at[buffer[at + offset] == byte]
    own = at
    for offset, byte in enumerate(f'{hint}"'.encode(), start=4):
        own = own[buffer[own + offset] == byte]
    return len(own) < len(at)


def _parse(text: bytes, place: Place, hint: str) -> FrameBlock:
    """Return the block of some lines and move the place behind them."""
    buffer, begins, ends = _lay_out(text)
    if (times := _good_times(buffer, begins, ends, place)) is not None:
        place.latest, place.jumped_to = int(times[-1]), 0
        return FrameBlock(buffer, times, begins + _TIME_DIGITS + 1, ends, [hint] * len(times), {})
    found = parse_lines(text.removesuffix(b"\n").split(b"\n"), place)
    return _block(text, np.array(found.times, np.int64), found.payloads, found.problems, hint)


def _lay_out(text: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Return text as a buffer with a tail, and where its lines begin and end."""
    whole = text if text.endswith(b"\n") else text + b"\n"
    buffer = np.frombuffer(whole + _TAIL, np.uint8)
    ends = np.flatnonzero(buffer == _LINE_END)
    return buffer, np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1)), ends


def _good_times(
    buffer: NDArray[np.uint8], begins: NDArray[np.int64], ends: NDArray[np.int64], place: Place
) -> NDArray[np.int64] | None:
    """Return the times of lines of which each is a frame without a doubt, else None."""
    heads = np.lib.stride_tricks.sliding_window_view(buffer, _TIME_DIGITS + 1)[begins]
    digits = heads[:, :-1] - _ZERO  # what is below a zero wraps round to a large number
    if (digits > 9).any() or (digits[:, 0] == 9).any() or (heads[:, -1] != _BLANK).any():
        return None  # from 9 on, a time may have more than 64 bits
    times = digits.astype(np.int64) @ _POWERS
    sizes = ends - begins - _TIME_DIGITS - 1
    steps = np.diff(times, prepend=place.latest)
    good = (sizes > 0) & (sizes < MAX_LINE_BYTES - 20) & (steps >= 0) & (steps <= LONGEST_JUMP_NS)
    return times if good.all() else None


def _block(
    text: bytes, times: NDArray[np.int64], payloads: list[bytes], problems: dict[int, Problem], hint: str
) -> FrameBlock:
    """Return a block of lines of which some are bad; each payload ends where its line does."""
    buffer, _, ends = _lay_out(text)
    return FrameBlock(
        buffer, times, ends - np.fromiter(map(len, payloads), np.int64), ends, [hint] * len(times), problems)
