"""The sum of all positions' notionals, with all open orders filled in the worst way, must stay within its limit."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an opening order that could lead beyond the limit, or whose exposure cannot be counted."""
    if view.instrument is None or view.reference_price is None or order.quantity is None or order.reducing:
        return None
    limit = view.limits.max_gross_exposure
    if view.gross_exposure is not None and view.gross_exposure <= limit:
        return None
    return refuse(ReasonCode.GROSS_EXPOSURE, "gross exposure in the worst case", "at most", limit, view.gross_exposure)


CHECK = Check("gross exposure", ReasonCode.GROSS_EXPOSURE, evaluate)
