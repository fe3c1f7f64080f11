"""An intent must have been decided near the latest market data, neither long before nor ahead of it."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View
from sluice.clock import NS_PER_MS


def evaluate(_order: Order, view: View) -> Reason | None:
    """Refuse an intent further from the latest observed market than the allowed data age."""
    limit = view.limits.max_data_age_ms
    if not view.market_time_ns:
        return refuse(ReasonCode.INTENT_TIME, "distance of the intent from the market", "at most", limit, None, "ms")
    distance_ns = abs(view.intent.event_time_ns - view.market_time_ns)
    if distance_ns <= limit * NS_PER_MS:
        return None
    return refuse(ReasonCode.INTENT_TIME, "distance of the intent from the market", "at most", limit,
                  f"{distance_ns / NS_PER_MS:g}", "ms")


CHECK = Check("intent time", ReasonCode.INTENT_TIME, evaluate)
