"""The levels below a side's window: two arrays, sorted so that the best is the last; see `state`."""

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
    _close_gap(side.far_keys[at : side.far_count])
    _close_gap(side.far_quantities[at : side.far_count])
    side.far_count -= 1
    side.count -= 1


@part
def _close_gap(values: Floats | Integers) -> None:
    """Move all values but the first, which goes, one place down.

    A view that begins at the gap has no index that could be negative, of which the compiler makes a block move.
    """
    last = values.size - 1
    for index in range(last):
        values[index] = values[index + 1]
    values[last] = 0


@part
def _open_gap(values: Floats | Integers) -> None:
    """Move all values but the last, which goes, one place up."""
    for index in range(values.size - 1, 0, -1):
        values[index] = values[index - 1]


@part
def _insert(side: Record, at: int, key: int, quantity: float) -> None:
    """Put a level in at an index; a full store forgets its furthest level, which may be the new one."""
    if side.far_count == FAR_CAPACITY:
        if at == 0:
            side.horizon = max(side.horizon, key)
            return
        forget(side, 1)
        at -= 1
    side.far_count += 1
    side.count += 1
    keys, quantities = side.far_keys[at : side.far_count], side.far_quantities[at : side.far_count]
    _open_gap(keys)
    _open_gap(quantities)
    keys[0], quantities[0] = key, quantity


@part
def forget(side: Record, number: int) -> None:
    """Forget the furthest `number` levels, of which there must be as many, and remember that they were."""
    keys, quantities, count = side.far_keys, side.far_quantities, side.far_count
    if number > 0:
        side.horizon = max(side.horizon, keys[number - 1])
    for index in range(number, count):
        keys[index - number] = keys[index]
        quantities[index - number] = quantities[index]
    side.far_count = count - number
    side.count -= number
    clear_far(side, count - number, count)


@part
def clear_far(side: Record, start: int, end: int) -> None:
    """Zero the places from `start` to before `end`."""
    side.far_keys[start:end] = 0
    side.far_quantities[start:end] = 0.0


@part
def remove_gone(side: Record, keys: Integers, quantities: Floats) -> None:
    """Take out what an update removes, so that nothing is forgotten that the update itself makes room for."""
    for index in range(keys.size):
        if quantities[index] == 0.0 and keys[index] < side.base:
            put_far(side, keys[index], 0.0)
