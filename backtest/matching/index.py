"""From an order's id to its slot: a table with open addressing that leaves no gaps behind when an id goes."""

from backtest.kernels import kernel
from dataflows.kernels import RecordArray

_SPREAD = -7046029254386353131  # 2**64 / golden ratio as a signed number: neighbouring ids come to lie far apart


@kernel
def _home(table: RecordArray, number: int) -> int:
    return ((number * _SPREAD) >> 24) & (table.size - 1)


@kernel
def _place(table: RecordArray, number: int) -> int:
    mask = table.size - 1
    at = _home(table, number)
    while table[at].slot != 0 and table[at].id != number:
        at = (at + 1) & mask
    return at


@kernel
def look_up(table: RecordArray, number: int) -> int:
    """Return the slot of an id, or -1."""
    return int(table[_place(table, number)].slot) - 1


@kernel
def enter(table: RecordArray, number: int, slot: int) -> None:
    """Remember the slot of an id. The table must have room."""
    at = _place(table, number)
    table[at].id = number
    table[at].slot = slot + 1


@kernel
def forget(table: RecordArray, number: int) -> None:
    """Forget an id, and move up what its entry had pushed away."""
    mask = table.size - 1
    gap = _place(table, number)
    if table[gap].slot == 0:
        return
    at = (gap + 1) & mask
    while table[at].slot != 0:
        if ((at - _home(table, table[at].id)) & mask) >= ((at - gap) & mask):
            table[gap].id = table[at].id
            table[gap].slot = table[at].slot
            gap = at
        at = (at + 1) & mask
    table[gap].id = 0
    table[gap].slot = 0
