"""Frames of a tape as events of streams: which streams carry a recorded frame, and the bytes of its event.

Only the few bytes that route a frame are read; the event itself goes to clients as it was recorded.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from dataflows.codecs.binance import symbol_of
from dataflows.tapes.frames import Frame

_EVENT: Final = b'"e":"'
_SYMBOL: Final = b'"s":"'
_SPACED: Final = {_EVENT: re.compile(rb'"e"\s*:\s*"([^"]*)"'), _SYMBOL: re.compile(rb'"s"\s*:\s*"([^"]*)"')}
_ENVELOPE: Final = b'{"stream":'
_DATA: Final = b'"data":'
_INTERVAL: Final = re.compile(rb'"i":"(\w{2,3})"')
#: Messages that look like differences of the book and are none.
_NO_DIFFERENCE: Final = re.compile(rb'^\{"stream":"[^"]*@(?:depth(?:5|10|20)|rpiDepth)')
#: The book's streams by the milliseconds between two messages.
DEPTH_SPEEDS: Final = {"@depth@0ms": 0, "@depth@100ms": 100, "@depth": 250, "@depth@250ms": 250, "@depth@500ms": 500}

_OPEN_INTEREST: Final = b'"openInterest"'


class Recorded(NamedTuple):
    """A recorded event: its name and symbol on the wire, the streams that carry it, and its bytes."""

    event: str
    symbol: str
    names: tuple[str, ...]
    data: bytes


def recorded(frame: Frame) -> Recorded | None:
    """Return the event of a frame; None for a REST snapshot and for what no stream carries."""
    payload = frame.payload
    data = payload
    if payload.startswith(_ENVELOPE):
        if _NO_DIFFERENCE.match(payload):
            return None
        data = payload[payload.find(_DATA) + len(_DATA) : payload.rfind(b"}")].rstrip()
    event, symbol = _text_after(data, _EVENT), _text_after(data, _SYMBOL)
    if not event or not symbol:
        return None
    interval = ""
    if event == b"kline" and (found := _INTERVAL.search(data)):
        interval = found[1].decode()
    names = _names(event.decode("ascii", "replace"), symbol.decode("ascii", "replace"), interval)
    return Recorded(*names, data) if names else None


def polled(frame: Frame) -> str:
    """Return the name under which lockstep streams an answer that a recorder polled; empty for any other frame.

    The venue has no such stream, so by the clock it stays silent here too.
    """
    if _OPEN_INTEREST not in frame.payload:
        return ""
    symbol = symbol_of(frame.payload)
    return f"{symbol.lower()}@openInterest" if symbol else ""


def _text_after(data: bytes, key: bytes) -> bytes:
    """Return the text of a key as Binance writes it; a frame with blanks between its tokens costs a little more."""
    at = data.find(key)
    if at >= 0:
        return data[at + len(key) : data.find(b'"', at + len(key))]
    found = _SPACED[key].search(data)
    return found[1] if found else b""


@lru_cache(65_536)
def _names(event: str, symbol: str, interval: str) -> tuple[str, str, tuple[str, ...]] | None:
    lower = symbol.lower()
    names: dict[str, tuple[str, ...]] = {
        "bookTicker": (f"{lower}@bookTicker", "!bookTicker"),
        "trade": (f"{lower}@trade",),
        "aggTrade": (f"{lower}@aggTrade",),
        "depthUpdate": tuple(lower + speed for speed in DEPTH_SPEEDS),
        "markPriceUpdate": (f"{lower}@markPrice@1s", f"{lower}@markPrice", f"{lower}@markPrice@3s"),
        "kline": (f"{lower}@kline_{interval}",),
        "forceOrder": (f"{lower}@forceOrder", "!forceOrder@arr"),
        "24hrTicker": (f"{lower}@ticker",),
        "24hrMiniTicker": (f"{lower}@miniTicker",),
    }
    found = names.get(event)
    return (event, symbol, found) if found else None
