"""One order's notional must stay within its limit.

Sizing keeps opening orders within it; this holds where sizing could not be done, and for what it might get wrong.
Orders that only reduce are bounded by the position instead: a limit must not keep anyone in.
"""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an opening order whose notional at its worst price is above the limit."""
    if view.instrument is None or view.worst_price is None or order.quantity is None or order.reducing:
        return None
    notional, limit = view.instrument.notional(order.quantity, view.worst_price), view.limits.max_order_notional
    if notional <= limit:
        return None
    return refuse(ReasonCode.ORDER_NOTIONAL, "order notional", "at most", limit, notional, view.instrument.quote_asset)


CHECK = Check("order notional", ReasonCode.ORDER_NOTIONAL, evaluate)
