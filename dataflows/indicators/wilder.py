"""Average true range, average directional index and relative strength index, bar by bar.

Source: J. Welles Wilder Jr., "New Concepts in Technical Trading Systems", 1978. Each starts from the mean of its first
`PERIOD` changes and is smoothed by `(previous * (PERIOD - 1) + new) / PERIOD` from then on, as TA-Lib does it with an
unstable period of 0. One departure: where no close has moved at all the relative strength index is 50 and not 0, for
nothing was weak.
"""

import numpy as np

from dataflows.kernels import Record, kernel

PERIOD = 14

WILDER = np.dtype(
    [
        ("bars", np.int64),
        ("high", np.float64),
        ("low", np.float64),
        ("close", np.float64),
        ("average_true_range", np.float64),
        ("average_gain", np.float64),
        ("average_loss", np.float64),
        ("smoothed_range", np.float64),
        ("smoothed_plus", np.float64),
        ("smoothed_minus", np.float64),
        ("average_directional_index", np.float64),
    ],
    align=True,
)


@kernel
def restart(state: Record) -> None:
    """Forget every bar."""
    state.bars = 0
    state.average_true_range = 0.0
    state.average_gain = 0.0
    state.average_loss = 0.0
    state.smoothed_range = 0.0
    state.smoothed_plus = 0.0
    state.smoothed_minus = 0.0
    state.average_directional_index = 0.0


@kernel
def add_bar(state: Record, high: float, low: float, close: float) -> None:
    """Take in a closed bar."""
    changes = state.bars
    if changes > 0:
        true_range = max(high - low, abs(high - state.close), abs(low - state.close))
        change = close - state.close
        state.average_true_range = _mean(state.average_true_range, true_range, changes)
        state.average_gain = _mean(state.average_gain, max(change, 0.0), changes)
        state.average_loss = _mean(state.average_loss, max(-change, 0.0), changes)
        _add_movement(state, high - state.high, state.low - low, true_range, changes)
    state.bars = changes + 1
    state.high = high
    state.low = low
    state.close = close


@kernel
def _mean(value: float, new: float, changes: int) -> float:
    """Add up the first `PERIOD` changes to their mean, then smooth."""
    if changes < PERIOD:
        return value + new
    if changes == PERIOD:
        return (value + new) / PERIOD
    return (value * (PERIOD - 1) + new) / PERIOD


@kernel
def _add_movement(state: Record, up: float, down: float, true_range: float, changes: int) -> None:
    """Update the directional movement; `up` and `down` are the moves of high and low away from the bar before."""
    kept = 1.0 if changes < PERIOD else 1.0 - 1.0 / PERIOD
    state.smoothed_plus = state.smoothed_plus * kept + (up if up > 0.0 and up > down else 0.0)
    state.smoothed_minus = state.smoothed_minus * kept + (down if down > 0.0 and down > up else 0.0)
    state.smoothed_range = state.smoothed_range * kept + true_range
    both = state.smoothed_plus + state.smoothed_minus
    if changes < PERIOD:
        return
    if both > 0.0:
        index = 100.0 * abs(state.smoothed_plus - state.smoothed_minus) / both
        state.average_directional_index = _mean(state.average_directional_index, index, changes - PERIOD + 1)
    elif changes == 2 * PERIOD - 1:
        state.average_directional_index /= PERIOD


@kernel
def has_range_and_strength(state: Record) -> bool:
    """Tell whether average true range and relative strength index are warm."""
    return bool(state.bars > PERIOD)


@kernel
def has_direction(state: Record) -> bool:
    """Tell whether the average directional index is warm."""
    return bool(state.bars >= 2 * PERIOD)


@kernel
def relative_strength(state: Record) -> float:
    """Return the relative strength index, 0 to 100."""
    both = state.average_gain + state.average_loss
    return float(100.0 * state.average_gain / both) if both > 0.0 else 50.0
