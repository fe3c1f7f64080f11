"""What the recorder of a CSV file wrote itself: receive times, a merged file's order, where updates end, and names."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.quality.recordings.csv_rows import Row, RowKind
from dataflows.quality.recordings.messages import told_time
from dataflows.tapes.lines import LONGEST_JUMP_NS

#: Is told a reason, the line and a sentence.
Add = Callable[[Reason, int, str], None]

_DAY: Final = re.compile(r"(?<!\d)(\d{2})-(\d{2})-(\d{4})(?!\d)")
_SECOND_NS: Final = 1_000_000_000
#: The event of each kind of stream.
_EVENTS: Final = {"trade": "trade", "aggTrade": "aggTrade", "depth": "depthUpdate"}


class Day(NamedTuple):
    """A UTC day in nanoseconds."""

    begin_ns: int
    end_ns: int


def day_of(name: str) -> Day | None:
    """Return the day that a file is named after (DD-MM-YYYY), if any."""
    if not (found := _DAY.search(name)):
        return None
    try:
        begin = datetime(int(found[3]), int(found[2]), int(found[1]), tzinfo=UTC)
    except ValueError:
        return None
    return Day(*(int(moment.timestamp()) * _SECOND_NS for moment in (begin, begin + timedelta(days=1))))


class RecorderCheck:
    """Checks receive times, places and ends of updates. Snapshots may be of the end of the day before."""

    def __init__(self, add: Add, day: Day | None) -> None:
        self._add, self._day = add, day
        self._received: dict[RowKind, int] = {}
        self._placed = 0
        self._before: Row | None = None

    def row(self, row: Row) -> None:
        """Check one row."""
        received = row.receive_time or 0
        self._order(row, received)
        self._place(row, received)
        if self._before is not None:
            self._end_of(self._before, row)
        if self._day and row.kind is not RowKind.SNAPSHOT and not self._day.begin_ns <= received < self._day.end_ns:
            day = told_time(self._day.begin_ns)[:10]
            self._add(Reason.OUTSIDE_DAY, row.line, f"a receive time must be of {day}, was {told_time(received)}")
        if row.request_time is not None and row.request_time > received:
            self._add(Reason.INCONSISTENT_UPDATE, row.line, (
                f"a request must be before its answer ({told_time(received)}), was {told_time(row.request_time)}"))
        self._before = row

    def _order(self, row: Row, received: int) -> None:
        before = self._received.get(row.kind, received)
        if received < before:
            self._add(Reason.TIME_REVERSED, row.line, (
                f"a receive time must not be before {told_time(before)}, was {told_time(received)}"))
        elif received - before > LONGEST_JUMP_NS:
            self._add(Reason.TIME_JUMPED, row.line, (
                f"a receive time must be at most 24 h after {told_time(before)}, was {told_time(received)}"))
        self._received[row.kind] = received

    def _place(self, row: Row, received: int) -> None:
        if (place := row.place_time) is None:
            return
        if place < self._placed:
            self._add(Reason.TIME_REVERSED, row.line, (
                f"a merged row must not be before {told_time(self._placed)}, was {told_time(place)}"))
        if place < received:
            self._add(Reason.INCONSISTENT_UPDATE, row.line, (
                f"a merged row must not stand before its receive time ({told_time(received)}), "
                f"was at {told_time(place)}"))
        self._placed = place

    def _end_of(self, before: Row, row: Row) -> None:
        if before.is_last is None or bool(before.is_last) is not before.is_of_one_update(row):
            return
        followed = "the same" if before.is_last else "another"
        self._add(Reason.INCONSISTENT_UPDATE, before.line, (
            f"IsLast must say whether an update ends, was {before.is_last} before a row of {followed}"))


class NameCheck:
    """Checks that symbol, stream and event agree, and are those of the first row of their kind."""

    def __init__(self, add: Add) -> None:
        self._add = add
        self._streams: dict[tuple[RowKind, str | None], str] = {}

    def row(self, row: Row) -> bool:
        """Check one row; return whether it is of its stream. A snapshot that names nothing is."""
        if row.stream is None:
            return True
        stream = self._streams.setdefault((row.kind, row.stream_type), row.stream)
        symbol, _, channel = stream.partition("@")
        event = _EVENTS.get(channel.partition("@")[0], row.event)
        named = row.stream.partition("@")[0]
        if named != symbol or row.symbol not in (None, symbol.upper()):
            was = row.symbol if named == symbol else named
            self._add(Reason.WRONG_SYMBOL, row.line, f"symbol must be {symbol.upper()}, was {was}")
            return False
        if row.stream != stream or row.event != event:
            self._add(Reason.WRONG_EVENT, row.line, (
                f"an event of {stream} must be {event}, was {row.event} of {row.stream}"))
            return False
        return True
