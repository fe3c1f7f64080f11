"""The fall of equity since the start of the UTC day must stay within its limit; once beyond, it stays latched."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an opening order while the day's latch holds. Only an operator's resume releases it."""
    latch = view.latch_day
    if latch is None or order.reducing:
        return None
    what = f"drawdown of the day in {latch.asset} (latched)"
    return refuse(ReasonCode.DRAWDOWN_DAY, what, "at most", latch.limit, round(latch.drawdown, 6))


CHECK = Check("drawdown day", ReasonCode.DRAWDOWN_DAY, evaluate)
