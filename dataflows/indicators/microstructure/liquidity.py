"""How much trading moves the price: Kyle's lambda, Amihud's illiquidity, and Roll's spread from prices alone.

Kyle, "Continuous Auctions and Insider Trading", Econometrica 53, 1985: lambda is the slope of the least-squares line of
the changes of the mid price over one second on the signed volume in that second. Amihud, "Illiquidity and stock
returns", Journal of Financial Markets 5, 2002: the mean of |return| over traded money, of seconds here (his: days),
those without a trade left out. Roll, "A Simple Implicit Measure of the Effective Bid-Ask Spread", Journal of Finance
39, 1984: `2 sqrt(-cov)` of successive changes of closing prices (of days there, of seconds here), which is nothing
where the covariance is positive. Single fills would not do: those of one large order go the same way.
Money is price times quantity as streamed, which for an inverse contract is not money but in proportion to it while
the price stays near.
"""

import math

from dataflows.indicators.microstructure import seconds as ring
from dataflows.indicators.microstructure.best_prices import mid_price
from dataflows.indicators.registry import Clock, Feature, WarmUp
from dataflows.indicators.windows import BASIS_POINTS
from dataflows.kernels import Floats, Record, part

_SECONDS = (60, 300)
_MILLION = 1e6
#: A spread of the volumes below this share of their mean square is rounding, and no line goes through it.
_NO_SPREAD = 1e-20


def _kyle(seconds: int) -> Feature:
    return Feature(
        f"kyle_lambda_{seconds}s",
        "slope of the least-squares line of one-second changes of the mid price on the quantity bought less sold in "
        f"that second, over the last {seconds} s",
        "Kyle, Econometrica 53, 1985", "trades, best prices", WarmUp(seconds, Clock.SECONDS), "price per base unit")


def _amihud(seconds: int) -> Feature:
    return Feature(
        f"amihud_illiquidity_{seconds}s",
        "mean of |log return of the mid price| over price times quantity traded, of the seconds with a trade in the "
        f"last {seconds} s",
        "Amihud, Journal of Financial Markets 5, 2002", "trades, best prices", WarmUp(seconds, Clock.SECONDS),
        "bps per million quote units", 0.0)


def _roll(seconds: int) -> Feature:
    return Feature(
        f"roll_spread_{seconds}s_bps",
        f"2 sqrt(-covariance of successive changes) of the last trades' prices of the seconds with a trade in the last "
        f"{seconds} s, over the mid price; invalid where the covariance is positive",
        "Roll, Journal of Finance 39, 1984", "trades, best prices", WarmUp(seconds, Clock.SECONDS), "bps", 0.0)


#: In the order in which `fill` writes.
FEATURES = (*map(_kyle, _SECONDS), *map(_amihud, _SECONDS), *map(_roll, _SECONDS))
_AMIHUD = len(_SECONDS)
_ROLL = 2 * len(_SECONDS)


@part
def fill(seconds: Record, top: Floats, values: Floats) -> None:
    """Fill the values of `FEATURES`, NaN where not warm or where there is no such value."""
    values[:] = math.nan
    for index, number in enumerate(_SECONDS):
        if ring.has(seconds, number):
            values[index] = _slope(seconds, number)
            values[_AMIHUD + index] = _illiquidity(seconds, number)
            values[_ROLL + index] = BASIS_POINTS * _spread(seconds, number) / mid_price(top[0], top[2])


@part
def _slope(seconds: Record, number: int) -> float:
    end = seconds.second
    volume, square = 0.0, 0.0
    for second in range(end - number, end):
        bucket = seconds.buckets[ring.slot(second)]
        signed = bucket.bought - bucket.sold
        volume += signed
        square += signed * signed
    mean = volume / number
    drift = (seconds.buckets[ring.slot(end)].mid - seconds.buckets[ring.slot(end - number)].mid) / number
    together, alone = 0.0, 0.0
    for second in range(end - number, end):
        bucket = seconds.buckets[ring.slot(second)]
        distance = bucket.bought - bucket.sold - mean
        together += distance * (seconds.buckets[ring.slot(second + 1)].mid - bucket.mid - drift)
        alone += distance * distance
    return together / alone if alone > _NO_SPREAD * square else math.nan


@part
def _illiquidity(seconds: Record, number: int) -> float:
    total, count = 0.0, 0
    for second in range(seconds.second - number, seconds.second):
        bucket = seconds.buckets[ring.slot(second)]
        if bucket.notional > 0.0:
            total += abs(math.log(seconds.buckets[ring.slot(second + 1)].mid / bucket.mid)) / bucket.notional
            count += 1
    return BASIS_POINTS * _MILLION * total / count if count > 0 else math.nan


@part
def _spread(seconds: Record, number: int) -> float:
    prices, pairs = 0, 0
    price, change = 0.0, 0.0
    later, earlier, products = 0.0, 0.0, 0.0
    for second in range(seconds.second - number, seconds.second):
        bucket = seconds.buckets[ring.slot(second)]
        if bucket.buys + bucket.sells > 0.0:
            previous, change = change, bucket.close - price
            price = bucket.close
            prices += 1
            if prices > 2:
                pairs += 1
                later += change
                earlier += previous
                products += change * previous
    if pairs < 2:
        return math.nan
    covariance = products / pairs - later / pairs * (earlier / pairs)
    return 2.0 * math.sqrt(-covariance) if covariance <= 0.0 else math.nan
