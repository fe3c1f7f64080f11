"""Averages that remember everything, fading: the exponential one and Wilder's.

Each begins as the mean of its first `period` values (TA-Lib's classic seed with an unstable period of 0). From then on
the exponential average goes `2 / (period + 1)` of the way to a new value, and Wilder's `1 / period` of it (J. Welles
Wilder Jr., "New Concepts in Technical Trading Systems", 1978). The mean is kept as it grows, which is exactly the value
where all are the same; TA-Lib divides the sum, which differs in the last bits only.
"""

import math

import numpy as np

from dataflows.kernels import Record, part

#: A sum that fades and is below this has lost its digits, and a ratio of two such sums says nothing.
FADED = 1e-290

AVERAGE = np.dtype([("count", np.int64), ("value", np.float64)], align=True)


@part
def add_exponential(state: Record, new: float, period: int) -> None:
    """Take a value into an exponential average."""
    _go(state, new, 1.0 / (state.count + 1) if state.count < period else 2.0 / (period + 1))


@part
def add_smoothed(state: Record, new: float, period: int) -> None:
    """Take a value into Wilder's average."""
    _go(state, new, 1.0 / min(state.count + 1, period))


@part
def _go(state: Record, new: float, share: float) -> None:
    state.value = state.value + share * (new - state.value) if state.count > 0 else new
    state.count += 1


@part
def value(state: Record, period: int) -> float:
    """Return the average, NaN before it has taken in a period's values."""
    return float(state.value) if state.count >= period else math.nan
