"""A reduce-only order must make the position smaller, counted net of the other reducing orders that are open."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View
from sluice.decimals import ZERO


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse a reducing order on the wrong side, or larger than what is left to reduce."""
    if not order.reducing or view.instrument is None or order.side is None:
        return None
    open_position = max(-view.position * order.side.sign, ZERO)
    left = max(open_position - view.reserved.reducing(order.side), ZERO)
    wanted = order.quantity if order.quantity is not None else open_position
    if ZERO < wanted <= left:
        return None
    what = f"reduce-only {order.side.name.lower()} quantity"
    return refuse(ReasonCode.REDUCE_ONLY, what, "positive and at most", left, wanted)


CHECK = Check("reduce only", ReasonCode.REDUCE_ONLY, evaluate)
