"""Two tests on the variance of a window of returns: does it grow with the horizon, and did the price jump.

Each kernel takes a one-dimensional window of returns, the latest last, and gives NaN where the window has a NaN, is too
short or does not move. Both statistics are standard normal in large samples without memory or jumps.
"""

import math

import numpy as np

from dataflows.indicators.statistical.moments import centre, sum_of_products
from dataflows.kernels import Floats, kernel

#: Variance of the jump statistic's numerator: `pi^2 / 4 + pi - 5`.
_THETA = math.pi * math.pi / 4.0 + math.pi - 5.0


@kernel
def variance_ratio(returns: Floats, horizon: int) -> tuple[float, float]:
    """Return the variance of returns over `horizon` steps over `horizon` times that of single steps, and its z.

    Source: Lo and MacKinlay, Review of Financial Studies 1 (1988): overlapping returns, unbiased variances, and z* that
    holds under changing volatility. 1 for a random walk, more where returns persist, less where they revert. NaN where
    `horizon` is below 2 or not less than the window.
    """
    size = returns.size
    if horizon < 2 or horizon >= size:
        return math.nan, math.nan
    deviations = np.empty(size)
    squares = centre(returns, deviations)
    long = 0.0
    for end in range(horizon, size + 1):
        step = 0.0
        for index in range(end - horizon, end):
            step += deviations[index]
        long += step * step
    divisor = horizon * (size - horizon + 1) * (1.0 - horizon / size)
    ratio = long / divisor / (squares / (size - 1))
    weighed, powers = 0.0, deviations * deviations
    for lag in range(1, horizon):
        weight = 2.0 * (horizon - lag) / horizon
        weighed += weight * weight * sum_of_products(powers[lag:], powers[:-lag])
    # sqrt(n) (ratio - 1) / sqrt(n weighed / squares^2): the n cancels.
    return ratio, (ratio - 1.0) * squares / math.sqrt(weighed)


@kernel
def jump_test(returns: Floats) -> tuple[float, float]:
    """Return the share of jumps in the realised variance and the z of the test that there was none.

    Source: Barndorff-Nielsen and Shephard, Journal of Financial Econometrics 4 (2006), the adjusted ratio test: share =
    1 - (pi / 2) BV / RV with bipower variation BV, studentised by quadpower quarticity. Their sign is turned, so that
    jumps make z large and positive; sums are not stretched for the products missing at the ends. Both are NaN where
    nothing moves, z where no two neighbours move.
    """
    size = returns.size
    moves = np.abs(returns)
    realised, bipower = sum_of_products(moves, moves), sum_of_products(moves[1:], moves[:-1])
    if size < 4 or not realised > 0.0:
        return math.nan, math.nan
    pairs = moves[1:] * moves[:-1]
    quarticity = size * sum_of_products(pairs[2:], pairs[:-2])
    share = 1.0 - 0.5 * math.pi * bipower / realised
    spread = quarticity / (bipower * bipower)
    return share, share * math.sqrt(size / (_THETA * max(spread, 1.0)))
