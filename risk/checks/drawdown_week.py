"""The fall of equity since the start of the UTC week must stay within its limit; once beyond, it stays latched."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an opening order while the week's latch holds. Only an operator's resume releases it."""
    latch = view.latch_week
    if latch is None or order.reducing:
        return None
    what = f"drawdown of the week in {latch.asset} (latched)"
    return refuse(ReasonCode.DRAWDOWN_WEEK, what, "at most", latch.limit, round(latch.drawdown, 6))


CHECK = Check("drawdown week", ReasonCode.DRAWDOWN_WEEK, evaluate)
