"""What a check is: a name, the code of its refusals, and a function from an order and a view to a reason or None.

A check whose inputs are missing gives None: the check that owns the missing input refuses the order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from risk.domain import Order, Reason, ReasonCode
from risk.view import View
from sluice.decimals import text

Evaluate = Callable[[Order, View], Reason | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of the gate."""

    name: str
    code: ReasonCode
    evaluate: Evaluate


def shown(value: object) -> str:
    """Return a limit or an observation as text; decimals exact, nothing as `unknown`."""
    if isinstance(value, Decimal):
        return text(value)
    return "unknown" if value is None else str(value)


def refuse(code: ReasonCode, what: str, bound: str, limit: object, observed: object, unit: str = "") -> Reason:
    """Return the reason `<what> must be <bound> <limit> <unit>, was <observed>`."""
    words = " ".join(word for word in (what, "must be", bound, shown(limit), unit) if word)
    return Reason(code, shown(limit), shown(observed), f"{words}, was {shown(observed)}")
