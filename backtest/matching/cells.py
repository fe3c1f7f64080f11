"""One side's levels in a table that is dense around the touch and exact everywhere.

A level lies in the cell `price_ticks & mask`, so neighbouring prices are neighbouring cells; where another price has
that cell (a far one, or one from before a long move), the level lies in the next cell that is free. Cells of levels
that are gone stay until the table is half used, and are dropped then: the cost per change stays constant.

A side of the book is called a half here, as a side is a number elsewhere.
"""

from backtest.kernels import kernel, part
from backtest.matching.entry_points import ENTRIES
from backtest.matching.memory import cell_at, half_of, spare_cell_at
from backtest.matching.state import NO_FAR_KEY, NO_KEY
from dataflows.kernels import Record

#: Prices that are looked at one by one before the whole table is.
_NEAR = 1024


@part
def find(half: Record, price_ticks: int) -> int:
    """Return the cell of a price, or -1 where it has none."""
    mask: int = half.mask
    at = price_ticks & mask
    while True:
        found = cell_at(half, at).price_ticks
        if found == price_ticks:
            return at
        if found == 0:
            return -1
        at = (at + 1) & mask


@part
def place(state: int, half: Record, price_ticks: int) -> int:
    """Return the cell of a price, made where it has none; -1 where the table is full of living levels."""
    at = find(half, price_ticks)
    if at >= 0:
        return at
    if 2 * half.used > half.mask:
        compact(state, half.sign)
        if half.used >= half.mask:
            half.lost += 1
            return -1
    at = price_ticks & half.mask
    while cell_at(half, at).price_ticks != 0:
        at = (at + 1) & half.mask
    cell_at(half, at).price_ticks = price_ticks
    half.used += 1
    return int(at)


@ENTRIES.entry
def compact(state: int, side: int) -> None:
    """Drop the cells of levels that are gone, by moving the others into the spare table."""
    half = half_of(state, side)
    for at in range(half.mask + 1):
        _empty(spare_cell_at(half, at))
    half.cells, half.spare = half.spare, half.cells
    _rehash(half, half.mask)


@kernel
def rehash(state: int, side: int, old_mask: int) -> None:
    """Move the living cells out of the spare table, which had `old_mask`, into the table, an empty one."""
    _rehash(half_of(state, side), old_mask)


@part
def _rehash(half: Record, old_mask: int) -> None:
    half.used = 0
    for source in range(old_mask + 1):
        old = spare_cell_at(half, source)
        if old.price_ticks != 0 and (old.lots > 0 or old.own > 0):
            at = old.price_ticks & half.mask
            while cell_at(half, at).price_ticks != 0:
                at = (at + 1) & half.mask
            cell = cell_at(half, at)
            cell.price_ticks = old.price_ticks
            cell.lots = old.lots
            cell.taken = old.taken
            cell.traded = old.traded
            cell.epoch = old.epoch
            cell.own = old.own
            half.used += 1


@part
def _empty(cell: Record) -> None:
    cell.price_ticks = 0
    cell.lots = 0
    cell.taken = 0
    cell.traded = 0
    cell.epoch = 0
    cell.own = 0


@part
def next_key(half: Record, key: int) -> int:
    """Return the best key below `key` with a displayed quantity; `NO_KEY` where there is none."""
    if half.levels == 0:
        half.far_key = NO_FAR_KEY
        return NO_KEY
    far = half.far_key
    end = max(far, key - _NEAR)
    candidate = key - 1
    while candidate >= end:
        at = find(half, half.sign * candidate)
        if at >= 0 and cell_at(half, at).lots > 0:
            return candidate
        candidate -= 1
    if candidate < far:
        return NO_KEY
    return _next_key_anywhere(half, key)


@part
def _next_key_anywhere(half: Record, key: int) -> int:
    best = NO_KEY
    for at in range(half.mask + 1):
        cell = cell_at(half, at)
        other = half.sign * cell.price_ticks
        if cell.lots > 0 and best < other < key:
            best = other
    return best


@part
def drop_all(half: Record) -> None:
    """Display nothing any more, and forget what was taken."""
    for at in range(half.mask + 1):
        cell = cell_at(half, at)
        if cell.price_ticks != 0:
            cell.lots = 0
            cell.taken = 0
    half.levels = 0
    half.best_key = NO_KEY
    half.far_key = NO_FAR_KEY


@part
def available(cell: Record, epoch: int) -> int:
    """Return the lots of a level that are still to be had: neither taken by us nor, in this batch, by others."""
    lots: int = cell.lots - cell.taken
    return lots - cell.traded if cell.epoch == epoch else lots
