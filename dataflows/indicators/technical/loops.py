"""Loops over whole arrays that call the kernels of a stream bar by bar. `batch` is what people call.

Arrays in are as long as the history; an array of them all is a ring that never goes round (see `window`).
"""

from dataflows.indicators.technical import (
    averages,
    convergence,
    direction,
    family,
    oscillators,
    strength,
    true_range,
    window,
)
from dataflows.indicators.technical import volume as volumes
from dataflows.kernels import Floats, Integers, RecordArray, kernel


@kernel
def simple(close: Floats, period: int, out: Floats) -> None:
    """Fill the simple moving average."""
    for bar in range(close.size):
        out[bar] = window.mean(close, bar + 1, period)


@kernel
def exponential(state: RecordArray, close: Floats, period: int, out: Floats) -> None:
    """Fill the exponential moving average; the state is an AVERAGE."""
    for bar in range(close.size):
        averages.add_exponential(state[0], close[bar], period)
        out[bar] = averages.value(state[0], period)


@kernel
def relative_strength(state: RecordArray, close: Floats, period: int, out: Floats) -> None:
    """Fill the relative strength index; the state is a STRENGTH."""
    for bar in range(close.size):
        strength.add(state[0], close[bar], period)
        out[bar] = strength.relative_strength(state[0], period)


@kernel
def rate_of_change(close: Floats, period: int, out: Floats) -> None:
    """Fill the rate of change in basis points."""
    for bar in range(close.size):
        out[bar] = strength.rate_of_change_bps(close, bar + 1, period)


@kernel
def convergence_divergence(state: RecordArray, close: Floats, fast: int, slow: int, signal: int, out: Floats) -> None:
    """Fill line, signal and histogram; the state is a CONVERGENCE."""
    for bar in range(close.size):
        convergence.add(state[0], close[bar], fast, slow, signal)
        out[0, bar] = convergence.line(state[0], slow)
        out[1, bar] = convergence.signal_line(state[0], signal)
        out[2, bar] = out[0, bar] - out[1, bar]


@kernel
def bollinger(close: Floats, period: int, width: float, out: Floats) -> None:
    """Fill middle, upper and lower band, %b and bandwidth."""
    for bar in range(close.size):
        centre, reach = oscillators.bands(close, bar + 1, period, width)
        out[0, bar] = centre
        out[1, bar] = centre + reach
        out[2, bar] = centre - reach
        out[3, bar] = oscillators.percent_b(close[bar], centre, reach)
        out[4, bar] = 2.0 * reach / centre


@kernel
def cloud(high: Floats, low: Floats, close: Floats, lengths: Integers, out: Floats) -> None:
    """Fill the five lines of Ichimoku; the lengths are conversion, base, span and displacement."""
    conversion, base, span, displacement = lengths[0], lengths[1], lengths[2], lengths[3]
    for bar in range(close.size):
        out[0, bar] = window.middle(high, low, bar + 1, conversion)
        out[1, bar] = window.middle(high, low, bar + 1, base)
        out[2, bar] = oscillators.span_a(high, low, bar + 1, conversion, base, displacement)
        out[3, bar] = oscillators.span_b(high, low, bar + 1, span, displacement)
        out[4, bar] = oscillators.lagging(close, bar + 1, displacement)


@kernel
def average_range(state: RecordArray, high: Floats, low: Floats, close: Floats, period: int, out: Floats) -> None:
    """Fill the average true range; the state is a RANGE."""
    for bar in range(close.size):
        true_range.add(state[0], high[bar], low[bar], close[bar], period)
        out[bar] = true_range.average(state[0], period)


@kernel
def trend(state: RecordArray, high: Floats, low: Floats, close: Floats, reach: Floats, out: Floats) -> None:
    """Fill line and direction of SuperTrend; `reach` is the multiple of the average true range at each bar."""
    for bar in range(close.size):
        true_range.add_trend(state[0], high[bar], low[bar], close[bar], reach[bar])
        out[0, bar] = true_range.trend_line(state[0])
        out[1, bar] = true_range.trend_direction(state[0])


@kernel
def directional(state: RecordArray, high: Floats, low: Floats, close: Floats, period: int, out: Floats) -> None:
    """Fill average directional index, plus and minus indicator; the state is a DIRECTION."""
    for bar in range(close.size):
        direction.add(state[0], high[bar], low[bar], close[bar], period)
        out[0, bar] = direction.average_index(state[0], period)
        out[1, bar] = direction.indicator(state[0], state[0].plus, period)
        out[2, bar] = direction.indicator(state[0], state[0].minus, period)


@kernel
def stochastic(high: Floats, low: Floats, close: Floats, period: int, smoothing: int, signal: int, out: Floats) -> None:
    """Fill slow %K and %D."""
    for bar in range(close.size):
        out[0, bar] = oscillators.slow_k(high, low, close, bar + 1, period, smoothing)
        out[1, bar] = oscillators.slow_d(high, low, close, bar + 1, period, smoothing, signal)


@kernel
def channel(high: Floats, low: Floats, period: int, out: Floats) -> None:
    """Fill the highest high and the lowest low."""
    for bar in range(high.size):
        out[0, bar] = window.highest(high, bar + 1, period)
        out[1, bar] = window.lowest(low, bar + 1, period)


@kernel
def places(close: Floats, upper: Floats, lower: Floats, out: Floats) -> None:
    """Fill the place of each close between a lower and an upper line."""
    for bar in range(close.size):
        out[bar] = window.place(close[bar], lower[bar], upper[bar])


@kernel
def session(
    state: RecordArray, day: Integers, high: Floats, low: Floats, close: Floats, volume: Floats, out: Floats,
) -> None:
    """Fill the volume-weighted price since the day began; the state is a SESSION."""
    for bar in range(close.size):
        volumes.add(state[0], day[bar], high[bar], low[bar], close[bar], volume[bar])
        out[bar] = volumes.session_price(state[0])


@kernel
def rolling(high: Floats, low: Floats, close: Floats, volume: Floats, period: int, out: Floats) -> None:
    """Fill the volume-weighted price of the last bars."""
    for bar in range(close.size):
        out[bar] = volumes.rolling_price(high, low, close, volume, bar + 1, period)


@kernel
def on_balance(state: RecordArray, close: Floats, volume: Floats, period: int, out: Floats) -> None:
    """Fill on-balance volume, its change over a period and that relative to the volume; the state is an ON_BALANCE."""
    for bar in range(close.size):
        volumes.add_on_balance(state[0], close[bar], volume[bar])
        change, traded = volumes.balance(close, volume, bar + 1, period)
        out[0, bar] = state[0].total
        out[1, bar] = change
        out[2, bar] = volumes.balance_ratio(change, traded)


@kernel
def rows(state: RecordArray, bars: RecordArray, prices: Floats, out: Floats) -> None:
    """Fill the columns of the family at each bar, against a price; the state is a TECHNICAL."""
    for bar in range(bars.size):
        family.add_bar(state[0], bars[bar])
        family.fill(state[0], prices[bar], out[bar])
