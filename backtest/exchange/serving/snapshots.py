"""REST snapshots of books as a tape holds them, for clients in lockstep: they must get what the recorder got.

A tape is looked through as far as it has been asked for, once; only places and bytes of snapshots stay.
"""

import threading
from collections.abc import Iterator
from typing import Final, NamedTuple

from backtest.exchange.serving.market_input import TapeInput
from dataflows.codecs.binance import symbol_of
from dataflows.deadletters import DeadLetter
from dataflows.tapes.frames import Frame

_SNAPSHOT: Final = b'"lastUpdateId"'


class RecordedSnapshot(NamedTuple):
    """A snapshot's place on the tape and its bytes."""

    line: int
    receive_time_ns: int
    payload: bytes


class RecordedSnapshots:
    """Finds snapshots. It reads files, so it is called in a thread; several may."""

    def __init__(self, tape: TapeInput) -> None:
        self._items: Iterator[Frame | DeadLetter] = iter(tape.reader())
        self._found: dict[str, list[RecordedSnapshot]] = {}
        self._line = 0
        self._ended = False
        self._lock = threading.Lock()

    def find(self, symbol: str, after_line: int = 0) -> RecordedSnapshot | None:
        """Return a symbol's latest snapshot at or before a line, else the tape's first; None where it has none."""
        with self._lock:
            while not self._ended and (self._line < after_line or symbol not in self._found):
                self._read_on()
            found = self._found.get(symbol, [])
        before = [snapshot for snapshot in found if snapshot.line <= after_line]
        nearest = before[-1:] or found[:1]
        return nearest[0] if nearest else None

    def _read_on(self) -> None:
        item = next(self._items, None)
        if item is None:
            self._ended = True
        elif isinstance(item, Frame):
            self._line = item.sequence
            if _SNAPSHOT in item.payload[:64] and (symbol := symbol_of(item.payload, item.symbol_hint)):
                self._found.setdefault(symbol, []).append(
                    RecordedSnapshot(item.sequence, item.receive_time_ns, item.payload))
