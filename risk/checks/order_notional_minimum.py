"""One order's notional must be at least what the venue takes. Reducing orders are exempt there and here."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an opening order that the venue would find too small: at its price, or the reference where it has none."""
    price = order.price if order.price is not None else view.reference_price
    if view.instrument is None or price is None or order.quantity is None or order.reducing:
        return None
    notional, minimum = view.instrument.notional(order.quantity, price), view.instrument.min_notional
    if notional >= minimum:
        return None
    return refuse(ReasonCode.ORDER_NOTIONAL_MINIMUM, "order notional", "at least", minimum, notional,
                  view.instrument.quote_asset)


CHECK = Check("order notional minimum", ReasonCode.ORDER_NOTIONAL_MINIMUM, evaluate)
