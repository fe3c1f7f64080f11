"""From an order's id to its slot: a table with open addressing that leaves no gaps behind when an id goes."""

from backtest.kernels import kernel, part
from backtest.matching.memory import core_of, place_at
from dataflows.kernels import Record

_SPREAD = -7046029254386353131  # 2**64 / golden ratio as a signed number: neighbouring ids come to lie far apart


@part
def _home(mask: int, number: int) -> int:
    return ((number * _SPREAD) >> 24) & mask


@part
def _place(table: Record, number: int) -> int:
    mask = table.mask
    at = _home(mask, number)
    while place_at(table, at).slot != 0 and place_at(table, at).id != number:
        at = (at + 1) & mask
    return at


@part
def look_up(table: Record, number: int) -> int:
    """Return the slot of an id, or -1."""
    return int(place_at(table, _place(table, number)).slot) - 1


@part
def enter(table: Record, number: int, slot: int) -> None:
    """Remember the slot of an id. The table must have room."""
    place = place_at(table, _place(table, number))
    place.id = number
    place.slot = slot + 1


@part
def forget(table: Record, number: int) -> None:
    """Forget an id, and move up what its entry had pushed away."""
    mask = table.mask
    gap = _place(table, number)
    if place_at(table, gap).slot == 0:
        return
    at = (gap + 1) & mask
    while place_at(table, at).slot != 0:
        moved = place_at(table, at)
        if ((at - _home(mask, moved.id)) & mask) >= ((at - gap) & mask):
            place_at(table, gap).id = moved.id
            place_at(table, gap).slot = moved.slot
            gap = at
        at = (at + 1) & mask
    place_at(table, gap).id = 0
    place_at(table, gap).slot = 0


@kernel
def remember(state: int, market: bool, number: int, slot: int) -> None:
    """Enter an id of our orders, or of the market's, from Python: into a table that has just grown."""
    core = core_of(state)
    enter(core.market_index if market else core.order_index, number, slot)
