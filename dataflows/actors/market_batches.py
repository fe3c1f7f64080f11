"""Rows of a compiled tape taken into a market actor's state, with a row of features at each tick between them."""

import numpy as np

from dataflows.actors.market_features import fill_row
from dataflows.actors.market_rows_kernels import (
    ROW_LEVELS,
    ROW_OTHER,
    ROW_TRADE,
    class_of,
    close_group,
    due_tick,
    ends_group,
    open_group,
    take_best_row,
    take_level,
    take_trade_row,
)
from dataflows.actors.market_rows_state import NO_GROUP
from dataflows.kernels import Floats, Integers, Record, RecordArray, kernel, part
from dataflows.tapes.rows import Rows


@kernel
def on_rows(
    states: RecordArray, rows: Rows, begin: int, interval_ns: int, times_ns: Integers, tops: Floats, values: Floats,
) -> tuple[int, int]:
    """Take in rows from `begin` on; fill time, top and features of every tick that comes before one of them.

    Stops before a row with whose ticks there would be more of them than there is room for. Returns the next row and
    the number of ticks.
    """
    state, filled = states[0], 0
    for index in range(begin, rows.size):
        row = rows[index]
        flags, time_ns = int(np.int64(row.ev)), row.local_ts
        row_class = class_of(flags)
        if row_class == ROW_OTHER:
            continue
        if ends_group(state.rows, row_class, time_ns, row.exch_ts):
            close_group(state)
        while time_ns >= state.rows.next_tick_ns:
            if filled == times_ns.size:
                return index, filled
            tick_ns = due_tick(state.rows, time_ns, interval_ns)
            if tick_ns == 0:
                break
            fill_row(state, tick_ns, tops[filled], values[filled])
            times_ns[filled] = tick_ns
            filled += 1
        _take(state, row_class, flags, row)
    return rows.size, filled


@part
def _take(state: Record, row_class: int, flags: int, row: Record) -> None:
    if row_class == ROW_TRADE:
        take_trade_row(state, flags, row.local_ts, row.px, row.qty)
        return
    if state.rows.group == NO_GROUP:
        open_group(state, row_class, row.local_ts, row.exch_ts)
    if row_class == ROW_LEVELS:
        take_level(state, flags, row.px, row.qty)
    else:
        take_best_row(state, flags, row.px, row.qty)
