"""Orders, their amendments and their trades as answers show them."""

from typing import Any, Final

from backtest.exchange.core.domain import AccountTrade, Amendment, ExchangeOrder, Listing, Product
from backtest.exchange.core.payloads import working_type
from backtest.exchange.rest.shapes.numbers import average, money, plain, price, quantity
from sluice.decimals import ZERO
from sluice.orders import OrderType, TimeInForce

#: Orders whose RESULT answer waits for the end state; any other is answered as it was taken.
_ENDING: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def placed(order: ExchangeOrder, listing: Listing, *, result: bool) -> dict[str, Any]:
    """Return the answer to a new order: as it was taken (ACK), or where it stands (RESULT of one that ends at once)."""
    shape = working(order, listing)
    if not (result and (order.type is OrderType.MARKET or order.time_in_force in _ENDING)):
        shape |= {"status": "NEW", "executedQty": quantity(listing, ZERO), "cumQty": quantity(listing, ZERO)}
    return shape


def tested(order: ExchangeOrder, listing: Listing) -> dict[str, Any]:
    """Return the answer to an order that is judged and not placed."""
    coin = order.product is Product.COINM
    return placed(order, listing, result=False) | {
        "avgPrice": average(listing, ZERO), "cumBase" if coin else "cumQuote": plain(ZERO)}


def working(order: ExchangeOrder, listing: Listing) -> dict[str, Any]:
    """Return an order as answers to placing, amending and cancelling show it: without value and average price."""
    shape = _common(order, listing)
    shape["cumQty"] = shape["executedQty"]
    if order.product is Product.USDM:
        del shape["pair"]
    return shape


def amended(order: ExchangeOrder, listing: Listing, modify_id: str) -> dict[str, Any]:
    """Return the answer to an amendment: with the pair on both sides, and the client's own id where it gave one."""
    shape = working(order, listing) | {"pair": order.pair}
    if modify_id:
        shape["modifyId"] = int(modify_id)
    return shape


def told(order: ExchangeOrder, listing: Listing, *, both_values: bool = False) -> dict[str, Any]:
    """Return an order as queries show it. `both_values` adds the pair and both cumulative values, as allOrders does."""
    shape = _common(order, listing) | {"avgPrice": average(listing, order.average_price), "time": order.time_ms}
    coin = order.product is Product.COINM
    shape["cumBase" if coin else "cumQuote"] = plain(order.executed_value)
    if both_values:
        size = order.executed_quantity * listing.instrument.contract_size
        shape["cumQuote" if coin else "cumBase"] = plain(size)
        shape["goodTillDate"] = order.good_till_date_ms
    elif not coin:
        del shape["pair"]
    return shape


def _common(order: ExchangeOrder, listing: Listing) -> dict[str, Any]:
    shape = {
        "orderId": order.order_id, "symbol": order.symbol, "pair": order.pair, "status": order.status,
        "clientOrderId": order.client_order_id, "price": price(listing, order.price),
        "origQty": quantity(listing, order.quantity), "executedQty": quantity(listing, order.executed_quantity),
        "timeInForce": order.time_in_force.name, "type": order.type.name, "reduceOnly": order.reduce_only,
        "closePosition": order.close_position, "side": order.side.name, "positionSide": order.position_side.name,
        "stopPrice": price(listing, order.stop_price), "workingType": working_type(order.working_type),
        "priceProtect": order.price_protect, "origType": order.original_type.name,
        "priceMatch": order.price_match.name, "selfTradePreventionMode": order.self_trade_prevention.name,
        "updateTime": order.update_time_ms,
    }
    if order.product is Product.USDM:
        shape["goodTillDate"] = order.good_till_date_ms
    return shape


def forced(order: ExchangeOrder, listing: Listing) -> dict[str, Any]:
    """Return an order that the exchange made itself, to liquidate or to deleverage."""
    shape = told(order, listing, both_values=True)
    for name in ("priceMatch", "selfTradePreventionMode", "goodTillDate"):
        shape.pop(name, None)
    return shape


def traded(trade: AccountTrade, listing: Listing) -> dict[str, Any]:
    """Return a fill of the account."""
    coin = trade.product is Product.COINM
    size = trade.quantity * listing.instrument.contract_size
    return {
        "symbol": trade.symbol, "pair": trade.pair, "id": trade.trade_id, "orderId": trade.order_id,
        "side": trade.side.name, "price": price(listing, trade.price), "qty": quantity(listing, trade.quantity),
        "realizedPnl": money(trade.realised_pnl), "marginAsset": listing.instrument.settlement_asset,
        "baseQty": money(trade.value) if coin else plain(size), "quoteQty": plain(size if coin else trade.value),
        "commission": money(trade.commission), "commissionAsset": trade.commission_asset, "time": trade.time_ms,
        "positionSide": trade.position_side.name, "buyer": trade.side.sign > 0, "maker": trade.maker,
    }


def amendment(change: Amendment, listing: Listing) -> dict[str, Any]:
    """Return one change of an order's history."""
    detail: dict[str, Any] = {
        "price": {"before": price(listing, change.price_before), "after": price(listing, change.price_after)},
        "origQty": {"before": quantity(listing, change.quantity_before),
                    "after": quantity(listing, change.quantity_after)},
        "count": change.count,
    }
    if change.modify_id:
        detail["modifyId"] = int(change.modify_id)
    return {
        "amendmentId": change.amendment_id, "symbol": change.symbol, "pair": change.pair, "orderId": change.order_id,
        "clientOrderId": change.client_order_id, "time": change.time_ms, "amendment": detail,
    }
