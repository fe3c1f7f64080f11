"""The displayed book: both sides' levels, the best prices, and what is still to be had of a level.

Applying a level also tells the queues of our orders that rest there. Nothing fills here: `resting.end_of_batch` does
that once the whole batch is in.
"""

from backtest.kernels import inlined, kernel, part
from backtest.matching.cells import available, compact, drop_all, find, next_key, place
from backtest.matching.entry_points import ENTRIES
from backtest.matching.memory import cell_at, core_of, half_of
from backtest.matching.queueing import on_displayed
from backtest.matching.state import NO_KEY
from dataflows.kernels import Record


@inlined
def apply_level(state: int, side: int, price_ticks: int, lots: int) -> None:
    """Set the displayed lots of a level that the venue named; 0 removes it. What we took from it is forgotten."""
    before = _apply(state, half_of(state, side), price_ticks, lots)
    if before >= 0:
        on_displayed(state, side, price_ticks, before, lots)
    if lots > 0 and core_of(state).newer_level_wins:
        _hide_crossed(state, side)


@part
def _hide_crossed(state: int, side: int) -> None:
    """Take the levels of the other side that a new level has crossed for gone."""
    key, other = half_of(state, side).best_key, half_of(state, -side)
    if NO_KEY in (key, other.best_key) or key + other.best_key < 0:
        return
    other.best_key = next_key(other, -key)


@part
def _apply(state: int, half: Record, price_ticks: int, lots: int) -> int:
    """Set a level; return its lots before where orders of ours rest there, else -1."""
    at = find(half, price_ticks)
    if at < 0:
        if lots <= 0 or price_ticks <= 0:
            return -1
        at = place(state, half, price_ticks)
        if at < 0:
            return -1
    cell = cell_at(half, at)
    before = cell.lots
    cell.lots = lots
    cell.taken = 0
    half.levels += (lots > 0) - (before > 0)
    key = half.sign * price_ticks
    if lots > 0:
        half.far_key = min(half.far_key, key)
        half.best_key = max(half.best_key, key)
    elif key == half.best_key:
        half.best_key = next_key(half, key)
    return int(before) if cell.own > 0 else -1


@kernel
def clear_book(state: int) -> None:
    """Display nothing any more. The queues of our orders wait for the end of the batch that follows."""
    clear_side(state, 1)
    clear_side(state, -1)


@ENTRIES.entry
def clear_side(state: int, side: int) -> None:
    """Display nothing of one side any more; see `clear_book`."""
    core_of(state).cleared = 1
    drop_all(half_of(state, side))
    compact(state, side)


@ENTRIES.entry
def clear_range(state: int, side: int, from_ticks: int, to_ticks: int) -> None:
    """Display nothing any more of one side between two prices, both included: a partial snapshot is to come."""
    core_of(state).cleared = 1
    half = half_of(state, side)
    for at in range(half.mask + 1):
        cell = cell_at(half, at)
        if cell.lots > 0 and from_ticks <= cell.price_ticks <= to_ticks:
            cell.lots = 0
            cell.taken = 0
            half.levels -= 1
    if half.best_key != NO_KEY and from_ticks <= half.sign * half.best_key <= to_ticks:
        half.best_key = next_key(half, half.best_key)


@kernel
def best_bid(state: int) -> int:
    """Return the best displayed bid in ticks, 0 where there is none."""
    key = half_of(state, 1).best_key
    return 0 if key == NO_KEY else int(key)


@kernel
def best_ask(state: int) -> int:
    """Return the best displayed ask in ticks, 0 where there is none."""
    key = half_of(state, -1).best_key
    return 0 if key == NO_KEY else int(-key)


@kernel
def next_price(state: int, side: int, price_ticks: int) -> int:
    """Return the next displayed price of a side behind one, 0 where there is none; behind 0 is the best."""
    half = half_of(state, side)
    key = half.best_key if price_ticks == 0 else next_key(half, side * price_ticks)
    return 0 if key == NO_KEY else int(side * key)


@kernel
def quantity_at(state: int, side: int, price_ticks: int) -> int:
    """Return the displayed lots of a price of a side."""
    half = half_of(state, side)
    at = find(half, price_ticks)
    return int(cell_at(half, at).lots) if at >= 0 else 0


@kernel
def available_at(state: int, side: int, price_ticks: int) -> int:
    """Return the lots of a price of a side that are still to be had, never below zero."""
    half = half_of(state, side)
    at = find(half, price_ticks)
    return max(available(cell_at(half, at), core_of(state).epoch), 0) if at >= 0 else 0


@part
def take(state: int, side: int, price_ticks: int, lots: int) -> None:
    """Remember lots of a displayed level as taken by us."""
    half = half_of(state, side)
    cell_at(half, find(half, price_ticks)).taken += lots


@part
def note_trade(state: int, side: int, price_ticks: int, lots: int) -> None:
    """Remember lots of a displayed level as traded by others, until the batch that shows it."""
    half, epoch = half_of(state, side), core_of(state).epoch
    at = find(half, price_ticks)
    if at < 0:
        return
    cell = cell_at(half, at)
    if cell.epoch != epoch:
        cell.epoch = epoch
        cell.traded = 0
    cell.traded += lots


@part
def count_own(state: int, side: int, price_ticks: int, change: int) -> None:
    """Count our orders that rest at a price, one more or one less."""
    half = half_of(state, side)
    at = place(state, half, price_ticks)
    if at >= 0:
        cell_at(half, at).own += change


@part
def taken_at(state: int, side: int, price_ticks: int) -> int:
    """Return the lots of a level that we have taken since it was last named."""
    half = half_of(state, side)
    at = find(half, price_ticks)
    return int(cell_at(half, at).taken) if at >= 0 else 0
