"""What trading cost the takers: effective and realised spread, and the price impact that is between them.

Source: Huang and Stoll, "Dealer versus auction markets", Journal of Financial Economics 41, 1996. With sign s, price p,
mid price m before the trade and M a while after it, the effective spread is `2 s (p - m) / m`, the realised spread
`2 s (p - M) / m`, the impact `2 s (M - m) / m`; each is the mean over trades weighted with their quantities. Which best
prices are those before a trade is said by `prevailing`. M is taken at a whole second, the one that ends the fifth
second after the trade's own: 5 to 6 s later. So no queue of trades has to be kept, and the window of the latter two
ends 5 s before that of the first.
"""

import math

from dataflows.indicators.microstructure import seconds as ring
from dataflows.indicators.microstructure.best_prices import mid_price
from dataflows.indicators.registry import Clock, Feature, WarmUp
from dataflows.indicators.windows import BASIS_POINTS
from dataflows.kernels import Floats, Record, part

_SECONDS = 60
_HORIZON = 5
_SOURCE = "Huang and Stoll, Journal of Financial Economics 41, 1996"
_LATER = WarmUp(_SECONDS + _HORIZON, Clock.SECONDS)

#: In the order in which `fill` writes.
FEATURES = (
    Feature(f"effective_spread_{_SECONDS}s_bps",
            f"2 s (p - m) / m, mean over the trades of the last {_SECONDS} s by quantity; s is 1 for a taker's buy, -1 "
            "for a sale, m the mid price before the millisecond of the trade by the venue's clock",
            _SOURCE, "trades, best prices", WarmUp(_SECONDS, Clock.SECONDS), "bps"),
    Feature(f"realised_spread_{_SECONDS}s_bps",
            f"2 s (p - M) / m, mean over the trades of the {_SECONDS} s that ended {_HORIZON} s ago by quantity; M is "
            f"the mid price at the whole second that is {_HORIZON} to {_HORIZON + 1} s after the trade",
            _SOURCE, "trades, best prices", _LATER, "bps"),
    Feature(f"price_impact_{_SECONDS}s_bps", f"2 s (M - m) / m over the trades of realised_spread_{_SECONDS}s_bps",
            _SOURCE, "trades, best prices", _LATER, "bps"),
)


@part
def on_trade(seconds: Record, price: float, quantity: float, sign: float, top: Floats) -> None:
    """Take in a trade; call it before the trade is counted. `top` is what it was before the trade."""
    bucket = seconds.buckets[ring.slot(seconds.second)]
    mid = mid_price(top[0], top[2])
    if bucket.buys + bucket.sells == 0.0:
        bucket.reference = mid
    weight = sign * quantity / mid
    bucket.effective += weight * (price - mid)
    bucket.signed_distance += weight * (price - bucket.reference)
    bucket.signed_weight += weight


@part
def fill(seconds: Record, values: Floats) -> None:
    """Fill the values of `FEATURES`, NaN where not warm, without trades or where a mid price was unknown."""
    values[:] = math.nan
    if ring.has(seconds, _SECONDS):
        values[0] = _effective(seconds, seconds.second)
    if ring.has(seconds, _SECONDS + _HORIZON):
        values[1] = _realised(seconds, seconds.second - _HORIZON)
        values[2] = _effective(seconds, seconds.second - _HORIZON) - values[1]


@part
def _effective(seconds: Record, end: int) -> float:
    total, volume = 0.0, 0.0
    for second in range(end - _SECONDS, end):
        bucket = seconds.buckets[ring.slot(second)]
        total += bucket.effective
        volume += bucket.bought + bucket.sold
    return 2.0 * BASIS_POINTS * total / volume


@part
def _realised(seconds: Record, end: int) -> float:
    total, volume = 0.0, 0.0
    for second in range(end - _SECONDS, end):
        bucket = seconds.buckets[ring.slot(second)]
        traded = bucket.bought + bucket.sold
        if traded > 0.0:
            later = seconds.buckets[ring.slot(second + 1 + _HORIZON)].mid
            total += bucket.signed_distance - (later - bucket.reference) * bucket.signed_weight
            volume += traded
    return 2.0 * BASIS_POINTS * total / volume
