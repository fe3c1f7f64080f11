"""What happened in the last seconds: trades in one-second buckets and the mid price at each whole second.

A window of n seconds is the last n whole seconds of event time, so it is the same whatever lies between two ticks.
The mid price of a second is the one before any event at or after its start, NaN where the book was not known.
Realised volatility is the root of the sum of squared returns (Andersen and Bollerslev, 1998), not annualised.
"""

import math

import numpy as np

from dataflows.kernels import Record, kernel

#: Seconds in the ring: the longest window and some.
SECOND_CAPACITY = 64
LONGEST_WINDOW = 60
NANOSECONDS = 1_000_000_000
BASIS_POINTS = 10_000.0

WINDOWS = np.dtype(
    [
        ("started", np.int64),
        ("second", np.int64),
        ("first_second", np.int64),
        ("mids", np.float64, (SECOND_CAPACITY,)),
        ("bought", np.float64, (SECOND_CAPACITY,)),
        ("sold", np.float64, (SECOND_CAPACITY,)),
        ("trades", np.float64, (SECOND_CAPACITY,)),
    ],
    align=True,
)


@kernel
def advance(windows: Record, time_ns: int, mid: float) -> None:
    """Go to the second of a time; `mid` is the mid price before it, at every second that is entered."""
    second = time_ns // NANOSECONDS
    if windows.started == 0:
        windows.started = 1
        windows.second = second
        windows.first_second = second + 1
        windows.mids[:] = math.nan
        return
    for entered in range(max(windows.second + 1, second - SECOND_CAPACITY + 1), second + 1):
        slot = entered % SECOND_CAPACITY
        windows.mids[slot] = mid
        windows.bought[slot] = 0.0
        windows.sold[slot] = 0.0
        windows.trades[slot] = 0.0
    windows.second = second


@kernel
def add_trade(windows: Record, signed_quantity: float) -> None:
    """Put a trade into the current second; the quantity is positive where the taker bought."""
    slot = windows.second % SECOND_CAPACITY
    if signed_quantity > 0.0:
        windows.bought[slot] += signed_quantity
    else:
        windows.sold[slot] -= signed_quantity
    windows.trades[slot] += 1.0


@kernel
def has_seconds(windows: Record, seconds: int) -> bool:
    """Tell whether that many whole seconds have been seen from their start."""
    return bool(windows.started == 1 and windows.second - seconds >= windows.first_second)


@kernel
def flow(windows: Record, seconds: int) -> tuple[float, float, float]:
    """Return bought quantity, sold quantity and number of trades of the last whole seconds."""
    bought, sold, trades = 0.0, 0.0, 0.0
    for second in range(windows.second - seconds, windows.second):
        slot = second % SECOND_CAPACITY
        bought += windows.bought[slot]
        sold += windows.sold[slot]
        trades += windows.trades[slot]
    return bought, sold, trades


@kernel
def log_return_bps(windows: Record, seconds: int) -> float:
    """Return the log return of the mid price over the last whole seconds, NaN where an end is unknown."""
    now = windows.mids[windows.second % SECOND_CAPACITY]
    then = windows.mids[(windows.second - seconds) % SECOND_CAPACITY]
    return BASIS_POINTS * math.log(now / then)


@kernel
def realised_volatility_bps(windows: Record, seconds: int) -> float:
    """Return the root of the sum of squared one-second log returns, NaN where a mid price in it is unknown."""
    total = 0.0
    for second in range(windows.second - seconds + 1, windows.second + 1):
        now = windows.mids[second % SECOND_CAPACITY]
        change = math.log(now / windows.mids[(second - 1) % SECOND_CAPACITY])
        total += change * change
    return BASIS_POINTS * math.sqrt(total)
