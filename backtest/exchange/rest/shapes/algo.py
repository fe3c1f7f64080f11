"""Conditional orders as answers show them; names differ from ordinary orders: orderType, algoStatus, triggerPrice."""

from typing import Any

from backtest.exchange.core.domain import AlgoOrder, Listing
from backtest.exchange.core.payloads import working_type
from backtest.exchange.rest.shapes.numbers import average, plain, price, quantity
from sluice.orders import OrderType


def placed(order: AlgoOrder, listing: Listing) -> dict[str, Any]:
    """Return the answer to a new conditional order."""
    shape = {
        "algoId": order.algo_id, "clientAlgoId": order.client_algo_id, "algoType": "CONDITIONAL",
        "orderType": order.type.name, "symbol": order.symbol, "side": order.side.name,
        "positionSide": order.position_side.name, "timeInForce": order.time_in_force.name,
        "quantity": quantity(listing, order.quantity), "algoStatus": order.status,
        "triggerPrice": price(listing, order.trigger_price), "price": price(listing, order.price),
        "icebergQuantity": None, "selfTradePreventionMode": order.self_trade_prevention.name,
        "workingType": working_type(order.working_type), "priceMatch": order.price_match.name,
        "closePosition": order.close_position, "priceProtect": order.price_protect, "reduceOnly": order.reduce_only,
        "createTime": order.time_ms, "updateTime": order.update_time_ms, "triggerTime": order.trigger_time_ms,
        "goodTillDate": order.good_till_date_ms,
    }
    if order.type is OrderType.TRAILING_STOP_MARKET:
        shape |= {"activatePrice": price(listing, order.activation_price),
                  "callbackRate": plain(order.callback_rate_percent)}
    return shape


def told(order: AlgoOrder, listing: Listing) -> dict[str, Any]:
    """Return a conditional order as lists show it: with what became of it."""
    unused = {name: price(listing, order.price * 0)
              for name in ("tpTriggerPrice", "tpPrice", "slTriggerPrice", "slPrice")}
    return placed(order, listing) | unused | {
        "actualOrderId": str(order.actual_order_id or ""), "actualPrice": average(listing, order.actual_price),
        "tpOrderType": "",
    }


def queried(order: AlgoOrder, listing: Listing) -> dict[str, Any]:
    """Return a conditional order as a query by its id shows it."""
    return placed(order, listing) | {
        "actualOrderId": str(order.actual_order_id or ""), "actualPrice": average(listing, order.actual_price),
        "actualType": order.actual_type.name if order.actual_type else "",
        "actualQty": quantity(listing, order.actual_quantity), "tpOrderType": "",
    }


def cancelled(order: AlgoOrder) -> dict[str, Any]:
    """Return the answer to a cancellation; its code is a text, unlike everywhere else."""
    return {"algoId": order.algo_id, "clientAlgoId": order.client_algo_id, "code": "200", "msg": "success"}
