"""One side's levels in a table that is dense around the touch and exact everywhere.

A level lies in the cell `price_ticks & mask`, so neighbouring prices are neighbouring cells; where another price has
that cell (a far one, or one from before a long move), the level lies in the next cell that is free. Cells of levels
that are gone stay until the table is half used, and are dropped then: the cost per change stays constant.
"""

from backtest.kernels import kernel
from backtest.matching.state import NO_FAR_KEY, NO_KEY
from dataflows.kernels import Record, RecordArray

#: Prices that are looked at one by one before the whole table is.
_NEAR = 1024


@kernel
def find(cells: RecordArray, price_ticks: int) -> int:
    """Return the cell of a price, or -1 where it has none."""
    mask = cells.size - 1
    at = price_ticks & mask
    while True:
        found = cells[at].price_ticks
        if found == price_ticks:
            return at
        if found == 0:
            return -1
        at = (at + 1) & mask


@kernel
def place(side: Record, cells: RecordArray, price_ticks: int) -> int:
    """Return the cell of a price, made where it has none; -1 where the table is full of living levels."""
    at = find(cells, price_ticks)
    if at >= 0:
        return at
    if 2 * side.used >= cells.size:
        compact(side, cells)
        if side.used >= cells.size - 1:
            side.lost += 1
            return -1
    at = _free_cell(cells, price_ticks)
    cells[at].price_ticks = price_ticks
    side.used += 1
    return at


@kernel
def _free_cell(cells: RecordArray, price_ticks: int) -> int:
    mask = cells.size - 1
    at = price_ticks & mask
    while cells[at].price_ticks != 0:
        at = (at + 1) & mask
    return at


@kernel
def compact(side: Record, cells: RecordArray) -> None:
    """Drop the cells of levels that are gone."""
    old = cells.copy()
    for at in range(cells.size):
        _empty(cells[at])
    side.used = 0
    rehash(side, old, cells)


@kernel
def rehash(side: Record, old: RecordArray, cells: RecordArray) -> None:
    """Put the living cells of one table into another, an empty one."""
    for source in range(old.size):
        if old[source].price_ticks != 0 and (old[source].lots > 0 or old[source].own > 0):
            at = _free_cell(cells, old[source].price_ticks)
            cells[at].price_ticks = old[source].price_ticks
            cells[at].lots = old[source].lots
            cells[at].taken = old[source].taken
            cells[at].traded = old[source].traded
            cells[at].epoch = old[source].epoch
            cells[at].own = old[source].own
            side.used += 1


@kernel
def _empty(cell: Record) -> None:
    cell.price_ticks = 0
    cell.lots = 0
    cell.taken = 0
    cell.traded = 0
    cell.epoch = 0
    cell.own = 0


@kernel
def next_key(side: Record, cells: RecordArray, sign: int, key: int) -> int:
    """Return the best key below `key` with a displayed quantity; `NO_KEY` where there is none."""
    if side.levels == 0:
        side.far_key = NO_FAR_KEY
        return NO_KEY
    far = side.far_key
    end = max(far, key - _NEAR)
    candidate = key - 1
    while candidate >= end:
        at = find(cells, sign * candidate)
        if at >= 0 and cells[at].lots > 0:
            return candidate
        candidate -= 1
    if candidate < far:
        return NO_KEY
    return _next_key_anywhere(cells, sign, key)


@kernel
def _next_key_anywhere(cells: RecordArray, sign: int, key: int) -> int:
    best = NO_KEY
    for at in range(cells.size):
        if cells[at].lots > 0:
            other = sign * cells[at].price_ticks
            if best < other < key:
                best = other
    return best


@kernel
def drop_all(side: Record, cells: RecordArray) -> None:
    """Display nothing any more, and forget what was taken."""
    for at in range(cells.size):
        if cells[at].price_ticks != 0:
            cells[at].lots = 0
            cells[at].taken = 0
    side.levels = 0
    side.best_key = NO_KEY
    side.far_key = NO_FAR_KEY


@kernel
def available(cell: Record, epoch: int) -> int:
    """Return the lots of a level that are still to be had: neither taken by us nor, in this batch, by others."""
    lots: int = cell.lots - cell.taken
    return lots - cell.traded if cell.epoch == epoch else lots
