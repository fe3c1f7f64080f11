"""What only a future has: funding, basis, premium, open interest and forced orders.

A value of these streams is unknown until it was seen, and again once nothing new was heard of it for its life time: a
stream that died says nothing. Forced orders have no pulse, so they are unknown until the first one was seen and known
from then on. Seconds to the funding are not here but with the clocks.
"""

import math

import numpy as np

from dataflows.indicators.microstructure import seconds as ring
from dataflows.indicators.microstructure.best_prices import mid_price
from dataflows.indicators.registry import Clock, Feature, WarmUp
from dataflows.indicators.windows import BASIS_POINTS, NANOSECONDS
from dataflows.kernels import Floats, Record, part

#: How long mark price, index price and funding rate hold (the venue sends them every one to three seconds), and how
#: long the open interest, which is asked for, does.
MARK_LIFE_NS = 60 * NANOSECONDS
OPEN_INTEREST_LIFE_NS = 300 * NANOSECONDS
#: The open interest is remembered at each multiple of this many seconds, for a quarter of an hour and some.
_STEP_SECONDS = 10
_STEPS = 96
_CHANGE_MINUTES = (1, 5, 15)
_STEPS_A_MINUTE = 60 // _STEP_SECONDS
_LIQUIDATION_SECONDS = (60, 300)

DERIVATIVES = np.dtype(
    [
        ("mark_price", np.float64),
        ("mark_time_ns", np.int64),
        ("index_price", np.float64),
        ("index_time_ns", np.int64),
        ("funding_rate", np.float64),
        ("funding_time_ns", np.int64),
        # 0 where unknown.
        ("next_funding_time_ns", np.int64),
        ("open_interest", np.float64),
        ("open_interest_time_ns", np.int64),
        ("open_interests", np.float64, (_STEPS,)),
        ("liquidations", np.int64),
    ],
    align=True,
)

_MARK = WarmUp(1, Clock.UPDATES)
_VENUE = "Binance Futures, Introduction to Funding Rates"
_BASIS_SOURCE = "Alexander, Choi, Park and Sohn, Journal of Futures Markets 40, 2020"
_FLOW_SOURCE = "Hasbrouck, Empirical Market Microstructure, 2007"
_INTEREST_SOURCE = "Bessembinder and Seguin, Journal of Financial and Quantitative Analysis 28, 1993"


def _interest(minutes: int) -> Feature:
    return Feature(
        f"open_interest_change_{minutes}m_bps",
        f"open interest as of the last multiple of {_STEP_SECONDS} s over that of {minutes} min before, less 1",
        _INTEREST_SOURCE, "open interest", WarmUp(60 * minutes + _STEP_SECONDS, Clock.SECONDS), "bps", -BASIS_POINTS)


def _liquidation(seconds: int) -> Feature:
    return Feature(
        f"liquidation_flow_{seconds}s",
        f"quantity of forced orders that bought (shorts liquidated) less that of those that sold in the last {seconds} "
        "s; invalid until one was ever seen",
        _FLOW_SOURCE, "liquidations", WarmUp(seconds, Clock.SECONDS), "base units")


#: In the order in which `fill` writes.
FEATURES = (
    Feature("funding_rate", "the rate of the next funding as the venue estimates it now", _VENUE, "mark price", _MARK,
            "ratio"),
    Feature("basis_bps", "mark price less index price, over the index price", _BASIS_SOURCE, "mark price", _MARK, "bps",
            -BASIS_POINTS),
    Feature("premium_bps",
            "what the best bid is above the index price less what the best ask is below it, over the index price; the "
            "venue's premium index with best prices for its impact prices",
            _VENUE, "mark price, best prices", _MARK, "bps", -BASIS_POINTS),
    Feature("mark_deviation_bps", "mid price less mark price, over the mark price", _BASIS_SOURCE,
            "mark price, best prices", _MARK, "bps", -BASIS_POINTS),
    *map(_interest, _CHANGE_MINUTES),
    *map(_liquidation, _LIQUIDATION_SECONDS),
)
_INTERESTS = 4
_LIQUIDATIONS = _INTERESTS + len(_CHANGE_MINUTES)


