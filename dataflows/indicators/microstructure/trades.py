"""Trades in windows, and how fast trades, updates of the book and changes of its levels arrive.

What the light set has already (delta and flow imbalance over a minute and less, trades a second in ten) is not here.
"""

import math

from dataflows.indicators.microstructure import seconds as ring
from dataflows.indicators.microstructure.best_prices import imbalance
from dataflows.indicators.registry import Clock, Feature, WarmUp
from dataflows.kernels import Floats, Record, part

_LONG = ring.LONGEST_WINDOW
_COUNT_SECONDS = (1, 10, 60, _LONG)
_TRADE_RATE_SECONDS = 60
_RATE_SECONDS = (10, 60)
_SOURCE = "Hasbrouck, Empirical Market Microstructure, 2007"
_RATE_SOURCE = "Cont, Stoikov and Talreja, Operations Research 58, 2010"


def _count_imbalance(seconds: int) -> Feature:
    return Feature(
        f"trade_count_imbalance_{seconds}s",
        f"(buys - sells) / (buys + sells) of the numbers of trades by takers in the last {seconds} s; 0 without trades",
        _SOURCE, "trades", WarmUp(seconds, Clock.SECONDS), "ratio", -1.0, 1.0)


def _rates(seconds: int) -> tuple[Feature, ...]:
    rates = (
        ("touch_change_rate", "changes of the best prices or their quantities", "best prices"),
        ("book_update_rate", "updates of the book", "book"),
        ("level_set_rate", "levels that updates of the book set to a quantity", "book"),
        ("level_removal_rate", "levels that updates of the book removed, by cancels or by trades", "book"),
    )
    return tuple(
        Feature(f"{name}_{seconds}s", f"{what} a second in the last {seconds} s", _RATE_SOURCE, inputs,
                WarmUp(seconds, Clock.SECONDS), "1/s", 0.0)
        for name, what, inputs in rates)


#: In the order in which `fill` writes.
FEATURES = (
    Feature(f"cvd_{_LONG}s", f"quantity bought less quantity sold by takers in the last {_LONG} s", _SOURCE, "trades",
            WarmUp(_LONG, Clock.SECONDS), "base units"),
    Feature(f"flow_imbalance_{_LONG}s", f"cvd_{_LONG}s over all that was traded in that time; 0 without trades",
            _SOURCE, "trades", WarmUp(_LONG, Clock.SECONDS), "ratio", -1.0, 1.0),
    *map(_count_imbalance, _COUNT_SECONDS),
    Feature(f"trade_rate_{_TRADE_RATE_SECONDS}s", f"trades a second in the last {_TRADE_RATE_SECONDS} s", _SOURCE,
            "trades", WarmUp(_TRADE_RATE_SECONDS, Clock.SECONDS), "1/s", 0.0),
    *(feature for seconds in _RATE_SECONDS for feature in _rates(seconds)),
)
_COUNTS = 2
_TRADE_RATE = _COUNTS + len(_COUNT_SECONDS)
_RATES = _TRADE_RATE + 1
_KINDS = 4


@part
def on_trade(seconds: Record, price: float, quantity: float, sign: float) -> None:
    """Take in a trade; `sign` is positive where the taker bought."""
    bucket = seconds.buckets[ring.slot(seconds.second)]
    if sign > 0:
        bucket.bought += quantity
        bucket.buys += 1.0
    else:
        bucket.sold += quantity
        bucket.sells += 1.0
    bucket.notional += price * quantity
    bucket.close = price


@part
def on_levels(seconds: Record, changed: float, removed: float) -> None:
    """Take in an update of the book by the numbers of levels that it set and removed."""
    bucket = seconds.buckets[ring.slot(seconds.second)]
    bucket.updates += 1.0
    bucket.levels_set += changed
    bucket.levels_removed += removed


@part
def fill(seconds: Record, values: Floats) -> None:
    """Fill the values of `FEATURES`, NaN where not warm."""
    values[:] = math.nan
    if ring.has(seconds, _LONG):
        bought, sold = _volumes(seconds, _LONG)
        values[0] = bought - sold
        values[1] = imbalance(bought, sold)
    for index, number in enumerate(_COUNT_SECONDS):
        if ring.has(seconds, number):
            buys, sells = _counts(seconds, number)
            values[_COUNTS + index] = imbalance(buys, sells)
            if number == _TRADE_RATE_SECONDS:
                values[_TRADE_RATE] = (buys + sells) / number
    for index, number in enumerate(_RATE_SECONDS):
        if ring.has(seconds, number):
            _fill_rates(seconds, number, values[_RATES + index * _KINDS : _RATES + (index + 1) * _KINDS])


@part
def _volumes(seconds: Record, number: int) -> tuple[float, float]:
    bought, sold = 0.0, 0.0
    for second in range(seconds.second - number, seconds.second):
        bucket = seconds.buckets[ring.slot(second)]
        bought += bucket.bought
        sold += bucket.sold
    return bought, sold


@part
def _counts(seconds: Record, number: int) -> tuple[float, float]:
    buys, sells = 0.0, 0.0
    for second in range(seconds.second - number, seconds.second):
        bucket = seconds.buckets[ring.slot(second)]
        buys += bucket.buys
        sells += bucket.sells
    return buys, sells


@part
def _fill_rates(seconds: Record, number: int, values: Floats) -> None:
    touches, updates, levels_set, removed = 0.0, 0.0, 0.0, 0.0
    for second in range(seconds.second - number, seconds.second):
        bucket = seconds.buckets[ring.slot(second)]
        touches += bucket.touches
        updates += bucket.updates
        levels_set += bucket.levels_set
        removed += bucket.levels_removed
    values[0] = touches / number
    values[1] = updates / number
    values[2] = levels_set / number
    values[3] = removed / number
