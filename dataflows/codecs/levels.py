"""Price levels of a depth message, `[["61800.20","2.909"],...]`, from bytes to an array of prices and quantities.

The usual form is read by a kernel in one pass. What deviates from it (numbers without quotes, blanks, exponents, signs,
a price of zero, more than 15 digits) goes to msgspec, which reads every JSON form; the two agree to the bit, because a
decimal of up to 15 digits divided by a power of ten up to 22 is correctly rounded (Clinger, "How to read floating point
numbers accurately", 1990).
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from dataflows.kernels import Floats, kernel

_QUOTE, _COMMA, _DOT, _OPEN, _CLOSE, _ZERO, _NINE = (ord(c) for c in '",.[]09')
_SHORTEST_LEVEL = 9  # bytes of ["1","2"]
_MOST_DIGITS = 15
_POWERS = np.array([10.0**n for n in range(_MOST_DIGITS + 1)])
_TOLERANT = msgspec.json.Decoder(list[tuple[float, float]], strict=False)

#: Rows of price and quantity.
Levels = Floats


class InvalidLevelError(Exception):
    """A level has a price that is not positive and finite, or a quantity that is negative or not finite."""

    def __init__(self, value: float, *, is_price: bool) -> None:
        super().__init__(value)
        self.value = value
        self.is_price = is_price


def read_levels(raw: msgspec.Raw | bytes) -> Levels:
    """Return the levels as an array of shape (levels, 2): price, quantity.

    Raises `msgspec.DecodeError` where they are no list of pairs of numbers, and `InvalidLevelError` where a price or
    quantity is none.
    """
    text = np.frombuffer(raw, np.uint8)
    levels = np.empty((len(text) // _SHORTEST_LEVEL + 1, 2))
    count = _read(text, levels)
    if count < 0:
        return _checked(np.array(_TOLERANT.decode(raw), dtype=np.float64).reshape(-1, 2))
    return levels[:count]


def _checked(levels: Levels) -> Levels:
    prices, quantities = levels[:, 0], levels[:, 1]
    if (wrong := prices[~((prices > 0) & (prices < np.inf))]).size:
        raise InvalidLevelError(float(wrong[0]), is_price=True)
    if (wrong := quantities[~((quantities >= 0) & (quantities < np.inf))]).size:
        raise InvalidLevelError(float(wrong[0]), is_price=False)
    return levels


@kernel
def _number(text: NDArray[np.uint8], at: int) -> tuple[float, int]:
    """Read `digits[.digits]"` without leading zeros; return the number and where its closing quote is, -1 if not so."""
    mantissa, digits, decimals, dot = 0, 0, 0, False
    while at < text.size and text[at] != _QUOTE:
        byte = text[at]
        if _ZERO <= byte <= _NINE:
            if digits == 1 and mantissa == 0 and not dot:
                return 0.0, -1
            mantissa = mantissa * 10 + (byte - _ZERO)
            digits += 1
            decimals += dot
        elif byte == _DOT and digits > 0 and not dot:
            dot = True
        else:
            return 0.0, -1
        at += 1
    if digits == 0 or digits > _MOST_DIGITS or (dot and decimals == 0) or at >= text.size:
        return 0.0, -1
    return mantissa / _POWERS[decimals], at


@kernel
def _level(text: NDArray[np.uint8], at: int, level: Floats) -> int:
    """Read `["price","quantity"]` from `at`; return where it ends, or -1."""
    if at + 2 >= text.size or text[at] != _OPEN or text[at + 1] != _QUOTE:
        return -1
    level[0], end = _number(text, at + 2)
    if end < 0 or level[0] == 0.0 or end + 2 >= text.size or text[end + 1] != _COMMA or text[end + 2] != _QUOTE:
        return -1
    level[1], end = _number(text, end + 3)
    if end < 0 or end + 1 >= text.size or text[end + 1] != _CLOSE:
        return -1
    return end + 2


@kernel
def _read(text: NDArray[np.uint8], levels: Levels) -> int:
    """Fill `levels`; return how many there are, or -1 where the text is not in the usual form."""
    size = text.size
    if size < 2 or text[0] != _OPEN or text[size - 1] != _CLOSE:
        return -1
    if size == 2:
        return 0
    at, count = 1, 0
    while True:
        at = _level(text, at, levels[count])
        if at < 0:
            return -1
        count += 1
        if at == size - 1:
            return count
        if text[at] != _COMMA:
            return -1
        at += 1
