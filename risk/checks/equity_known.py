"""Equity in the settlement asset must be known before anything is opened with it."""

from risk.checks.base import Check
from risk.domain import Order, Reason, ReasonCode
from risk.view import View


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an opening order whose settlement asset has no known equity."""
    if view.instrument is None or order.reducing or view.equity is not None:
        return None
    asset = view.instrument.settlement_asset
    return Reason(ReasonCode.EQUITY_UNKNOWN, asset, "unknown", f"equity in {asset} must be known, was unknown")


CHECK = Check("equity known", ReasonCode.EQUITY_UNKNOWN, evaluate)
