"""The technical indicators of one bar length, as one record: bars go in, a row of columns comes out.

The readings are made when a bar closes. A row only sets them against the price of the moment, so it costs next to
nothing however long the bars are. The columns are described, in this order, by `columns.features`.

The owner sets `interval_ns` once: the length of the bars, which tells UTC days apart; `restart` leaves it alone. A
record of zeros is one that was restarted. Bars count as they come: it is for the owner to restart after a gap.
"""

import math

import numpy as np

from dataflows.indicators.technical import (
    averages,
    convergence,
    direction,
    oscillators,
    strength,
    true_range,
    volume,
    window,
)
from dataflows.indicators.technical.averages import AVERAGE
from dataflows.indicators.technical.columns import AMOUNT, BASE, COLUMNS, CONVERSION, DISPLACEMENT, KINDS, LEVEL, SPAN
from dataflows.indicators.technical.convergence import CONVERGENCE
from dataflows.indicators.technical.direction import DIRECTION
from dataflows.indicators.technical.strength import STRENGTH
from dataflows.indicators.technical.true_range import RANGE, SUPERTREND
from dataflows.indicators.technical.volume import SESSION
from dataflows.indicators.windows import BASIS_POINTS
from dataflows.kernels import Floats, Record, part

#: Bars that are remembered: what span B of the Ichimoku cloud looks back, and some.
CAPACITY = 80
DAY_NS = 86_400_000_000_000

TECHNICAL = np.dtype(
    [
        ("interval_ns", np.int64),
        ("bars", np.int64),
        ("highs", np.float64, (CAPACITY,)),
        ("lows", np.float64, (CAPACITY,)),
        ("closes", np.float64, (CAPACITY,)),
        ("volumes", np.float64, (CAPACITY,)),
        ("exponential_20", AVERAGE),
        ("exponential_50", AVERAGE),
        ("strength", STRENGTH),
        ("convergence", CONVERGENCE),
        ("range_10", RANGE),
        ("range_14", RANGE),
        ("supertrend", SUPERTREND),
        ("direction", DIRECTION),
        ("session", SESSION),
        ("readings", np.float64, (len(COLUMNS),)),
    ],
    align=True,
)


@part
def restart(state: Record) -> None:
    """Forget every bar."""
    state.bars = 0
    state.exponential_20.count = 0
    state.exponential_50.count = 0
    strength.restart(state.strength)
    convergence.restart(state.convergence)
    true_range.restart(state.range_10)
    true_range.restart(state.range_14)
    true_range.restart_trend(state.supertrend)
    direction.restart(state.direction)
    volume.restart(state.session)


@part
def add_bar(state: Record, bar: Record) -> None:
    """Take in a closed bar of `dataflows.bars`."""
    slot = state.bars % CAPACITY
    state.highs[slot] = bar.high
    state.lows[slot] = bar.low
    state.closes[slot] = bar.close
    state.volumes[slot] = bar.volume
    state.bars += 1
    averages.add_exponential(state.exponential_20, bar.close, 20)
    averages.add_exponential(state.exponential_50, bar.close, 50)
    strength.add(state.strength, bar.close, 14)
    convergence.add(state.convergence, bar.close, 12, 26, 9)
    true_range.add(state.range_10, bar.high, bar.low, bar.close, 10)
    true_range.add(state.range_14, bar.high, bar.low, bar.close, 14)
    reach = 3.0 * true_range.average(state.range_10, 10)
    true_range.add_trend(state.supertrend, bar.high, bar.low, bar.close, reach)
    direction.add(state.direction, bar.high, bar.low, bar.close, 14)
    volume.add(state.session, bar.index * state.interval_ns // DAY_NS, bar.high, bar.low, bar.close, bar.volume)
    _read(state)


@part
def fill(state: Record, price: float, values: Floats) -> None:
    """Write the columns at a price, the mid price of the moment; NaN where not warm or, beside a price, not known."""
    for column in range(KINDS.size):
        reading = state.readings[column] if state.bars > 0 else math.nan
        if KINDS[column] == LEVEL:
            reading = BASIS_POINTS * (reading - price) / price
        elif KINDS[column] == AMOUNT:
            reading = BASIS_POINTS * reading / price
        values[column] = reading


@part
def _read(state: Record) -> None:
    readings = state.readings
    _read_averages(state, readings[0:5])
    _read_momentum(state, readings[5:13])
    _read_cloud(state, readings[13:18])
    _read_trend(state, readings[18:24])
    _read_channels(state, readings[24:32])
    _read_volume(state, readings[32:35])


@part
def _read_averages(state: Record, out: Floats) -> None:
    out[0] = window.mean(state.closes, state.bars, 20)
    out[1] = window.mean(state.closes, state.bars, 50)
    out[2] = averages.value(state.exponential_20, 20)
    out[3] = averages.value(state.exponential_50, 50)
    out[4] = volume.session_price(state.session)


@part
def _read_momentum(state: Record, out: Floats) -> None:
    bars = state.bars
    out[0] = strength.relative_strength(state.strength, 14)
    out[1] = convergence.line(state.convergence, 26)
    out[2] = convergence.signal_line(state.convergence, 9)
    out[3] = out[1] - out[2]
    out[4] = oscillators.slow_k(state.highs, state.lows, state.closes, bars, 14, 3)
    out[5] = oscillators.slow_d(state.highs, state.lows, state.closes, bars, 14, 3, 3)
    out[6] = strength.rate_of_change_bps(state.closes, bars, 5)
    out[7] = strength.rate_of_change_bps(state.closes, bars, 20)


@part
def _read_cloud(state: Record, out: Floats) -> None:
    highs, lows, bars = state.highs, state.lows, state.bars
    out[0] = window.middle(highs, lows, bars, CONVERSION)
    out[1] = window.middle(highs, lows, bars, BASE)
    out[2] = oscillators.span_a(highs, lows, bars, CONVERSION, BASE, DISPLACEMENT)
    out[3] = oscillators.span_b(highs, lows, bars, SPAN, DISPLACEMENT)
    out[4] = oscillators.lagging(state.closes, bars, DISPLACEMENT)


@part
def _read_trend(state: Record, out: Floats) -> None:
    out[0] = true_range.trend_line(state.supertrend)
    out[1] = true_range.trend_direction(state.supertrend)
    out[2] = true_range.average(state.range_14, 14)
    out[3] = direction.average_index(state.direction, 14)
    out[4] = direction.indicator(state.direction, state.direction.plus, 14)
    out[5] = direction.indicator(state.direction, state.direction.minus, 14)


@part
def _read_channels(state: Record, out: Floats) -> None:
    close, bars = window.at(state.closes, state.bars, 0), state.bars
    centre, reach = oscillators.bands(state.closes, bars, 20, 2.0)
    out[0] = oscillators.percent_b(close, centre, reach)
    out[1] = 2.0 * reach / centre
    out[2] = window.highest(state.highs, bars, 20)
    out[3] = window.lowest(state.lows, bars, 20)
    out[4] = window.place(close, out[3], out[2])
    centre, reach = averages.value(state.exponential_20, 20), 2.0 * true_range.average(state.range_10, 10)
    out[5] = centre + reach
    out[6] = centre - reach
    out[7] = window.place(close, out[6], out[5])


@part
def _read_volume(state: Record, out: Floats) -> None:
    out[0] = volume.rolling_price(state.highs, state.lows, state.closes, state.volumes, state.bars, 20)
    change, traded = volume.balance(state.closes, state.volumes, state.bars, 20)
    out[1] = change
    out[2] = volume.balance_ratio(change, traded)
