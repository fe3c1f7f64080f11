"""Order flow imbalance: what changes of the best prices and their quantities say of supply and demand.

Source: Cont, Kukanov and Stoikov, "The Price Impact of Order Book Events", Journal of Financial Econometrics 12, 2014.
Each change n of the touch adds `[P_b >= P_b'] q_b - [P_b <= P_b'] q_b' - [P_a <= P_a'] q_a + [P_a >= P_a'] q_a'`,
where a stroke marks what was before. Their second form divides by the average depth, the mean of `(q_b + q_a) / 2`
over the changes of the last minute here (theirs: of the half hour that the regression spans). Levels behind the best
are left out: they would have to be read at every change.
"""

import math

from dataflows.indicators.microstructure import seconds as ring
from dataflows.indicators.registry import Clock, Feature, WarmUp
from dataflows.kernels import Floats, Record, part

_SECONDS = (1, 10, 60)
_DEPTH_SECONDS = 60
_SOURCE = "Cont, Kukanov and Stoikov, Journal of Financial Econometrics 12, 2014"


def _flow(seconds: int) -> Feature:
    return Feature(
        f"order_flow_imbalance_{seconds}s",
        f"sum over the changes of the best level in the last {seconds} s of what they add to the bid or take from the "
        "ask, less the reverse",
        _SOURCE, "best prices", WarmUp(seconds, Clock.SECONDS), "base units")


def _relative(seconds: int) -> Feature:
    return Feature(
        f"order_flow_imbalance_{seconds}s_per_depth",
        f"order_flow_imbalance_{seconds}s over the mean of (bid + ask) / 2 quantity after the changes of the last "
        f"{_DEPTH_SECONDS} s",
        _SOURCE, "best prices", WarmUp(_DEPTH_SECONDS, Clock.SECONDS), "ratio")


#: In the order in which `fill` writes.
FEATURES = (*map(_flow, _SECONDS), *map(_relative, _SECONDS))
_RELATIVE = len(_SECONDS)


@part
def change(before: Floats, after: Floats) -> float:
    """Return what one change of the touch adds to the imbalance, NaN where a side of it is unknown.

    Both are best bid, its quantity, best ask, its quantity.
    """
    total: float = 0.0 * (before[0] + before[2] + after[0] + after[2])
    if after[0] >= before[0]:
        total += after[1]
    if after[0] <= before[0]:
        total -= before[1]
    if after[2] <= before[2]:
        total -= after[3]
    if after[2] >= before[2]:
        total += before[3]
    return total


@part
def on_top(seconds: Record, before: Floats, after: Floats) -> None:
    """Take in a change of the touch."""
    bucket = seconds.buckets[ring.slot(seconds.second)]
    bucket.touches += 1.0
    bucket.order_flow += change(before, after)
    bucket.touch_quantity += after[1] + after[3]


@part
def fill(seconds: Record, values: Floats) -> None:
    """Fill the values of `FEATURES`, NaN where not warm."""
    values[:] = math.nan
    depth = _mean_depth(seconds)
    for index, number in enumerate(_SECONDS):
        if ring.has(seconds, number):
            total = 0.0
            for second in range(seconds.second - number, seconds.second):
                total += seconds.buckets[ring.slot(second)].order_flow
            values[index] = total
            values[_RELATIVE + index] = total / depth


@part
def _mean_depth(seconds: Record) -> float:
    if not ring.has(seconds, _DEPTH_SECONDS):
        return math.nan
    quantity, touches = 0.0, 0.0
    for second in range(seconds.second - _DEPTH_SECONDS, seconds.second):
        bucket = seconds.buckets[ring.slot(second)]
        quantity += bucket.touch_quantity
        touches += bucket.touches
    return 0.5 * quantity / touches
