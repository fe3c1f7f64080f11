"""How much order there is in a window of returns: Shannon, sample and permutation entropy.

Each kernel takes a one-dimensional window, the latest value last, and gives NaN where the window has a NaN or is too
short. Logarithms are natural; Shannon and permutation entropy are divided by their greatest value.
"""

import math
from statistics import NormalDist

import numpy as np

from dataflows.indicators.statistical.moments import centre, has_unknown
from dataflows.kernels import Floats, Integers, kernel, part

#: Bins of the Shannon entropy. Odd, so that no edge lies at the mean, where returns of zero would fall on either side.
BINS = 7
#: Edges, in standard deviations from the mean, between bins that a normal distribution fills equally.
EDGES = tuple(NormalDist().inv_cdf(number / BINS) for number in range(1, BINS))

#: Length of the templates of the sample entropy, and their tolerance in standard deviations.
TEMPLATE = 2
TOLERANCE = 0.2

#: Longest pattern of the permutation entropy: 7! = 5040 counts.
LONGEST_ORDER = 7


@kernel
def shannon_entropy(values: Floats) -> float:
    """Return the entropy (Shannon, 1948) of the values in `BINS` bins over that of equally full bins, 0 to 1.

    The bins are those that a normal distribution with the window's mean and standard deviation (divisor n) fills
    equally: 1 for normal returns however volatile, less the more they heap up. NaN where the window is constant.
    """
    deviations = np.empty(values.size)
    squares = centre(values, deviations)
    if not squares > 0.0:
        return math.nan
    deviation, counts = math.sqrt(squares / values.size), np.zeros(BINS, np.int64)
    for value in deviations:
        at = 0
        for edge in EDGES:
            at += 1 if value >= edge * deviation else 0
        counts[at] += 1
    return _entropy(counts, values.size)


@kernel
def permutation_entropy(values: Floats, order: int) -> float:
    """Return the entropy of the patterns of order of `order` neighbours over log(order!), 0 to 1.

    Source: Bandt and Pompe, Physical Review Letters 88 (2002). Of equal values the earlier counts as the smaller, so a
    constant window has entropy 0. NaN where `order` is not 2 to 7 or the window has no pattern.
    """
    patterns = values.size - order + 1
    if order < 2 or order > LONGEST_ORDER or patterns < 1 or has_unknown(values):
        return math.nan
    possible = 1
    for factor in range(2, order + 1):
        possible *= factor
    counts = np.zeros(possible, np.int64)
    for pattern in _patterns(values, order, patterns):
        counts[pattern] += 1
    return _entropy(counts, patterns)


@kernel
def sample_entropy(values: Floats) -> float:
    """Return `-log(A / B)`: how seldom windows that are alike for two values are still alike at the third.

    Source: Richman and Moorman, American Journal of Physiology 278 (2000), m = 2, r = 0.2 standard deviations (divisor
    n). B counts pairs among the first n - 2 templates whose two values all differ by r or less, A those of them whose
    third does too; a template is not paired with itself. NaN where A is 0 or the window is constant. Takes O(n^2).
    """
    scratch = np.empty(values.size)
    squares = centre(values, scratch)
    if not squares > 0.0:
        return math.nan
    tolerance, alike = TOLERANCE * math.sqrt(squares / values.size), np.zeros(values.size, np.uint8)
    short, long = 0, 0
    for lag in range(1, values.size - TEMPLATE):
        pairs = values.size - lag
        for index in range(pairs):
            alike[index] = abs(values[index] - values[index + lag]) <= tolerance
        for index in range(pairs - TEMPLATE):
            both = alike[index] & alike[index + 1]
            short += both
            long += both & alike[index + 2]
    return -math.log(long / short) if long > 0 else math.nan


@part
def _patterns(values: Floats, order: int, number: int) -> Integers:
    """Return the number of each pattern: for each of its values how many later ones are smaller, in factorial base."""
    numbers = np.zeros(number, np.int64)
    for place in range(order - 1):
        numbers *= order - place
        for later in range(place + 1, order):
            # All patterns at once, which the compiler makes into vector instructions.
            for start in range(number):
                numbers[start] += values[start + later] < values[start + place]
    return numbers


@part
def _entropy(counts: Integers, total: int) -> float:
    """Return the entropy of counts over the log of their number, 0 to 1."""
    entropy = 0.0
    for count in counts:
        if count > 0:
            entropy -= count / total * math.log(count / total)
    return min(1.0, entropy / math.log(counts.size))
