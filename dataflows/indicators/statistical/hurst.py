"""The Hurst exponent of a window of returns, by rescaled range and by detrended fluctuation.

0.5 says that returns have no memory, more that they persist, less that they revert. Both are slopes of a line through
few points of a short window, so they scatter (by 0.04 to 0.07 for 900 values) and are not kept within 0 to 1.
The windows of both are cut into boxes of several sizes; where a size does not divide the window, the oldest values are
left out.
"""

import math

import numpy as np

from dataflows.indicators.statistical.moments import centre, has_unknown, mean, sum_of_products
from dataflows.kernels import Floats, kernel, part
from sluice.errors import InputError


def boxes(*sizes: int) -> Floats:
    """Return a row for each size of box: the size, its log and the log of `expected_rescaled_range`.

    The two kernels below take them, read-only. Raises `InputError` where there are fewer than two sizes, or one is
    below 4.
    """
    if len(sizes) < 2 or min(sizes) < 4:
        raise InputError(f"sizes must be two or more, none below 4, was {sizes}")
    rows = np.array([(size, math.log(size), math.log(expected_rescaled_range(size))) for size in sizes])
    rows.flags.writeable = False
    return rows


def expected_rescaled_range(size: int) -> float:
    """Return the expectation of R/S of so many independent normal values.

    Source: Anis and Lloyd, Biometrika 63 (1976), with the factor `(n - 1/2) / n` of Peters, "Fractal Market Analysis",
    1994, for small samples, as Weron, Physica A 312 (2002), has both.
    """
    gammas = math.exp(math.lgamma((size - 1) / 2) - math.lgamma(size / 2)) / math.sqrt(math.pi)
    return (size - 0.5) / size * gammas * sum(math.sqrt((size - index) / index) for index in range(1, size))


@kernel
def hurst_rescaled_range(values: Floats, boxes: Floats) -> float:
    """Return 0.5 plus the slope of log(R/S) less its expectation without memory, against the log of the box size.

    R is the range of the running sum of deviations from a box's mean, S the standard deviation with divisor n (Hurst,
    1951); the bias of short boxes is taken out with `expected_rescaled_range`. Boxes in which nothing moves are left
    out; NaN where a size has no other. In short windows the estimate leans towards 0.5: of 900 values with an exponent
    of 0.7 it finds 0.63, with 0.3 it finds 0.33.
    """
    if has_unknown(values):
        return math.nan
    heights = np.empty(boxes.shape[0])
    for row in range(boxes.shape[0]):
        heights[row] = math.log(_mean_rescaled_range(values, int(boxes[row, 0]))) - boxes[row, 2]
    return 0.5 + _slope(boxes[:, 1], heights)


@kernel
def hurst_detrended(values: Floats, boxes: Floats) -> float:
    """Return the slope of log F(n) against log n, where F is the fluctuation about a line fitted in each box (DFA-1).

    Source: Peng et al., Physical Review E 49 (1994). The profile is the running sum of deviations from the window's
    mean, F(n) the root mean square of what is left after the fit. Nothing is done about the bias of the smallest boxes.
    """
    profile = np.empty(values.size)
    if not centre(values, profile) > 0.0:
        return math.nan
    for index in range(1, profile.size):
        profile[index] += profile[index - 1]
    heights = np.empty(boxes.shape[0])
    for row in range(boxes.shape[0]):
        heights[row] = 0.5 * math.log(_fluctuation(profile, int(boxes[row, 0])))
    return _slope(boxes[:, 1], heights)


@part
def _mean_rescaled_range(values: Floats, size: int) -> float:
    """Return the mean R/S of the boxes of a size in which something moves, NaN where there is none."""
    total, counted, scratch = 0.0, 0, np.empty(size)
    for start in range(values.size % size, values.size, size):
        squares = centre(values[start : start + size], scratch)
        if squares > 0.0:
            total += _range_of_running_sum(scratch) / math.sqrt(squares / size)
            counted += 1
    return total / counted


@part
def _range_of_running_sum(deviations: Floats) -> float:
    running, low, high = 0.0, 0.0, 0.0
    for deviation in deviations:
        running += deviation
        low = min(low, running)
        high = max(high, running)
    return high - low


@part
def _fluctuation(profile: Floats, size: int) -> float:
    """Return the mean square of what a line fitted to each box leaves, NaN where no box fits."""
    places = np.arange(size).astype(np.float64) - 0.5 * (size - 1)
    total, counted, scratch = 0.0, 0, np.empty(size)
    for start in range(profile.size % size, profile.size, size):
        total += _residual(places, profile[start : start + size], scratch)
        counted += size
    return total / counted


@part
def _residual(places: Floats, heights: Floats, left: Floats) -> float:
    """Return the sum of squared residuals of the line of least squares; the places are equally spaced about 0."""
    middle, size = mean(heights), places.size
    for index in range(size):
        left[index] = heights[index] - middle
    slope = sum_of_products(places, left) / (size * (size * size - 1.0) / 12.0)
    for index in range(size):
        left[index] -= slope * places[index]
    return sum_of_products(left, left)


@part
def _slope(places: Floats, heights: Floats) -> float:
    """Return the slope of the line of least squares; NaN where a height is not finite."""
    place, height = mean(places), mean(heights)
    products, squares = 0.0, 0.0
    for index in range(places.size):
        products += (places[index] - place) * (heights[index] - height)
        squares += (places[index] - place) * (places[index] - place)
    slope = products / squares
    return slope if math.isfinite(slope) else math.nan
