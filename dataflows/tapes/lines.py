"""Lines of one tape file, checked and timed: which are frames, which are dead letters, and where they stand in time.

Times never go back within a file: a line earlier than the latest accepted one is a dead letter, so that whoever merges
files or moves a clock by them can rely on order. One wrong time far ahead must not make all that follows look late: a
line more than `LONGEST_JUMP_NS` ahead is a dead letter too, and only where the next time confirms it (a recorder was
away for days) does the file go on from there. A dead letter stands at the time of the last accepted line before it.
The JSON is not looked into, but for the symbol that a bare snapshot of the file belongs to.
"""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import msgspec

from dataflows.deadletters import DeadLetterReason
from dataflows.tapes.files import MAX_LINE_BYTES, TapeDamagedError, read_lines

#: Lines at the head of a file that are looked at for its first time and its symbol.
LOOK_AHEAD_LINES = 1000
#: Most that a receive time may be ahead of the line before it without being confirmed by the line after it: a day.
LONGEST_JUMP_NS = 24 * 3_600 * 1_000_000_000

#: Receive times are 64-bit.
_TIMES = 2**63
_SYMBOL = re.compile(rb'"s(?:ymbol)?":"([^"\\]{1,32})"')


class Problem(msgspec.Struct, frozen=True, gc=False):
    """Why a line is a dead letter; `receive_time_ns` is 0 where the line has no time."""

    reason: DeadLetterReason
    message: str
    receive_time_ns: int


class ParsedLines(msgspec.Struct, gc=False):
    """Consecutive lines of one file as parallel lists.

    `times` holds each line's place in time (its receive time, if it is a frame), never going back. `payloads` holds
    the JSON of a frame or the whole of a bad line. `problems` holds what is wrong, by index.
    """

    times: list[int]
    payloads: list[bytes]
    problems: dict[int, Problem]


class Place(msgspec.Struct):
    """Where a file stands in time: its latest accepted line, and a jump right after it that waits to be confirmed."""

    latest: int
    jumped_to: int = 0


class Head(msgspec.Struct, frozen=True):
    """What the first lines of a file tell: its first time (0 unknown) and its one symbol ("" none or several)."""

    first_time_ns: int
    symbol_hint: str


def symbols_in(text: bytes) -> set[str]:
    """Return the symbols that raw JSON text names in its `s` and `symbol` fields."""
    return {found.decode("utf-8", "replace") for found in _SYMBOL.findall(text)}


def read_head(path: Path) -> Head:
    """Look at the first lines of a tape. Raises `InputError` where the file cannot be opened."""
    times, names = list[int](), set[str]()
    try:
        lines = (line for block in read_lines(path, 64 * 1024) for line in block)
        for line in islice(lines, LOOK_AHEAD_LINES):
            names |= symbols_in(line)
            if time := _time_of(line.partition(b" ")[0]):
                times.append(time)
    except TapeDamagedError:
        pass  # the damage is told when the file is read in full
    return Head(_first_time(times), names.pop() if len(names) == 1 else "")


def _first_time(times: Sequence[int]) -> int:
    """Return where a file with these times begins: at the first that one of the two after it confirms; 0 for no times.

    A time is confirmed by one that is no further from it than a jump may be. This is the place of the file's first
    line, which merging relies on: a line that is no frame stands there too.
    """
    if not times:
        return 0
    confirmed = (time for at, time in enumerate(times)
                 if any(abs(other - time) <= LONGEST_JUMP_NS for other in times[at + 1 : at + 3]))
    start = next(confirmed, times[0])
    return times[0] if 0 <= times[0] - start <= LONGEST_JUMP_NS else start


def split_at_foreign(lines: list[bytes], hint: str) -> tuple[list[bytes], list[bytes]]:
    """Cut the lines of a file of one symbol before the first in which an `"s":"` names another."""
    foreign = re.compile(rb'"s":"(?!' + re.escape(hint.encode()) + rb'")')
    at = next((index for index, line in enumerate(lines) if foreign.search(line)), len(lines))
    return lines[:at], lines[at:]


def parse_lines(lines: list[bytes], place: Place) -> ParsedLines:
    """Judge some lines, without their line ends, and move the place behind them."""
    times: list[int] = []
    payloads: list[bytes] = []
    problems: dict[int, Problem] = {}
    latest, jumped_to = place.latest, place.jumped_to
    for line in lines:
        head, _, payload = line.partition(b" ")
        time = int(head) if len(head) == 19 and head.isdigit() else -1
        if 0 <= time - latest <= LONGEST_JUMP_NS and time < _TIMES and 0 < len(payload) < MAX_LINE_BYTES - 20:
            latest, jumped_to = time, 0
        elif (problem := _problem_of(line, latest, jumped_to)) is None:
            latest, jumped_to = int(head), 0
        else:
            problems[len(times)], payload = problem, line
            jumped_to = problem.receive_time_ns or jumped_to
        times.append(latest)
        payloads.append(payload)
    place.latest, place.jumped_to = latest, jumped_to
    return ParsedLines(times, payloads, problems)


def _problem_of(line: bytes, latest: int, jumped_to: int) -> Problem | None:
    """Say what is wrong with a line, or None if nothing is."""
    malformed = DeadLetterReason.MALFORMED_LINE
    head, _, payload = line.partition(b" ")
    time = _time_of(head)
    if len(line) > MAX_LINE_BYTES:
        return Problem(malformed, f"a line must be at most {MAX_LINE_BYTES} bytes, was longer", time or 0)
    if time is None or not payload:
        return Problem(malformed, f"a line must be `<receive ns> <JSON>`, was {line[:40]!r}", time or 0)
    if time < latest:
        message = f"a receive time must not be before the line before it ({latest}), was {time}"
        return Problem(DeadLetterReason.TIME_REVERSED, message, time)
    if latest and time - latest > LONGEST_JUMP_NS and not 0 <= time - jumped_to <= LONGEST_JUMP_NS:
        message = f"a receive time must be at most 24 h after the line before it ({latest}), was {time}"
        return Problem(DeadLetterReason.TIME_JUMPED, message, time)
    return None


def _time_of(head: bytes) -> int | None:
    """Return the receive time in nanoseconds, or None if it is no plain number of 64 bits."""
    if not head.isdigit() or len(head) > 19:
        return None
    time = int(head)
    return time if time < _TIMES else None
