"""Kernels on one side of a book: find, set, remove and read levels.

A side's keys ascend and its best level is last; see `state`.
"""

from dataflows.book.state import LEVEL_CAPACITY, NO_HORIZON
from dataflows.kernels import Floats, Integers, Record, kernel

_OFF_TICK_TOLERANCE = 1e-3


@kernel
def position(side: Record, key: int) -> int:
    """Return the index of the first key that is at least `key`: search outwards from the touch, then halve."""
    keys = side.keys
    high: int = side.count
    step = 1
    while high - step > 0 and keys[high - step] > key:
        step <<= 1
    low = max(0, high - step)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def remove(side: Record, at: int) -> None:
    """Take out the level at an index."""
    keys, quantities, last = side.keys, side.quantities, side.count - 1
    for index in range(at, last):
        keys[index] = keys[index + 1]
        quantities[index] = quantities[index + 1]
    keys[last] = 0
    quantities[last] = 0.0
    side.count = last


@kernel
def insert(side: Record, at: int, key: int, quantity: float) -> None:
    """Put a level in at an index; a full side forgets its furthest level, which may be the new one."""
    keys, quantities, count = side.keys, side.quantities, side.count
    if count == LEVEL_CAPACITY:
        side.horizon = max(side.horizon, keys[0] if at > 0 else key)
        for index in range(1, at):
            keys[index - 1] = keys[index]
            quantities[index - 1] = quantities[index]
        if at > 0:
            keys[at - 1] = key
            quantities[at - 1] = quantity
        return
    for index in range(count, at, -1):
        keys[index] = keys[index - 1]
        quantities[index] = quantities[index - 1]
    keys[at] = key
    quantities[at] = quantity
    side.count = count + 1


@kernel
def put(side: Record, key: int, quantity: float) -> None:
    """Set the quantity of a key; 0 removes it, and removing what is not there is nothing."""
    at = position(side, key)
    present = at < side.count and side.keys[at] == key
    if quantity == 0.0:
        if present:
            remove(side, at)
    elif present:
        side.quantities[at] = quantity
    else:
        insert(side, at, key, quantity)


@kernel
def clear(side: Record) -> None:
    """Forget every level, and that any was forgotten."""
    for index in range(side.count):
        side.keys[index] = 0
        side.quantities[index] = 0.0
    side.count = 0
    side.horizon = NO_HORIZON


@kernel
def clear_from(side: Record, key: int) -> None:
    """Forget every level from a key on to the best."""
    start = position(side, key)
    for index in range(start, side.count):
        side.keys[index] = 0
        side.quantities[index] = 0.0
    side.count = start


@kernel
def best_key(side: Record) -> int:
    """Return the key of the best level, or `NO_HORIZON` where there is none."""
    if side.count == 0:
        return NO_HORIZON
    return int(side.keys[side.count - 1])


@kernel
def best_quantity(side: Record) -> float:
    """Return the quantity of the best level, or 0 where there is none."""
    if side.count == 0:
        return 0.0
    return float(side.quantities[side.count - 1])


@kernel
def depth_quantity(side: Record, levels: int) -> float:
    """Return the sum of the quantities of the best `levels` levels, or of all where there are fewer."""
    total = 0.0
    for index in range(max(0, side.count - levels), side.count):
        total += side.quantities[index]
    return total


@kernel
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
