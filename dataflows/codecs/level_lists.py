"""Price levels of a depth message, `[["61800.20","2.909"],...]`, from bytes to keys in ticks and quantities.

A price's digits become ticks without a float of the price: its whole number of smallest units is multiplied by the
ratio of unit and tick, rounded, and multiplied back, which must give the same whole number. A price that is no multiple
of the tick is declined, because only `book.sides.to_keys` says how far off one may be.
"""

import numpy as np

from dataflows.codecs.digits import POWERS, read_decimal
from dataflows.codecs.inlining import borrowed, byte_at
from dataflows.codecs.quick_frame import Text
from dataflows.kernels import Floats, Integers, part

_QUOTE, _COMMA, _OPEN, _CLOSE = (ord(character) for character in '",[]')
#: With fewer ticks than this, the rounding errors of the way through a float price cannot reach its tolerance.
_MOST_TICKS = 2.0**40
#: Bounds of a tick size `numerator / denominator`: products with it fit 62 bits, and are exact as floats.
_LARGEST_NUMERATOR, _LARGEST_DENOMINATOR = 1000.0, 1e15


@part
def read_level_list(
    text: Text, at: int, numerator: float, denominator: float, sign: int, count: int,
    keys: Integers, quantities: Floats,
) -> tuple[int, int]:
    """Read a list that begins with the bracket at `at`; store levels from index `count` on.

    Returns where the list ends and the count then; -1 first where it is not in the usual form, a price is not on the
    tick (numerator / denominator), or there is no room.
    """
    text, keys, quantities = borrowed(text), borrowed(keys), borrowed(quantities)
    if byte_at(text, at) != _OPEN or numerator > _LARGEST_NUMERATOR or denominator > _LARGEST_DENOMINATOR:
        return -1, count
    if byte_at(text, at + 1) == _CLOSE:
        return at + 2, count
    known, ratio, unit, times = -1, 0.0, 0, int(denominator)
    room = min(keys.size, quantities.size)
    while True:
        if byte_at(text, at + 1) != _OPEN or byte_at(text, at + 2) != _QUOTE or count >= room:
            return -1, count
        price, decimals, at = read_decimal(text, at + 3)
        if at < 0 or byte_at(text, at + 1) != _COMMA or byte_at(text, at + 2) != _QUOTE:
            return -1, count
        if decimals != known:
            known, unit = decimals, int(POWERS[np.uint64(decimals)] * numerator)
            ratio = denominator / (POWERS[np.uint64(decimals)] * numerator)
        estimate = price * ratio + 0.5
        if not estimate < _MOST_TICKS:
            return -1, count
        ticks = int(estimate)
        quantity, decimals, at = read_decimal(text, at + 3)
        if at < 0 or byte_at(text, at + 1) != _CLOSE or ticks * unit != price * times or ticks == 0:
            return -1, count
        keys[np.uint64(count)] = sign * ticks
        quantities[np.uint64(count)] = quantity / POWERS[np.uint64(decimals)]
        count += 1
        at += 2
        if byte_at(text, at) != _COMMA:
            return (at + 1, count) if byte_at(text, at) == _CLOSE else (-1, count)
