"""What the batch functions with more than one column return. Each column has one value a bar, NaN until it is warm."""

from typing import NamedTuple

from dataflows.kernels import Floats


class Macd(NamedTuple):
    """Moving average convergence and divergence in price units."""

    line: Floats
    signal: Floats
    histogram: Floats


class Bollinger(NamedTuple):
    """Bollinger bands: prices, the close's place between them (0 to 1 inside), their distance over the middle."""

    middle: Floats
    upper: Floats
    lower: Floats
    percent_b: Floats
    bandwidth: Floats


class Ichimoku(NamedTuple):
    """The lines that stand at each bar: four prices, and the close less that of `displacement` bars ago."""

    conversion: Floats
    base: Floats
    span_a: Floats
    span_b: Floats
    lagging: Floats


class SuperTrend(NamedTuple):
    """The line, a price, and 1 where the trend rises or -1 where it falls."""

    line: Floats
    direction: Floats


class Directional(NamedTuple):
    """Average directional index, plus and minus directional indicator, 0 to 100."""

    adx: Floats
    plus: Floats
    minus: Floats


class Stochastic(NamedTuple):
    """Slow %K and %D, 0 to 100."""

    k: Floats
    d: Floats


class Channel(NamedTuple):
    """Two prices, and the place of the close from the lower, 0, to the upper, 1."""

    upper: Floats
    lower: Floats
    position: Floats


class OnBalance(NamedTuple):
    """On-balance volume since the first bar, its change over the period, and that over the period's volume."""

    total: Floats
    change: Floats
    balance: Floats
