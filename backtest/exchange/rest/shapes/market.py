"""Public market data as answers show it."""

from collections.abc import Sequence
from typing import Any

from backtest.exchange.core.domain import Listing, Product
from backtest.exchange.core.market_view import (
    AggregateTradeRow,
    DayStatistics,
    Depth,
    FundingRow,
    KlineRow,
    Level,
    Premium,
    PublicTrade,
    Top,
)
from backtest.exchange.rest.shapes.numbers import fixed, money, plain, price, quantity
from sluice.decimals import MONEY, ZERO


def _coin(listing: Listing) -> bool:
    return listing.product is Product.COINM


def depth(book: Depth, listing: Listing) -> dict[str, Any]:
    """Return the book."""
    shape: dict[str, Any] = {
        "lastUpdateId": book.last_update_id, "E": book.event_time_ms, "T": book.transaction_time_ms,
        "bids": _levels(book.bids, listing), "asks": _levels(book.asks, listing),
    }
    return shape | {"symbol": listing.symbol, "pair": listing.pair} if _coin(listing) else shape


def _levels(levels: Sequence[Level], listing: Listing) -> list[list[str]]:
    return [[price(listing, at), quantity(listing, size)] for at, size in levels]


def trade(row: PublicTrade, listing: Listing) -> dict[str, Any]:
    """Return one public trade."""
    shape: dict[str, Any] = {
        "id": row.trade_id, "price": price(listing, row.price), "qty": quantity(listing, row.quantity),
        "time": row.time_ms, "isBuyerMaker": row.buyer_is_maker,
    }
    return shape | ({"baseQty": money(row.value)} if _coin(listing) else
                    {"quoteQty": plain(row.value), "isRPITrade": False})


def aggregate(row: AggregateTradeRow, listing: Listing) -> dict[str, Any]:
    """Return one aggregate trade; on USD-M with the quantity that was no retail order, which is all of it here."""
    size = quantity(listing, row.quantity)
    shape = {"a": row.aggregate_id, "p": price(listing, row.price), "q": size, "f": row.first_trade_id,
             "l": row.last_trade_id, "T": row.time_ms, "m": row.buyer_is_maker}
    return shape if _coin(listing) else shape | {"nq": size}


def kline(row: KlineRow, listing: Listing) -> list[Any]:
    """Return one bar: the twelve columns of Binance."""
    prices = [price(listing, value) for value in (row.open, row.high, row.low, row.close)]
    return [
        row.open_time_ms, *prices, quantity(listing, row.volume), row.close_time_ms, plain(row.value), row.trades,
        quantity(listing, row.taker_buy_volume), plain(row.taker_buy_value), "0",
    ]


def premium(row: Premium, listing: Listing) -> dict[str, Any]:
    """Return mark, index and funding of a symbol."""
    shape: dict[str, Any] = {
        "symbol": listing.symbol, "markPrice": money(row.mark_price), "indexPrice": money(row.index_price),
        "estimatedSettlePrice": money(row.settle_price), "lastFundingRate": money(row.funding_rate),
        "interestRate": "0.00010000", "nextFundingTime": row.next_funding_ms, "time": row.time_ms,
    }
    return shape | {"pair": listing.pair} if _coin(listing) else shape


def funding(row: FundingRow, listing: Listing) -> dict[str, Any]:
    """Return one settled funding rate."""
    shape: dict[str, Any] = {
        "symbol": row.symbol, "fundingRate": money(row.funding_rate), "fundingTime": row.funding_time_ms}
    return shape if _coin(listing) else shape | {"markPrice": money(row.mark_price), "rateType": "Regular"}


def day(row: DayStatistics, listing: Listing) -> dict[str, Any]:
    """Return the statistics of 24 hours."""
    change = row.last - row.open
    percent = MONEY.divide(change * 100, row.open) if row.open else ZERO
    shape: dict[str, Any] = {
        "symbol": listing.symbol, "priceChange": price(listing, change), "priceChangePercent": fixed(percent, 3),
        "weightedAvgPrice": price(listing, row.weighted_average) if not row.weighted_average else fixed(
            row.weighted_average, 8),
        "lastPrice": price(listing, row.last), "lastQty": quantity(listing, row.last_quantity),
        "openPrice": price(listing, row.open), "highPrice": price(listing, row.high),
        "lowPrice": price(listing, row.low), "volume": quantity(listing, row.volume),
        "openTime": row.open_time_ms, "closeTime": row.close_time_ms, "firstId": row.first_trade_id,
        "lastId": row.last_trade_id, "count": row.trades,
    }
    return shape | ({"pair": listing.pair, "baseVolume": money(row.value)} if _coin(listing) else
                    {"quoteVolume": money(row.value)})


def last_price(top: DayStatistics, listing: Listing, now_ms: int) -> dict[str, Any]:
    """Return the last price."""
    shape = {"symbol": listing.symbol, "price": price(listing, top.last), "time": top.close_time_ms or now_ms}
    return shape | {"ps": listing.pair} if _coin(listing) else shape


def best(top: Top, listing: Listing) -> dict[str, Any]:
    """Return the best prices."""
    shape: dict[str, Any] = {
        "symbol": listing.symbol, "bidPrice": price(listing, top.bid), "bidQty": quantity(listing, top.bid_quantity),
        "askPrice": price(listing, top.ask), "askQty": quantity(listing, top.ask_quantity), "time": top.time_ms,
        "lastUpdateId": top.update_id,
    }
    return shape | {"pair": listing.pair} if _coin(listing) else shape
