"""Moving average convergence and divergence: line, signal, histogram.

Gerald Appel, "Technical Analysis: Power Tools for Active Investors", 2005: the fast less the slow exponential average
of the close; the signal is the exponential average of that line; the histogram is line less signal. As in TA-Lib both
averages have their first value on the same bar, number `slow`, the fast one being seeded from the closes just before
it. Departure: the line is given from bar `slow` on, where TA-Lib holds it back until the signal is there.
"""

import math

import numpy as np

from dataflows.indicators.technical import averages
from dataflows.indicators.technical.averages import AVERAGE
from dataflows.kernels import Record, part

CONVERGENCE = np.dtype(
    [("bars", np.int64), ("fast", AVERAGE), ("slow", AVERAGE), ("signal", AVERAGE)], align=True,
)


@part
def restart(state: Record) -> None:
    """Forget every bar."""
    state.bars = 0
    state.fast.count = 0
    state.slow.count = 0
    state.signal.count = 0


@part
def add(state: Record, close: float, fast: int, slow: int, signal: int) -> None:
    """Take in a close."""
    state.bars += 1
    averages.add_exponential(state.slow, close, slow)
    if state.bars > slow - fast:
        averages.add_exponential(state.fast, close, fast)
    if state.bars >= slow:
        averages.add_exponential(state.signal, state.fast.value - state.slow.value, signal)


@part
def line(state: Record, slow: int) -> float:
    """Return fast less slow average in price units, NaN before `slow` bars."""
    return float(state.fast.value - state.slow.value) if state.bars >= slow else math.nan


@part
def signal_line(state: Record, signal: int) -> float:
    """Return the average of the line in price units, NaN before `slow + signal - 1` bars."""
    return averages.value(state.signal, signal)
