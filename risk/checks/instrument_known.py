"""The instrument must be in the catalogue and enabled for this account."""

from risk.checks.base import Check
from risk.domain import Order, Reason, ReasonCode
from risk.view import View


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse an instrument that is unknown or not enabled."""
    if view.instrument is not None:
        return None
    return Reason(ReasonCode.INSTRUMENT_UNKNOWN, "enabled instruments", order.instrument,
                  f"instrument must be in the catalogue and enabled, was {order.instrument[:60]!r}")


CHECK = Check("instrument known", ReasonCode.INSTRUMENT_UNKNOWN, evaluate)
