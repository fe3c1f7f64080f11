"""How an instrument moves with the reference instrument: correlation, beta, lead, and return beyond it.

Returns are logs of mid prices from tick to tick, of both instruments at the same ticks; windows are counted in ticks.
Each value is computed anew over its window, so nothing drifts. Which instrument is the reference is not said here; for
the reference itself correlation and beta are 1 and the relative return 0.
"""

import math

import numpy as np

from dataflows.indicators.registry import Clock, Feature, WarmUp
from dataflows.indicators.statistical.moments import centre, sum_of_products
from dataflows.indicators.windows import BASIS_POINTS
from dataflows.kernels import Floats, Record, RecordArray, kernel, part
from sluice.errors import InputError

#: Ticks of the windows.
WINDOWS = (60, 300, 900)
#: Ticks in the rings: the longest window and some.
TICK_CAPACITY = 1024

_INPUTS = "mid prices of the instrument and of the reference at each tick"


def _features(
    kind: str, definition: str, source: str, unit: str, *bounds: float, ticks_before: int = 0,
) -> tuple[Feature, ...]:
    ending = "_bps" if unit == "bps" else ""
    return tuple(
        Feature(f"{kind}_{window}_ticks{ending}", definition, source, _INPUTS,
                WarmUp(window + ticks_before, Clock.TICKS), unit, *bounds)
        for window in WINDOWS
    )


FEATURES: tuple[Feature, ...] = (
    *_features("reference_correlation", "Pearson correlation of returns with those of the reference",
               "Pearson (1895)", "ratio", -1.0, 1.0),
    *_features("reference_beta", "slope of the line of least squares of returns on those of the reference",
               "Sharpe, Journal of Finance 19 (1964)", "ratio"),
    *_features("reference_lead_correlation",
               "Pearson correlation of returns with those of the reference one tick before",
               "Lo and MacKinlay, Review of Financial Studies 3 (1990)", "ratio", -1.0, 1.0, ticks_before=1),
    *_features("reference_relative_return", "log return over the window less that of the reference",
               "definition", "bps"),
)

CROSS_ASSET = np.dtype(
    [
        ("started", np.int64),
        ("ticks", np.int64),
        ("mid", np.float64),
        ("reference_mid", np.float64),
        ("returns", np.float64, (TICK_CAPACITY,)),
        ("reference_returns", np.float64, (TICK_CAPACITY,)),
    ],
    align=True,
)


@kernel
def correlation_and_beta(values: Floats, reference: Floats) -> tuple[float, float]:
    """Return the correlation (-1 to 1) and the slope of `values` on `reference`, two windows of equal length.

    Both are NaN where a window has a NaN or the reference is constant; where only `values` is, the slope is 0 and there
    is no correlation.
    """
    deviations, reference_deviations = np.empty(values.size), np.empty(reference.size)
    squares, reference_squares = centre(values, deviations), centre(reference, reference_deviations)
    products = sum_of_products(deviations, reference_deviations)
    correlation = products / math.sqrt(squares * reference_squares)
    if abs(correlation) > 1.0:
        correlation = math.copysign(1.0, correlation)
    return correlation, products / reference_squares


@part
def restart(state: Record) -> None:
    """Forget every tick."""
    state.started = 0


@part
def on_tick(state: Record, mid: float, reference_mid: float) -> None:
    """Take in the mid prices of the instrument and of the reference at a tick, NaN where one is not known."""
    if state.started == 0:
        state.started = 1
        state.ticks = 0
        state.mid = math.nan
        state.reference_mid = math.nan
        state.returns[:] = math.nan
        state.reference_returns[:] = math.nan
    slot = state.ticks % TICK_CAPACITY
    state.returns[slot] = _log_return(state.mid, mid)
    state.reference_returns[slot] = _log_return(state.reference_mid, reference_mid)
    state.ticks += 1
    state.mid = mid
    state.reference_mid = reference_mid


@part
def fill(state: Record, values: Floats) -> None:
    """Write the features into `values`, of the length of `FEATURES`; NaN where one is not warm or cannot be said."""
    values[:] = math.nan
    if state.started == 0:
        return
    returns, reference = np.empty(WINDOWS[-1]), np.empty(WINDOWS[-1] + 1)
    for back in range(reference.size):
        slot = (state.ticks - 1 - back) % TICK_CAPACITY
        reference[reference.size - 1 - back] = state.reference_returns[slot]
        if back < returns.size:
            returns[returns.size - 1 - back] = state.returns[slot]
    for index, ticks in enumerate(WINDOWS):
        _fill_window(returns[returns.size - ticks :], reference[reference.size - ticks - 1 :], index, values)


def features_of(mids: Floats, reference_mids: Floats) -> Floats:
    """Return the features at each tick of two arrays of mid prices, one row a tick, by the kernels of the stream.

    Raises `InputError` where the arrays differ in length.
    """
    if mids.size != reference_mids.size:
        raise InputError(f"reference_mids must have {mids.size} values as mids has, was {reference_mids.size}")
    rows = np.empty((mids.size, len(FEATURES)))
    _over_ticks(np.zeros(1, CROSS_ASSET), mids, reference_mids, rows)
    return rows


@kernel
def _over_ticks(states: RecordArray, mids: Floats, reference_mids: Floats, rows: Floats) -> None:
    for tick in range(mids.size):
        on_tick(states[0], mids[tick], reference_mids[tick])
        fill(states[0], rows[tick])


@part
def _fill_window(returns: Floats, reference: Floats, index: int, values: Floats) -> None:
    """Write the features of one window; the reference has one return more, at its beginning."""
    correlation, beta = correlation_and_beta(returns, reference[1:])
    values[index] = correlation
    values[len(WINDOWS) + index] = beta
    values[2 * len(WINDOWS) + index] = correlation_and_beta(returns, reference[:-1])[0]
    relative = 0.0
    for tick in range(returns.size):
        relative += returns[tick] - reference[tick + 1]
    values[3 * len(WINDOWS) + index] = BASIS_POINTS * relative


@part
def _log_return(then: float, now: float) -> float:
    change = math.log(now / then)
    return change if math.isfinite(change) else math.nan
