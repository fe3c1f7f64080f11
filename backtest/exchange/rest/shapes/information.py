"""What is traded and under which rules: exchangeInfo and the leverage brackets."""

from collections.abc import Iterable
from typing import Any, Final

from backtest.account.brackets import Bracket
from backtest.exchange.core.domain import Listing, Product
from backtest.exchange.core.listings import price_limits
from backtest.exchange.rest.limits import Limits
from backtest.exchange.rest.shapes.numbers import plain, price, quantity
from sluice.orders import OrderType, TimeInForce

_ASSET_PRECISION: Final = 8
_TIMES_IN_FORCE: Final = [one.name for one in TimeInForce if one is not TimeInForce.RPI]
#: The share of a price by which a market order may take beyond the mark.
_MARKET_TAKE_BOUND: Final = "0.05"


def rate_limits(limits: Limits) -> list[dict[str, Any]]:
    """Return the limits as exchangeInfo shows them."""
    rows = (("REQUEST_WEIGHT", "MINUTE", 1, limits.request_weight_1m), ("ORDERS", "MINUTE", 1, limits.orders_1m),
            ("ORDERS", "SECOND", 10, limits.orders_10s))
    return [{"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
            for kind, interval, number, limit in rows]


def exchange_information(
    listings: Iterable[Listing], product: Product, limits: Limits, now_ms: int,
) -> dict[str, Any]:
    """Return the whole answer of a product."""
    rows = list(listings)
    shape: dict[str, Any] = {
        "timezone": "UTC", "serverTime": now_ms, "rateLimits": rate_limits(limits), "exchangeFilters": [],
        "symbols": [symbol(row, now_ms) for row in rows],
    }
    if product is Product.USDM:
        assets = sorted({row.instrument.settlement_asset for row in rows})
        shape |= {"futuresType": "U_MARGINED", "assets": [
            {"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"} for asset in assets]}
    return shape


def symbol(listing: Listing, now_ms: int) -> dict[str, Any]:
    """Return one symbol with its filters."""
    instrument, limits = listing.instrument, price_limits(listing.instrument)
    status = "TRADING" if listing.onboard_ms <= now_ms < listing.delivery_ms else "SETTLING"
    shape: dict[str, Any] = {
        "symbol": listing.symbol, "pair": listing.pair, "contractType": listing.contract_type,
        "deliveryDate": listing.delivery_ms, "onboardDate": listing.onboard_ms, "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000", "baseAsset": instrument.base_asset, "quoteAsset": instrument.quote_asset,
        "marginAsset": instrument.settlement_asset, "pricePrecision": limits.price_precision,
        "quantityPrecision": limits.quantity_precision, "baseAssetPrecision": _ASSET_PRECISION,
        "quotePrecision": _ASSET_PRECISION, "underlyingType": "COIN", "underlyingSubType": [],
        "triggerProtect": f"{listing.trigger_protect:.4f}", "liquidationFee": plain(listing.liquidation_fee),
        "marketTakeBound": _MARKET_TAKE_BOUND, "maxMoveOrderLimit": 10000, "filters": filters(listing),
        "orderTypes": [one.name for one in OrderType], "timeInForce": _TIMES_IN_FORCE,
    }
    if listing.product is Product.COINM:
        # The status before the first trading day matters to no client of a replay, so there is none.
        return shape | {"contractStatus": status, "contractSize": int(instrument.contract_size),
                        "equalQtyPrecision": 4}
    return shape | {"status": status, "settlePlan": 0}


def filters(listing: Listing) -> list[dict[str, Any]]:
    """Return the filters of a symbol; the least notional exists on USD-M alone."""
    instrument, limits = listing.instrument, price_limits(listing.instrument)
    step = quantity(listing, instrument.lot_size)
    least = quantity(listing, instrument.min_quantity)
    rows: list[dict[str, Any]] = [
        {"filterType": "PRICE_FILTER", "minPrice": price(listing, limits.min_price),
         "maxPrice": price(listing, limits.max_price), "tickSize": price(listing, instrument.tick_size)},
        {"filterType": "LOT_SIZE", "minQty": least, "maxQty": plain(instrument.max_quantity), "stepSize": step},
        {"filterType": "MARKET_LOT_SIZE", "minQty": least, "maxQty": plain(instrument.max_market_quantity),
         "stepSize": step},
        {"filterType": "MAX_NUM_ORDERS", "limit": listing.max_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": listing.max_algo_orders},
        {"filterType": "PERCENT_PRICE", "multiplierUp": plain(instrument.price_multiplier_up),
         "multiplierDown": plain(instrument.price_multiplier_down), "multiplierDecimal": "4"},
    ]
    if listing.product is Product.USDM:
        rows.append({"filterType": "MIN_NOTIONAL", "notional": plain(instrument.min_notional)})
    return rows


def brackets(listing: Listing, rows: Iterable[Bracket], *, by_pair: bool = False) -> dict[str, Any]:
    """Return a symbol's leverage brackets; COIN-M ones are in coin, and by pair in the older version."""
    head = {"pair": listing.pair} if by_pair else {"symbol": listing.symbol}
    coin = listing.product is Product.COINM
    return head | {"brackets": [_bracket(row, coin=coin) for row in rows]}


def _bracket(row: Bracket, *, coin: bool) -> dict[str, Any]:
    cap, floor = ("qtyCap", "qtyFloor") if coin else ("notionalCap", "notionalFloor")
    return {
        "bracket": row.number, "initialLeverage": row.initial_leverage, cap: _number(row.cap),
        floor: _number(row.floor), "maintMarginRatio": float(row.maintenance_ratio), "cum": float(row.cum),
    }


def _number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)
