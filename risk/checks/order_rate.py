"""No more than so many approvals in a sliding window of event time."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View


def evaluate(_order: Order, view: View) -> Reason | None:
    """Refuse an order that would be one too many in the window."""
    limit, wanted = view.limits.max_orders_per_window, view.approvals_in_window + 1
    if wanted <= limit:
        return None
    what = f"orders within {view.limits.order_window_ms} ms"
    return refuse(ReasonCode.ORDER_RATE, what, "at most", limit, wanted)


CHECK = Check("order rate", ReasonCode.ORDER_RATE, evaluate)
