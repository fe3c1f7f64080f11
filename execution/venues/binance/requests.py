"""The exchange's request of an approved order: every field comes from the order, and nothing is added but form.

Prices and quantities are exact decimal strings. Orders that wait for a trigger go to the conditional (algo) endpoint.
"""

from typing import Final

from execution.domain import OrderRequest
from execution.venues.binance.products import PLACE_CONDITIONAL, PLACE_ORDER, Endpoint
from sluice.clock import NS_PER_MS
from sluice.decimals import text
from sluice.orders import CONDITIONAL_TYPES, PRICED_TYPES, PriceMatch, TimeInForce, TriggerPrice

_WORKING_TYPES: Final = {TriggerPrice.LAST: "CONTRACT_PRICE", TriggerPrice.MARK: "MARK_PRICE"}


def place_order(request: OrderRequest) -> tuple[Endpoint, dict[str, str]]:
    """Return the endpoint and the parameters that place an order."""
    if request.type in CONDITIONAL_TYPES:
        return PLACE_CONDITIONAL, _common(request) | _conditional(request)
    return PLACE_ORDER, _common(request) | {"newClientOrderId": request.client_order_id, "newOrderRespType": "ACK"}


def _common(request: OrderRequest) -> dict[str, str]:
    parameters = {
        "symbol": request.instrument.symbol, "side": request.side.name, "positionSide": request.position_side.name,
        "type": request.type.name, "selfTradePreventionMode": request.self_trade_prevention.name}
    if request.close_position:
        parameters["closePosition"] = "true"
    else:
        parameters["quantity"] = text(request.quantity)
    if request.price is not None:
        parameters["price"] = text(request.price)
    if request.type in PRICED_TYPES:
        parameters["timeInForce"] = request.time_in_force.name
    if request.time_in_force is TimeInForce.GTD:
        parameters["goodTillDate"] = str(request.good_till_time_ns // NS_PER_MS)
    if request.reduce_only:
        parameters["reduceOnly"] = "true"
    if request.price_match is not PriceMatch.NONE:
        parameters["priceMatch"] = request.price_match.name
    return parameters


def _conditional(request: OrderRequest) -> dict[str, str]:
    parameters = {"algoType": "CONDITIONAL", "clientAlgoId": request.client_order_id}
    if request.trigger_price is not None:
        parameters["workingType"] = _WORKING_TYPES[request.trigger_price]
    for name, value in (("triggerPrice", request.stop_price), ("activatePrice", request.activation_price),
                        ("callbackRate", request.callback_rate_percent)):
        if value is not None:
            parameters[name] = text(value)
    if request.price_protect:
        parameters["priceProtect"] = "TRUE"
    return parameters
