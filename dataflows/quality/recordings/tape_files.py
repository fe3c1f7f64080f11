"""The check of a recording that is a raw tape: its lines, its frames, and each instrument's events."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from dataflows.codecs.binance import MarketEvent, Rejection, decode
from dataflows.deadletters import DeadLetter
from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.quality.recordings.findings import Report
from dataflows.quality.recordings.tape_events import TapeEvents
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from sluice.instruments import InstrumentCatalog

#: What a channel of the venue carries, by how its name begins; of others nothing is said.
_CHANNELS: Final = {
    "bookTicker": "bookTicker", "trade": "trade", "aggTrade": "aggTrade", "depth": "depthUpdate",
    "markPrice": "markPriceUpdate", "forceOrder": "forceOrder", "kline": "kline",
}


class _Envelope(msgspec.Struct):
    """The name of the stream by which a frame came; "" where it has no envelope. A stranger may write anything."""

    stream: Any = ""


_envelopes = msgspec.json.Decoder(_Envelope)


def check_tape(report: Report, path: Path, on_read: Callable[[int], None] | None = None) -> None:
    """Check a tape and report what is wrong. Raises `InputError` where it cannot be opened."""
    check = _Check(report)
    for item in TapeReader([path], on_read=on_read):
        check.item(item)
    check.end()


class _Check:
    """Goes through the lines of one tape."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._catalog = InstrumentCatalog.shipped()
        self._instruments: dict[str, TapeEvents] = {}
        self._last = (0, 0)

    def item(self, item: Frame | DeadLetter) -> None:
        """Check a line."""
        self._report.lines = max(self._report.lines, item.sequence)
        if isinstance(item, DeadLetter):
            self._report.add(item.reason, item.sequence, item.message)
            return
        self._last = item.sequence, item.receive_time_ns
        event = decode(item.payload)
        if isinstance(event, Rejection):
            self._report.add(event.reason, item.sequence, event.message)
            return
        symbol = event.symbol or item.symbol_hint
        if self._named(item, str(_envelopes.decode(item.payload).stream), symbol, event):
            self._of(symbol).take(item, event)

    def end(self) -> None:
        """Check what only the end of the tape shows."""
        for instrument in self._instruments.values():
            instrument.end(*self._last)
        self._report.form = "tape of " + (", ".join(sorted(self._instruments)) or "no instrument")

    def _named(self, frame: Frame, stream: str, symbol: str, event: MarketEvent) -> bool:
        """Check that the stream of a frame carries its symbol and event."""
        if wrong := _wrong(stream, symbol, type(event).__name__):
            self._report.add(wrong[0], frame.sequence, wrong[1])
        return wrong is None

    def _of(self, symbol: str) -> TapeEvents:
        if symbol not in self._instruments:
            self._instruments[symbol] = TapeEvents(self._report.add, self._catalog.by_symbol(symbol))
        return self._instruments[symbol]


#: The venue's name of each event.
_NAMES: Final = {
    "BookTicker": "bookTicker", "Trade": "trade", "AggregateTrade": "aggTrade", "DepthUpdate": "depthUpdate",
    "MarkPrice": "markPriceUpdate", "ForceOrder": "forceOrder", "Kline": "kline",
}


@lru_cache(1024)
def _wrong(stream: str, symbol: str, event: str) -> tuple[Reason, str] | None:
    """Say why an event, by the name of its type, does not belong into a stream."""
    named, _, channel = stream.partition("@")
    if not channel or named.startswith("!"):
        return None
    if named.upper() != symbol:
        return Reason.WRONG_SYMBOL, f"symbol must be {named.upper()}, was {symbol}"
    wanted = next((name for begin, name in _CHANNELS.items() if channel.startswith(begin)), None)
    was = _NAMES.get(event)
    if wanted not in (None, was):
        return Reason.WRONG_EVENT, f"an event of {stream} must be {wanted}, was {was}"
    return None
