"""Public market data of both products."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from backtest.exchange.core.domain import Listing, Product
from backtest.exchange.core.market_view import KlineRow, MarketView
from backtest.exchange.rest.authentication import Security
from backtest.exchange.rest.handlers.history import SPAN
from backtest.exchange.rest.handlers.tickets import SYMBOL
from backtest.exchange.rest.parameters import Kind, Parameter
from backtest.exchange.rest.refusals import refusal
from backtest.exchange.rest.routes import Call, Route
from backtest.exchange.rest.shapes import information
from backtest.exchange.rest.shapes import market as shapes
from backtest.exchange.rest.shapes.numbers import quantity

_DEPTHS: Final = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
_INTERVALS: Final = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")


def ping(_call: Call) -> Any:
    """Answer."""
    return {}


def server_time(call: Call) -> Any:
    """Tell the exchange's time."""
    return {"serverTime": call.now_ms}


def exchange_information(call: Call) -> Any:
    """Tell what is traded and under which rules."""
    return information.exchange_information(
        call.listings(), call.product, call.limiter.limits, call.now_ms)


def depth(call: Call) -> Any:
    """Return the book."""
    limit = call.arguments.integer("limit") or 500
    if limit not in _DEPTHS:
        raise refusal(-1130, parameter="limit")
    market = call.market()
    return shapes.depth(market.depth(limit), market.listing)


def trades(call: Call) -> Any:
    """Return the latest trades."""
    market = call.market()
    return [shapes.trade(row, market.listing) for row in market.trades(call.arguments.at_most("limit", 500, 1000))]


def older_trades(call: Call) -> Any:
    """Return trades from an id on."""
    market, first = call.market(), call.arguments.integer("fromId")
    limit = call.arguments.at_most("limit", 100, 500)
    found = market.trades(limit) if first is None else [
        row for row in market.trades(1_000_000) if row.trade_id >= first][:limit]
    return [shapes.trade(row, market.listing) for row in found]


def aggregate_trades(call: Call) -> Any:
    """Return aggregate trades."""
    arguments, market = call.arguments, call.market()
    found = market.aggregate_trades(
        arguments.at_most("limit", 500, 1000), arguments.integer("fromId"), arguments.integer("startTime"),
        arguments.integer("endTime"))
    return [shapes.aggregate(row, market.listing) for row in found]


def klines(call: Call) -> Any:
    """Return bars of a symbol's trades; either product's symbols are taken, as since June 2026."""
    symbol = call.arguments.needed("symbol")
    return _klines(call, call.exchange.market(symbol))


def continuous_klines(call: Call) -> Any:
    """Return bars of the contract that a pair and a contract type name."""
    kind = call.arguments.needed("contractType")
    return _klines(call, _market_of_pair(call, lambda listing: listing.contract_type == kind))


def index_klines(call: Call) -> Any:
    """Return bars of a pair's index price: those of its contract's trades, without volume."""
    return _without_volume(_klines(call, _market_of_pair(call, lambda _listing: True)))


def mark_klines(call: Call) -> Any:
    """Return bars of a symbol's mark price: those of its trades, without volume."""
    return _without_volume(klines(call))


def _market_of_pair(call: Call, wanted: Callable[[Listing], bool]) -> MarketView:
    found = next((listing for listing in call.listings() if wanted(listing)), None)
    if found is None:
        raise refusal(-1121)
    return call.exchange.market(found.symbol)


def _klines(call: Call, market: MarketView) -> list[list[Any]]:
    arguments = call.arguments
    found: list[KlineRow] = list(market.klines(
        arguments.needed("interval"), arguments.at_most("limit", 500, 1500), arguments.integer("startTime"),
        arguments.integer("endTime")))
    return [shapes.kline(row, market.listing) for row in found]


def _without_volume(rows: list[list[Any]]) -> list[list[Any]]:
    return [[*row[:5], "0", row[6], "0", row[8], "0", "0", "0"] for row in rows]


def premium_index(call: Call) -> Any:
    """Return mark price, index price and funding rate."""
    return _one_or_all(call, lambda market: shapes.premium(market.premium(), market.listing))


def _one_or_all(call: Call, shape: Callable[[MarketView], dict[str, Any]]) -> Any:
    rows = [shape(call.exchange.market(listing.symbol)) for listing in call.listings()]
    single = call.arguments.text("symbol") is not None and call.product is Product.USDM
    return rows[0] if single else rows


def funding_rates(call: Call) -> Any:
    """Return settled funding rates, oldest first."""
    limit, arguments = call.arguments.at_most("limit", 100, 1000), call.arguments
    start, end = arguments.integer("startTime") or 0, arguments.integer("endTime") or call.now_ms
    rows = [(row, listing) for listing in call.listings()
            for row in call.exchange.market(listing.symbol).funding_history(limit)
            if start <= row.funding_time_ms <= end]
    rows.sort(key=lambda pair: pair[0].funding_time_ms)
    return [shapes.funding(row, listing) for row, listing in rows][-limit:]


