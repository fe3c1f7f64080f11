"""Technical indicators over arrays: for research, for training, and to check a stream against.

Each function takes one value a bar (NumPy arrays, Polars series, lists), the oldest first, and returns as many float64
values, NaN until there are bars enough. They loop over the kernels of the stream, whose modules give sources and
departures from TA-Lib. All raise `InputError` where values are not finite numbers of one length, or a period is not a
whole number of at least 1.
"""

import numpy as np
from numpy.typing import ArrayLike

from dataflows.bars import BAR
from dataflows.indicators.bar_lengths import parse_length
from dataflows.indicators.technical import loops
from dataflows.indicators.technical.averages import AVERAGE
from dataflows.indicators.technical.columns import COLUMNS
from dataflows.indicators.technical.convergence import CONVERGENCE
from dataflows.indicators.technical.direction import DIRECTION
from dataflows.indicators.technical.family import DAY_NS, TECHNICAL
from dataflows.indicators.technical.inputs import columns, factor_of, period_of
from dataflows.indicators.technical.results import (
    Bollinger,
    Channel,
    Directional,
    Ichimoku,
    Macd,
    OnBalance,
    Stochastic,
    SuperTrend,
)
from dataflows.indicators.technical.strength import STRENGTH
from dataflows.indicators.technical.true_range import RANGE, SUPERTREND
from dataflows.indicators.technical.volume import ON_BALANCE, SESSION
from dataflows.kernels import Floats, RecordArray
from sluice.errors import InputError


def sma(close: ArrayLike, period: int) -> Floats:
    """Return the simple moving average; first value with bar `period`."""
    (closes,), out = columns(close=close)
    loops.simple(closes, period_of(period), out)
    return out


def ema(close: ArrayLike, period: int) -> Floats:
    """Return the exponential moving average; first value with bar `period`."""
    (closes,), out = columns(close=close)
    loops.exponential(np.zeros(1, AVERAGE), closes, period_of(period), out)
    return out


def rsi(close: ArrayLike, period: int = 14) -> Floats:
    """Return Wilder's relative strength index, 0 to 100; first value with bar `period + 1`."""
    (closes,), out = columns(close=close)
    loops.relative_strength(np.zeros(1, STRENGTH), closes, period_of(period), out)
    return out


def rate_of_change_bps(close: ArrayLike, period: int) -> Floats:
    """Return the move over a period in basis points; first value with bar `period + 1`."""
    (closes,), out = columns(close=close)
    loops.rate_of_change(closes, period_of(period), out)
    return out


