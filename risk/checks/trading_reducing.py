"""Only orders that reduce pass while trading is reducing: by an operator's word or by a drawdown latch."""

from risk.checks.base import Check
from risk.domain import Order, Reason, ReasonCode, TradingState
from risk.view import View


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an order that is not reduce-only while reducing."""
    if view.trading_state is not TradingState.REDUCING or order.reducing:
        return None
    return Reason(ReasonCode.TRADING_REDUCING, "reduce_only", "not reduce_only",
                  "an order must be reduce_only while trading is REDUCING, was not")


CHECK = Check("trading reducing", ReasonCode.TRADING_REDUCING, evaluate)
