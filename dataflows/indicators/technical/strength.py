"""Relative strength index, rate of change.

Relative strength: J. Welles Wilder Jr., "New Concepts in Technical Trading Systems", 1978: 100 times the average gain
over average gain and average loss, from the second close on; first value with bar `period + 1`, as in TA-Lib.
Departure: where nothing has moved at all, or not for some 9,000 bars, it is 50, for nothing was weak; TA-Lib says 0
there, and wherever the two averages are below 1e-14 together.

Rate of change: the move from the close `period` bars ago, relative to it; in basis points where TA-Lib's ROC is in
percent. NaN or infinite where that close was 0; TA-Lib says 0.
"""

import math

import numpy as np

from dataflows.indicators.technical import averages, window
from dataflows.indicators.technical.averages import AVERAGE, FADED
from dataflows.indicators.windows import BASIS_POINTS
from dataflows.kernels import Floats, Record, part

STRENGTH = np.dtype(
    [("bars", np.int64), ("close", np.float64), ("gain", AVERAGE), ("loss", AVERAGE)], align=True,
)


@part
def restart(state: Record) -> None:
    """Forget every bar."""
    state.bars = 0
    state.gain.count = 0
    state.loss.count = 0


@part
def add(state: Record, close: float, period: int) -> None:
    """Take in a close."""
    if state.bars > 0:
        change = close - state.close
        averages.add_smoothed(state.gain, max(change, 0.0), period)
        averages.add_smoothed(state.loss, max(-change, 0.0), period)
    state.close = close
    state.bars += 1


@part
def relative_strength(state: Record, period: int) -> float:
    """Return the index, 0 to 100, NaN before `period + 1` bars."""
    if state.gain.count < period:
        return math.nan
    both = state.gain.value + state.loss.value
    return float(100.0 * (state.gain.value / both)) if both > FADED else 50.0


@part
def rate_of_change_bps(closes: Floats, bars: int, period: int) -> float:
    """Return the move over a period in basis points, NaN before `period + 1` bars."""
    before = window.at(closes, bars, period)
    return BASIS_POINTS * (window.at(closes, bars, 0) - before) / before
