"""What the last bars of a ring say: mean, spread, highest, lowest, middle, place between two lines.

A ring is an array to which bar number n went at `n % size`; `bars` says how many went in. An array that holds every bar
is a ring that never went round, so a whole history and a short memory give the same bits. Each value is made anew from
the bars of its window, oldest first: nothing is added up for ever, and nothing drifts. NaN where bars are missing.
"""

import math

from dataflows.kernels import Floats, part

#: What two prices differ by through rounding alone, relative to them.
ROUNDING = 1e-12


@part
def at(values: Floats, bars: int, back: int) -> float:
    """Return the value so many bars before the newest, NaN where there was none."""
    return float(values[(bars - 1 - back) % values.size]) if bars > back else math.nan


@part
def mean(values: Floats, bars: int, period: int) -> float:
    """Return the mean of the last bars, which is exactly the value where all are the same."""
    if bars < period:
        return math.nan
    newest = values[(bars - 1) % values.size]
    slot, total = (bars - period) % values.size, 0.0
    for _ in range(period):
        total += values[slot] - newest
        slot = slot + 1 if slot + 1 < values.size else 0
    return float(newest + total / period)


@part
def deviation(values: Floats, bars: int, period: int, centre: float) -> float:
    """Return the root of the mean squared distance from a centre: of the population, not of a sample."""
    if bars < period:
        return math.nan
    slot, total = (bars - period) % values.size, 0.0
    for _ in range(period):
        total += (values[slot] - centre) * (values[slot] - centre)
        slot = slot + 1 if slot + 1 < values.size else 0
    return math.sqrt(total / period)


@part
def highest(values: Floats, bars: int, period: int) -> float:
    """Return the greatest of the last bars."""
    if bars < period:
        return math.nan
    slot, found = (bars - period) % values.size, -math.inf
    for _ in range(period):
        found = max(found, values[slot])
        slot = slot + 1 if slot + 1 < values.size else 0
    return found


@part
def lowest(values: Floats, bars: int, period: int) -> float:
    """Return the least of the last bars."""
    if bars < period:
        return math.nan
    slot, found = (bars - period) % values.size, math.inf
    for _ in range(period):
        found = min(found, values[slot])
        slot = slot + 1 if slot + 1 < values.size else 0
    return found


@part
def middle(highs: Floats, lows: Floats, bars: int, period: int) -> float:
    """Return the mean of the highest high and the lowest low of the last bars."""
    return 0.5 * (highest(highs, bars, period) + lowest(lows, bars, period))


@part
def place(value: float, lower: float, upper: float) -> float:
    """Return where a price stands from a lower line, 0, to an upper one, 1; 0.5 where the two lines are one.

    Lines closer than `ROUNDING` of the price are one: a smoothed range shrinks for ever in a market that stands still.
    """
    return (value - lower) / (upper - lower) if not upper - lower <= ROUNDING * abs(value) else 0.5
