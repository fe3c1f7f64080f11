"""One symbol's public market, fed with the frames of a tape: book, prices, trades, klines, funding.

A tape that has single trades counts those; its aggregate trades then are rows of their own answer and nothing else.
Our orders leave no trace here: the recorded market is as it was.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from backtest.exchange.core.bars import Bars
from backtest.exchange.core.domain import Listing, Product
from backtest.exchange.core.market_view import (
    AggregateTradeRow,
    DayStatistics,
    Depth,
    FundingRow,
    KlineRow,
    Premium,
    PublicTrade,
    Top,
)
from backtest.exchange.core.recorded_book import RecordedBook
from backtest.exchange.core.wire import (
    AGGREGATES,
    MARKS,
    TICKERS,
    TRADES,
    AggregatePrint,
    MarkUpdate,
    TradePrint,
    event_name,
    event_time,
    optional,
    transaction_time,
    usable,
)
from dataflows.codecs import binance
from dataflows.codecs.binance_events import DepthSnapshot, DepthUpdate
from dataflows.codecs.levels import Levels
from sluice.decimals import MONEY, ZERO
from sluice.orders import Side

#: Trades of either kind that are kept for answers: what the longest answer holds.
KEPT: Final = 1000
_HOUR_MS: Final = 3_600_000
#: A trade's time that lies further ahead of the exchange's than this is taken for now: one wrong line moves no kline.
_AHEAD_MS: Final = 60_000
_OPEN_INTEREST: Final = re.compile(rb'"openInterest"\s*:\s*"(\d{1,20}(?:\.\d{1,18})?)"')


@dataclass(frozen=True, slots=True)
class BookChange:
    """The book changed: at these levels, (n, 2) of price and quantity, or anywhere."""

    bids: Levels
    asks: Levels
    anywhere: bool
    time_ms: int


@dataclass(frozen=True, slots=True)
class TradeChange:
    """A recorded trade of the order book."""

    price: Decimal
    quantity: Decimal
    aggressor: Side
    time_ms: int


@dataclass(frozen=True, slots=True)
class MarkChange:
    """A new mark price."""

    price: Decimal


Change = BookChange | TradeChange | MarkChange


class SymbolMarket:
    """The market of one listing. Times of calls never go back."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.book = RecordedBook(listing.instrument.tick_size)
        self.last_price: Decimal | None = None
        self.now_ms = 0
        self.open_interest = ZERO
        self.next_funding_ms = 0
        self.funding_rate: Decimal | None = None
        self._mark: Decimal | None = None
        self._premium = MarkUpdate(ZERO)
        self._funding: deque[FundingRow] = deque(maxlen=KEPT)
        self._trades: deque[TradePrint] = deque(maxlen=KEPT)
        self._aggregates: deque[AggregatePrint] = deque(maxlen=KEPT)
        self._bars = Bars()
        self._has_single_trades = False
        self._ticker = b""
        self._depth_payload = b""
        self._handlers: dict[bytes, Callable[[bytes], Change | None]] = {
            b"depthUpdate": self._on_depth, b"snapshot": self._on_depth, b"trade": self._on_trade,
            b"aggTrade": self._on_aggregate, b"markPriceUpdate": self._on_mark, b"bookTicker": self._on_ticker,
        }

    # Feeding

    def on_frame(self, payload: bytes, now_ms: int) -> Change | None:
        """Take a frame; return what matching must know of it."""
        self.now_ms = now_ms
        handler = self._handlers.get(event_name(payload))
        return handler(payload) if handler is not None else None

    def _on_depth(self, payload: bytes) -> Change | None:
        event = binance.decode(payload)
        if not isinstance(event, DepthUpdate | DepthSnapshot):
            self._on_open_interest(payload)
            return None
        changed, anywhere = self.book.apply(event)
        if not changed:
            return None
        self._depth_payload = payload
        return BookChange(event.bids, event.asks, anywhere, transaction_time(payload))

    def _on_open_interest(self, payload: bytes) -> None:
        if found := _OPEN_INTEREST.search(payload):
            self.open_interest = Decimal(found[1].decode())

    def _on_ticker(self, payload: bytes) -> None:
        self._ticker = payload

    def _on_trade(self, payload: bytes) -> Change | None:
        self._has_single_trades = True
        found = TRADES.read(payload)
        if found is None or found.execution != "MARKET" or not (usable(found.price) and usable(found.quantity)):
            return None
        self._trades.append(found)
        return self._traded(found, found.trade_id, found.trade_id)

    def _on_aggregate(self, payload: bytes) -> Change | None:
        found = AGGREGATES.read(payload)
        if found is None or not (usable(found.price) and usable(found.quantity)):
            return None
        self._aggregates.append(found)
        if self._has_single_trades:
            return None
        return self._traded(found, found.first_trade_id, max(found.first_trade_id, found.last_trade_id))

    def _traded(self, trade: TradePrint | AggregatePrint, first_id: int, last_id: int) -> TradeChange:
        self.last_price = trade.price
        self._bars.add(
            trade.price, trade.quantity, self._value(trade.quantity, trade.price),
            time_ms=min(trade.time_ms, self.now_ms + _AHEAD_MS), buyer_is_maker=trade.buyer_is_maker,
            first_id=first_id, last_id=last_id)
        side = Side.SELL if trade.buyer_is_maker else Side.BUY
        return TradeChange(trade.price, trade.quantity, side, trade.time_ms)

    def _on_mark(self, payload: bytes) -> Change | None:
        found = MARKS.read(payload)
        if found is None or not usable(found.price):
            return None
        # What was assumed before the tape named a mark no longer holds.
        known_ms = self.next_funding_ms if self._mark is not None else 0
        self._premium, self._mark = found, found.price
        self.funding_rate = optional(found.funding_rate)
        self.next_funding_ms = max(known_ms, found.next_funding_ms)
        return MarkChange(found.price)

    def settled(self, rate: Decimal, time_ms: int) -> None:
        """Take note that funding has been settled; the next time is an interval later until the tape says another."""
        self._funding.append(FundingRow(self.listing.symbol, rate, time_ms, self.mark_price or ZERO))
        self.next_funding_ms = time_ms + self.listing.funding_interval_hours * _HOUR_MS

    def assume_funding(self, rate: Decimal) -> None:
        """Take a rate and the next time to settle for a perpetual contract whose tape has none."""
        if self.listing.contract_type != "PERPETUAL" or self.next_funding_ms > self.now_ms:
            return
        interval_ms = self.listing.funding_interval_hours * _HOUR_MS
        self.funding_rate, self.next_funding_ms = rate, (self.now_ms // interval_ms + 1) * interval_ms

    # Prices

    @property
    def synced(self) -> bool:
        """Tell whether the book is whole."""
        return self.book.synced

    @property
    def has_mark(self) -> bool:
        """Tell whether the tape has told a mark price."""
        return self._mark is not None

    @property
    def mark_price(self) -> Decimal | None:
        """Return the mark price, the middle of the book where the tape has none, None where neither is known."""
        if self._mark is not None:
            return self._mark
        bid, ask = self.book.best(Side.BUY), self.book.best(Side.SELL)
        if bid is None or ask is None:
            return bid if ask is None else ask
        return (bid + ask) / 2

    # Answers

    def depth(self, limit: int) -> Depth:
        """Return the book down to `limit` levels a side."""
        sides = [tuple(self.book.levels(side, limit)) if self.book.synced else () for side in (Side.BUY, Side.SELL)]
        times = event_time(self._depth_payload), transaction_time(self._depth_payload)
        return Depth(self.book.last_update_id, *times, sides[0][:limit], sides[1][:limit])

    def top(self) -> Top:
        """Return the best prices: of the book, or of the latest bookTicker where the tape has no whole book."""
        if self.book.synced:
            prices = [
                (self.book.best(side) or ZERO, self.book.best_quantity(side)) for side in (Side.BUY, Side.SELL)]
            return Top(*prices[0], *prices[1], self.book.last_update_id, transaction_time(self._depth_payload))
        found = TICKERS.read(self._ticker) if self._ticker else None
        if found is None:
            return Top(ZERO, ZERO, ZERO, ZERO, 0, 0)
        return Top(found.bid, found.bid_quantity, found.ask, found.ask_quantity, found.update_id, found.time_ms)

    def premium(self) -> Premium:
        """Return mark, index and funding."""
        mark = self.mark_price or ZERO
        update = self._premium
        index = optional(update.index) or mark
        return Premium(mark, index, optional(update.settle) or index, self.funding_rate or ZERO, self.next_funding_ms,
                       update.event_time_ms or self.now_ms)

    def trades(self, limit: int, from_id: int | None = None) -> Sequence[PublicTrade]:
        """Return the latest trades, or those from an id on, oldest first."""
        rows = list(self._trades) if self._has_single_trades else [_single(row) for row in self._aggregates]
        chosen = rows[-limit:] if from_id is None else [row for row in rows if row.trade_id >= from_id][:limit]
        return [
            PublicTrade(row.trade_id, row.price, row.quantity, self._value(row.quantity, row.price), row.time_ms,
                        row.buyer_is_maker)
            for row in chosen
        ]

    def aggregate_trades(
        self, limit: int, from_id: int | None = None, start_ms: int | None = None, end_ms: int | None = None,
    ) -> Sequence[AggregateTradeRow]:
        """Return aggregate trades, oldest first; each trade is one where the tape has only single ones."""
        rows = list(self._aggregates) or [_aggregate(row) for row in self._trades]
        found = [
            AggregateTradeRow(row.aggregate_id, row.price, row.quantity, row.first_trade_id, row.last_trade_id,
                              row.time_ms, row.buyer_is_maker)
            for row in rows
            if (from_id is None or row.aggregate_id >= from_id) and (start_ms is None or row.time_ms >= start_ms)
            and (end_ms is None or row.time_ms <= end_ms)
        ]
        return found[-limit:] if from_id is None and start_ms is None else found[:limit]

    def klines(
        self, interval: str, limit: int, start_ms: int | None = None, end_ms: int | None = None,
    ) -> Sequence[KlineRow]:
        """Return bars, oldest first. Raises `ExchangeError` -1120 for an interval that there is none of."""
        return self._bars.rows(interval, limit, self.now_ms, start_ms, end_ms)

    def day(self) -> DayStatistics:
        """Return the statistics of the last 24 hours."""
        return self._bars.day(self.now_ms)

    def funding_history(self, limit: int) -> Sequence[FundingRow]:
        """Return settled funding rates, oldest first."""
        return list(self._funding)[-limit:]

    def _value(self, quantity: Decimal, price: Decimal) -> Decimal:
        if self.listing.product is Product.USDM:
            return quantity * price
        return MONEY.divide(quantity * self.listing.instrument.contract_size, price)


def _single(row: AggregatePrint) -> TradePrint:
    return TradePrint(row.last_trade_id, row.price, row.quantity, row.time_ms, row.buyer_is_maker)


def _aggregate(row: TradePrint) -> AggregatePrint:
    return AggregatePrint(
        row.trade_id, row.price, row.quantity, row.trade_id, row.trade_id, row.time_ms, row.buyer_is_maker)
