"""Nothing passes while trading is halted."""

from risk.checks.base import Check
from risk.domain import Order, Reason, ReasonCode, TradingState
from risk.view import View


def evaluate(_order: Order, view: View) -> Reason | None:
    """Refuse everything while halted."""
    if view.trading_state in (TradingState.ACTIVE, TradingState.REDUCING):
        return None
    return Reason(ReasonCode.TRADING_HALTED, "ACTIVE", view.trading_state.name,
                  f"trading state must be ACTIVE, was {view.trading_state.name}")


CHECK = Check("trading halted", ReasonCode.TRADING_HALTED, evaluate)
