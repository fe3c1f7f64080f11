"""Price levels of a depth message, `[["61800.20","2.909"],...]`, from bytes to an array of prices and quantities.

The usual form is read by a kernel in one pass. What deviates from it (numbers without quotes, blanks, exponents, more
than 15 digits) goes to msgspec, which reads every JSON form; the two agree to the bit, because a decimal of up to 15
digits divided by a power of ten up to 22 is correctly rounded (Clinger, "How to read floating point numbers
accurately", 1990).
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


def read_levels(raw: msgspec.Raw | bytes) -> Levels:
    """Return the levels as an array of shape (levels, 2): price, quantity. Signs and sizes are not judged here.

    Raises `msgspec.ValidationError` or `msgspec.DecodeError` where they are no list of pairs of numbers.
    """
    text = np.frombuffer(raw, np.uint8)
    levels = np.empty((len(text) // _SHORTEST_LEVEL + 1, 2))
    count = _read(text, levels)
    if count < 0:
        return np.array(_TOLERANT.decode(raw), dtype=np.float64).reshape(-1, 2)
    return levels[:count]


def first_invalid(levels: Levels) -> tuple[int, int]:
    """Return row and column of the first value that no level may have, or (-1, -1).

    A price must be positive and finite; a quantity must be finite and not negative.
    """
    row = int(_first_invalid(levels))
    if row < 0:
        return -1, -1
    return row, 1 if 0.0 < levels[row, 0] < np.inf else 0


@kernel
def _first_invalid(levels: Levels) -> int:
    for row in range(levels.shape[0]):
        if not (0.0 < levels[row, 0] < np.inf and 0.0 <= levels[row, 1] < np.inf):
            return row
    return -1


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
    if end < 0 or end + 2 >= text.size or text[end + 1] != _COMMA or text[end + 2] != _QUOTE:
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
