"""Average true range, and the channels and the trend line that stand on it: Keltner, SuperTrend.

True range and its average: J. Welles Wilder Jr., "New Concepts in Technical Trading Systems", 1978; from the second bar
on, first value with bar `period + 1`, as in TA-Lib.

Keltner channel in Linda Raschke's form: the exponential average of the close, and a multiple of the average true range
above and below it (Keltner's own of 1960 had a simple average of the typical price and of the range).

SuperTrend, Olivier Seban: bands a multiple of the average true range above and below the middle of the bar. The upper
band only falls, and the lower only rises, until a close lies beyond it. The line is the upper band while the trend
falls and the lower one while it rises, and turns when a close passes it. It begins falling, as on TradingView.
"""

import math

import numpy as np

from dataflows.indicators.technical import averages
from dataflows.indicators.technical.averages import AVERAGE
from dataflows.kernels import Record, part

RANGE = np.dtype([("bars", np.int64), ("close", np.float64), ("average", AVERAGE)], align=True)
SUPERTREND = np.dtype(
    [("direction", np.float64), ("upper", np.float64), ("lower", np.float64), ("close", np.float64)], align=True,
)


@part
def restart(state: Record) -> None:
    """Forget every bar of a true range."""
    state.bars = 0
    state.average.count = 0


@part
def true_range(high: float, low: float, before: float) -> float:
    """Return the range of a bar from the close before it on."""
    return max(high - low, abs(high - before), abs(low - before))


@part
def add(state: Record, high: float, low: float, close: float, period: int) -> None:
    """Take in a bar."""
    if state.bars > 0:
        averages.add_smoothed(state.average, true_range(high, low, state.close), period)
    state.close = close
    state.bars += 1


@part
def average(state: Record, period: int) -> float:
    """Return the average true range in price units, NaN before `period + 1` bars."""
    return averages.value(state.average, period)


@part
def restart_trend(state: Record) -> None:
    """Forget every bar of a SuperTrend."""
    state.direction = 0.0


@part
def add_trend(state: Record, high: float, low: float, close: float, reach: float) -> None:
    """Take in a bar; `reach` is the multiple of the average true range after it, NaN where that is not warm."""
    if math.isfinite(reach):
        middle = 0.5 * (high + low)
        upper, lower = middle + reach, middle - reach
        begun = state.direction != 0.0
        state.upper = min(upper, state.upper) if begun and state.close <= state.upper else upper
        state.lower = max(lower, state.lower) if begun and state.close >= state.lower else lower
        state.direction = _turned(state.direction, close, state.lower, state.upper)
    state.close = close


@part
def _turned(direction: float, close: float, lower: float, upper: float) -> float:
    if direction > 0.0:
        return -1.0 if close < lower else 1.0
    return 1.0 if direction < 0.0 and close > upper else -1.0


@part
def trend_line(state: Record) -> float:
    """Return the SuperTrend line, a price, NaN where there is none yet."""
    if state.direction == 0.0:
        return math.nan
    return float(state.lower if state.direction > 0.0 else state.upper)


@part
def trend_direction(state: Record) -> float:
    """Return 1 while the trend rises and -1 while it falls, NaN where there is none yet."""
    return float(state.direction) if state.direction != 0.0 else math.nan
