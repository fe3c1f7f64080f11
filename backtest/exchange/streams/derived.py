"""Events that the exchange makes out of its own market, where the tape does not hold them.

Each function returns the bytes of one event in the wire's shape of August 2026: numbers that are prices or quantities
as text, `st` 1 for USD-M and 2 for COIN-M, `ps` the pair.
"""

from decimal import Decimal
from typing import Any

import msgspec

from backtest.exchange.core.domain import Listing, Product
from backtest.exchange.core.market_view import AggregateTradeRow, KlineRow, Level, MarketView
from backtest.exchange.streams.names import Stream


def mark_price(view: MarketView, time_ms: int) -> dict[str, Any]:
    """Return `markPriceUpdate`; the moving average `ap` is of USD-M alone."""
    premium = view.premium()
    event = {"e": "markPriceUpdate", "E": time_ms, "s": view.listing.symbol, "p": _price8(premium.mark_price),
             "i": _price8(premium.index_price), "P": _price8(premium.settle_price),
             "r": _price8(premium.funding_rate), "T": premium.next_funding_ms, "st": _family(view.listing)}
    return event | ({"ap": _price8(premium.mark_price)} if view.listing.product is Product.USDM else {})


def index_price(view: MarketView, time_ms: int) -> dict[str, Any]:
    """Return `indexPriceUpdate` of the view's pair."""
    return {"e": "indexPriceUpdate", "E": time_ms, "s": view.listing.pair, "p": _price8(view.premium().index_price)}


def ticker(view: MarketView, time_ms: int) -> dict[str, Any]:
    """Return `24hrTicker`."""
    day = view.day()
    change = day.last - day.open
    percent = 100 * change / day.open if day.open else Decimal(0)
    return {"e": "24hrTicker", "E": time_ms, "s": view.listing.symbol, "ps": view.listing.pair, "p": text(change),
            "P": f"{percent:.3f}", "w": _at_tick(day.weighted_average, view.listing), "c": text(day.last),
            "Q": text(day.last_quantity), "o": text(day.open), "h": text(day.high), "l": text(day.low),
            "v": text(day.volume), "q": text(day.value), "O": day.open_time_ms, "C": day.close_time_ms,
            "F": day.first_trade_id, "L": day.last_trade_id,
            "n": day.trades, "st": _family(view.listing)}


def mini_ticker(view: MarketView, time_ms: int) -> dict[str, Any]:
    """Return `24hrMiniTicker`."""
    day = view.day()
    return {"e": "24hrMiniTicker", "E": time_ms, "s": view.listing.symbol, "ps": view.listing.pair,
            "c": text(day.last), "o": text(day.open), "h": text(day.high), "l": text(day.low), "v": text(day.volume),
            "q": text(day.value), "st": _family(view.listing)}


def book_ticker(view: MarketView, time_ms: int) -> dict[str, Any]:
    """Return `bookTicker`."""
    top = view.top()
    return {"e": "bookTicker", "u": top.update_id, "s": view.listing.symbol, "ps": view.listing.pair,
            "b": text(top.bid), "B": text(top.bid_quantity), "a": text(top.ask), "A": text(top.ask_quantity),
            "T": top.time_ms, "E": time_ms, "st": _family(view.listing)}


def partial_depth(view: MarketView, levels: int, previous_update_id: int, time_ms: int) -> dict[str, Any]:
    """Return `depthUpdate` of the best levels; `previous_update_id` is that of the message before it."""
    depth = view.depth(levels)
    return {"e": "depthUpdate", "E": time_ms, "T": depth.transaction_time_ms, "s": view.listing.symbol,
            "ps": view.listing.pair, "U": min(previous_update_id + 1, depth.last_update_id),
            "u": depth.last_update_id, "pu": previous_update_id, "b": _levels(depth.bids[:levels]),
            "a": _levels(depth.asks[:levels]), "st": _family(view.listing)}


def aggregate_trade(listing: Listing, row: AggregateTradeRow, time_ms: int) -> dict[str, Any]:
    """Return `aggTrade`; the quantity without retail orders `nq` is of USD-M alone."""
    event = {"e": "aggTrade", "E": time_ms, "a": row.aggregate_id, "s": listing.symbol, "p": text(row.price),
             "q": text(row.quantity), "f": row.first_trade_id, "l": row.last_trade_id, "T": row.time_ms,
             "m": row.buyer_is_maker, "st": _family(listing)}
    return event | ({"nq": text(row.quantity)} if listing.product is Product.USDM else {})


def kline(stream: Stream, listing: Listing, row: KlineRow, closed: bool, time_ms: int) -> dict[str, Any]:
    """Return `kline`, or `continuous_kline` where the stream names a contract type."""
    bar = {"t": row.open_time_ms, "T": row.close_time_ms, "s": listing.symbol, "i": stream.interval,
           "f": row.first_trade_id, "L": row.last_trade_id, "o": text(row.open), "c": text(row.close),
           "h": text(row.high), "l": text(row.low), "v": text(row.volume), "n": row.trades, "x": closed,
           "q": text(row.value), "V": text(row.taker_buy_volume), "Q": text(row.taker_buy_value), "B": "0"}
    if stream.contract:
        del bar["s"]
        return {"e": "continuous_kline", "E": time_ms, "ps": listing.pair, "ct": stream.contract, "k": bar}
    return {"e": "kline", "E": time_ms, "s": listing.symbol, "k": bar, "st": _family(listing)}


def encoded(event: dict[str, Any] | list[dict[str, Any]]) -> bytes:
    """Return the bytes of an event."""
    return msgspec.json.encode(event)


def text(value: Decimal) -> str:
    """Return a decimal as the wire writes it: without an exponent."""
    return format(value, "f")


def _at_tick(value: Decimal, listing: Listing) -> str:
    """Return a mean with the decimals of the listing's prices."""
    return text(value.quantize(listing.instrument.tick_size))


def _price8(value: Decimal) -> str:
    return f"{value:.8f}"


def _levels(levels: tuple[Level, ...]) -> list[list[str]]:
    return [[text(price), text(quantity)] for price, quantity in levels]


def _family(listing: Listing) -> int:
    return 1 if listing.product is Product.USDM else 2