def macd(close: ArrayLike, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Return line (first value with bar `slow`), signal and histogram (`signal - 1` bars later).

    Raises `InputError` also where `fast` is not less than `slow`.
    """
    (closes,), out = columns(3, close=close)
    if period_of(fast, "fast") >= period_of(slow, "slow"):
        raise InputError(f"fast must be less than slow ({slow}), was {fast}")
    loops.convergence_divergence(np.zeros(1, CONVERGENCE), closes, fast, slow, period_of(signal, "signal"), out)
    return Macd(*out)


def bollinger(close: ArrayLike, period: int = 20, width: float = 2.0) -> Bollinger:
    """Return the bands `width` standard deviations from the mean; first value with bar `period`."""
    (closes,), out = columns(5, close=close)
    loops.bollinger(closes, period_of(period), factor_of(width, "width"), out)
    return Bollinger(*out)


def ichimoku(
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    conversion: int = 9,
    base: int = 26,
    span: int = 52,
    displacement: int = 26,
) -> Ichimoku:
    """Return the lines that stand at each bar, none from the future.

    First values: conversion and base with the bar of their length, span A with bar `max(conversion, base) +
    displacement`, span B with `span + displacement`, lagging with `displacement + 1`.
    """
    (highs, lows, closes), out = columns(5, high=high, low=low, close=close)
    named = {"conversion": conversion, "base": base, "span": span, "displacement": displacement}
    lengths = np.array([period_of(length, name) for name, length in named.items()], np.int64)
    loops.cloud(highs, lows, closes, lengths, out)
    return Ichimoku(*out)


def atr(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Floats:
    """Return Wilder's average true range in price units; first value with bar `period + 1`."""
    (highs, lows, closes), out = columns(high=high, low=low, close=close)
    loops.average_range(np.zeros(1, RANGE), highs, lows, closes, period_of(period), out)
    return out


def supertrend(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 10, multiplier: float = 3.0,
) -> SuperTrend:
    """Return line and direction; first value with bar `period + 1`, where the trend is said to fall."""
    (highs, lows, closes), out = columns(2, high=high, low=low, close=close)
    reach = factor_of(multiplier, "multiplier") * atr(high, low, close, period)
    loops.trend(np.zeros(1, SUPERTREND), highs, lows, closes, reach, out)
    return SuperTrend(*out)


def adx(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Directional:
    """Return the index (first value with bar `2 * period`) and the indicators (`period + 1`)."""
    (highs, lows, closes), out = columns(3, high=high, low=low, close=close)
    loops.directional(np.zeros(1, DIRECTION), highs, lows, closes, period_of(period), out)
    return Directional(*out)


def stochastic(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14, smoothing: int = 3, signal: int = 3,
) -> Stochastic:
    """Return slow %K (first value with bar `period + smoothing - 1`) and %D (`signal - 1` bars later)."""
    (highs, lows, closes), out = columns(2, high=high, low=low, close=close)
    lengths = period_of(period), period_of(smoothing, "smoothing"), period_of(signal, "signal")
    loops.stochastic(highs, lows, closes, *lengths, out)
    return Stochastic(*out)


def donchian(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 20) -> Channel:
    """Return highest high and lowest low, the newest bar included; first value with bar `period`."""
    (highs, lows, closes), out = columns(3, high=high, low=low, close=close)
    loops.channel(highs, lows, period_of(period), out)
    return _channel(closes, *out)


def keltner(
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    period: int = 20,
    range_period: int = 10,
    multiplier: float = 2.0,
) -> Channel:
    """Return the exponential average plus and less a multiple of the average true range.

    First value with bar `max(period, range_period + 1)`.
    """
    (_, _, closes), out = columns(high=high, low=low, close=close)
    centre = ema(closes, period)
    reach = factor_of(multiplier, "multiplier") * atr(high, low, close, period_of(range_period, "range_period"))
    return _channel(closes, centre + reach, centre - reach, out)


def session_vwap(
    open_time_ns: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike,
) -> Floats:
    """Return the volume-weighted typical price since 00:00 UTC, from the first bar on; times are when bars open."""
    (highs, lows, closes, volumes), out = columns(high=high, low=low, close=close, volume=volume)
    days = np.asarray(open_time_ns, np.int64) // DAY_NS
    if days.shape != out.shape:
        raise InputError(f"open_time_ns must have {out.size} values as close has, was of shape {days.shape}")
    loops.session(np.zeros(1, SESSION), days, highs, lows, closes, volumes, out)
    return out


def rolling_vwap(high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike, period: int) -> Floats:
    """Return the volume-weighted typical price of the last bars; first value with bar `period`."""
    (highs, lows, closes, volumes), out = columns(high=high, low=low, close=close, volume=volume)
    loops.rolling(highs, lows, closes, volumes, period_of(period), out)
    return out


def on_balance_volume(close: ArrayLike, volume: ArrayLike, period: int = 20) -> OnBalance:
    """Return the sum since the first bar, its change over a period (first value with bar `period + 1`) and balance."""
    (closes, volumes), out = columns(3, close=close, volume=volume)
    loops.on_balance(np.zeros(1, ON_BALANCE), closes, volumes, period_of(period), out)
    return OnBalance(*out)


def technical_features(bars: RecordArray, suffix: str) -> Floats:
    """Return the columns of `features(suffix)` at each bar of `dataflows.bars`, against its close as price.

    Shape (bars, columns). The bars are as long as the suffix says (`_1m`). Raises `InputError` where they are no bars.
    """
    if bars.dtype != BAR or bars.ndim != 1:
        raise InputError(f"bars must be an array of {BAR.names}, was {bars.dtype} of shape {bars.shape}")
    state, out = np.zeros(1, TECHNICAL), np.empty((bars.size, len(COLUMNS)))
    state["interval_ns"] = parse_length(suffix.removeprefix("_"))
    loops.rows(state, np.array(bars), np.array(bars["close"]), out)
    return out


def _channel(closes: Floats, upper: Floats, lower: Floats, out: Floats) -> Channel:
    loops.places(closes, upper, lower, out)
    return Channel(upper, lower, out)
