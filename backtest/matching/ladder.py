"""The displayed book: both sides' levels, the best prices, and what is still to be had of a level.

Applying a level also tells the queues of our orders that rest there. Nothing fills here: `resting.end_of_batch` does
that once the whole batch is in.
"""

from backtest.kernels import inlined, kernel
from backtest.matching.cells import available, compact, drop_all, find, next_key, place
from backtest.matching.queueing import on_displayed
from backtest.matching.state import NO_KEY, MatchingState
from dataflows.kernels import Record, RecordArray


@inlined
def apply_level(state: MatchingState, side: int, price_ticks: int, lots: int) -> None:
    """Set the displayed lots of a level that the venue named; 0 removes it. What we took from it is forgotten."""
    core = state.core[0]
    if side > 0:
        before = _apply(core.bids, state.bids, 1, price_ticks, lots)
    else:
        before = _apply(core.asks, state.asks, -1, price_ticks, lots)
    if before >= 0:
        on_displayed(state, side, price_ticks, before, lots)
    if core.newer_level_wins and lots > 0:
        _hide_crossed(core, state.bids, state.asks, side)


@kernel
def _hide_crossed(core: Record, bids: RecordArray, asks: RecordArray, side: int) -> None:
    """Take the levels of the other side that a new level has crossed for gone."""
    bid, ask = core.bids.best_key, core.asks.best_key
    if NO_KEY in (bid, ask) or bid + ask < 0:
        return
    if side > 0:
        core.asks.best_key = next_key(core.asks, asks, -1, -bid)
    else:
        core.bids.best_key = next_key(core.bids, bids, 1, -ask)


@kernel
def _apply(side: Record, cells: RecordArray, sign: int, price_ticks: int, lots: int) -> int:
    """Set a level; return its lots before where orders of ours rest there, else -1."""
    at = find(cells, price_ticks)
    if at < 0:
        if lots <= 0 or price_ticks <= 0:
            return -1
        at = place(side, cells, price_ticks)
        if at < 0:
            return -1
    cell = cells[at]
    before = cell.lots
    cell.lots = lots
    cell.taken = 0
    side.levels += (lots > 0) - (before > 0)
    key = sign * price_ticks
    if lots > 0:
        side.far_key = min(side.far_key, key)
        side.best_key = max(side.best_key, key)
    elif key == side.best_key:
        side.best_key = next_key(side, cells, sign, key)
    return int(before) if cell.own > 0 else -1


@kernel
def clear_book(state: MatchingState) -> None:
    """Display nothing any more. The queues of our orders wait for the end of the batch that follows."""
    clear_side(state, 1)
    clear_side(state, -1)


@kernel
def clear_side(state: MatchingState, side: int) -> None:
    """Display nothing of one side any more; see `clear_book`."""
    core = state.core[0]
    core.cleared = 1
    if side > 0:
        drop_all(core.bids, state.bids)
        compact(core.bids, state.bids)
    else:
        drop_all(core.asks, state.asks)
        compact(core.asks, state.asks)


@kernel
def clear_range(state: MatchingState, side: int, from_ticks: int, to_ticks: int) -> None:
    """Display nothing any more of one side between two prices, both included: a partial snapshot is to come."""
    core = state.core[0]
    core.cleared = 1
    if side > 0:
        _clear_range(core.bids, state.bids, 1, from_ticks, to_ticks)
    else:
        _clear_range(core.asks, state.asks, -1, from_ticks, to_ticks)


@kernel
def _clear_range(side: Record, cells: RecordArray, sign: int, from_ticks: int, to_ticks: int) -> None:
    for at in range(cells.size):
        if cells[at].lots > 0 and from_ticks <= cells[at].price_ticks <= to_ticks:
            cells[at].lots = 0
            cells[at].taken = 0
            side.levels -= 1
    if side.best_key != NO_KEY and from_ticks <= sign * side.best_key <= to_ticks:
        side.best_key = next_key(side, cells, sign, side.best_key)


