"""Moments of a window of returns: volatility and its own volatility, skewness, kurtosis, autocorrelation.

Each kernel takes a one-dimensional window, the latest value last, and gives NaN where the window has a NaN, is too
short, or is constant where the value is then undefined. Constant means up to rounding: a standard deviation below
1e-10 of the mean. Nothing is annualised and nothing is kept between two windows.
"""

import math

import numpy as np

from dataflows.kernels import Floats, kernel, part

#: A sum of squared deviations that is no more than this share of the squared mean's is rounding.
_ROUNDING = 1e-20


@part
def has_unknown(values: Floats) -> bool:
    """Tell whether a value is NaN."""
    for value in values:
        if math.isnan(value):
            return True
    return False


@part
def sum_of_products(left: Floats, right: Floats) -> float:
    """Return the sum of the products of two windows of equal length, always added in the same order."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    fours = left.size - left.size % 4
    for index in range(0, fours, 4):
        # Four sums, because one would wait for each addition; the order is part of the result and never changes.
        first += left[index] * right[index]
        second += left[index + 1] * right[index + 1]
        third += left[index + 2] * right[index + 2]
        fourth += left[index + 3] * right[index + 3]
    for index in range(fours, left.size):
        first += left[index] * right[index]
    return (first + second) + (third + fourth)


@part
def mean(values: Floats) -> float:
    """Return the mean of a window, NaN where it is empty."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    fours = values.size - values.size % 4
    for index in range(0, fours, 4):
        first += values[index]
        second += values[index + 1]
        third += values[index + 2]
        fourth += values[index + 3]
    for index in range(fours, values.size):
        first += values[index]
    return ((first + second) + (third + fourth)) / values.size


@part
def centre(values: Floats, deviations: Floats) -> float:
    """Write each value less the mean into `deviations`.

    Returns the sum of their squares; NaN where it is not known or is nothing but rounding, so that what is divided by
    it is NaN too.
    """
    middle = mean(values)
    for index in range(values.size):
        deviations[index] = values[index] - middle
    squares = sum_of_products(deviations, deviations)
    return squares if squares > _ROUNDING * values.size * middle * middle else math.nan


@part
def sample_deviation(values: Floats) -> float:
    """Return the standard deviation with divisor n - 1, NaN where there are fewer than two values."""
    middle, squares = mean(values), 0.0
    for value in values:
        squares += (value - middle) * (value - middle)
    return math.sqrt(squares / (values.size - 1)) if values.size > 1 else math.nan


@kernel
def realised_volatility(returns: Floats) -> float:
    """Return the root of the sum of squared returns, in their unit (Andersen and Bollerslev, 1998)."""
    return math.sqrt(sum_of_products(returns, returns)) if returns.size > 0 else math.nan


@kernel
def volatility_of_volatility(returns: Floats, span: int) -> float:
    """Return the standard deviation (divisor n - 1) of the realised volatilities of all spans within the window.

    The spans overlap: there are `returns.size - span + 1`. NaN where there are fewer than two, or `span` is below 1.
    The sums of squares are put together from the ends and beginnings of blocks of one span (van Herk, 1992): nothing is
    subtracted, so that a large return leaves no rounding behind.
    """
    spans = returns.size - span + 1
    if span < 1 or spans < 2:
        return math.nan
    squares = np.empty(spans)
    for start in range(0, spans, span):
        total = 0.0
        for index in range(start + span - 1, start - 1, -1):
            total += returns[index] * returns[index]
            if index < spans:
                squares[index] = total
        total = 0.0
        for index in range(start + span, min(start + 2 * span - 1, returns.size)):
            total += returns[index] * returns[index]
            squares[index - span + 1] += total
    return sample_deviation(np.sqrt(squares))


@kernel
def skewness(values: Floats) -> float:
    """Return the skewness `m3 / m2**1.5` of central moments with divisor n, which is biased (Fisher's g1).

    As `scipy.stats.skew`; it lies within `(n - 2) / sqrt(n - 1)` either way.
    """
    deviations = np.empty(values.size)
    second = centre(values, deviations) / values.size
    return sum_of_products(deviations, deviations * deviations) / values.size / (second * math.sqrt(second))


@kernel
def excess_kurtosis(values: Floats) -> float:
    """Return the excess kurtosis `m4 / m2**2 - 3` of central moments with divisor n, which is biased (Fisher's g2).

    As `scipy.stats.kurtosis`: 0 for a normal distribution, at least -2, at most n.
    """
    deviations = np.empty(values.size)
    second = centre(values, deviations) / values.size
    squares = deviations * deviations
    excess = sum_of_products(squares, squares) / values.size / (second * second) - 3.0
    return max(excess, -2.0)


@kernel
def autocorrelation(values: Floats, lag: int) -> float:
    """Return the autocorrelation at a lag, -1 to 1: both sums about the mean of the whole window.

    Source: Box and Jenkins, "Time Series Analysis", 1970. NaN where `lag` is not 1 to `values.size - 1`.
    """
    if lag < 1 or lag >= values.size:
        return math.nan
    deviations = np.empty(values.size)
    squares = centre(values, deviations)
    return sum_of_products(deviations[lag:], deviations[:-lag]) / squares
