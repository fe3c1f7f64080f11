"""Volatility from the ranges of bars, which say more than their closes alone.

Each kernel takes arrays of prices, a bar each, the latest last, all of equal length, and gives the standard deviation
of the log price over one bar: not annualised, no basis points. NaN where there are too few bars.
"""

import math

import numpy as np

from dataflows.indicators.statistical.moments import sample_deviation
from dataflows.kernels import Floats, kernel


@kernel
def parkinson(high: Floats, low: Floats) -> float:
    """Return `sqrt(sum(log(high / low)^2) / (4 n log 2))` (Parkinson, Journal of Business 53, 1980)."""
    total = 0.0
    for index in range(high.size):
        total += math.log(high[index] / low[index]) ** 2
    return math.sqrt(total / (4.0 * math.log(2.0) * high.size))


@kernel
def garman_klass(opening: Floats, high: Floats, low: Floats, close: Floats) -> float:
    """Return the root of the mean of `log(high / low)^2 / 2 - (2 log 2 - 1) log(close / open)^2`.

    Source: Garman and Klass, Journal of Business 53 (1980), their practical estimator without the jump at the opening.
    """
    total = 0.0
    for index in range(high.size):
        total += 0.5 * math.log(high[index] / low[index]) ** 2
        total -= (2.0 * math.log(2.0) - 1.0) * math.log(close[index] / opening[index]) ** 2
    return math.sqrt(total / high.size)


@kernel
def yang_zhang(opening: Floats, high: Floats, low: Floats, close: Floats) -> float:
    """Return the estimator that minds neither drift nor jumps at openings.

    Source: Yang and Zhang, Journal of Business 73 (2000), with k = 0.34 / (1.34 + (n + 1) / (n - 1)). Of the first bar
    only the close is used, so n is one less than the bars; NaN where there are fewer than three.
    """
    number = high.size - 1
    if number < 2:
        return math.nan
    jumps, bodies, rogers_satchell = np.empty(number), np.empty(number), 0.0
    for index in range(1, high.size):
        jumps[index - 1] = math.log(opening[index] / close[index - 1])
        bodies[index - 1] = math.log(close[index] / opening[index])
        upper, lower = math.log(high[index] / opening[index]), math.log(low[index] / opening[index])
        rogers_satchell += upper * (upper - bodies[index - 1]) + lower * (lower - bodies[index - 1])
    weight = 0.34 / (1.34 + (number + 1.0) / (number - 1.0))
    variance = sample_deviation(jumps) ** 2 + weight * sample_deviation(bodies) ** 2
    return math.sqrt(variance + (1.0 - weight) * rogers_satchell / number)