@part
def restart(state: Record) -> None:
    """Forget everything."""
    state.mark_price = 0.0
    state.mark_time_ns = 0
    state.index_price = 0.0
    state.index_time_ns = 0
    state.funding_rate = 0.0
    state.funding_time_ns = 0
    state.next_funding_time_ns = 0
    state.open_interest = 0.0
    state.open_interest_time_ns = 0
    state.open_interests[:] = 0.0
    state.liquidations = 0


@part
def on_mark(
    state: Record, time_ns: int, mark_price: float, index_price: float, funding_rate: float, next_funding_time_ns: int,
) -> None:
    """Take in what a frame says of mark price, index and funding; NaN (and 0, but as a rate) leaves it as it was."""
    if _is_price(mark_price):
        state.mark_price = mark_price
        state.mark_time_ns = time_ns
    if _is_price(index_price):
        state.index_price = index_price
        state.index_time_ns = time_ns
    if math.isfinite(funding_rate):
        state.funding_rate = funding_rate
        state.funding_time_ns = time_ns
    if next_funding_time_ns > 0:
        state.next_funding_time_ns = next_funding_time_ns


@part
def on_open_interest(state: Record, time_ns: int, open_interest: float) -> None:
    """Take in the open interest as the venue says it."""
    if 0.0 <= open_interest < math.inf:
        state.open_interest = open_interest
        state.open_interest_time_ns = time_ns


@part
def on_liquidation(state: Record, seconds: Record, quantity: float, sign: float) -> None:
    """Take in a forced order; `sign` is positive where it bought."""
    seconds.buckets[ring.slot(seconds.second)].liquidated += sign * quantity
    state.liquidations += 1


@part
def on_second(state: Record, second: int) -> None:
    """Remember the open interest at its steps, 0 where it is unknown."""
    if second % _STEP_SECONDS == 0:
        slot = second // _STEP_SECONDS % _STEPS
        known = second * NANOSECONDS - state.open_interest_time_ns <= OPEN_INTEREST_LIFE_NS
        state.open_interests[slot] = state.open_interest if known else 0.0


@part
def fill(state: Record, seconds: Record, top: Floats, tick_time_ns: int, values: Floats) -> None:
    """Fill the values of `FEATURES`, NaN where unknown."""
    values[:] = math.nan
    mid = mid_price(top[0], top[2])
    mark = _lasting(state.mark_price, state.mark_time_ns, tick_time_ns)
    index = _lasting(state.index_price, state.index_time_ns, tick_time_ns)
    values[0] = _lasting(state.funding_rate, state.funding_time_ns, tick_time_ns)
    values[1] = BASIS_POINTS * (mark - index) / index
    if not math.isnan(mid):
        values[2] = BASIS_POINTS * (max(top[0] - index, 0.0) - max(index - top[2], 0.0)) / index
        values[3] = BASIS_POINTS * (mid - mark) / mark
    for place, minutes in enumerate(_CHANGE_MINUTES):
        values[_INTERESTS + place] = _interest_change(state, seconds.second, minutes)
    for place, number in enumerate(_LIQUIDATION_SECONDS):
        if state.liquidations > 0 and ring.has(seconds, number):
            values[_LIQUIDATIONS + place] = _liquidated(seconds, number)


@part
def _is_price(price: float) -> bool:
    return 0.0 < price < math.inf


@part
def _lasting(value: float, said_ns: int, now_ns: int) -> float:
    return value if said_ns > 0 and now_ns - said_ns <= MARK_LIFE_NS else math.nan


@part
def _interest_change(state: Record, second: int, minutes: int) -> float:
    step = second // _STEP_SECONDS
    now = state.open_interests[step % _STEPS]
    then = state.open_interests[(step - minutes * _STEPS_A_MINUTE) % _STEPS]
    return BASIS_POINTS * (now / then - 1.0) if now > 0.0 and then > 0.0 else math.nan


@part
def _liquidated(seconds: Record, number: int) -> float:
    total = 0.0
    for second in range(seconds.second - number, seconds.second):
        total += seconds.buckets[ring.slot(second)].liquidated
    return total
