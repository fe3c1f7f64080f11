"""Decimal numbers read from text, eight bytes at once.

A byte lies in one lane of a 64-bit word, the first byte in the lowest. Lanes that are no digit are found, the dot's
lane is closed, and three multiplications join eight digits to one number (Lemire, "Quickly parsing eight digits",
2018). What is longer than eight bytes goes on digit by digit. Only plain JSON numbers are read: digits, at most one dot
between digits, no leading zero; everything else is refused, and so is what has more digits than a float holds exactly.

Every function may look at up to `TAIL_BYTES` bytes from where it begins, so the buffer must have them.
"""

import numpy as np

from dataflows.codecs.quick_frame import Text
from dataflows.kernels import part

#: Decimals of so many digits are whole numbers that a float holds exactly; divided by a power of ten up to 22 they are
#: correctly rounded (Clinger, "How to read floating point numbers accurately", 1990).
MOST_DIGITS = 15
#: So many digits fit 62 bits.
MOST_WHOLE_DIGITS = 18
POWERS = np.array([10.0**n for n in range(MOST_DIGITS + 1)])

_QUOTE, _DOT, _ZERO, _NINE = (ord(character) for character in '".09')
_ONE, _SEVEN, _EIGHT, _FULL = np.uint64(1), np.uint64(7), np.uint64(8), np.uint64(64)
_LOWS, _HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_DIGITS, _OVER_NINE = np.uint64(0x3030303030303030), np.uint64(0x7676767676767676)
_LANE, _DOT_LANE = np.uint64(0xFF), np.uint64(_DOT ^ _ZERO)
_LAST = np.uint64(56)
_PAIRS, _TENS = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(10 * 2**8 + 1)
_FOURS, _HUNDREDS = np.uint64(0x00FF00FF00FF00FF), np.uint64(100 * 2**16 + 1)
_EIGHTS, _MYRIADS = np.uint64(0x0000FFFF0000FFFF), np.uint64(10_000 * 2**32 + 1)
_BY_16, _BY_24, _BY_32, _BY_40, _BY_48 = (np.uint64(bits) for bits in (16, 24, 32, 40, 48))


@part
def eight_bytes(text: Text, at: int) -> np.uint64:
    """Return eight bytes as one word; compiled, it is one read."""
    first = np.uint64(at)
    low = np.uint64(text[first]) | np.uint64(text[first + _ONE]) << _EIGHT
    low |= np.uint64(text[first + np.uint64(2)]) << _BY_16 | np.uint64(text[first + np.uint64(3)]) << _BY_24
    low |= np.uint64(text[first + np.uint64(4)]) << _BY_32 | np.uint64(text[first + np.uint64(5)]) << _BY_40
    return low | np.uint64(text[first + np.uint64(6)]) << _BY_48 | np.uint64(text[first + np.uint64(7)]) << _LAST


@part
def _lowest(bits: np.uint64) -> np.uint64:
    """Return only the lowest bit that is set, or 0."""
    return bits & (~bits + _ONE)


@part
def _lanes_below(bit: np.uint64) -> int:
    """Return how many lanes lie below that whose highest bit this is; 8 for 0."""
    return int((((bit - _ONE) >> _SEVEN) & _LOWS) * _LOWS >> _LAST)


@part
def _joined(digits: np.uint64) -> int:
    """Return the number that eight lanes of digits are, the first digit in the lowest."""
    pairs = (digits & _PAIRS) * _TENS >> _EIGHT
    fours = (pairs & _FOURS) * _HUNDREDS >> _BY_16
    return int((fours & _EIGHTS) * _MYRIADS >> _BY_32)


@part
def _left(digits: np.uint64, count: int) -> np.uint64:
    """Move `count` lanes of digits, 1 to 8, up so that zeros come before them."""
    return digits << (_FULL - _EIGHT * np.uint64(count))


@part
def read_whole(text: Text, at: int) -> tuple[int, int]:
    """Read a whole number that is not negative; return it and where it ends, or -1 where there is none."""
    lanes = eight_bytes(text, at) ^ _DIGITS
    first = _lowest(((lanes + _OVER_NINE) | lanes) & _HIGHS)
    count = _lanes_below(first)
    if count == 0 or (lanes & _LANE == 0 and count > 1):
        return 0, -1
    value, end = _joined(_left(lanes & ((first >> _SEVEN) - _ONE), count)), at + count
    if count == 8:
        while _ZERO <= text[end] <= _NINE:
            if end - at == MOST_WHOLE_DIGITS:
                return 0, -1
            value = value * 10 + (text[end] - _ZERO)
            end += 1
    return value, end


@part
def read_decimal(text: Text, at: int) -> tuple[int, int, int]:
    """Read `digits[.digits]"`; return its digits as a whole number, the number of decimals, and where the quote is.

    The last is -1 where it is something else.
    """
    lanes = eight_bytes(text, at) ^ _DIGITS
    others = ((lanes + _OVER_NINE) | lanes) & _HIGHS
    first = _lowest(others)
    whole, lane = (first >> _SEVEN) - _ONE, first >> _SEVEN
    before = _lanes_below(first)
    if before == 0 or (lanes & _LANE == 0 and before > 1):
        return 0, 0, -1
    if lane == 0 or lanes & (lane * _LANE) != lane * _DOT_LANE:
        mantissa, decimals, end = _joined(_left(lanes & whole, before)), 0, at + before
    else:
        second = _lowest(others ^ first)
        kept = (lanes & whole) | ((lanes & ((second >> _SEVEN) - _ONE)) >> _EIGHT & ~whole)
        size = _lanes_below(second)
        decimals, end = size - 1 - before, at + size
        mantissa = _joined(_left(kept, size - 1))
    if text[end] == _QUOTE and (decimals > 0 or lane == 0 or end == at + before):
        return mantissa, decimals, end
    return _long_decimal(text, at, end, mantissa) if end - at == 8 else (0, 0, -1)


@part
def _long_decimal(text: Text, at: int, end: int, mantissa: int) -> tuple[int, int, int]:
    """Go on with a number whose first eight bytes make `mantissa`."""
    dot = at
    for index in range(at, end):
        if text[index] == _DOT:
            dot = index
    while text[end] != _QUOTE:
        byte = text[end]
        if _ZERO <= byte <= _NINE and end - at <= MOST_DIGITS:
            mantissa = mantissa * 10 + (byte - _ZERO)
        elif byte == _DOT and dot == at:
            dot = end
        else:
            return 0, 0, -1
        end += 1
    decimals = end - dot - 1 if dot > at else 0
    digits = end - at - (dot > at)
    if digits > MOST_DIGITS or (dot > at and decimals == 0):
        return 0, 0, -1
    return mantissa, decimals, end
