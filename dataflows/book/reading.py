"""Kernels that read the levels of a side, for whoever makes something of a book's depth.

They know how a side keeps its levels, so that their callers need not. A side's key is the price in ticks for bids and
its negative for asks: the greatest key is the best either way. They change nothing.
"""

import math

from dataflows.book.far import find
from dataflows.book.state import NO_HORIZON, WINDOW
from dataflows.kernels import Floats, Integers, Record, part

_LANES = 4


@part
def best_levels(side: Record, keys: Integers, quantities: Floats) -> int:
    """Fill keys and quantities with the best levels, best first, up to their size; return how many there are.

    A level at or beyond the side's horizon is left out: there may be others before it that the side has forgotten.
    """
    number, size = 0, keys.size
    lowest = max(0, side.horizon + 1 - side.base)
    for place in range(side.best - side.base, lowest - 1, -1):
        if number == size:
            return size
        if side.window[place] != 0.0:
            keys[number] = side.base + place
            quantities[number] = side.window[place]
            number += 1
    for at in range(side.far_count - 1, -1, -1):
        if number == size or side.far_keys[at] <= side.horizon:
            break
        keys[number] = side.far_keys[at]
        quantities[number] = side.far_quantities[at]
        number += 1
    return number


@part
def quantity_within(side: Record, furthest_key: int) -> float:
    """Return the sum of the quantities from the best level down to a key, that one included.

    It is 0 where there is no such level, and NaN where the key is at or beyond the side's horizon. Every fourth tick
    below the best is added up by itself, then the four sums: one sum would have to wait for each addition.
    """
    if _is_unknown(side, furthest_key):
        return math.nan
    window, place = side.window, side.best - side.base
    lowest = max(0, furthest_key - side.base)
    first = second = third = fourth = 0.0
    while place - lowest >= _LANES - 1:
        first += window[place]
        second += window[place - 1]
        third += window[place - 2]
        fourth += window[place - 3]
        place -= _LANES
    while place >= lowest:
        first += window[place]
        place -= 1
    total = (first + second) + (third + fourth)
    for at in range(side.far_count - 1, -1, -1):
        if side.far_keys[at] < furthest_key:
            break
        total += side.far_quantities[at]
    return total


@part
def quantity_at(side: Record, key: int) -> float:
    """Return the quantity at a key: 0 where there is none, NaN where it is at or beyond the side's horizon."""
    if _is_unknown(side, key):
        return math.nan
    place = key - side.base
    if place >= 0:
        return float(side.window[place]) if place < WINDOW else 0.0
    at = find(side.far_keys, side.far_count, key)
    return float(side.far_quantities[at]) if at < side.far_count and side.far_keys[at] == key else 0.0


@part
def _is_unknown(side: Record, key: int) -> bool:
    return bool(side.horizon != NO_HORIZON and key <= side.horizon)
