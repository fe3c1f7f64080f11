"""Decimal arithmetic of the order path: strict parsing, rounding to steps, and exact text.

Prices, quantities and money are `Decimal` from the wire to the wire. A float never becomes a price by accident: the one
door is `nearest_step`, which says which step it must land on.
"""

import math
import re
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

from sluice.errors import InputError

ZERO = Decimal(0)
ONE = Decimal(1)

#: Digits kept by a division (average prices, PnL of inverse contracts). Fixed here so that no process differs by its
#: ambient decimal context.
MONEY = Context(prec=34, rounding=ROUND_HALF_EVEN)

_PLAIN = re.compile(r"-?\d{1,20}(\.\d{1,18})?")


def parse_decimal(text: str, what: str) -> Decimal:
    """Parse a plain decimal (`-12.50`); no exponent, no blank, no NaN.

    `what` names the value in the error, e.g. `price`. Raises `InputError`.
    """
    if not _PLAIN.fullmatch(text) or not text.isascii():
        raise InputError(f"{what} must be a plain decimal such as 12.50, was {text[:40]!r}")
    return Decimal(text)


def text(value: Decimal) -> str:
    """Return the shortest exact text: no exponent, no trailing zeros, no negative zero."""
    shown = format(value, "f")
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return "0" if shown in {"-0", ""} else shown


def text_or_empty(value: Decimal | None) -> str:
    """Return the exact text of a value, as contracts carry it: empty where there is none."""
    return "" if value is None else text(value)


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Tell whether a value lies exactly on a step."""
    return value % step == ZERO


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Round down (towards minus infinity) to a multiple of a step."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Round up (towards plus infinity) to a multiple of a step."""
    return (value / step).to_integral_value(ROUND_CEILING) * step


def truncate_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Round towards zero to a multiple of a step: a size never grows by rounding."""
    return (value / step).to_integral_value(ROUND_DOWN) * step


def nearest_step(value: float, step: Decimal) -> Decimal:
    """Turn a float into the nearest multiple of a step: the one door from features to prices.

    Raises `InputError` where the float is not finite.
    """
    if not math.isfinite(value):
        raise InputError(f"a price or quantity must be finite, was {value}")
    return (Decimal(repr(value)) / step).to_integral_value(ROUND_HALF_EVEN) * step