@kernel
def best_bid(state: MatchingState) -> int:
    """Return the best displayed bid in ticks, 0 where there is none."""
    key = state.core[0].bids.best_key
    return 0 if key == NO_KEY else int(key)


@kernel
def best_ask(state: MatchingState) -> int:
    """Return the best displayed ask in ticks, 0 where there is none."""
    key = state.core[0].asks.best_key
    return 0 if key == NO_KEY else int(-key)


@kernel
def best_key(state: MatchingState, side: int) -> int:
    """Return the best key of a side, `NO_KEY` where it has no level."""
    return int(state.core[0].bids.best_key) if side > 0 else int(state.core[0].asks.best_key)


@kernel
def key_after(state: MatchingState, side: int, key: int) -> int:
    """Return the next key of a side behind `key`, `NO_KEY` where there is none."""
    core = state.core[0]
    if side > 0:
        return next_key(core.bids, state.bids, 1, key)
    return next_key(core.asks, state.asks, -1, key)


@kernel
def next_price(state: MatchingState, side: int, price_ticks: int) -> int:
    """Return the next displayed price of a side behind one, 0 where there is none; behind 0 is the best."""
    key = best_key(state, side) if price_ticks == 0 else key_after(state, side, side * price_ticks)
    return 0 if key == NO_KEY else side * key


@kernel
def quantity_at(state: MatchingState, side: int, price_ticks: int) -> int:
    """Return the displayed lots of a price of a side."""
    if side > 0:
        at = find(state.bids, price_ticks)
        return int(state.bids[at].lots) if at >= 0 else 0
    at = find(state.asks, price_ticks)
    return int(state.asks[at].lots) if at >= 0 else 0


@kernel
def available_at(state: MatchingState, side: int, price_ticks: int) -> int:
    """Return the lots of a price of a side that are still to be had, never below zero."""
    epoch = state.core[0].epoch
    if side > 0:
        at = find(state.bids, price_ticks)
        return max(available(state.bids[at], epoch), 0) if at >= 0 else 0
    at = find(state.asks, price_ticks)
    return max(available(state.asks[at], epoch), 0) if at >= 0 else 0


@kernel
def take(state: MatchingState, side: int, price_ticks: int, lots: int) -> None:
    """Remember lots of a displayed level as taken by us."""
    if side > 0:
        state.bids[find(state.bids, price_ticks)].taken += lots
    else:
        state.asks[find(state.asks, price_ticks)].taken += lots


@inlined
def note_trade(state: MatchingState, side: int, price_ticks: int, lots: int) -> None:
    """Remember lots of a displayed level as traded by others, until the batch that shows it."""
    epoch = state.core[0].epoch
    if side > 0:
        _note_trade(state.bids, epoch, price_ticks, lots)
    else:
        _note_trade(state.asks, epoch, price_ticks, lots)


@kernel
def _note_trade(cells: RecordArray, epoch: int, price_ticks: int, lots: int) -> None:
    at = find(cells, price_ticks)
    if at < 0:
        return
    cell = cells[at]
    if cell.epoch != epoch:
        cell.epoch = epoch
        cell.traded = 0
    cell.traded += lots


@kernel
def count_own(state: MatchingState, side: int, price_ticks: int, change: int) -> None:
    """Count our orders that rest at a price, one more or one less."""
    core = state.core[0]
    if side > 0:
        at = place(core.bids, state.bids, price_ticks)
        if at >= 0:
            state.bids[at].own += change
    else:
        at = place(core.asks, state.asks, price_ticks)
        if at >= 0:
            state.asks[at].own += change


@kernel
def taken_at(state: MatchingState, side: int, price_ticks: int) -> int:
    """Return the lots of a level that we have taken since it was last named."""
    if side > 0:
        at = find(state.bids, price_ticks)
        return int(state.bids[at].taken) if at >= 0 else 0
    at = find(state.asks, price_ticks)
    return int(state.asks[at].taken) if at >= 0 else 0
