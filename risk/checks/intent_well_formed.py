"""The intent must be well-formed: every enum specified, every number readable, every combination supported."""

from risk.checks.base import Check
from risk.domain import Order, Reason, ReasonCode
from risk.shape import problems_of
from risk.view import View


def evaluate(_order: Order, view: View) -> Reason | None:
    """Refuse an intent with problems of form, naming them all."""
    if not (problems := problems_of(view.intent)):
        return None
    return Reason(ReasonCode.INTENT_MALFORMED, "0 problems", f"{len(problems)} problems", "; ".join(problems))


CHECK = Check("intent well-formed", ReasonCode.INTENT_MALFORMED, evaluate)
