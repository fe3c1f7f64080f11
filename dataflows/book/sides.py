"""Kernels on one side of a book: set and forget levels, and read its best; see `state`, and `reading` for the rest."""

from dataflows.book.blocks import zero
from dataflows.book.far import find, put_far, remove_gone, truncate
from dataflows.book.state import FAR_CAPACITY, NO_HORIZON, WINDOW
from dataflows.book.window import aim, settle
from dataflows.kernels import Floats, Integers, Record, part

_OFF_TICK_TOLERANCE = 1e-3


@part
def put_all(side: Record, keys: Integers, quantities: Floats) -> None:
    """Set every level of an update, in its order; quantity 0 removes, and removing what is not there is nothing."""
    if side.best == NO_HORIZON:
        aim(side, keys, quantities)
    if side.far_count + keys.size > FAR_CAPACITY:
        remove_gone(side, keys, quantities)
    window, base, best, grown = side.window, side.base, side.best, 0
    for index in range(keys.size):
        key, quantity = keys[index], quantities[index]
        if key - base >= WINDOW and quantity != 0.0:
            aim(side, keys[index:], quantities[index:])
            base = side.base
        place = key - base
        if 0 <= place < WINDOW:
            grown += (quantity != 0.0) - (window[place] != 0.0)
            window[place] = quantity
            best = max(best, key) if quantity != 0.0 else best
        elif place < 0:
            put_far(side, key, quantity)
    side.count += grown
    side.best = best
    settle(side)


@part
def clear(side: Record) -> None:
    """Forget every level, and that any was forgotten."""
    zero(side.window, 0, WINDOW)
    truncate(side, 0)
    side.count = side.base = 0
    side.best = side.horizon = NO_HORIZON


@part
def clear_from(side: Record, key: int) -> None:
    """Forget every level from a key on to the best."""
    start = min(max(0, key - side.base), WINDOW)
    for place in range(start, WINDOW):
        side.count -= side.window[place] != 0.0
    zero(side.window, start, WINDOW - start)
    truncate(side, find(side.far_keys, side.far_count, key))
    settle(side)


@part
def best_key(side: Record) -> int:
    """Return the key of the best level, or `NO_HORIZON` where there is none."""
    return int(side.best)


@part
def best_quantity(side: Record) -> float:
    """Return the quantity of the best level, or 0 where there is none."""
    return float(side.window[side.best - side.base]) if side.best != NO_HORIZON else 0.0


@part
def depth_quantity(side: Record, levels: int) -> float:
    """Return the sum of the quantities of the best `levels` levels, or of all where there are fewer."""
    left, place = levels, side.best - side.base
    while place >= 0 and left > 0:
        left -= side.window[place] != 0.0
        place -= 1
    total = 0.0
    for at in range(max(0, side.far_count - left), side.far_count):
        total += side.far_quantities[at]
    for cell in range(max(0, place + 1), side.best - side.base + 1):
        total += side.window[cell]
    return total


@part
def to_keys(
    levels: Floats, numerator: float, denominator: float, sign: int, keys: Integers, quantities: Floats,
) -> bool:
    """Fill keys and quantities from rows of price and quantity; tell whether every price is a multiple of the tick."""
    for row in range(levels.shape[0]):
        ticks = levels[row, 0] * denominator / numerator
        whole = round(ticks)
        if abs(ticks - whole) > _OFF_TICK_TOLERANCE or not abs(ticks) < 2.0**52:
            return False
        keys[row] = sign * int(whole)
        quantities[row] = levels[row, 1]
    return True
