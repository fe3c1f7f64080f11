"""Klines and the statistics of a day, from trades, in bounded memory.

Every trade goes into the bar of its minute; a minute that ends is merged into the bars of all longer intervals. So a
trade costs one update whatever the number of intervals. At most `KEPT` bars of an interval are kept. A minute without
trades has a flat bar, as the venue's klines have.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from backtest.exchange.core.errors import refuse
from backtest.exchange.core.market_view import DayStatistics, KlineRow
from sluice.decimals import MONEY, ZERO

#: Bars of one interval that are kept: what the longest answer of the API holds.
KEPT: Final = 1500
_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
#: 1970-01-05 was the first Monday: weeks begin there.
_FIRST_MONDAY: Final = 4 * _DAY
_MONTH: Final = "1M"
INTERVALS: Final[dict[str, int]] = {
    "1m": _MINUTE, "3m": 3 * _MINUTE, "5m": 5 * _MINUTE, "15m": 15 * _MINUTE, "30m": 30 * _MINUTE,
    "1h": 60 * _MINUTE, "2h": 120 * _MINUTE, "4h": 240 * _MINUTE, "6h": 360 * _MINUTE, "8h": 480 * _MINUTE,
    "12h": 720 * _MINUTE, "1d": _DAY, "3d": 3 * _DAY, "1w": 7 * _DAY, _MONTH: 31 * _DAY,
}


def open_time(interval: str, time_ms: int) -> int:
    """Return when the bar that holds a time began."""
    if interval == _MONTH:
        day = datetime.fromtimestamp(time_ms / 1000, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1000
    length = INTERVALS[interval]
    shift = _FIRST_MONDAY if interval == "1w" else 0
    return (time_ms - shift) // length * length + shift


def close_time(interval: str, open_ms: int) -> int:
    """Return the last millisecond of the bar that began at a time."""
    if interval == _MONTH:
        return open_time(_MONTH, open_ms + 32 * _DAY) - 1
    return open_ms + INTERVALS[interval] - 1


@dataclass(slots=True)
class Bar:
    """A bar while it grows. `value` is in quote units, or in coin for inverse contracts."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    value: Decimal = ZERO
    trades: int = 0
    taker_buy_volume: Decimal = ZERO
    taker_buy_value: Decimal = ZERO
    first_trade_id: int = -1
    last_trade_id: int = -1

    def merge(self, later: "Bar") -> None:
        """Take in a bar that follows."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.value += later.value
        self.trades += later.trades
        self.taker_buy_volume += later.taker_buy_volume
        self.taker_buy_value += later.taker_buy_value
        if later.trades:
            self.first_trade_id = later.first_trade_id if self.first_trade_id < 0 else self.first_trade_id
            self.last_trade_id = later.last_trade_id

    def row(self, interval: str) -> KlineRow:
        """Return the bar as the API's value."""
        return KlineRow(
            self.open_ms, close_time(interval, self.open_ms), self.open, self.high, self.low, self.close, self.volume,
            self.value, self.trades, self.taker_buy_volume, self.taker_buy_value, self.first_trade_id,
            self.last_trade_id)


class Bars:
    """All intervals of one symbol."""

    def __init__(self) -> None:
        self._minutes: deque[Bar] = deque(maxlen=KEPT)
        self._minute: Bar | None = None
        self._longer: dict[str, deque[Bar]] = {name: deque(maxlen=KEPT) for name in INTERVALS if name != "1m"}
        self._last_quantity = ZERO

    def add(
        self, price: Decimal, quantity: Decimal, value: Decimal, *, time_ms: int, buyer_is_maker: bool, first_id: int,
        last_id: int,
    ) -> None:
        """Count a trade; one that is late belongs to the minute that is open."""
        self.roll(time_ms)
        bar = self._minute
        if bar is None:
            bar = self._minute = Bar(open_time("1m", time_ms), price, price, price, price)
        bar.high, bar.low, bar.close = max(bar.high, price), min(bar.low, price), price
        if not bar.trades:
            bar.open, bar.high, bar.low = price, price, price
        bar.volume += quantity
        bar.value += value
        bar.trades += 1 + last_id - first_id
        if not buyer_is_maker:
            bar.taker_buy_volume += quantity
            bar.taker_buy_value += value
        bar.first_trade_id = first_id if bar.first_trade_id < 0 else bar.first_trade_id
        bar.last_trade_id = last_id
        self._last_quantity = quantity

    def roll(self, time_ms: int) -> None:
        """End the minutes before a time, with flat bars for those without a trade."""
        if self._minute is None or time_ms < self._minute.open_ms + _MINUTE:
            return
        wanted = open_time("1m", time_ms)
        skipped = max(self._minute.open_ms + _MINUTE, wanted - KEPT * _MINUTE)
        self._end(self._minute)
        close = self._minute.close
        for opened in range(skipped, wanted, _MINUTE):
            self._end(Bar(opened, close, close, close, close))
        self._minute = Bar(wanted, close, close, close, close)

    def rows(
        self, interval: str, limit: int, now_ms: int, start_ms: int | None = None, end_ms: int | None = None,
    ) -> list[KlineRow]:
        """Return bars, oldest first: the first ones from a start on, else the latest. Raises `ExchangeError` -1120."""
        if interval not in INTERVALS:
            raise refuse(-1120)
        self.roll(now_ms)
        kept = [
            bar.row(interval) for bar in self._all(interval)
            if (start_ms is None or bar.open_ms >= start_ms) and (end_ms is None or bar.open_ms <= end_ms)
        ]
        return kept[:limit] if start_ms is not None else kept[-limit:]

    def day(self, now_ms: int) -> DayStatistics:
        """Return the statistics of the last 24 hours, to the minute."""
        self.roll(now_ms)
        if self._minute is None:
            return DayStatistics(now_ms - _DAY, now_ms, *(ZERO,) * 8, -1, -1, 0)
        bars = [bar for bar in self._all("1m") if bar.open_ms > now_ms - _DAY - _MINUTE]
        total = replace(bars[0])
        for bar in bars[1:]:
            total.merge(bar)
        average = MONEY.divide(total.value, total.volume) if total.volume else ZERO
        return DayStatistics(
            now_ms - _DAY, now_ms, total.open, total.high, total.low, total.close, self._last_quantity, total.volume,
            total.value, average, total.first_trade_id, total.last_trade_id, total.trades)

    def _end(self, minute: Bar) -> None:
        self._minutes.append(minute)
        for interval, bars in self._longer.items():
            _merge_into(bars, interval, minute)

    def _all(self, interval: str) -> list[Bar]:
        if self._minute is None:
            return []
        if interval == "1m":
            return [*self._minutes, self._minute]
        bars: deque[Bar] = deque(self._longer[interval], maxlen=KEPT)
        if bars:
            bars[-1] = replace(bars[-1])
        _merge_into(bars, interval, self._minute)
        return list(bars)


def _merge_into(bars: deque[Bar], interval: str, minute: Bar) -> None:
    opened = open_time(interval, minute.open_ms)
    if bars and bars[-1].open_ms == opened:
        bars[-1].merge(minute)
    else:
        bars.append(replace(minute, open_ms=opened))
