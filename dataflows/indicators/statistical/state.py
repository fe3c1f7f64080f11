"""What the statistical features remember of an instrument, and the kernels that fill their columns.

A ring of one-second log returns of the mid price and a ring of one-minute bars; `fill` copies windows out of them and
calls the kernels of this package. Nothing is summed up over the stream, so nothing drifts. What was filled is kept
until the next second or bar: ticks in between cost a copy.
"""

import math

import numpy as np

from dataflows.indicators.statistical import entropy, hurst, moments, ranges, variance
from dataflows.indicators.statistical.features import (
    DETRENDED_SIZES,
    FEATURES,
    HORIZONS,
    LAGS,
    LONG_SECONDS,
    MINUTES,
    RESCALED_SIZES,
    SAMPLE_ENTROPY_SECONDS,
    SECONDS,
    VOLATILITY_SPAN_SECONDS,
)
from dataflows.indicators.windows import BASIS_POINTS
from dataflows.kernels import Floats, Record, part

#: Seconds and bars in the rings: the longest windows and some.
SECOND_CAPACITY = 1024
MINUTE_CAPACITY = 64

STATISTICAL = np.dtype(
    [
        ("started", np.int64),
        ("second", np.int64),
        ("mid", np.float64),
        ("returns", np.float64, (SECOND_CAPACITY,)),
        ("bars", np.int64),
        ("ring", np.float64, (4, MINUTE_CAPACITY)),
        ("is_filled", np.int64),
        ("filled", np.float64, (len(FEATURES),)),
    ],
    align=True,
)

_AT = {feature.name: column for column, feature in enumerate(FEATURES)}
_VOLATILITY, _VOLATILITY_2 = _AT["realised_volatility_300s_bps"], _AT["volatility_of_volatility_300s_bps"]
_SKEWNESS, _KURTOSIS = _AT["skewness_60s"], _AT["excess_kurtosis_60s"]
_AUTOCORRELATION = _AT["autocorrelation_lag_1_60s"]
_RESCALED, _DETRENDED = _AT["hurst_rescaled_range_300s"], _AT["hurst_detrended_300s"]
_SHANNON, _PERMUTATION = _AT["shannon_entropy_60s"], _AT["permutation_entropy_60s"]
_SAMPLE = _AT["sample_entropy_300s"]
_RATIO, _RATIO_Z = _AT["variance_ratio_2s_300s"], _AT["variance_ratio_z_2s_300s"]
_JUMP, _JUMP_Z = _AT["jump_share_300s"], _AT["jump_z_300s"]
_PARKINSON, _GARMAN_KLASS = _AT["parkinson_volatility_15m_bps"], _AT["garman_klass_volatility_15m_bps"]
_YANG_ZHANG = _AT["yang_zhang_volatility_15m_bps"]

_PATTERN = 3
_RESCALED_BOXES = hurst.boxes(*RESCALED_SIZES)
_DETRENDED_BOXES = hurst.boxes(*DETRENDED_SIZES)


@part
def restart(state: Record) -> None:
    """Forget every second and bar."""
    state.started = 0
    state.bars = 0
    state.is_filled = 0


@part
def on_second(state: Record, second: int, mid: float) -> None:
    """Take in the mid price at the start of a second, NaN where it is not known.

    Seconds come one by one; after one that is not the next, the returns begin anew and the bars stay.
    """
    if state.started == 0 or second != state.second + 1:
        state.returns[:] = math.nan
        state.started = 1
        state.mid = math.nan
    change = math.log(mid / state.mid)
    state.returns[second % SECOND_CAPACITY] = change if math.isfinite(change) else math.nan
    state.second = second
    state.mid = mid
    state.is_filled = 0


@part
def add_bar(state: Record, bar: Record) -> None:
    """Take in a closed bar of one minute."""
    slot = state.bars % MINUTE_CAPACITY
    state.ring[0, slot] = bar.open
    state.ring[1, slot] = bar.high
    state.ring[2, slot] = bar.low
    state.ring[3, slot] = bar.close
    state.bars += 1
    state.is_filled = 0


