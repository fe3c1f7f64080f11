"""Decimal numbers read from text, eight bytes at once.

A byte lies in one lane of a 64-bit word, the first byte in the lowest. Lanes that are no digit are found, the dot's
lane is closed, and three multiplications join eight digits to one number (Lemire, "Quickly parsing eight digits",
2018). What is longer than eight bytes goes on digit by digit. Only plain JSON numbers are read: digits, at most one dot
between digits, no leading zero; everything else is refused, and so is what has more digits than a float holds exactly.

Every function may look at up to `TAIL_BYTES` bytes from where it begins, so the buffer must have them.
"""

import numpy as np

from dataflows.codecs.inlining import byte_at, inlined, trailing_zeros
from dataflows.codecs.quick_frame import Text

#: Decimals of so many digits are whole numbers that a float holds exactly; divided by a power of ten up to 22 they are
#: correctly rounded (Clinger, "How to read floating point numbers accurately", 1990).
MOST_DIGITS = 15
#: So many digits fit 62 bits.
MOST_WHOLE_DIGITS = 18
POWERS = np.array([10.0**n for n in range(MOST_DIGITS + 1)])

_QUOTE, _DOT, _ZERO, _NINE = (ord(character) for character in '".09')
_ONE, _EIGHT, _HIGHS = np.uint64(1), np.uint64(8), np.uint64(0x8080808080808080)
_DIGITS, _OVER_NINE = np.uint64(0x3030303030303030), np.uint64(0x7676767676767676)
_LANE = np.uint64(0xFF)
_LAST = np.uint64(56)
_PAIRS, _TENS = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(10 * 2**8 + 1)
_FOURS, _HUNDREDS = np.uint64(0x00FF00FF00FF00FF), np.uint64(100 * 2**16 + 1)
_EIGHTS, _MYRIADS = np.uint64(0x0000FFFF0000FFFF), np.uint64(10_000 * 2**32 + 1)
_BY_16, _BY_24, _BY_32, _BY_40, _BY_48 = (np.uint64(bits) for bits in (16, 24, 32, 40, 48))


@inlined
def eight_bytes(text: Text, at: int) -> np.uint64:
    """Return eight bytes as one word; compiled, it is one read."""
    first = np.uint64(at)
    low = np.uint64(text[first]) | np.uint64(text[first + _ONE]) << _EIGHT
    low |= np.uint64(text[first + np.uint64(2)]) << _BY_16 | np.uint64(text[first + np.uint64(3)]) << _BY_24
    low |= np.uint64(text[first + np.uint64(4)]) << _BY_32 | np.uint64(text[first + np.uint64(5)]) << _BY_40
    return low | np.uint64(text[first + np.uint64(6)]) << _BY_48 | np.uint64(text[first + np.uint64(7)]) << _LAST


@inlined
def _no_digits(lanes: np.uint64) -> np.uint64:
    """Return the highest bit of each lane whose byte is no digit; behind the first such lane they may be wrong."""
    return ((lanes + _OVER_NINE) | lanes) & _HIGHS


@inlined
def _joined(digits: np.uint64) -> int:
    """Return the number that eight lanes of digits are, the first digit in the lowest."""
    pairs = (digits & _PAIRS) * _TENS >> _EIGHT
    fours = (pairs & _FOURS) * _HUNDREDS >> _BY_16
    return int(np.int64((fours & _EIGHTS) * _MYRIADS >> _BY_32))


@inlined
def _shifted(lanes: np.uint64, count: int) -> np.uint64:
    """Move the lowest `count` lanes, 1 to 8, to the top; zeros come below."""
    return lanes << np.uint64(64 - 8 * count)


@inlined
def _without_lane(lanes: np.uint64, lane: int) -> np.uint64:
    """Close the gap of a lane, 0 to 6, with those below it."""
    bit = _ONE << np.uint64(8 * lane)
    return (lanes & ~((bit << _EIGHT) - _ONE)) | (lanes & (bit - _ONE)) << _EIGHT


@inlined
def read_whole(text: Text, at: int) -> tuple[int, int]:
    """Read a whole number that is not negative; return it and where it ends, or -1 where there is none."""
    lanes = eight_bytes(text, at) ^ _DIGITS
    count = trailing_zeros(_no_digits(lanes)) >> 3
    if count == 0 or (lanes & _LANE == 0 and count > 1):
        return 0, -1
    value, end = _joined(_shifted(lanes, count)), at + count
    if count == 8:
        while _ZERO <= byte_at(text, end) <= _NINE:
            if end - at == MOST_WHOLE_DIGITS:
                return 0, -1
            value = value * 10 + (byte_at(text, end) - _ZERO)
            end += 1
    return value, end


@inlined
def read_decimal(text: Text, at: int) -> tuple[int, int, int]:
    """Read `digits[.digits]"`; return its digits as a whole number, the number of decimals, and where the quote is.

    The last is -1 where it is something else.
    """
    lanes = eight_bytes(text, at) ^ _DIGITS
    others = _no_digits(lanes)
    whole = trailing_zeros(others) >> 3
    if whole == 0 or (lanes & _LANE == 0 and whole > 1):
        return 0, 0, -1
    size, decimals = whole, 0
    if whole < 8 and byte_at(text, at + whole) == _DOT:
        size = trailing_zeros(others & (others - _ONE)) >> 3
        decimals = size - 1 - whole
        mantissa = _joined(_without_lane(_shifted(lanes, size), whole + 8 - size))
    else:
        mantissa = _joined(_shifted(lanes, size))
    if byte_at(text, at + size) == _QUOTE and (decimals > 0 or size == whole):
        return mantissa, decimals, at + size
    return _long_decimal(text, at, at + size, mantissa) if size == 8 else (0, 0, -1)


@inlined
def _long_decimal(text: Text, at: int, end: int, mantissa: int) -> tuple[int, int, int]:
    """Go on with a number whose first eight bytes make `mantissa`."""
    dot = at
    for index in range(at, end):
        if byte_at(text, index) == _DOT:
            dot = index
    while byte_at(text, end) != _QUOTE:
        byte = byte_at(text, end)
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
