"""Bars of a fixed length from trades, in event time.

A bar covers `[n * interval, (n + 1) * interval)` since the Unix epoch and closes when event time reaches its end. A
bar without a trade carries the last close and volume 0. The first bar begins with the first trade. After a silence
longer than the ring the bars begin anew: so old a price says nothing of the market now. Bars of the venue (klines)
are another thing; they are not used here.
"""

import numpy as np

from dataflows.kernels import Record, part

#: Closed bars that are remembered.
BAR_CAPACITY = 128

BAR = np.dtype(
    [
        ("index", np.int64),
        ("open", np.float64),
        ("high", np.float64),
        ("low", np.float64),
        ("close", np.float64),
        ("volume", np.float64),
    ],
    align=True,
)

BARS = np.dtype(
    [
        ("interval_ns", np.int64),
        ("started", np.int64),
        ("closed", np.int64),
        ("current", BAR),
        ("ring", BAR, (BAR_CAPACITY,)),
    ],
    align=True,
)


@part
def add_trade(bars: Record, time_ns: int, price: float, quantity: float) -> None:
    """Put a trade into the current bar. What ended before it must have been closed."""
    bar = bars.current
    if bars.started == 0:
        bars.started = 1
        bars.closed = 0
        bar.index = time_ns // bars.interval_ns
        _open(bar, price)
    elif bar.volume == 0.0:
        _open(bar, price)
    bar.high = max(bar.high, price)
    bar.low = min(bar.low, price)
    bar.close = price
    bar.volume += quantity


@part
def is_due(bars: Record, time_ns: int) -> bool:
    """Tell whether the current bar has ended by this time."""
    return bool(bars.started == 1 and time_ns >= (bars.current.index + 1) * bars.interval_ns)


@part
def is_outdated(bars: Record, time_ns: int) -> bool:
    """Tell whether the market has been silent for longer than the ring is."""
    return bool(bars.started == 1 and time_ns // bars.interval_ns - bars.current.index > BAR_CAPACITY)


@part
def restart(bars: Record) -> None:
    """Begin anew with the next trade."""
    bars.started = 0
    bars.closed = 0
    bars.current.volume = 0.0


@part
def close_bar(bars: Record) -> None:
    """Move the current bar into the ring and open the next one at its close."""
    bar, kept = bars.current, bars.ring[bars.closed % BAR_CAPACITY]
    kept.index = bar.index
    kept.open = bar.open
    kept.high = bar.high
    kept.low = bar.low
    kept.close = bar.close
    kept.volume = bar.volume
    bars.closed += 1
    bar.index += 1
    bar.volume = 0.0
    _open(bar, bar.close)


@part
def _open(bar: Record, price: float) -> None:
    bar.open = price
    bar.high = price
    bar.low = price
    bar.close = price
