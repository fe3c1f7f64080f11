"""The position must stay within its limit even with every open order of the order's side filled.

Buys and sells are counted each for itself and never netted: an open sell may not fill, so it earns no room for a buy.
"""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View
from sluice.decimals import ZERO


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an order that could lead beyond the limit on its own side. Orders that only reduce cannot."""
    if view.instrument is None or view.worst_price is None or order.quantity is None or order.reducing:
        return None
    if order.side is None or view.reference_price is None:
        return None
    reached = view.position * order.side.sign + view.reserved.of(order.side) + order.quantity
    notional = view.instrument.notional(max(reached, ZERO), max(view.worst_price, view.reference_price))
    limit = view.limits.max_position_notional
    if notional <= limit:
        return None
    what = f"position notional with all open {order.side.name.lower()}s filled"
    return refuse(ReasonCode.POSITION_LIMIT, what, "at most", limit, notional, view.instrument.quote_asset)


CHECK = Check("position limit", ReasonCode.POSITION_LIMIT, evaluate)
