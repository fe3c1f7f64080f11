"""Buckets of one second of event time: the memory that every window of the family is summed from.

A window of n seconds is the last n whole seconds. Nothing is added to and taken from a running sum: each value is
summed anew over its buckets, so that it is as exact after a year as after a minute. A bucket that holds something
unknown is NaN in that field, and so is each window until the bucket has left it.
"""

import numpy as np

from dataflows.indicators.microstructure.best_prices import mid_price
from dataflows.kernels import Floats, Record, part

#: The longest window in seconds, and how many seconds are kept: that window, the horizon of the realised spread, some.
LONGEST_WINDOW = 300
SECOND_CAPACITY = 320

SECOND = np.dtype(
    [
        # The mid price before any event of the second.
        ("mid", np.float64),
        # Trades by the taker's side: quantities, numbers, and price times quantity of both.
        ("bought", np.float64),
        ("sold", np.float64),
        ("buys", np.float64),
        ("sells", np.float64),
        ("notional", np.float64),
        # The price of the last trade.
        ("close", np.float64),
        # Sums over trades with s = +1 where the taker bought, m the mid price before the trade, r the bucket's
        # reference price: q s (p - m) / m, q s (p - r) / m and q s / m.
        ("reference", np.float64),
        ("effective", np.float64),
        ("signed_distance", np.float64),
        ("signed_weight", np.float64),
        # Changes of the best prices or their quantities: how many, order flow, bid plus ask quantity after each.
        ("touches", np.float64),
        ("order_flow", np.float64),
        ("touch_quantity", np.float64),
        # Updates of the book, levels that they set and levels that they removed.
        ("updates", np.float64),
        ("levels_set", np.float64),
        ("levels_removed", np.float64),
        # Quantity of forced orders that bought less that of those that sold.
        ("liquidated", np.float64),
    ],
    align=True,
)

SECONDS = np.dtype(
    [
        ("started", np.int64),
        # The second that is being filled, and the first that was seen from its start.
        ("second", np.int64),
        ("first_second", np.int64),
        ("buckets", SECOND, (SECOND_CAPACITY,)),
    ],
    align=True,
)


@part
def restart(seconds: Record) -> None:
    """Forget every second. Buckets keep their bytes; none is read before it was entered anew."""
    seconds.started = 0
    seconds.second = 0
    seconds.first_second = 0


@part
def slot(second: int) -> int:
    """Return where the bucket of a second is in the ring."""
    return second % SECOND_CAPACITY


@part
def enter(seconds: Record, second: int, top: Floats) -> None:
    """Go to the next second; `top` is best bid, its quantity, best ask, its quantity before any event of it.

    The first call after a restart may come inside of its second, which therefore counts as not seen whole.
    """
    if seconds.started == 0:
        seconds.started = 1
        seconds.first_second = second + 1
    seconds.second = second
    bucket = seconds.buckets[slot(second)]
    bucket.mid = mid_price(top[0], top[2])
    bucket.bought = 0.0
    bucket.sold = 0.0
    bucket.buys = 0.0
    bucket.sells = 0.0
    bucket.notional = 0.0
    bucket.close = 0.0
    bucket.reference = 0.0
    bucket.effective = 0.0
    bucket.signed_distance = 0.0
    bucket.signed_weight = 0.0
    bucket.touches = 0.0
    # Unknown best prices (NaN) make the order flow of the second unknown, known ones add nothing.
    bucket.order_flow = 0.0 * (top[0] + top[1] + top[2] + top[3])
    bucket.touch_quantity = 0.0
    bucket.updates = 0.0
    bucket.levels_set = 0.0
    bucket.levels_removed = 0.0
    bucket.liquidated = 0.0


@part
def has(seconds: Record, number: int) -> bool:
    """Tell whether the last `number` whole seconds have been seen from their start."""
    return bool(seconds.started == 1 and seconds.second - number >= seconds.first_second)
