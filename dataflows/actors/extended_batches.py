"""Rows of a compiled tape taken into the full actor's state: as `market_batches`, with the full set's observers."""

import numpy as np

from dataflows.actors.extended_features import end_group, fill_row
from dataflows.actors.extended_kernels import observe_time, observe_trade
from dataflows.actors.market_rows_kernels import (
    ROW_LEVELS,
    ROW_OTHER,
    ROW_TRADE,
    class_of,
    due_tick,
    ends_group,
    open_group,
    take_best_row,
    take_level,
    take_trade_row,
)
from dataflows.actors.market_rows_state import NO_GROUP
from dataflows.book.state import BookResult
from dataflows.kernels import Floats, Integers, Record, RecordArray, kernel, part
from dataflows.tapes.rows import SELL_EVENT, Rows

_APPLIED = int(BookResult.APPLIED)


@kernel
def on_rows(
    markets: RecordArray, extendeds: RecordArray, lengths: RecordArray,
    rows: Rows, begin: int, interval_ns: int, times_ns: Integers, tops: Floats, values: Floats,
) -> tuple[int, int]:
    """Take in rows from `begin` on; see `market_batches.on_rows`."""
    market, extended, filled = markets[0], extendeds[0], 0
    for index in range(begin, rows.size):
        row = rows[index]
        flags, time_ns = int(np.int64(row.ev)), row.local_ts
        row_class = class_of(flags)
        if row_class == ROW_OTHER:
            continue
        if ends_group(market.rows, row_class, time_ns, row.exch_ts):
            end_group(market, extended)
        while time_ns >= market.rows.next_tick_ns:
            if filled == times_ns.size:
                return index, filled
            tick_ns = due_tick(market.rows, time_ns, interval_ns)
            if tick_ns == 0:
                break
            fill_row(market, extended, lengths, tick_ns, tops[filled], values[filled])
            times_ns[filled] = tick_ns
            filled += 1
        _take(market, extended, lengths, row_class, flags, row)
    return rows.size, filled


@part
def _take(
    market: Record, extended: Record, lengths: RecordArray, row_class: int, flags: int, row: Record,
) -> None:
    if row_class == ROW_TRADE:
        observe_time(extended, lengths, row.local_ts, True)
        if take_trade_row(market, flags, row.local_ts, row.px, row.qty) == _APPLIED:
            sign = -1.0 if flags & SELL_EVENT != 0 else 1.0
            observe_trade(extended, lengths, market.event_time_ns, row.exch_ts, row.px, row.qty, sign)
        return
    if market.rows.group == NO_GROUP:
        observe_time(extended, lengths, row.local_ts, True)
        open_group(market, row_class, row.local_ts, row.exch_ts)
    if row_class == ROW_LEVELS:
        take_level(market, flags, row.px, row.qty)
    else:
        take_best_row(market, flags, row.px, row.qty)
