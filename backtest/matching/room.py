"""Growth: a state whose arrays have room for the next command or batch, twice as large where they have not.

A command can write at most a few lines for every living order and every level, and a batch may name as many new levels
as a quarter of the table; `needs_room` looks at a few counters only.
"""

import numpy as np

from backtest.kernels import inlined, kernel
from backtest.matching.cells import rehash
from backtest.matching.index import enter
from backtest.matching.state import (
    CELL,
    ENTRY,
    INDEX,
    LISTS,
    MARKET_ORDER,
    ORDER,
    OUTPUT,
    MatchingState,
)
from dataflows.kernels import Record, RecordArray

_SPARE_OUTPUTS = 32


@inlined
def needs_room(state: MatchingState) -> bool:
    """Tell whether the next command or batch might not fit; `with_room` is called then."""
    core = state.core[0]
    return bool(
        core.live >= state.orders.size
        or core.market_live >= state.market_orders.size
        or 4 * (core.bids.levels + core.live) > 3 * state.bids.size
        or 4 * (core.asks.levels + core.live) > 3 * state.asks.size
        or core.outputs + _outputs_ahead(core) > state.outputs.size)


@inlined
def _outputs_ahead(core: Record) -> int:
    return int(4 * core.live + core.bids.levels + core.asks.levels + _SPARE_OUTPUTS)


@kernel
def with_room(state: MatchingState) -> MatchingState:
    """Return a state with room: this one where it has it, else one with the same content in larger arrays.

    The old state must not be used any more: records are shared between the two.
    """
    return _grown(state, 0)


@kernel
def with_room_for_levels(state: MatchingState, levels: int) -> MatchingState:
    """Return a state with room as `with_room` does, and for so many new levels on each side."""
    return _grown(state, levels)


@kernel
def _grown(state: MatchingState, levels: int) -> MatchingState:
    core = state.core[0]
    live = core.live
    orders, order_index, entries = state.orders, state.order_index, state.entries
    if live >= orders.size:
        orders, order_index, entries = _larger_orders(state)
    bids = _larger_cells(core.bids, state.bids, live + levels)
    asks = _larger_cells(core.asks, state.asks, live + levels)
    outputs = _larger_outputs(core, state.outputs, levels)
    market_orders, market_index = state.market_orders, state.market_index
    if core.market_live >= market_orders.size:
        market_orders, market_index = _larger_market(market_orders, market_index)
    return MatchingState(
        state.core, bids, asks, orders, order_index, entries, outputs, market_orders, market_index)


@kernel
def _larger_orders(state: MatchingState) -> tuple[RecordArray, RecordArray, RecordArray]:
    size = state.orders.size
    orders = np.zeros(2 * size, ORDER)
    orders[:size] = state.orders
    entries = np.zeros((LISTS, 2 * size), ENTRY)
    entries[:, :size] = state.entries
    return orders, _larger_index(state.order_index), entries


@kernel
def _larger_index(index: RecordArray) -> RecordArray:
    larger = np.zeros(2 * index.size, INDEX)
    for at in range(index.size):
        if index[at].slot > 0:
            enter(larger, index[at].id, index[at].slot - 1)
    return larger


@kernel
def _larger_cells(side: Record, cells: RecordArray, more: int) -> RecordArray:
    if 4 * (side.levels + more) <= 3 * cells.size:
        return cells
    size = cells.size
    while 2 * (side.levels + more) > size:
        size *= 2
    larger = np.zeros(size, CELL)
    side.used = 0
    rehash(side, cells, larger)
    return larger


@kernel
def _larger_outputs(core: Record, outputs: RecordArray, levels: int) -> RecordArray:
    needed, size = core.outputs + _outputs_ahead(core) + 2 * levels, outputs.size
    if needed <= size:
        return outputs
    while size < needed:
        size *= 2
    larger = np.zeros(size, OUTPUT)
    larger[: outputs.size] = outputs
    return larger


@kernel
def _larger_market(orders: RecordArray, index: RecordArray) -> tuple[RecordArray, RecordArray]:
    larger = np.zeros(2 * orders.size, MARKET_ORDER)
    larger[: orders.size] = orders
    return larger, _larger_index(index)
