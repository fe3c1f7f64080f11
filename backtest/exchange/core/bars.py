"""Klines and the statistics of a day, from trades, in bounded memory.

Every trade goes into the bar of its minute; a minute that ends is merged into the bars of all longer intervals. So a
trade costs one update whatever the number of intervals. At most `KEPT` bars of an interval are kept. An interval
without trades has a flat bar, as the venue's klines have.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
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
        """Take in a bar that follows and has trades."""
        if not self.trades:
            self.open = self.high = later.open
            self.low = later.open
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.value += later.value
        self.trades += later.trades
        self.taker_buy_volume += later.taker_buy_volume
        self.taker_buy_value += later.taker_buy_value
        self.first_trade_id = later.first_trade_id if self.first_trade_id < 0 else self.first_trade_id
        self.last_trade_id = later.last_trade_id

    def row(self, interval: str) -> KlineRow:
        """Return the bar as the API's value."""
        return KlineRow(
            self.open_ms, close_time(interval, self.open_ms), self.open, self.high, self.low, self.close, self.volume,
            self.value, self.trades, self.taker_buy_volume, self.taker_buy_value, self.first_trade_id,
            self.last_trade_id)


class _Series:
    """The bars of one interval, the last of which grows."""

    def __init__(self, interval: str, bars: Iterable[Bar] = ()) -> None:
        self.interval = interval
        self.bars: deque[Bar] = deque(bars, maxlen=KEPT)

    def roll(self, time_ms: int) -> None:
        """Let time pass: flat bars follow up to the one that holds a time."""
        if not self.bars:
            return
        wanted, last = open_time(self.interval, time_ms), self.bars[-1]
        oldest = wanted - KEPT * INTERVALS[self.interval]
        opened = open_time(self.interval, max(close_time(self.interval, last.open_ms) + 1, oldest))
        while opened <= wanted:
            self.bars.append(Bar(opened, last.close, last.close, last.close, last.close))
            opened = close_time(self.interval, opened) + 1

    def take(self, bar: Bar) -> None:
        """Take in a bar of a shorter interval that has trades."""
        self.roll(bar.open_ms)
        if self.bars:
            self.bars[-1].merge(bar)
        else:
            self.bars.append(replace(bar, open_ms=open_time(self.interval, bar.open_ms)))

    def copy(self) -> "_Series":
        """Return a copy whose last bar may grow by itself."""
        return _Series(self.interval, [*islice(self.bars, len(self.bars) - 1), replace(self.bars[-1])]
                       if self.bars else ())


class Bars:
    """All intervals of one symbol."""

    def __init__(self) -> None:
        self._minutes = _Series("1m")
        self._longer = {name: _Series(name) for name in INTERVALS if name != "1m"}
        self._last_quantity = ZERO

    def add(
        self, price: Decimal, quantity: Decimal, value: Decimal, *, time_ms: int, buyer_is_maker: bool, first_id: int,
        last_id: int,
    ) -> None:
        """Count a trade; one that is late belongs to the minute that is open."""
        self.roll(time_ms)
        if not self._minutes.bars:
            self._minutes.bars.append(Bar(open_time("1m", time_ms), price, price, price, price))
        taken = (ZERO, ZERO) if buyer_is_maker else (quantity, value)
        self._minutes.bars[-1].merge(Bar(
            time_ms, price, price, price, price, quantity, value, 1 + last_id - first_id, *taken, first_id, last_id))
        self._last_quantity = quantity

    def roll(self, time_ms: int) -> None:
        """End the minute that is open, if it is over at a time."""
        bars = self._minutes.bars
        if not bars or time_ms < bars[-1].open_ms + _MINUTE:
            return
        if bars[-1].trades:
            for series in self._longer.values():
                series.take(bars[-1])
        self._minutes.roll(time_ms)

    def rows(
        self, interval: str, limit: int, now_ms: int, start_ms: int | None = None, end_ms: int | None = None,
    ) -> list[KlineRow]:
        """Return bars, oldest first: the first ones from a start on, else the latest. Raises `ExchangeError` -1120."""
        if interval not in INTERVALS:
            raise refuse(-1120)
        kept = [
            bar.row(interval) for bar in self._bars(interval, now_ms)
            if (start_ms is None or bar.open_ms >= start_ms) and (end_ms is None or bar.open_ms <= end_ms)
        ]
        return kept[:limit] if start_ms is not None else kept[-limit:]

    def day(self, now_ms: int) -> DayStatistics:
        """Return the statistics of the last 24 hours, to the minute."""
        bars = [bar for bar in self._bars("1m", now_ms) if bar.open_ms > now_ms - _DAY - _MINUTE]
        if not bars:
            return DayStatistics(now_ms - _DAY, now_ms, *(ZERO,) * 8, -1, -1, 0)
        total = replace(bars[0])
        for bar in bars[1:]:
            if bar.trades:
                total.merge(bar)
        average = MONEY.divide(total.value, total.volume) if total.volume else ZERO
        return DayStatistics(
            now_ms - _DAY, now_ms, total.open, total.high, total.low, total.close, self._last_quantity, total.volume,
            total.value, average, total.first_trade_id, total.last_trade_id, total.trades)

    def _bars(self, interval: str, now_ms: int) -> Iterable[Bar]:
        self.roll(now_ms)
        if interval == "1m" or not self._minutes.bars:
            return self._minutes.bars
        series = self._longer[interval].copy()
        if self._minutes.bars[-1].trades:
            series.take(self._minutes.bars[-1])
        series.roll(now_ms)
        return series.bars
