"""Shifting the times inside recorded frames, so that an old tape looks as if it were happening now.

Event and transaction times and the receive time move by the same whole milliseconds, so that all latencies stay. The
next funding time of a mark price is set to the next full eight hours instead. Klines cannot be shifted (their bars
begin at full minutes): where times are shifted the exchange makes them out of its trades.
"""

import re
from typing import Final

from dataflows.tapes.frames import Frame

_TIME: Final = re.compile(rb'"([ET])":\s*(\d{13})(?=[,}\s])')
_MARK: Final = b'"e":"markPriceUpdate"'
_KLINE: Final = b'"e":"kline"'
FUNDING_INTERVAL_MS: Final = 8 * 3_600_000


def shifted(frame: Frame, shift_ns: int) -> Frame:
    """Return a frame with all its times moved by whole milliseconds."""
    if shift_ns == 0:
        return frame
    shift_ms, payload = shift_ns // 1_000_000, frame.payload

    def moved(found: re.Match[bytes]) -> bytes:
        return b'"%b":%d' % (found[1], int(found[2]) + shift_ms)

    payload = _shifted_mark(payload, shift_ms) if _MARK in payload else _TIME.sub(moved, payload)
    return Frame(frame.sequence, frame.receive_time_ns + shift_ns, payload, frame.symbol_hint)


def is_kline(frame: Frame) -> bool:
    """Tell whether a frame is a bar, which has no place in a tape whose times are shifted."""
    return _KLINE in frame.payload


def _shifted_mark(payload: bytes, shift_ms: int) -> bytes:
    times = {found[1]: int(found[2]) for found in _TIME.finditer(payload)}
    event_ms = times.get(b"E", 0) + shift_ms
    funding_ms = (event_ms // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS

    def moved(found: re.Match[bytes]) -> bytes:
        return b'"%b":%d' % (found[1], event_ms if found[1] == b"E" else funding_ms)

    return _TIME.sub(moved, payload)
