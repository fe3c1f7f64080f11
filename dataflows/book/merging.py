"""Setting many levels of a side at once, moving each level that stays at most once.

A venue lists the levels of an update in the order of their prices. Then one walk finds every place, quantities that
only change are set there and then, and what is between two insertions or removals moves by the difference of their
numbers. An update in another order is set level by level, and so is one that overflows the side: removals first, so
that nothing is forgotten that there is room for.
"""

import numpy as np

from dataflows.book.sides import put
from dataflows.book.state import LEVEL_CAPACITY
from dataflows.kernels import Floats, Integers, Record, kernel


@kernel
def put_all(side: Record, keys: Integers, quantities: Floats) -> None:
    """Set every level of an update; quantity 0 removes."""
    number = keys.size
    step = 1 if number < 2 or keys[0] < keys[1] else -1
    if not _is_sorted(keys, step):
        for index in range(number):
            put(side, keys[index], quantities[index])
        return
    places = np.empty(number + 1, np.int64)
    sources = np.empty(number, np.int64)
    changes = _find_changes(side, keys, quantities, step, places, sources)
    if side.count + _growth(quantities, sources[:changes]) > LEVEL_CAPACITY:
        _overflow(side, keys, quantities, sources[:changes])
    elif changes > 0:
        _move(side, keys, quantities, changes, places, sources)


@kernel
def _growth(quantities: Floats, sources: Integers) -> int:
    growth = 0
    for source in sources:
        growth += 1 if quantities[source] != 0.0 else -1
    return growth


@kernel
def _overflow(side: Record, keys: Integers, quantities: Floats, sources: Integers) -> None:
    for source in sources:
        if quantities[source] == 0.0:
            put(side, keys[source], 0.0)
    for source in sources:
        if quantities[source] != 0.0:
            put(side, keys[source], quantities[source])


@kernel
def _is_sorted(keys: Integers, step: int) -> bool:
    """Tell whether keys ascend (step 1) or descend (step -1) without repetition."""
    for index in range(1, keys.size):
        if (keys[index] - keys[index - 1]) * step <= 0:
            return False
    return True


@kernel
def _find_changes(
    side: Record, keys: Integers, quantities: Floats, step: int, places: Integers, sources: Integers,
) -> int:
    """Set what is only a new quantity; note place and source of every insertion and removal, in ascending order."""
    changes, at = 0, 0
    source = 0 if step > 0 else keys.size - 1
    for _ in range(keys.size):
        at = _position_from(side, at, keys[source])
        present = at < side.count and side.keys[at] == keys[source]
        if present and quantities[source] != 0.0:
            side.quantities[at] = quantities[source]
        elif present or quantities[source] != 0.0:
            places[changes] = at
            sources[changes] = source
            changes += 1
        source += step
    return changes


@kernel
def _position_from(side: Record, low: int, key: int) -> int:
    """Return the index of the first key from `low` on that is at least `key`: search in growing steps, then halve."""
    keys, count = side.keys, side.count
    step = 1
    high = low
    while high < count and keys[high] < key:
        low = high + 1
        high += step
        step <<= 1
    high = min(high, count)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _move(
    side: Record, keys: Integers, quantities: Floats, changes: int, places: Integers, sources: Integers,
) -> None:
    """Make room and close gaps, then write what is new.

    Parts that move down go first, the lowest first; then those that move up, the highest first: no part is overwritten
    before it has moved.
    """
    places[changes] = side.count
    shifts = np.empty(changes + 1, np.int64)
    shifts[0] = 0
    for change in range(changes):
        shift = 1 if quantities[sources[change]] != 0.0 else -1
        shifts[change + 1] = shifts[change] + shift
    for change in range(changes):
        if shifts[change + 1] < 0:
            start = places[change] + (shifts[change + 1] < shifts[change])
            _shift_down(side, start, places[change + 1], -shifts[change + 1])
    for change in range(changes - 1, -1, -1):
        if shifts[change + 1] > 0:
            start = places[change] + (shifts[change + 1] < shifts[change])
            _shift_up(side, start, places[change + 1], shifts[change + 1])
    for change in range(changes):
        if shifts[change + 1] > shifts[change]:
            side.keys[places[change] + shifts[change]] = keys[sources[change]]
            side.quantities[places[change] + shifts[change]] = quantities[sources[change]]
    count = side.count
    side.count = count + shifts[changes]
    for index in range(side.count, count):
        side.keys[index] = 0
        side.quantities[index] = 0.0


@kernel
def _shift_down(side: Record, start: int, end: int, by: int) -> None:
    for index in range(start, end):
        side.keys[index - by] = side.keys[index]
        side.quantities[index - by] = side.quantities[index]


@kernel
def _shift_up(side: Record, start: int, end: int, by: int) -> None:
    for index in range(end - 1, start - 1, -1):
        side.keys[index + by] = side.keys[index]
        side.quantities[index + by] = side.quantities[index]
