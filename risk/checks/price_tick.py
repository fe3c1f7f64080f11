"""Every price of an order must be a positive multiple of the tick size, and there where its type needs one."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View
from sluice.decimals import ZERO, is_multiple
from sluice.orders import PRICED_TYPES, STOP_TYPES


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse a price that is missing or off the tick."""
    if view.instrument is None:
        return None
    tick = view.instrument.tick_size
    needed = {"price": order.type in PRICED_TYPES and not order.pegged, "stop_price": order.type in STOP_TYPES}
    given = {"price": order.price, "stop_price": order.stop_price, "activation_price": order.activation_price}
    for name, value in given.items():
        if value is None and needed.get(name, False):
            return refuse(ReasonCode.PRICE_TICK, name, "a multiple of", tick, None)
        if value is not None and (value <= ZERO or not is_multiple(value, tick)):
            return refuse(ReasonCode.PRICE_TICK, name, "a positive multiple of", tick, value)
    return None


CHECK = Check("price tick", ReasonCode.PRICE_TICK, evaluate)
