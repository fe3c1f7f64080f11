"""Reaching the records of a state by its address, in kernels: nothing here checks an index."""

from backtest.kernels import inlined
from backtest.matching.state import CELL, CORE, COUNT, ENTRY, INDEX, MARKET_ORDER, ORDER, OUTPUT, SIDE, TABLE
from backtest.memory import element_of, inner_of, record_of, row_element_of
from dataflows.kernels import Record

#: The state's first record.
core_of = record_of(CORE)
#: A cell of one side of the book, (half, index).
cell_at = element_of(SIDE, "cells", CELL)
spare_cell_at = element_of(SIDE, "spare", CELL)
order_at = element_of(CORE, "orders", ORDER)
#: An entry of a sorted list, (state, list, index).
entry_at = row_element_of(CORE, "entries", ENTRY, "order_capacity")
output_at = element_of(CORE, "output_rows", OUTPUT)
market_order_at = element_of(CORE, "market_orders", MARKET_ORDER)
#: A place of a table of ids, (table, index).
place_at = element_of(TABLE, "places", INDEX)
#: A sorted list's length, (state, list).
count_at = inner_of(CORE, "counts", COUNT)
_half_at = inner_of(CORE, "bids", SIDE)


@inlined
def half_of(state: int, side: int) -> Record:
    """Return one side of the book: 1 for bids, -1 for asks."""
    return _half_at(state, (1 - side) >> 1)


@inlined
def length_of(state: int, which: int) -> int:
    """Return how many entries a sorted list has."""
    return int(count_at(state, which).entries)