@part
def fill(state: Record, values: Floats) -> None:
    """Write the features into `values`, of the length of `FEATURES`; NaN where one is not warm or cannot be said."""
    if state.is_filled == 0:
        fresh = np.full(values.size, math.nan)
        if state.started == 1:
            _fill_seconds(_latest_returns(state), fresh)
        _fill_bars(state, fresh)
        for column in range(fresh.size):
            state.filled[column] = fresh[column] if math.isfinite(fresh[column]) else math.nan
        state.is_filled = 1
    values[:] = state.filled


@part
def _latest_returns(state: Record) -> Floats:
    """Return the returns of the longest window, the latest last."""
    returns = np.empty(SECONDS[-1])
    first = state.second - returns.size + 1
    for index in range(returns.size):
        returns[index] = state.returns[(first + index) % SECOND_CAPACITY]
    return returns


@part
def _fill_seconds(returns: Floats, values: Floats) -> None:
    for index, seconds in enumerate(SECONDS):
        _fill_shape(returns[returns.size - seconds :], index, values)
    for index, seconds in enumerate(LONG_SECONDS):
        window = returns[returns.size - seconds :]
        if not moments.has_unknown(window):
            _fill_long(window, index, values)
            _fill_variances(window, index, values)
    values[_SAMPLE] = entropy.sample_entropy(returns[returns.size - SAMPLE_ENTROPY_SECONDS :])


@part
def _fill_shape(window: Floats, index: int, values: Floats) -> None:
    if moments.has_unknown(window):
        return
    values[_SKEWNESS + index] = moments.skewness(window)
    values[_KURTOSIS + index] = moments.excess_kurtosis(window)
    for row, lag in enumerate(LAGS):
        values[_AUTOCORRELATION + row * len(SECONDS) + index] = moments.autocorrelation(window, lag)
    values[_SHANNON + index] = entropy.shannon_entropy(window)
    values[_PERMUTATION + index] = entropy.permutation_entropy(window, _PATTERN)


@part
def _fill_long(window: Floats, index: int, values: Floats) -> None:
    values[_VOLATILITY + index] = BASIS_POINTS * moments.realised_volatility(window)
    values[_VOLATILITY_2 + index] = BASIS_POINTS * moments.volatility_of_volatility(window, VOLATILITY_SPAN_SECONDS)
    values[_RESCALED + index] = hurst.hurst_rescaled_range(window, _RESCALED_BOXES)
    values[_DETRENDED + index] = hurst.hurst_detrended(window, _DETRENDED_BOXES)


@part
def _fill_variances(window: Floats, index: int, values: Floats) -> None:
    for row, horizon in enumerate(HORIZONS):
        column = 2 * row * len(LONG_SECONDS) + index
        values[_RATIO + column], values[_RATIO_Z + column] = variance.variance_ratio(window, horizon)
    values[_JUMP + index], values[_JUMP_Z + index] = variance.jump_test(window)


@part
def _fill_bars(state: Record, values: Floats) -> None:
    for index, minutes in enumerate(MINUTES):
        if state.bars >= minutes:
            opening, high, low, close = _latest_bars(state, minutes)
            values[_PARKINSON + index] = BASIS_POINTS * ranges.parkinson(high, low)
            values[_GARMAN_KLASS + index] = BASIS_POINTS * ranges.garman_klass(opening, high, low, close)
        if state.bars > minutes:
            opening, high, low, close = _latest_bars(state, minutes + 1)
            values[_YANG_ZHANG + index] = BASIS_POINTS * ranges.yang_zhang(opening, high, low, close)


@part
def _latest_bars(state: Record, number: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return open, high, low and close of the latest bars, the latest last."""
    prices = np.empty((4, number))
    for index in range(number):
        slot = (state.bars - number + index) % MINUTE_CAPACITY
        for row in range(4):
            prices[row, index] = state.ring[row, slot]
    return prices[0], prices[1], prices[2], prices[3]
