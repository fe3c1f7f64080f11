"""Bollinger bands, stochastic oscillator, Ichimoku cloud: what a window of the last bars says.

Bollinger, "Bollinger on Bollinger Bands", 2001: the simple average, and a multiple of the standard deviation of the
population above and below it; %b is the place of the close between the bands, bandwidth their distance relative to the
average. Departure from TA-Lib's BBANDS: the deviation is made from the distances to the mean, where TA-Lib takes a mean
of squares less a squared mean, which loses digits, and takes a variance below 1e-14 for 0.

Stochastic, George Lane: the place of the close between the lowest low and the highest high in percent; slow %K is a
simple average of that, %D one of slow %K. Departures from TA-Lib's STOCH: 50 where high and low are one, for a market
that does not move stands nowhere (TA-Lib: 0); %K is given as soon as it can be, TA-Lib holds it back until %D is there.

Ichimoku, Goichi Hosoda, 1969. Every line stands at the bar at which it was known: conversion and base are the middles
of the last 9 and 26 bars. The spans are those that a chart draws at the current bar: they were computed 26 bars before
it (span A the mean of conversion and base as of then, span B the middle of the 52 bars up to then). The lagging line,
which a chart draws 26 bars back, is given here as the close less the close 26 bars before.
"""

import math

from dataflows.indicators.technical import window
from dataflows.kernels import Floats, part


@part
def bands(closes: Floats, bars: int, period: int, width: float) -> tuple[float, float]:
    """Return the centre of the bands and how far they are from it, in price units, NaN before `period` bars."""
    centre = window.mean(closes, bars, period)
    return centre, width * window.deviation(closes, bars, period, centre)


@part
def percent_b(close: float, centre: float, reach: float) -> float:
    """Return the place of a close between the bands `reach` below and above a centre; 0.5 where they are one."""
    return 0.5 + 0.5 * (close - centre) / reach if reach != 0.0 else 0.5


@part
def _fast(highs: Floats, lows: Floats, closes: Floats, bars: int, period: int) -> float:
    high, low = window.highest(highs, bars, period), window.lowest(lows, bars, period)
    return 100.0 * window.place(window.at(closes, bars, 0), low, high)


@part
def slow_k(highs: Floats, lows: Floats, closes: Floats, bars: int, period: int, smoothing: int) -> float:
    """Return slow %K, 0 to 100, NaN before `period + smoothing - 1` bars."""
    if bars < period + smoothing - 1:
        return math.nan
    total = 0.0
    for back in range(smoothing):
        total += _fast(highs, lows, closes, bars - back, period)
    return total / smoothing


@part
def slow_d(highs: Floats, lows: Floats, closes: Floats, bars: int, period: int, smoothing: int, signal: int) -> float:
    """Return %D, 0 to 100, NaN before `period + smoothing + signal - 2` bars."""
    if bars < period + smoothing + signal - 2:
        return math.nan
    total = 0.0
    for back in range(signal):
        total += slow_k(highs, lows, closes, bars - back, period, smoothing)
    return total / signal


@part
def span_a(highs: Floats, lows: Floats, bars: int, conversion: int, base: int, displacement: int) -> float:
    """Return the leading span A that stands at the newest bar, NaN before `base + displacement` bars."""
    then = bars - displacement
    return 0.5 * (window.middle(highs, lows, then, conversion) + window.middle(highs, lows, then, base))


@part
def span_b(highs: Floats, lows: Floats, bars: int, span: int, displacement: int) -> float:
    """Return the leading span B that stands at the newest bar, NaN before `span + displacement` bars."""
    return window.middle(highs, lows, bars - displacement, span)


@part
def lagging(closes: Floats, bars: int, displacement: int) -> float:
    """Return the close less that of `displacement` bars ago in price units, NaN before `displacement + 1` bars."""
    return window.at(closes, bars, 0) - window.at(closes, bars, displacement)
