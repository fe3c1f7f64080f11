"""Kernels that read the levels of a side, for whoever makes something of a book's depth.

They know how a side keeps its levels, so that their callers need not. A side's key is the price in ticks for bids and
its negative for asks: the greatest key is the best either way. They change nothing.
"""

import math

from dataflows.book.state import NO_HORIZON
from dataflows.kernels import Floats, Integers, Record, part


@part
def best_levels(side: Record, keys: Integers, quantities: Floats) -> int:
    """Fill keys and quantities with the best levels, best first, up to their size; return how many there are.

    A level at or beyond the side's horizon is left out: there may be others before it that the side has forgotten.
    """
    number = min(keys.size, int(side.count))
    for index in range(number):
        at = side.count - 1 - index
        if side.keys[at] <= side.horizon:
            return index
        keys[index] = side.keys[at]
        quantities[index] = side.quantities[at]
    return number


@part
def quantity_within(side: Record, furthest_key: int) -> float:
    """Return the sum of the quantities from the best level down to a key, that one included, added best first.

    It is 0 where there is no such level, and NaN where the key is at or beyond the side's horizon.
    """
    if side.horizon != NO_HORIZON and furthest_key <= side.horizon:
        return math.nan
    total = 0.0
    at = side.count - 1
    while at >= 0 and side.keys[at] >= furthest_key:
        total += side.quantities[at]
        at -= 1
    return total
