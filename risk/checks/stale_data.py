"""The market data that a decision rests on must be there, in sync and recent."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View
from sluice.clock import NS_PER_MS


def evaluate(_order: Order, view: View) -> Reason | None:
    """Refuse where the instrument's market is unknown, out of sync or older than allowed."""
    if view.instrument is None:
        return None
    limit = view.limits.max_data_age_ms
    if view.top is None or view.reference_price is None:
        return refuse(ReasonCode.STALE_DATA, "age of the market data", "at most", limit, None, "ms")
    if not view.top.synced:
        return Reason(ReasonCode.STALE_DATA, "in sync", "out of sync", "the book must be in sync, was out of sync")
    age_ns = view.now_ns - view.top.event_time_ns
    if age_ns <= limit * NS_PER_MS:
        return None
    return refuse(ReasonCode.STALE_DATA, "age of the market data", "at most", limit, f"{age_ns / NS_PER_MS:g}", "ms")


CHECK = Check("stale data", ReasonCode.STALE_DATA, evaluate)
