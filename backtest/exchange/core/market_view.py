"""What the exchange tells of a symbol's market: rows of public answers, as values. Prices are exact decimals."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from backtest.exchange.core.domain import Listing

#: (price, quantity), best first.
Level = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Depth:
    """The book down to a number of levels, as of an update id and the venue's times in milliseconds."""

    last_update_id: int
    event_time_ms: int
    transaction_time_ms: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Top:
    """The best level of each side; zeros where a side is empty or unknown."""

    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal
    update_id: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """One trade. `value` is quoteQty (USD-M) or baseQty (COIN-M)."""

    trade_id: int
    price: Decimal
    quantity: Decimal
    value: Decimal
    time_ms: int
    buyer_is_maker: bool


@dataclass(frozen=True, slots=True)
class AggregateTradeRow:
    """All fills of one taker's order at one price."""

    aggregate_id: int
    price: Decimal
    quantity: Decimal
    first_trade_id: int
    last_trade_id: int
    time_ms: int
    buyer_is_maker: bool


@dataclass(frozen=True, slots=True)
class KlineRow:
    """A bar. Volumes are base units (USD-M) or contracts (COIN-M); values are quote units or coin."""

    open_time_ms: int
    close_time_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    value: Decimal
    trades: int
    taker_buy_volume: Decimal
    taker_buy_value: Decimal
    first_trade_id: int
    last_trade_id: int


@dataclass(frozen=True, slots=True)
class DayStatistics:
    """The last 24 hours of trades. Zeros where there was none."""

    open_time_ms: int
    close_time_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    last_quantity: Decimal
    volume: Decimal
    value: Decimal
    weighted_average: Decimal
    first_trade_id: int
    last_trade_id: int
    trades: int


@dataclass(frozen=True, slots=True)
class Premium:
    """Mark, index and funding. `mark_price` is the middle of the book where the tape has no mark price."""

    mark_price: Decimal
    index_price: Decimal
    settle_price: Decimal
    funding_rate: Decimal
    next_funding_ms: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class FundingRow:
    """A settled funding rate."""

    symbol: str
    funding_rate: Decimal
    funding_time_ms: int
    mark_price: Decimal


class MarketView(Protocol):
    """A symbol's market as it may be asked for."""

    listing: Listing

    @property
    def synced(self) -> bool:
        """Tell whether the book is whole."""
        ...

    def depth(self, limit: int) -> Depth:
        """Return the book down to `limit` levels a side."""
        ...

    def top(self) -> Top:
        """Return the best prices."""
        ...

    def premium(self) -> Premium:
        """Return mark, index and funding."""
        ...

    def trades(self, limit: int) -> Sequence[PublicTrade]:
        """Return the latest trades, oldest first."""
        ...

    def aggregate_trades(
        self, limit: int, from_id: int | None = None, start_ms: int | None = None, end_ms: int | None = None,
    ) -> Sequence[AggregateTradeRow]:
        """Return aggregate trades, oldest first: the latest, or those from an id or a time on."""
        ...

    def klines(
        self, interval: str, limit: int, start_ms: int | None = None, end_ms: int | None = None,
    ) -> Sequence[KlineRow]:
        """Return bars, oldest first; of an interval such as `1m`. Raises `ExchangeError` -1120 for an unknown one."""
        ...

    def day(self) -> DayStatistics:
        """Return the statistics of the last 24 hours."""
        ...

    def funding_history(self, limit: int) -> Sequence[FundingRow]:
        """Return settled funding rates, oldest first."""
        ...

    @property
    def open_interest(self) -> Decimal:
        """Return the open interest, zero where it is not known."""
        ...
