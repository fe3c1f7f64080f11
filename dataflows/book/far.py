"""The levels below a side's window: two arrays, sorted so that the best is the last; see `state`."""

from dataflows.book.blocks import move, zero
from dataflows.book.state import FAR_CAPACITY
from dataflows.kernels import Floats, Integers, Record, part


@part
def find(keys: Integers, count: int, key: int) -> int:
    """Return the index of the first of `count` ascending keys that is at least `key`."""
    low, left = 0, count
    while left > 0:
        half = (left + 1) >> 1
        low += half if keys[low + half - 1] < key else 0
        left -= half
    return low


@part
def put_far(side: Record, key: int, quantity: float) -> None:
    """Set the quantity of a key below the window; 0 removes it, and removing what is not there is nothing."""
    count = side.far_count
    at = find(side.far_keys, count, key)
    if at == count or side.far_keys[at] != key:
        if quantity != 0.0:
            _insert(side, at, key, quantity)
    elif quantity != 0.0:
        side.far_quantities[at] = quantity
    else:
        _remove(side, at)


@part
def _remove(side: Record, at: int) -> None:
    last = side.far_count - 1
    move(side.far_keys, at, at + 1, last - at)
    move(side.far_quantities, at, at + 1, last - at)
    truncate(side, last)


@part
def _insert(side: Record, at: int, key: int, quantity: float) -> None:
    """Put a level in at an index; a full store forgets its furthest level, which may be the new one."""
    count = side.far_count
    excess = count + 1 - FAR_CAPACITY
    if excess > 0:
        if at == 0:
            side.horizon = max(side.horizon, key)
            return
        forget(side, excess)
        at -= excess
        count -= excess
    move(side.far_keys, at + 1, at, count - at)
    move(side.far_quantities, at + 1, at, count - at)
    side.far_keys[at] = key
    side.far_quantities[at] = quantity
    side.far_count = count + 1
    side.count += 1


@part
def forget(side: Record, number: int) -> None:
    """Forget the furthest `number` levels, of which there must be as many, and remember that they were."""
    if number > 0:
        side.horizon = max(side.horizon, side.far_keys[number - 1])
        left = side.far_count - number
        move(side.far_keys, 0, number, left)
        move(side.far_quantities, 0, number, left)
        truncate(side, left)


@part
def truncate(side: Record, count: int) -> None:
    """Forget the best levels but the furthest `count`."""
    gone = side.far_count - count
    zero(side.far_keys, count, gone)
    zero(side.far_quantities, count, gone)
    side.far_count = count
    side.count -= gone


@part
def remove_gone(side: Record, keys: Integers, quantities: Floats) -> None:
    """Take out what an update removes, so that nothing is forgotten that the update itself makes room for."""
    for index in range(keys.size):
        if quantities[index] == 0.0 and keys[index] < side.base:
            put_far(side, keys[index], 0.0)
