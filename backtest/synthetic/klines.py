"""One-minute klines of a synthetic symbol, updated about every 250 ms while there are trades, as the venue does.

All figures are whole ticks and lots, so that no update depends on the order of additions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MINUTE_MS = 60_000
UPDATE_MS = 250


@dataclass(slots=True)
class Bar:
    """A minute's trades: prices in ticks, volumes in lots, values in ticks times lots."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int
    first_trade_id: int
    last_trade_id: int = 0
    trades: int = 0
    volume: int = 0
    value: int = 0
    taker_buy_volume: int = 0
    taker_buy_value: int = 0

    def add(self, ticks: int, lots: int, seller_is_taker: bool, trade_id: int) -> None:
        """Add a trade."""
        self.high, self.low, self.close = max(self.high, ticks), min(self.low, ticks), ticks
        self.last_trade_id = trade_id
        self.trades += 1
        self.volume += lots
        self.value += ticks * lots
        if not seller_is_taker:
            self.taker_buy_volume += lots
            self.taker_buy_value += ticks * lots


class Klines:
    """Builds bars from trades in order of time."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._due_ms: int | None = None

    def on_trade(self, time_ms: int, ticks: int, lots: int, seller_is_taker: bool, trade_id: int) -> None:
        """Add a trade; what was due before its time must have been taken by `due` already."""
        if self._bar is None:
            self._bar = Bar(time_ms - time_ms % MINUTE_MS, ticks, ticks, ticks, ticks, trade_id)
        self._bar.add(ticks, lots, seller_is_taker, trade_id)
        self._due_ms = self._due_ms or time_ms - time_ms % UPDATE_MS + UPDATE_MS

    def due(self, time_ms: int) -> Iterator[tuple[int, Bar, bool]]:
        """Yield the updates up to a time: (time in ms, bar, closed). The bar is read before the next call."""
        if self._bar is None:
            return
        end = self._bar.start_ms + MINUTE_MS
        if self._due_ms is not None and self._due_ms <= time_ms and self._due_ms < end:
            yield self._due_ms, self._bar, False
            self._due_ms = None
        if end <= time_ms:
            yield end, self._bar, True
            self._bar = self._due_ms = None
