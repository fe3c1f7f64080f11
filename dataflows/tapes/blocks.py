"""Lines of one tape file as arrays over its text, so that reading a tape costs no Python a line.

The verdicts are those of `lines`, which says what they mean: a block in which every line is good is judged by array
operations, any other by `lines` itself. Files are not merged here.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from dataflows.codecs.quick_frame import TAIL_BYTES, Text
from dataflows.deadletters import DeadLetterReason
from dataflows.kernels import Integers
from dataflows.tapes.files import BLOCK_BYTES, MAX_LINE_BYTES, OnRead, TapeDamagedError, read_texts
from dataflows.tapes.lines import LONGEST_JUMP_NS, Head, Place, Problem, parse_lines, split_at_foreign

_TIME_DIGITS = 19
_DIGITS = np.arange(_TIME_DIGITS)
_POWERS = 10 ** np.arange(_TIME_DIGITS - 1, -1, -1, dtype=np.int64)
_LINE_END, _BLANK, _ZERO = ord("\n"), ord(" "), np.uint8(ord("0"))


class FrameBlock(msgspec.Struct, gc=False):
    """Consecutive lines of one file: places in `buffer`, which `binance_frames.read_frame` reads where it lies.

    The payload of a line is `buffer[start:end]`: the JSON of a frame, or the whole of a bad line. `times_ns` holds each
    line's place in time (its receive time, if it is a frame), never going back. `problems` holds what is wrong, by
    index. A damaged file ends with a block of one entry that is no line, its problem `TRUNCATED_FILE`.
    """

    buffer: Text
    times_ns: Integers
    starts: Integers
    ends: Integers
    problems: dict[int, Problem]
    symbol_hint: str

    def payload(self, index: int) -> bytes:
        """Return the payload of a line."""
        return self.buffer[self.starts[index] : self.ends[index]].tobytes()


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
            for own, part in _parts(text, hint):
                hint = hint if own else ""
                yield _parse(part, place, hint)
    except TapeDamagedError as damage:
        problem = Problem(DeadLetterReason.TRUNCATED_FILE, f"{path.name}: {damage}", 0)
        yield _block(damage.tail, np.array([place.latest]), [damage.tail], {0: problem}, "")


def _parts(text: bytes, hint: str) -> Iterator[tuple[bool, bytes]]:
    """Cut lines before the first that names another symbol than the file's one so far: (own, text)."""
    if not hint or text.count(b'"s":"') == text.count(f'"s":"{hint}"'.encode()):
        yield True, text
        return
    for own, lines in split_at_foreign(text.removesuffix(b"\n").split(b"\n"), hint):
        if lines:
            yield own, b"\n".join((*lines, b""))


def _parse(text: bytes, place: Place, hint: str) -> FrameBlock:
    """Return the block of some lines and move the place behind them."""
    buffer, begins, ends = _lay_out(text)
    if (times := _good_times(buffer, begins, ends, place)) is not None:
        place.latest, place.jumped_to = int(times[-1]), 0
        return FrameBlock(buffer, times, begins + _TIME_DIGITS + 1, ends, {}, hint)
    block = parse_lines(text.removesuffix(b"\n").split(b"\n"), place, hint)
    return _block(text, np.array(block.times, np.int64), block.payloads, block.problems, hint)


def _lay_out(text: bytes) -> tuple[Text, Integers, Integers]:
    """Return text as a buffer with a tail, and where its lines begin and end."""
    whole = text if text.endswith(b"\n") else text + b"\n"
    buffer = np.frombuffer(whole + bytes(TAIL_BYTES), np.uint8)
    ends = np.flatnonzero(buffer == _LINE_END)
    return buffer, np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1)), ends


def _good_times(buffer: Text, begins: Integers, ends: Integers, place: Place) -> Integers | None:
    """Return the times of lines of which each is a frame without a doubt, else None."""
    digits = buffer[begins[:, np.newaxis] + _DIGITS] - _ZERO  # what is below a zero wraps round to a large number
    if (digits > 9).any() or (digits[:, 0] == 9).any() or (buffer[begins + _TIME_DIGITS] != _BLANK).any():
        return None  # from 9 on, a time may have more than 64 bits
    times = digits.astype(np.int64) @ _POWERS
    sizes = ends - begins - _TIME_DIGITS - 1
    steps = np.diff(times, prepend=place.latest)
    good = (sizes > 0) & (sizes < MAX_LINE_BYTES - 20) & (steps >= 0) & (steps <= LONGEST_JUMP_NS)
    return times if good.all() else None


def _block(
    text: bytes, times: Integers, payloads: list[bytes], problems: dict[int, Problem], hint: str
) -> FrameBlock:
    """Return a block of lines of which some are bad; each payload ends where its line does."""
    buffer, _, ends = _lay_out(text)
    return FrameBlock(buffer, times, ends - np.fromiter(map(len, payloads), np.int64), ends, problems, hint)
