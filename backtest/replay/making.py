"""Making the hot view of a run: its arrays, as large as they may become, and each instrument's record."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from backtest.matching.arrays import MatchingState, new_state
from backtest.replay.assets import ReplayAsset
from backtest.replay.checks import RowsFound
from backtest.replay.entry_points import ENTRIES
from backtest.replay.layout import (
    ASSET,
    CLOCK,
    FILL,
    FUNDING_EVENT,
    LATENCY,
    NEVER,
    NUMBER,
    ORDER,
    POINT,
    POSITION,
    REQUEST,
    RESPONSE_MESSAGE,
    HotView,
)
from backtest.replay.limits import Limits
from dataflows.kernels import RecordArray
from sluice.errors import InputError

_MOST_DEPTH_TICKS = 1 << 28
_MOST_CELLS = 1 << 16


def make_view(assets: Sequence[ReplayAsset], found: Sequence[RowsFound], limits: Limits) -> HotView:
    """Return a hot view at the first row's time. Whoever has it keeps the assets' rows alive."""
    count, spans = len(assets), [_span(asset, rows) for asset, rows in zip(assets, found, strict=True)]
    table = np.zeros(count, ASSET)
    for at, (asset, rows) in enumerate(zip(assets, found, strict=True)):
        _describe(table[at], asset)
        table[at]["depth_offset"] = sum(spans[:at]) - rows.lowest_ticks
        table[at]["trades_offset"] = sum(earlier.trades for earlier in found[:at])
    funding = _joined(table, "funding_at", "funding_end", [asset.funding for asset in assets], FUNDING_EVENT)
    latency = _joined(table, "latency_offset", "latency_count", [_samples(asset) for asset in assets], LATENCY)
    table["latency_count"] -= table["latency_offset"]
    table["timer_ns"] = [asset.funding["time_ns"][0] if len(asset.funding) else NEVER for asset in assets]
    clock = _clock(found, limits)
    return HotView(
        ENTRIES.address(), _matching(assets, found), clock=clock, assets=table,
        positions=np.zeros((count, 3), POSITION), bids=np.zeros(sum(spans), NUMBER), asks=np.zeros(sum(spans), NUMBER),
        trades=np.zeros(sum(rows.trades for rows in found), NUMBER), orders=np.zeros(limits.orders + 1, ORDER),
        requests=np.zeros((count, limits.messages), REQUEST),
        responses=np.zeros((count, limits.messages), RESPONSE_MESSAGE),
        updates=np.zeros(limits.messages, RESPONSE_MESSAGE), fills=np.zeros(limits.fills, FILL),
        curve=np.zeros((_points(found, limits), count), POINT), funding=funding, latency=latency)


def _span(asset: ReplayAsset, rows: RowsFound) -> int:
    span = rows.highest_ticks - rows.lowest_ticks + 1
    if span > _MOST_DEPTH_TICKS:
        raise InputError(f"prices of {asset.name} must lie within {_MOST_DEPTH_TICKS:,} ticks, were {span:,} apart",
                         fix="check the tick size, and the rows for prices that cannot be")
    return span


def _describe(record: Any, asset: ReplayAsset) -> None:
    record["rows_address"], record["rows"] = asset.rows.ctypes.data, len(asset.rows)
    record["tick_size"], record["lot_size"] = asset.tick_size, asset.lot_size
    record["ticks_per_price"], record["lots_per_quantity"] = 1.0 / asset.tick_size, 1.0 / asset.lot_size
    record["contract_size"], record["inverse"] = asset.contract_size, asset.inverse
    record["maker_fee"], record["taker_fee"] = asset.fees.maker, asset.fees.taker
    record["bid_low"] = record["ask_low"] = NEVER


def _samples(asset: ReplayAsset) -> RecordArray:
    samples = np.zeros(len(asset.latency.request_ns), LATENCY)
    for name in LATENCY.names or ():
        samples[name] = getattr(asset.latency, name)
    return samples


def _joined(
    table: RecordArray, first: str, end: str, parts: Sequence[RecordArray], dtype: np.dtype[np.void]
) -> RecordArray:
    """Put the parts of all instruments behind one another, and note where each begins and ends."""
    ends = np.cumsum([len(part) for part in parts])
    table[end] = ends
    table[first] = ends - [len(part) for part in parts]
    return np.concatenate([np.zeros(0, dtype), *parts])


def _clock(found: Sequence[RowsFound], limits: Limits) -> RecordArray:
    clock = np.zeros(1, CLOCK)
    first_ns = min(rows.first_ns for rows in found)
    clock["now_ns"], clock["last_ns"] = first_ns, max(rows.last_ns for rows in found)
    clock["record_interval_ns"] = limits.record_interval_ns
    clock["next_record_ns"] = first_ns + limits.record_interval_ns if limits.record_interval_ns else NEVER
    return clock


def _points(found: Sequence[RowsFound], limits: Limits) -> int:
    """Return how many times are recorded: the interval's, and the end."""
    length_ns = max(rows.last_ns for rows in found) - min(rows.first_ns for rows in found)
    return 1 + (length_ns // limits.record_interval_ns if limits.record_interval_ns else 0)


def _matching(assets: Sequence[ReplayAsset], found: Sequence[RowsFound]) -> list[MatchingState]:
    spans = [2 * (rows.highest_ticks - rows.lowest_ticks + 1) for rows in found]
    return [
        _state(asset, min(max(4096, span), _MOST_CELLS), asset.matching.open_orders)
        for asset, span in zip(assets, spans, strict=True)]


def _state(asset: ReplayAsset, cells: int, orders: int) -> MatchingState:
    rules = asset.matching
    state = new_state(
        queue_model=rules.queue_model, queue_power=rules.queue_power, quantity_per_lot=asset.lot_size,
        partial_fills=rules.partial_fills, newer_level_wins=rules.newer_level_wins, simultaneous_trades=True,
        level_capacity=cells, order_capacity=orders, output_capacity=4 * orders)
    state.core["synced"] = 1
    return state