def funding_information(call: Call) -> Any:
    """Return how often funding is settled and within which bounds."""
    return [{"symbol": listing.symbol, "adjustedFundingRateCap": "0.02000000",
             "adjustedFundingRateFloor": "-0.02000000", "fundingIntervalHours": listing.funding_interval_hours,
             "disclaimer": False} for listing in call.listings()]


def day(call: Call) -> Any:
    """Return the statistics of 24 hours."""
    return _one_or_all(call, lambda market: shapes.day(market.day(), market.listing))


def last_price(call: Call) -> Any:
    """Return the last price."""
    return _one_or_all(call, lambda market: shapes.last_price(market.day(), market.listing, call.now_ms))


def best_prices(call: Call) -> Any:
    """Return the best prices."""
    return _one_or_all(call, lambda market: shapes.best(market.top(), market.listing))


def open_interest(call: Call) -> Any:
    """Return the open interest, zero where it is not known."""
    market, listing = call.market(), call.listing()
    shape = {"symbol": listing.symbol, "openInterest": quantity(listing, market.open_interest),
             "time": call.now_ms}
    return shape | {"pair": listing.pair, "contractType": listing.contract_type} if call.coin else shape


def _by_limit(default: int, steps: tuple[tuple[int, int], ...]) -> Callable[[Product, Mapping[str, str]], int]:
    def weigh(_product: Product, sent: Mapping[str, str]) -> int:
        text = sent.get("limit") or str(default)
        limit = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default
        return next((weight for most, weight in steps if limit <= most), steps[-1][1])
    return weigh


def _single_or_all(single: int, every: int) -> Callable[[Product, Mapping[str, str]], int]:
    return lambda _product, sent: single if sent.get("symbol") else every


_LIMIT: Final = Parameter("limit", Kind.INTEGER)
_ANY: Final = (Parameter("symbol", Kind.SYMBOL), Parameter("pair", Kind.SYMBOL))
_INTERVAL: Final = Parameter("interval", mandatory=True, choices=_INTERVALS, refused_as=-1120)
_KLINE_WEIGHT: Final = _by_limit(500, ((99, 1), (499, 2), (1000, 5), (1500, 10)))
_PAIR: Final = Parameter("pair", Kind.SYMBOL, mandatory=True)
_KINDS: Final = ("PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER", "CURRENT_MONTH", "NEXT_MONTH")

ROUTES: Final = (
    Route("GET", "ping", ping, "Test the connection"),
    Route("GET", "time", server_time, "Tell the exchange's time"),
    Route("GET", "exchangeInfo", exchange_information, "Tell what is traded and under which rules"),
    Route("GET", "depth", depth, "Return the book", parameters=(SYMBOL, _LIMIT),
          weight=_by_limit(500, ((50, 2), (100, 5), (500, 10), (1000, 20)))),
    Route("GET", "trades", trades, "Return the latest trades", parameters=(SYMBOL, _LIMIT), weight=5),
    Route("GET", "historicalTrades", older_trades, "Return trades from an id on", Security.KEY,
          (SYMBOL, _LIMIT, Parameter("fromId", Kind.INTEGER)), weight=200),
    Route("GET", "aggTrades", aggregate_trades, "Return aggregate trades",
          parameters=(SYMBOL, Parameter("fromId", Kind.INTEGER), *SPAN), weight=20),
    Route("GET", "klines", klines, "Return bars", parameters=(SYMBOL, _INTERVAL, *SPAN), weight=_KLINE_WEIGHT),
    Route("GET", "continuousKlines", continuous_klines, "Return bars of a pair's contract",
          parameters=(_PAIR, Parameter("contractType", mandatory=True, choices=_KINDS), _INTERVAL, *SPAN),
          weight=_KLINE_WEIGHT),
    Route("GET", "markPriceKlines", mark_klines, "Return bars of the mark price",
          parameters=(SYMBOL, _INTERVAL, *SPAN), weight=_KLINE_WEIGHT),
    Route("GET", "indexPriceKlines", index_klines, "Return bars of the index price",
          parameters=(_PAIR, _INTERVAL, *SPAN), weight=_KLINE_WEIGHT),
    Route("GET", "premiumIndex", premium_index, "Return mark price, index price and funding rate", parameters=_ANY,
          weight=lambda product, _sent: 10 if product is Product.COINM else 1),
    Route("GET", "fundingRate", funding_rates, "Return settled funding rates", parameters=(*_ANY, *SPAN)),
    Route("GET", "fundingInfo", funding_information, "Return how funding is settled", parameters=_ANY, weight=0),
    Route("GET", "ticker/24hr", day, "Return the statistics of 24 hours", parameters=_ANY,
          weight=_single_or_all(1, 40)),
    Route("GET", "ticker/price", last_price, "Return the last price", parameters=_ANY, weight=_single_or_all(1, 2),
          versions={Product.USDM: (1, 2), Product.COINM: (1,)}),
    Route("GET", "ticker/bookTicker", best_prices, "Return the best prices", parameters=_ANY,
          weight=_single_or_all(2, 5)),
    Route("GET", "openInterest", open_interest, "Return the open interest", parameters=(SYMBOL,)),
)

