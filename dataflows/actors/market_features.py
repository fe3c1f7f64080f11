"""The features of a tick: one kernel that fills a row of `MARKET_SCHEMA` from the actor's state.

A feature is valid once what it is made of has been seen long enough, and none is valid while the book is not synced.
"""

import math

from dataflows.actors.market_kernels import advance, fill_top
from dataflows.actors.market_rows_kernels import close_group
from dataflows.actors.market_rows_state import NO_GROUP
from dataflows.book.sides import depth_quantity
from dataflows.book.state import SYNCED
from dataflows.indicators import microstructure, wilder, windows
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.kernels import Flags, Floats, Record, RecordArray, kernel, part
from dataflows.quality.judge import judge_silence

_AT = {name: column for column, name in enumerate(MARKET_SCHEMA.features)}
_SPREAD, _IMBALANCE, _MICROPRICE = _AT["spread_bps"], _AT["imbalance_1"], _AT["microprice_deviation_bps"]
_DELTA, _FLOW, _RATE = _AT["cvd_1s"], _AT["flow_imbalance_1s"], _AT["trade_rate_10s"]
_RETURN, _VOLATILITY = _AT["return_1s_bps"], _AT["realised_volatility_10s_bps"]
_RANGE, _RANGE_BPS = _AT["average_true_range"], _AT["atr_bps"]
_DIRECTION, _STRENGTH = _AT["adx_14"], _AT["rsi_14"]

_DEPTHS = (5, 20)
_FLOW_SECONDS = (1, 10, 60)
_RATE_SECONDS = 10
_RETURN_SECONDS = (1, 5, 30, 60)
_VOLATILITY_SECONDS = (10, 60)

#: Values of a top as the kernel gives it: best bid, its quantity, best ask, its quantity.
TOP_SIZE = 4


@kernel
def on_tick(states: RecordArray, tick_time_ns: int, best: Floats, values: Floats, valid: Flags) -> bool:
    """Fill the top, the features and their validity as of a tick. Returns whether the book is synced with two sides."""
    synced = fill_row(states[0], tick_time_ns, best, values)
    for column in range(values.size):
        valid[column] = math.isfinite(values[column])
    return synced


@part
def fill_row(state: Record, tick_time_ns: int, best: Floats, values: Floats) -> bool:
    """Fill the top and the features as of a tick. Returns whether the book is synced with two sides."""
    if state.rows.group != NO_GROUP:
        close_group(state)
    advance(state, tick_time_ns)
    judge_silence(state.quality, tick_time_ns)
    state.tick_time_ns = tick_time_ns
    state.sequence += 1
    fill_top(state, best)
    values[:] = math.nan
    synced = bool(state.book.status == SYNCED and not math.isnan(best[0]))
    if synced:
        _fill_book(state, best, values)
        _fill_flow(state, values)
        _fill_prices(state, values)
        _fill_bars(state, microstructure.mid_price(best[0], best[2]), values)
    for column in range(values.size):
        if not math.isfinite(values[column]):
            values[column] = math.nan
    return synced


@part
def _fill_book(state: Record, best: Floats, values: Floats) -> None:
    values[_SPREAD] = microstructure.spread_bps(best[0], best[2])
    values[_IMBALANCE] = microstructure.imbalance(best[1], best[3])
    bids, asks = state.book.bids, state.book.asks
    for index, depth in enumerate(_DEPTHS):
        deep = microstructure.imbalance(depth_quantity(bids, depth), depth_quantity(asks, depth))
        values[_IMBALANCE + 1 + index] = deep
    values[_MICROPRICE] = microstructure.microprice_deviation_bps(best[0], best[1], best[2], best[3])


@part
def _fill_flow(state: Record, values: Floats) -> None:
    for index, seconds in enumerate(_FLOW_SECONDS):
        if windows.has_seconds(state.windows, seconds):
            bought, sold, _ = windows.flow(state.windows, seconds)
            values[_DELTA + index] = bought - sold
            values[_FLOW + index] = microstructure.imbalance(bought, sold)
    if windows.has_seconds(state.windows, _RATE_SECONDS):
        values[_RATE] = windows.flow(state.windows, _RATE_SECONDS)[2] / _RATE_SECONDS


@part
def _fill_prices(state: Record, values: Floats) -> None:
    for index, seconds in enumerate(_RETURN_SECONDS):
        values[_RETURN + index] = windows.log_return_bps(state.windows, seconds)
    for index, seconds in enumerate(_VOLATILITY_SECONDS):
        values[_VOLATILITY + index] = windows.realised_volatility_bps(state.windows, seconds)


@part
def _fill_bars(state: Record, mid: float, values: Floats) -> None:
    if wilder.has_range_and_strength(state.wilder):
        values[_RANGE] = state.wilder.average_true_range
        values[_RANGE_BPS] = windows.BASIS_POINTS * state.wilder.average_true_range / mid
        values[_STRENGTH] = wilder.relative_strength(state.wilder)
    if wilder.has_direction(state.wilder):
        values[_DIRECTION] = state.wilder.average_directional_index
