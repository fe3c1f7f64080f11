"""What the venue answers where money or a setting says no: Binance's number and text, as a value.

A refusal is not an exception: whether an order fits a wallet is a question with two good answers. The exchange turns a
refusal into an answer on the wire. The texts are those of Binance's USD-M error codes.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sluice.decimals import text


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the venue does not do what was asked. `code` is Binance's negative number."""

    code: int
    message: str


MARGIN_INSUFFICIENT: Final = Refusal(-2019, "Margin is insufficient.")
POSITION_NOT_SUFFICIENT: Final = Refusal(-2024, "Position is not sufficient.")
POSITION_TOO_LARGE: Final = Refusal(-2027, "Exceeded the maximum allowable position at current leverage.")
LEVERAGE_TOO_SMALL: Final = Refusal(-2028, "Leverage is smaller than permitted: insufficient margin balance.")
SAME_MARGIN_TYPE: Final = Refusal(-4046, "No need to change margin type.")
MARGIN_TYPE_HAS_ORDERS: Final = Refusal(-4047, "Margin type cannot be changed if there exists open orders.")
MARGIN_TYPE_HAS_POSITION: Final = Refusal(-4048, "Margin type cannot be changed if there exists position.")
ONLY_ISOLATED: Final = Refusal(-4049, "Add margin only support for isolated position.")
CROSS_INSUFFICIENT: Final = Refusal(-4050, "Cross balance insufficient.")
ISOLATED_INSUFFICIENT: Final = Refusal(-4051, "Isolated balance insufficient.")
NO_POSITION_FOR_MARGIN: Final = Refusal(-4054, "Cannot add position margin: position is 0.")
AMOUNT_NOT_POSITIVE: Final = Refusal(-4055, "Amount must be positive.")
SAME_POSITION_MODE: Final = Refusal(-4059, "No need to change position side.")
WRONG_POSITION_SIDE: Final = Refusal(-4061, "Order's position side does not match user's setting.")
POSITION_MODE_HAS_ORDERS: Final = Refusal(-4067, "Position side cannot be changed if there exists open orders.")
POSITION_MODE_HAS_POSITION: Final = Refusal(-4068, "Position side cannot be changed if there exists position.")
ISOLATED_LEVERAGE_DOWN: Final = Refusal(
    -4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions.")


def leverage_not_valid(leverage: int) -> Refusal:
    """Return the refusal of a leverage that no bracket has."""
    return Refusal(-4028, f"Leverage {leverage} is not valid")


def notional_too_small(least: Decimal) -> Refusal:
    """Return the refusal of an order whose value is below the least that the contract takes."""
    return Refusal(-4164, f"Order's notional must be no smaller than {text(least)} (unless you choose reduce only).")
