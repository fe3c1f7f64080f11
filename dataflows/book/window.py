"""Where a side's window lies, and the levels that come into it and go out of it as it moves.

The best level is always inside once an update is done. A window that must move puts it at `_PLACE`: with room to rise,
and more below, where the levels are. It moves down when less than `_LOW` cells are left below the best and there are
levels further down; between the two lies enough that a price that goes to and fro does not move it each time.
"""

from dataflows.book import blocks
from dataflows.book.far import forget
from dataflows.book.state import FAR_CAPACITY, NO_HORIZON, WINDOW
from dataflows.kernels import Floats, Integers, Record, part

_PLACE = WINDOW // 8 * 7
_LOW = WINDOW // 2


@part
def settle(side: Record) -> None:
    """Find the best level after a change, which must lie at or below `side.best`, and let the window follow it."""
    window, place = side.window, side.best - side.base
    while place >= 0 and window[place] == 0.0:
        place -= 1
    if place >= 0:
        side.best = side.base + place
    else:
        side.best = side.far_keys[side.far_count - 1] if side.far_count > 0 else NO_HORIZON
    if place < _LOW and side.far_count > 0:
        move(side, side.best - _PLACE)


@part
def aim(side: Record, keys: Integers, quantities: Floats) -> None:
    """Move the window to where the greatest of the levels that are being set belongs; stay where none is set."""
    greatest = NO_HORIZON
    for index in range(keys.size):
        if quantities[index] != 0.0:
            greatest = max(greatest, keys[index])
    if greatest != NO_HORIZON:
        move(side, greatest - _PLACE)


@part
def move(side: Record, base: int) -> None:
    """Let the window begin at another key. No level may lie above where it then ends."""
    window, by = side.window, min(abs(base - side.base), WINDOW)
    if base > side.base:
        _leave(side, by)
        blocks.move(window, 0, by, WINDOW - by)
        blocks.zero(window, WINDOW - by, by)
        side.base = base
    else:
        blocks.move(window, by, 0, WINDOW - by)
        blocks.zero(window, 0, by)
        side.base = base
        _enter(side)


@part
def _leave(side: Record, cells: int) -> None:
    """Put the levels of the first cells with the far ones, of which the furthest are forgotten for want of room."""
    leaving = 0
    for place in range(cells):
        leaving += side.window[place] != 0.0
    excess = max(0, side.far_count + leaving - FAR_CAPACITY)
    skipped = max(0, excess - side.far_count)
    forget(side, excess - skipped)
    count = side.far_count
    for place in range(cells):
        if side.window[place] != 0.0:
            if skipped > 0:
                skipped -= 1
                side.count -= 1
                side.horizon = max(side.horizon, side.base + place)
            else:
                side.far_keys[count] = side.base + place
                side.far_quantities[count] = side.window[place]
                count += 1
    side.far_count = count


@part
def _enter(side: Record) -> None:
    """Take those of the far levels that now lie in the window."""
    at = side.far_count - 1
    while at >= 0 and side.far_keys[at] >= side.base:
        side.window[side.far_keys[at] - side.base] = side.far_quantities[at]
        side.far_keys[at] = 0
        side.far_quantities[at] = 0.0
        at -= 1
    side.far_count = at + 1
