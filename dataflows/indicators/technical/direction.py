"""Average directional index and the two directional indicators.

J. Welles Wilder Jr., "New Concepts in Technical Trading Systems", 1978. Movement and true range begin as the sum of
their first `period - 1` values and then keep `1 - 1 / period` of themselves; the index is Wilder's average of 100 times
the difference of the indicators over their sum. As in TA-Lib, a bar without any movement counts as 0 into the first
mean and not at all later, and an indicator is 0 where there was no range. TA-Lib takes anything below 1e-14 for 0,
which in a small price is a market that moves; here only what has faded is, some 9,000 bars after the last move.
"""

import math

import numpy as np

from dataflows.indicators.technical import averages
from dataflows.indicators.technical.averages import AVERAGE, FADED
from dataflows.indicators.technical.true_range import true_range
from dataflows.kernels import Record, part

DIRECTION = np.dtype(
    [
        ("bars", np.int64),
        ("high", np.float64),
        ("low", np.float64),
        ("close", np.float64),
        ("range", np.float64),
        ("plus", np.float64),
        ("minus", np.float64),
        ("index", AVERAGE),
    ],
    align=True,
)


@part
def restart(state: Record) -> None:
    """Forget every bar."""
    state.bars = 0
    state.range = 0.0
    state.plus = 0.0
    state.minus = 0.0
    state.index.count = 0


@part
def add(state: Record, high: float, low: float, close: float, period: int) -> None:
    """Take in a bar."""
    if state.bars > 0:
        _add_movement(state, high, low, period)
    if state.bars >= period:
        _add_index(state, period)
    state.high = high
    state.low = low
    state.close = close
    state.bars += 1


@part
def _add_movement(state: Record, high: float, low: float, period: int) -> None:
    up, down = high - state.high, state.low - low
    kept = 1.0 if state.bars < period else 1.0 - 1.0 / period
    state.range = state.range * kept + true_range(high, low, state.close)
    state.plus = state.plus * kept + (up if up > 0.0 and up > down else 0.0)
    state.minus = state.minus * kept + (down if down > 0.0 and down > up else 0.0)


@part
def _add_index(state: Record, period: int) -> None:
    both = state.plus + state.minus
    if both > FADED:
        averages.add_smoothed(state.index, 100.0 * (abs(state.plus - state.minus) / both), period)
    elif state.index.count < period:
        averages.add_smoothed(state.index, 0.0, period)


@part
def average_index(state: Record, period: int) -> float:
    """Return the average directional index, 0 to 100, NaN before `2 * period` bars."""
    return averages.value(state.index, period)


@part
def indicator(state: Record, movement: float, period: int) -> float:
    """Return a directional indicator, 0 to 100, of the plus or minus movement, NaN before `period + 1` bars."""
    if state.bars <= period:
        return math.nan
    return float(100.0 * (movement / state.range)) if state.range > FADED else 0.0
