"""Makers: each makes the events of one stream out of the exchange's market, when they are due and only if new.

A maker stays silent where its symbol's tape holds the event, which then goes out as it was recorded.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from backtest.exchange.core.market_view import KlineRow, MarketView
from backtest.exchange.streams import derived
from backtest.exchange.streams.names import Stream, StreamKind

#: (event, symbol) pairs that are recorded; it grows while a tape is played.
Native = set[tuple[str, str]]
#: Fills of one order may still come so long after the first, in milliseconds.
AGGREGATION_MS: Final = 100
_TICKER_MS: Final = 1000
_BEST_MS: Final = 20


class Maker:
    """Makes the events of a stream at its interval."""

    def __init__(self, views: Mapping[str, MarketView], interval_ms: int) -> None:
        self.views = views
        self._interval_ms = interval_ms
        self._bucket = -1

    def due(self, time_ms: int) -> Iterator[bytes]:
        """Yield what is to be sent at a time of the exchange; nothing within an interval that was served."""
        bucket = time_ms // self._interval_ms
        if bucket == self._bucket:
            return
        self._bucket = bucket
        for event in self.events(time_ms):
            yield derived.encoded(event)

    @abstractmethod
    def events(self, time_ms: int) -> Iterator[Any]:
        """Yield the events of an interval."""
        raise NotImplementedError


class _Changed(Maker):
    """One event a symbol, wherever it differs from the last one in more than its time."""

    def __init__(
        self, views: Mapping[str, MarketView], interval_ms: int, make: Callable[[MarketView, int], dict[str, Any]],
        recorded: tuple[str, Native] | None = None, listed: bool = False, always: bool = False,
    ) -> None:
        super().__init__(views, interval_ms)
        self._make = make
        self._recorded = recorded
        self._listed = listed
        self._always = always
        self._last: dict[str, dict[str, Any]] = {}

    def events(self, time_ms: int) -> Iterator[Any]:
        made = [event for symbol, view in self.views.items() if (event := self._event(symbol, view, time_ms))]
        if self._listed:
            yield from [made] if made else []
        else:
            yield from made

    def _event(self, symbol: str, view: MarketView, time_ms: int) -> dict[str, Any] | None:
        if self._recorded and (self._recorded[0], symbol) in self._recorded[1]:
            return None
        event = self._make(view, time_ms)
        if self._listed and not view.top().update_id:
            return None  # a contract of the catalogue that the tape does not hold
        compared = {key: value for key, value in event.items() if key not in ("E", "C", "O")}
        if not self._always and compared == self._last.get(symbol):
            return None
        self._last[symbol] = compared
        return event


class _PartialDepth(Maker):
    """The best levels of a book, whenever it has changed."""

    def __init__(self, views: Mapping[str, MarketView], stream: Stream) -> None:
        super().__init__(views, max(stream.interval_ms, 100))
        self._levels = stream.levels
        self._update_id = 0

    def events(self, time_ms: int) -> Iterator[Any]:
        for view in self.views.values():
            event = derived.partial_depth(view, self._levels, self._update_id, time_ms)
            if event["u"] != self._update_id:
                self._update_id = event["u"]
                yield event


class _AggregateTrades(Maker):
    """Aggregate trades of a tape that holds only trades; each goes out when no more fills can join it."""

    def __init__(self, views: Mapping[str, MarketView], native: Native) -> None:
        super().__init__(views, 10)
        self._native = native
        ((self._symbol, self._view),) = views.items()
        latest = self._view.aggregate_trades(1)
        self._next_id = latest[-1].aggregate_id + 1 if latest else 0

    def events(self, time_ms: int) -> Iterator[Any]:
        if ("aggTrade", self._symbol) in self._native:
            return
        for row in self._rows():
            if time_ms - row.time_ms >= AGGREGATION_MS:
                self._next_id = row.aggregate_id + 1
                yield derived.aggregate_trade(self._view.listing, row, time_ms)

    def _rows(self) -> list[Any]:
        latest = self._view.aggregate_trades(1)
        if not latest or latest[-1].aggregate_id < self._next_id:
            return []
        return list(self._view.aggregate_trades(1000, from_id=self._next_id or latest[-1].aggregate_id))


class _Klines(Maker):
    """The bar that is under way, and each bar once more when it has closed."""

    def __init__(self, views: Mapping[str, MarketView], stream: Stream, native: Native) -> None:
        super().__init__(views, stream.interval_ms)
        self._stream = stream
        self._native = native
        ((self._symbol, self._view),) = views.items()
        self._last: tuple[int, int, bool] | None = None

    def events(self, time_ms: int) -> Iterator[Any]:
        if ("kline", self._symbol) in self._native and not self._stream.contract and self._stream.interval == "1m":
            return
        rows = self._view.klines(self._stream.interval, 2)
        for row in rows if self._last else rows[-1:]:
            closed = time_ms > row.close_time_ms
            if self._news(row, closed):
                self._last = (row.open_time_ms, row.trades, closed)
                yield derived.kline(self._stream, self._view.listing, row, closed, time_ms)

    def _news(self, row: KlineRow, closed: bool) -> bool:
        last = self._last or (-1, 0, False)
        return row.open_time_ms > last[0] or (row.open_time_ms == last[0] and (row.trades, closed) != last[1:])


def maker_of(stream: Stream, views: Mapping[str, MarketView], native: Native) -> Maker | None:
    """Return what makes a stream's events; None for one that only a tape can fill."""
    everything = not stream.symbol
    match stream.kind:
        case StreamKind.MARK_PRICE:
            several = stream.symbol not in views  # the whole market, or every contract of a pair
            recorded = None if several else ("markPriceUpdate", native)
            return _Changed(views, stream.interval_ms, derived.mark_price, recorded, listed=several, always=True)
        case StreamKind.INDEX_PRICE:
            return _Changed(views, stream.interval_ms, derived.index_price, always=True)
        case StreamKind.TICKER:
            return _Changed(views, _TICKER_MS, derived.ticker, listed=everything)
        case StreamKind.MINI_TICKER:
            return _Changed(views, _TICKER_MS, derived.mini_ticker, listed=everything)
        case StreamKind.BOOK_TICKER:
            return _Changed(views, _BEST_MS, derived.book_ticker, ("bookTicker", native))
        case StreamKind.PARTIAL_DEPTH:
            return _PartialDepth(views, stream)
        case StreamKind.AGGREGATE_TRADE:
            return _AggregateTrades(views, native)
        case StreamKind.KLINE | StreamKind.CONTINUOUS_KLINE:
            return _Klines(views, stream, native)
        case _:
            return None
