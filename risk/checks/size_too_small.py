"""What sizing leaves of an order must still be one that the venue takes."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an opening order of which sizing leaves less than the smallest quantity."""
    asked = view.intent.order.quantity
    if view.instrument is None or order.reducing or order.quantity is None or order.quantity == asked:
        return None
    least = max(view.instrument.lot_size, view.instrument.min_quantity)
    if order.quantity >= least:
        return None
    return refuse(ReasonCode.SIZE_TOO_SMALL, "quantity sized by risk", "at least", least, order.quantity)


CHECK = Check("size too small", ReasonCode.SIZE_TOO_SMALL, evaluate)
